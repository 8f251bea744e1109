"""Which component and which file of one report is which of another."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from aibom.domain.component import Component, IdentityBasis
from aibom.domain.digest import Digest
from aibom.domain.file import File
from aibom.domain.report import Report

T = TypeVar("T")

# The strongest that both sides have decides; the last two only when nothing else is told.
_ALGORITHMS: Final = (
    "sha256", "sha512", "sha384", "blake3", "blake2b", "git-sha256", "xet", "oci-layer",
    "sha256-composite", "git-sha1", "s3-etag-multipart", "sha1", "md5",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    old: T
    new: T


@dataclass(slots=True)
class Pairs(Generic[T]):
    """What belongs together, and what is on one side only."""

    both: list[Pair[T]] = field(default_factory=list)
    removed: list[T] = field(default_factory=list)
    added: list[T] = field(default_factory=list)

    def match(self, old_key: Callable[[T], Hashable], new_key: Callable[[T], Hashable] | None = None) -> None:
        """Pairs what is left by a key, in order where several share one. A key of None is none."""
        waiting: dict[Hashable, deque[T]] = defaultdict(deque)
        for one in self.removed:
            waiting[old_key(one)].append(one)
        left: list[T] = []
        for other in self.added:
            key = (new_key or old_key)(other)
            if key is not None and waiting.get(key):
                self.both.append(Pair(waiting[key].popleft(), other))
            else:
                left.append(other)
        taken = {id(pair.old) for pair in self.both}
        self.removed = [one for one in self.removed if id(one) not in taken]
        self.added = left


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A report, and whether a bill of materials told it or the bytes did."""

    report: Report
    listed: bool

    @property
    def name(self) -> str:
        return place_name(self.report)


def place_name(report: Report) -> str:
    return report.targets[0].name if report.targets else ""


def own_name(component: Component, report: Report) -> str:
    """The name, without that of the place that was looked at when the component is called like it."""
    place = place_name(report)
    if component.basis is not IdentityBasis.INFERRED or not place:
        return component.name
    if component.name == place:
        return ""
    # What hangs below a model is called like it: "folder tokenizer".
    return component.name.removeprefix(f"{place} ")


def family(component: Component) -> str | None:
    """The package URL without its version, in lower case."""
    purl = component.purl
    if not purl:
        return None
    end = min((at for at in (purl.find("?"), purl.find("#")) if at >= 0), default=len(purl))
    name, rest = purl[:end], purl[end:]
    at = name.rfind("@")
    return ((name[:at] if at > name.rfind("/") else name) + rest).lower()


def components(old: Report, new: Report) -> Pairs[Component]:
    """By package URL, name, tensors, files, and at last because there is no other of its kind."""
    found = Pairs(removed=sorted(old.components, key=_order), added=sorted(new.components, key=_order))
    digests_old, digests_new = _digests(old), _digests(new)
    found.match(lambda one: family(one) and (family(one), one.kind, one.version))
    found.match(lambda one: family(one) and (family(one), one.kind))
    found.match(family)
    found.match(lambda one: (one.kind, own_name(one, old)), lambda one: (one.kind, own_name(one, new)))
    found.match(_named)
    found.match(lambda one: one.model_digest and (one.kind, one.model_digest))
    found.match(lambda one: one.model_digest_anonymous and (one.kind, one.model_digest_anonymous))
    found.match(lambda one: _content(one, digests_old), lambda one: _content(one, digests_new))
    _alone(found, old, new)
    return found


def _order(component: Component) -> tuple[str, str, str, tuple[str, ...], str]:
    return component.kind, component.name, component.version or "", component.files, component.id


def _named(component: Component) -> str | None:
    """Makers call one thing a model or a library; names that only a folder gave prove nothing."""
    return None if component.basis is IdentityBasis.INFERRED else component.name.lower()


def _digests(report: Report) -> dict[str, str]:
    return {file.path: found.value for file in report.files if (found := file.digest("sha256"))}


def _content(component: Component, digests: dict[str, str]) -> Hashable:
    found = [digests.get(path) for path in component.files]
    return (component.kind, *sorted(map(str, found))) if found and None not in found else None


def _alone(found: Pairs[Component], old: Report, new: Report) -> None:
    """The only model of a place is that of the other place, whatever its file or folder is called."""
    for kind in sorted({one.kind for one in found.removed} & {one.kind for one in found.added}):
        sides = [[one for one in report.components if one.kind is kind] for report in (old, new)]
        inferred = any(one.basis is IdentityBasis.INFERRED for side in sides for one in side)
        if inferred and all(len(side) == 1 for side in sides):
            found.match(lambda one, kind=kind: one.kind if one.kind is kind else None)  # type: ignore[misc]


def files(old: Report, new: Report, owners: Iterable[Pair[Component]]) -> Pairs[File]:
    """By path, by content, and inside of components that belong together by the last part of the path."""
    found = Pairs(removed=list(old.files), added=list(new.files))
    found.match(lambda file: file.path)
    found.match(lambda file: (_last(file), _any(file)))
    found.match(_any)
    number_old, number_new = numbers(owners)
    found.match(_inside(number_old, _last), _inside(number_new, _last))
    _lone_files(found, number_old, number_new)
    return found


def _last(file: File) -> str:
    return file.path.rpartition("/")[2]


def _any(file: File) -> tuple[str, str] | None:
    """Content of some size: empty files are no sign of a move."""
    digest = file.digest("sha256")
    empty = file.entry.size == 0 and file.facts is not None
    return (digest.algorithm, digest.value) if digest and not empty else None


def numbers(owners: Iterable[Pair[Component]]) -> tuple[dict[str, int], dict[str, int]]:
    """The number of the pair that a path belongs to, for each side."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for number, pair in enumerate(owners):
        before |= dict.fromkeys(pair.old.files, number)
        after |= dict.fromkeys(pair.new.files, number)
    return before, after


def _inside(numbers: dict[str, int], key: Callable[[File], Hashable]) -> Callable[[File], Hashable]:
    return lambda file: (numbers[file.path], key(file)) if file.path in numbers else None


def _lone_files(found: Pairs[File], before: dict[str, int], after: dict[str, int]) -> None:
    """The only file of its format that a component has left over on each side."""
    sides = _lone(found.removed, before), _lone(found.added, after)
    both = sides[0] & sides[1]
    if both:
        found.match(
            lambda file: key if (key := _format(file, before)) in both else None,
            lambda file: key if (key := _format(file, after)) in both else None,
        )


def _format(file: File, numbers: dict[str, int]) -> tuple[int, str | None] | None:
    return (numbers[file.path], file.format) if file.path in numbers else None


def _lone(left: Iterable[File], numbers: dict[str, int]) -> set[Hashable]:
    counted = Counter(_format(file, numbers) for file in left)
    return {key for key, count in counted.items() if key is not None and count == 1}


def same_bytes(old: File, new: File) -> bool | None:
    """Whether the digests agree; None when the sides have none of one algorithm."""
    for before, after in common(old, new):
        return before.value == after.value
    return None


def common(old: File, new: File) -> Iterator[tuple[Digest, Digest]]:
    """The digests of both sides by the same algorithm, the strongest first."""
    for algorithm in _ALGORITHMS:
        before, after = old.digest(algorithm), new.digest(algorithm)
        if before and after:
            yield before, after
