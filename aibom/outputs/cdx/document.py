"""The whole document, its parts in the order of the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from aibom.domain.component import ComponentKind, RelationKind
from aibom.outputs.cdx import provenance, refs
from aibom.outputs.cdx.component import component, service
from aibom.outputs.cdx.declarations import declarations
from aibom.outputs.cdx.external import external, external_service
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.metadata import metadata
from aibom.outputs.cdx.provenance import Cited
from aibom.outputs.cdx.text import Json, present


def document(index: Index, spec_version: str, serial: str) -> Json:
    """The BOM. Its components are sorted, files that belong to none stand at the end."""
    components, services, cited = _assembled(index)
    outside = [
        external(e, index, spec_version) for e in index.externals if e.kind is not ComponentKind.SERVICE
    ]
    services += [external_service(e, index) for e in index.externals if e.kind is ComponentKind.SERVICE]
    dated = index.report.timestamp
    cites = spec_version == "1.7"
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{spec_version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": spec_version,
        "serialNumber": serial,
        "version": 1,
        "metadata": metadata(index),
        **present(
            components=[*components, *outside, *index.loose],
            services=[*services, *provenance.registries(index.report)],
            dependencies=list(_dependencies(index)),
            compositions=_compositions(index),
            annotations=provenance.annotations_of([] if cites else cited, index) if dated else None,
            declarations=declarations(index),
            citations=provenance.citations(cited, index.report) if dated and cites else None,
        ),
    }


def _assembled(index: Index) -> tuple[list[Json], list[Json], list[Cited]]:
    """Components and services of the target, and what stands in them by whose word."""
    components: list[Json] = []
    services: list[Json] = []
    cited: list[Cited] = []
    for subject in index.components:
        if subject.kind is ComponentKind.SERVICE:
            entry, ledger = service(subject, index)
            place = f"/services/{len(services)}"
            services.append(entry)
        else:
            entry, ledger = component(subject, index)
            place = f"/components/{len(components)}"
            components.append(entry)
        cited += provenance.cited(refs.component_ref(subject.id), place, ledger, index)
    return components, services, cited


def _dependencies(index: Index) -> Iterator[Json]:
    """What each thing uses or was trained on. Files are parts, not dependencies, unless shared."""
    top = [refs.component_ref(subject.id) for subject in index.components]
    yield _dependency(refs.ROOT, chain(top, (e.bom_ref for e in index.externals if e.bom_ref in index.uses)))
    for subject in index.components:
        used = (index.target(r) for r in subject.relations if r.kind is not RelationKind.ANCESTOR)
        yield _dependency(
            refs.component_ref(subject.id), chain(index.borrowed.get(subject.id, ()), filter(None, used))
        )
    for outside in index.externals:
        yield _dependency(outside.bom_ref, ())


def _dependency(ref: str, on: Iterable[str]) -> Json:
    return {"ref": ref, **present(dependsOn=sorted(set(on)))}


def _compositions(index: Index) -> list[Json]:
    """What is all there and what is not. One gap makes the whole incomplete."""
    whole = not index.report.gaps and not index.report.coverage.unread
    assemblies: dict[bool, list[str]] = {True: [], False: []}
    assemblies[whole].append(refs.ROOT)
    for subject in index.components:
        assemblies[index.complete(subject)].append(refs.component_ref(subject.id))
    return [
        {"aggregate": aggregate, "assemblies": assemblies[complete]}
        for aggregate, complete in (("complete", True), ("incomplete", False))
        if assemblies[complete]
    ]
