"""What the parts of a document need to know about the whole: who owns which file, who is who."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aibom.domain.component import Component, ComponentKind, Relation, RelationKind
from aibom.domain.file import File
from aibom.domain.ref import Ref
from aibom.domain.reference import Reference
from aibom.domain.report import Report
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.content import content_properties
from aibom.outputs.cdx.places import Places
from aibom.outputs.cdx.rows import evidence_references, row_properties
from aibom.outputs.cdx.text import Json, prop, shown

# CycloneDX has no type for tokenizers; a vocabulary and its rules are data.
TYPES: Final = {
    ComponentKind.MODEL: "machine-learning-model",
    ComponentKind.ADAPTER: "machine-learning-model",
    ComponentKind.DATASET: "data",
    ComponentKind.TOKENIZER: "data",
    ComponentKind.CODE: "library",
    ComponentKind.LIBRARY: "library",
    ComponentKind.SERVICE: "service",  # of `services`, not of `components`
}

_MODEL_SCHEMES: Final = frozenset({"hf", "mlflow", "ollama"})


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Something outside of the target that a component or a line of code refers to."""

    bom_ref: str
    kind: ComponentKind
    name: str
    target: Ref | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """Look-ups over one report."""

    report: Report
    files: dict[str, File]  # by path
    components: tuple[Component, ...]  # by type, name, id
    by_id: dict[str, Component]
    owned: dict[str, list[File]]  # component id -> files nested in it
    borrowed: dict[str, list[str]]  # component id -> bom-refs of files nested in another one
    loose: list[File]  # in no component
    gaps: frozenset[str]  # paths
    checks: dict[str, list[Json]]  # subject -> properties of its checks, its content and its rows
    evidence: dict[str, list[Json]]  # subject -> references to sidecars
    externals: tuple[External, ...]  # by bom-ref, sorted
    uses: dict[str, list[Reference]]  # bom-ref -> places that refer to it
    places: Places

    @classmethod
    def of(cls, report: Report) -> Index:
        """The look-ups, in time linear in the report."""
        components = tuple(sorted(report.components, key=lambda c: (TYPES[c.kind], c.name, c.id)))
        files = {file.path: file for file in sorted(report.files, key=lambda f: f.path)}
        owned, borrowed, taken = _owners(components, files)
        asked = (use.target for use in report.references if use.target is not None)
        places = Places.of(components, files, asked)
        uses = _uses(report, places)
        return cls(
            report=report,
            files=files,
            components=components,
            by_id={component.id: component for component in components},
            owned=owned,
            borrowed=borrowed,
            loose=[file for path, file in files.items() if path not in taken],
            gaps=frozenset(gap.path for gap in report.gaps),
            checks=_checks(report),
            evidence=evidence_references(report),
            externals=_externals(components, uses, places),
            uses=uses,
            places=places,
        )

    def target(self, relation: Relation) -> str | None:
        """The bom-ref at the tip of a relation; None for an id that the report does not have."""
        if relation.target is not None:
            outside = refs.external_ref(_kind_of(relation, relation.target), relation.target)
            return self.places.at(relation.target) or outside
        known = relation.target_id in self.by_id
        return refs.component_ref(str(relation.target_id)) if known else None

    def subject(self, name: str) -> str | None:
        """The bom-ref of a component id or path."""
        if name in self.by_id:
            return refs.component_ref(name)
        return refs.file_ref(name) if name in self.files else None

    def complete(self, component: Component) -> bool:
        """True when nothing of the component is missing, by its own word and by ours."""
        return (
            component.complete
            and all(path in self.files and path not in self.gaps for path in component.files)
            and all(self.target(relation) for relation in component.relations)
        )


def _owners(
    components: tuple[Component, ...], files: dict[str, File]
) -> tuple[dict[str, list[File]], dict[str, list[str]], set[str]]:
    """A file is nested once, in the first component that has it; the others depend on it."""
    owned: dict[str, list[File]] = {}
    borrowed: dict[str, list[str]] = {}
    taken: set[str] = set()
    for component in components:
        for path in sorted(set(component.files) & files.keys()):
            if component.kind is ComponentKind.SERVICE or path in taken:
                borrowed.setdefault(component.id, []).append(refs.file_ref(path))
            else:
                taken.add(path)
                owned.setdefault(component.id, []).append(files[path])
    return owned, borrowed, taken


def _checks(report: Report) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for check in report.checks:
        value = f"{check.outcome}|{check.identity}" if check.identity else check.outcome.value
        found.setdefault(check.subject, []).append(prop(f"aibom:check:{check.kind}", shown(value)))
    for subject, entry in (*content_properties(report), *row_properties(report)):
        found.setdefault(subject, []).append(entry)
    return found


def _uses(report: Report, places: Places) -> dict[str, list[Reference]]:
    """Every place in code and configuration, by the bom-ref of what it refers to."""
    found: dict[str, list[Reference]] = {}
    for use in report.references:
        found.setdefault(_used(use, places), []).append(use)
    return found


def _used(use: Reference, places: Places) -> str:
    if use.target is None:
        return refs.unresolved_ref(use.kind, use.loader)
    return places.meant(use.target, use.kind) or refs.external_ref(use.kind, use.target)


def _externals(
    components: tuple[Component, ...], uses: dict[str, list[Reference]], places: Places
) -> tuple[External, ...]:
    """What relations other than ancestry, and code, point to outside of the target."""
    found: dict[str, External] = {}
    for name, references in uses.items():
        first = references[0]
        if first.target is None:
            found[name] = External(bom_ref=name, kind=first.kind, name=first.loader)
        elif places.meant(first.target, first.kind) is None:
            found[name] = _external(name, first.kind, first.target)
    for relation in (r for component in components for r in component.relations):
        ref = relation.target
        if ref is not None and relation.kind is not RelationKind.ANCESTOR and places.at(ref) is None:
            name = refs.external_ref(_kind_of(relation, ref), ref)
            found.setdefault(name, _external(name, _kind_of(relation, ref), ref))
    return tuple(found[name] for name in sorted(found))


def _external(name: str, kind: ComponentKind, ref: Ref) -> External:
    return External(bom_ref=name, kind=kind, name=ref.location, target=ref)


def _kind_of(relation: Relation, ref: Ref) -> ComponentKind:
    if relation.kind is RelationKind.TRAINED_ON or ref.scheme == "hf-dataset":
        return ComponentKind.DATASET
    return ComponentKind.MODEL if ref.scheme in _MODEL_SCHEMES else ComponentKind.LIBRARY
