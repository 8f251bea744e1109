"""Which component, or which file, a reference is about: the same thing by evidence, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.ref import Ref
from aibom.outputs.cdx import refs

_Place: TypeAlias = tuple[str, str, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the components of a report come from, and where they lie."""

    # Both of components whose origin is more than a guess.
    exact: dict[_Place, str]  # bom-ref of the component that is at a place
    repositories: dict[tuple[str, str], tuple[Component, ...]]
    held: dict[str, set[str]]  # component id -> which of the files that references name it has
    paths: dict[str, tuple[Component, ...]]  # of the files and folders that references lead to
    files: frozenset[str]

    @classmethod
    def of(cls, components: Iterable[Component], files: Iterable[str], asked: Iterable[Ref]) -> Places:
        """`files` are all paths, `asked` every place that a reference leads to."""
        exact: dict[_Place, str] = {}
        repositories: dict[tuple[str, str], list[Component]] = {}
        held: dict[str, set[str]] = {}
        locations, subpaths = _named(asked)
        paths: dict[str, list[Component]] = {location: [] for location in locations}
        for component in components:
            ref = component.ref
            if ref is not None and component.basis is not IdentityBasis.INFERRED:
                exact.setdefault(_place(ref), refs.component_ref(component.id))
                repositories.setdefault((ref.scheme, ref.location), []).append(component)
                if subpaths:
                    held[component.id] = _endings(component.files) & subpaths
            if locations:
                for place in _under(component.files) & locations:
                    paths[place].append(component)
        return cls(
            exact=exact,
            repositories={key: tuple(found) for key, found in repositories.items()},
            held=held,
            paths={key: tuple(found) for key, found in paths.items()},
            files=frozenset(files) & locations,
        )

    def at(self, ref: Ref) -> str | None:
        """The bom-ref of the component at exactly this place."""
        return self.exact.get(_place(ref))

    def meant(self, ref: Ref, kind: ComponentKind) -> str | None:
        """The bom-ref of what a line of code means by a place, None when it is not in the scan.

        A reference without a revision means the copy of the repository that is here, when there is
        one alone; one with another revision does not.
        """
        if ref.scheme == "file":
            return _only(self.paths.get(ref.location, ()), kind) or (
                refs.file_ref(ref.location) if ref.location in self.files else None
            )
        found = self.at(ref)
        if found is not None:
            return found
        candidates = self.repositories.get((ref.scheme, ref.location), ())
        return _only([each for each in candidates if self._fits(each, ref)], kind)

    def _fits(self, component: Component, ref: Ref) -> bool:
        """True when the copy is of the revision, and has the file, that are asked for, if any are."""
        copied = component.ref.revision if component.ref else None
        if ref.revision not in (None, copied):
            return False
        return ref.subpath is None or ref.subpath in self.held[component.id]


def _only(candidates: Sequence[Component], kind: ComponentKind) -> str | None:
    """The one candidate of the kind, or the one there is."""
    alike = [each for each in candidates if each.kind is kind] or candidates
    return refs.component_ref(alike[0].id) if len(alike) == 1 else None


def _named(asked: Iterable[Ref]) -> tuple[set[str], set[str]]:
    """The places in the scan, and the files of repositories, that references name."""
    locations: set[str] = set()
    subpaths: set[str] = set()
    for ref in asked:
        if ref.scheme == "file":
            locations.add(ref.location)
        elif ref.subpath is not None:
            subpaths.add(ref.subpath)
    return locations, subpaths


def _endings(paths: Iterable[str]) -> set[str]:
    """The paths, and what is left of each without one or more of its first folders."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.partition("/")[2]  # noqa: PLW2901 - descends to the name
    return found


def _under(paths: Iterable[str]) -> set[str]:
    """The paths, and every folder that one of them is in."""
    found: set[str] = set()
    for path in paths:
        while path and path not in found:
            found.add(path)
            path = path.rpartition("/")[0]  # noqa: PLW2901 - climbs to the root
    return found


def _place(ref: Ref) -> _Place:
    """Equal for a `Ref` and a `PinnedRef` to the same place."""
    return (ref.scheme, ref.location, ref.revision, ref.subpath)
