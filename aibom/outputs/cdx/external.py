"""What lies outside of the target: datasets and models by reference, libraries and services in code."""

from __future__ import annotations

from collections.abc import Iterable

from aibom.domain.confidence import Confidence
from aibom.domain.reference import Reference
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.dataset import component_data
from aibom.outputs.cdx.index import TYPES, External, Index
from aibom.outputs.cdx.text import Json, present, prop, shown, title

_CONFIDENCE = {Confidence.LOW: 0.3, Confidence.MEDIUM: 0.6, Confidence.HIGH: 0.9}


def external(subject: External, index: Index) -> Json:
    """The component of something that was referred to and not scanned."""
    uses = index.uses.get(subject.bom_ref, [])
    version = refs.version(None, subject.target)
    return present(
        type=TYPES[subject.kind],
        bom_ref=subject.bom_ref,
        name=title(subject.name),
        version=version,
        purl=refs.purl(subject.target),
        externalReferences=refs.external_references(subject.target, subject.kind),
        evidence=present(identity=_identity(uses), occurrences=occurrences(uses)),
        data=component_data(subject.kind, subject.name, subject.target, []),
        properties=_properties(subject, uses),
    )


def external_service(subject: External, index: Index) -> Json:
    """The same as a service, which has no evidence: the places are properties."""
    uses = index.uses.get(subject.bom_ref, [])
    return present(
        bom_ref=subject.bom_ref,
        name=title(subject.name),
        externalReferences=refs.external_references(subject.target, subject.kind),
        properties=_properties(subject, uses) + places(uses),
    )


def occurrences(uses: Iterable[Reference]) -> list[Json]:
    """Where code or configuration refers to something, by path and line."""
    ordered = sorted(
        uses, key=lambda u: (u.location.path, u.location.line or 0, u.location.column or 0, u.loader)
    )
    found = [
        present(
            location=shown(use.location.path),
            line=use.location.line,
            symbol=shown(use.loader),
            additionalContext=", ".join(sorted(shown(flag) for flag in use.flags)),
        )
        for use in ordered
    ]
    return [entry for number, entry in enumerate(found) if number == 0 or entry != found[number - 1]]


def places(uses: Iterable[Reference]) -> list[Json]:
    """The same as properties, `path:line`."""
    told = (f"{o['location']}:{o['line']}" if "line" in o else str(o["location"]) for o in occurrences(uses))
    return [prop("aibom:occurrence", place) for place in told]


def _identity(uses: list[Reference]) -> list[Json]:
    if not uses:
        return []
    confidence = _CONFIDENCE[max(use.confidence for use in uses)]
    method = {"technique": "source-code-analysis", "confidence": confidence}
    return [{"field": "name", "confidence": confidence, "methods": [method], "tools": [refs.TOOL]}]


def _properties(subject: External, uses: list[Reference]) -> list[Json]:
    properties = [prop("aibom:kind", subject.kind.value), prop("aibom:external", "true")]
    if subject.target is None:
        properties.append(prop("aibom:reference:unresolved", "true"))
    elif subject.target.revision:
        properties.append(prop("aibom:reference:revision", shown(subject.target.revision)))
    flags = sorted({flag for use in uses for flag in use.flags})
    return properties + [prop("aibom:reference:flag", shown(flag)) for flag in flags]
