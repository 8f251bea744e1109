"""The `metadata`: what was scanned, by which tool under which policy, and how much of it was seen."""

from __future__ import annotations

from dataclasses import fields

from aibom.domain.component import ComponentKind
from aibom.domain.report import Coverage
from aibom.domain.target import Target
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.provenance import (
    demand_property,
    finding_property,
    gap_property,
    standing_property,
    waiver_property,
)
from aibom.outputs.cdx.text import Json, present, prop, shown, title


def metadata(index: Index) -> Json:
    """Files were fingerprinted as they are: the phase is `post-build`."""
    report = index.report
    tool = present(
        type="application",
        bom_ref=refs.TOOL,
        name=title(report.tool.name),
        version=shown(report.tool.version),
    )
    return present(
        timestamp=report.timestamp,
        lifecycles=[{"phase": "post-build"}],
        tools={"components": [tool]},
        component=_target(index),
        properties=_properties(index),
    )


def _target(index: Index) -> Json:
    """The scanned place. Several places of one run are one application with one name each."""
    targets = index.report.targets
    ref = targets[0].ref if len(targets) == 1 else None
    version = refs.version(None, ref)
    return present(
        type="application",
        bom_ref=refs.ROOT,
        name=title(", ".join(target.name for target in targets)),
        version=version,
        purl=refs.purl(ref),
        externalReferences=refs.external_references(ref, ComponentKind.CODE),
        properties=[entry for target in targets for entry in _about(target)],
    )


def _about(target: Target) -> list[Json]:
    values = [("aibom:target", target.name)]
    if target.ref is not None and target.ref.revision:
        values.append(("aibom:target:revision", target.ref.revision))
    if target.address:
        values.append(("aibom:target:address", target.address))
    if target.dirty is not None:
        values.append(("aibom:target:dirty", str(target.dirty).lower()))
    values += [(f"aibom:target:{shown(name)}", value) for name, value in target.attributes]
    return [prop(name, shown(value)) for name, value in values]


def _properties(index: Index) -> list[Json]:
    report = index.report
    values = [
        ("cdx:reproducible", "" if report.timestamp else "true"),
        ("aibom:policy:name", report.policy.name),
        ("aibom:policy:sha256", report.policy.sha256),
        *((f"aibom:coverage:{f.name}", str(getattr(report.coverage, f.name))) for f in fields(Coverage)),
    ]
    properties = [prop(name, shown(value)) for name, value in values if value]
    properties += [gap_property(gap) for gap in report.gaps]
    properties += [finding_property(finding) for finding in report.findings]
    aside = (finding for finding in report.findings if not (finding.counts and finding.decided))
    properties += [standing_property(finding) for finding in aside]
    properties += [demand_property(demand) for demand in report.demands]
    properties += [waiver_property(use) for use in report.waivers]
    return properties + _homeless_checks(index)


def _homeless_checks(index: Index) -> list[Json]:
    """Checks of what is neither a component nor a file, for instance of a bundle's own subject."""
    return [
        prop(str(entry["name"]), f"{entry['value']}|{shown(subject)}")
        for subject, entries in sorted(index.checks.items())
        if index.subject(subject) is None
        for entry in entries
    ]
