"""The report as JSON: every fact, for programs. `schema` names the version of this layout."""

from __future__ import annotations

from typing import Final

import orjson

from aibom.domain.check import Check
from aibom.domain.component import Claim, Component, Relation
from aibom.domain.content import Content
from aibom.domain.evidence import DatasetRows
from aibom.domain.facts import Facts
from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.gap import Gap
from aibom.domain.ref import Ref
from aibom.domain.reference import Reference
from aibom.domain.report import Demand, Report
from aibom.domain.target import Target
from aibom.domain.text import visible
from aibom.domain.verdict import judge
from aibom.domain.waiver import WaiverUse
from aibom.outputs.inert import inert_json
from aibom.outputs.row_text import evidence_of, rows_of

SCHEMA: Final = "aibom-report/1"

Value = object  # anything orjson writes; the layout is the functions below


def render(report: Report) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same report."""
    document = {
        "schema": SCHEMA,
        "tool": {"name": report.tool.name, "version": report.tool.version},
        "timestamp": report.timestamp,
        "policy": _policy(report),
        "targets": [target_of(target) for target in report.targets],
        "coverage": _coverage(report),
        "components": [_component(component) for component in report.components],
        "references": [reference_of(reference) for reference in report.references],
        "files": [_file(file) for file in report.files],
        "checks": [_check(check) for check in report.checks],
        "contents": [_content(content) for content in report.contents],
        "rows": [_rows(rows) for rows in report.rows],
        "evidence": [evidence_of(each) for each in report.evidence],
        "findings": [_finding(finding) for finding in report.findings],
        "demands": [_demand(demand) for demand in report.demands],
        "waivers": [_waiver(use) for use in report.waivers],
        "gaps": [gap_of(gap) for gap in report.gaps],
    }
    return inert_json(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def judgement_of(report: Report) -> dict[str, Value]:
    """What the policy says, for results that are about something else first."""
    return {
        **_policy(report),
        "verdict": judge(report, Severity.HIGH, strict=False),
        "findings": [_finding(finding) for finding in report.findings],
        "demands": [_demand(demand) for demand in report.demands],
        "waivers": [_waiver(use) for use in report.waivers],
        "gaps": [gap_of(gap) for gap in report.gaps],
    }


def _rows(rows: DatasetRows) -> dict[str, Value]:
    files = [{"path": visible(path), "rows": count} for path, count in rows.files]
    return {**rows_of(rows), "files": files}


def _policy(report: Report) -> dict[str, Value]:
    return {"name": report.policy.name, "sha256": report.policy.sha256}


def target_of(target: Target) -> dict[str, Value]:
    return {
        "name": visible(target.name),
        "ref": _ref(target.ref),
        "dirty": target.dirty,
        "attributes": {visible(key): visible(value) for key, value in target.attributes},
    }


def _ref(ref: Ref | None) -> dict[str, Value] | None:
    if ref is None:
        return None
    return {
        "scheme": ref.scheme,
        "location": visible(ref.location),
        "revision": visible(ref.revision) if ref.revision else None,
        "subpath": visible(ref.subpath) if ref.subpath else None,
        "purl": visible(ref.purl) if ref.purl else None,
    }


def _coverage(report: Report) -> dict[str, Value]:
    coverage = report.coverage
    return {
        "listed": coverage.listed,
        "read": coverage.read,
        "partial": coverage.partial,
        "unread": coverage.unread,
        "excluded": coverage.excluded,
        "headerOnly": coverage.header_only,
        "bytes": coverage.bytes,
    }


def _component(component: Component) -> dict[str, Value]:
    return {
        "id": visible(component.id),
        "kind": component.kind,
        "name": visible(component.name),
        "identityBasis": component.basis,
        "version": visible(component.version) if component.version else None,
        "ref": _ref(component.ref),
        "complete": component.complete,
        "modelDigest": component.model_digest,
        "modelDigestAnonymous": component.model_digest_anonymous,
        "modelDigestAbsent": visible(component.model_digest_absent)
        if component.model_digest_absent
        else None,
        "tensorCount": component.tensor_count,
        "parameterCount": component.parameter_count,
        "dtypes": [visible(dtype) for dtype in component.dtypes],
        "files": [visible(path) for path in component.files],
        "claims": [_claim(claim) for claim in component.claims],
        "relations": [_relation(relation) for relation in component.relations],
    }


def _claim(claim: Claim) -> dict[str, Value]:
    return {
        "attribute": claim.attribute,
        "value": visible(claim.value),
        "details": {visible(key): visible(value) for key, value in claim.statement.details},
        "origin": claim.origin,
        "source": visible(claim.source),
        "pointer": visible(claim.statement.pointer),
        "confidence": claim.confidence.label,
    }


def _relation(relation: Relation) -> dict[str, Value]:
    return {
        "kind": relation.kind,
        "component": relation.target_id,
        "ref": _ref(relation.target),
        "detail": visible(relation.detail) if relation.detail else None,
        "declaredBy": visible(relation.source) if relation.source else None,
    }


def reference_of(reference: Reference) -> dict[str, Value]:
    return {
        "kind": reference.kind,
        "target": _ref(reference.target),
        "loader": visible(reference.loader),
        "path": visible(reference.location.path),
        "inside": visible(reference.location.inside),
        "line": reference.location.line,
        "column": reference.location.column,
        "flags": sorted(reference.flags),
        "confidence": reference.confidence.label,
    }


def _file(file: File) -> dict[str, Value]:
    return {
        "path": visible(file.path),
        "size": file.entry.size,
        "digests": [
            {"algorithm": d.algorithm, "value": d.value, "grade": d.grade.label, "cached": d.cached}
            for d in file.digests
        ],
        "unindexed": {"bytes": file.unindexed.bytes, "sha256": file.unindexed.sha256}
        if file.unindexed
        else None,
        "facts": _facts(file.facts, file.tensor_digests) if file.facts else None,
    }


def _facts(facts: Facts, digests: tuple[bytes | None, ...]) -> dict[str, Value]:
    blake3 = [digest.hex() if digest else None for digest in digests] or [None] * len(facts.tensors)
    return {
        "format": facts.format,
        "kind": facts.kind,
        "version": visible(facts.version) if facts.version else None,
        "unread": facts.unread,
        "capabilities": sorted(facts.capabilities),
        "metadata": [[visible(key), visible(value)] for key, value in facts.metadata],
        "imports": [
            {
                "module": visible(i.module),
                "name": visible(i.qualname),
                "use": i.use.label,
                "arguments": visible(i.arguments),
                "offset": i.offset,
                "inside": visible(i.inside),
            }
            for i in facts.imports
        ],
        "hazards": [
            {
                "kind": h.kind,
                "found": visible(h.found),
                "message": visible(h.message),
                "offset": h.offset,
                "inside": visible(h.inside),
                "confidence": h.confidence.label,
            }
            for h in facts.hazards
        ],
        "columns": [
            {"name": visible(c.name), "type": visible(c.type), "nullable": c.nullable} for c in facts.columns
        ],
        "rows": facts.rows,
        "tensors": [
            {
                "name": visible(tensor.name),
                "dtype": visible(tensor.dtype),
                "shape": tensor.shape,
                "offset": tensor.offset,
                "length": tensor.length,
                "layout": tensor.layout,
                "blake3": digest,
            }
            for tensor, digest in zip(facts.tensors, blake3, strict=True)
        ],
    }


def _check(check: Check) -> dict[str, Value]:
    return {
        "subject": visible(check.subject),
        "kind": check.kind,
        "outcome": check.outcome,
        "identity": visible(check.identity),
        "source": visible(check.source),
        "detail": visible(check.detail),
        "expected": visible(check.expected),
        "found": visible(check.found),
    }


def _content(content: Content) -> dict[str, Value]:
    return {
        "path": visible(content.path),
        "verdict": content.verdict.label,
        "objections": [
            {
                "module": visible(each.item.module),
                "name": visible(each.item.qualname),
                "use": each.item.use.label,
                "inside": visible(each.item.inside),
                "dangerous": each.dangerous,
                "why": visible(each.why),
            }
            for each in content.objections
        ],
        "allowlists": list(content.packs),
        "unexamined": [visible(reason) for reason in content.unexamined],
    }


def _finding(finding: Finding) -> dict[str, Value]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "subject": visible(finding.subject),
        "path": visible(finding.location.path),
        "line": finding.location.line,
        "column": finding.location.column,
        "offset": finding.location.offset,
        "inside": visible(finding.location.inside),
        "message": visible(finding.message),
        "found": visible(finding.found),
        "expected": visible(finding.expected),
        "remedy": visible(finding.remedy),
        "decided": finding.decided,
        "standing": finding.standing,
        "justification": visible(finding.justification),
        "demand": visible(finding.demand),
        "pointer": visible(finding.pointer),
        "fingerprint": finding.fingerprint,
    }


def _demand(demand: Demand) -> dict[str, Value]:
    return {
        "rule": demand.rule,
        "place": visible(demand.place),
        "passed": demand.passed,
        "failed": demand.failed,
        "undecided": demand.undecided,
    }


def _waiver(use: WaiverUse) -> dict[str, Value]:
    waiver = use.waiver
    return {
        "rule": waiver.rule,
        "component": visible(waiver.component),
        "digest": waiver.digest,
        "state": use.state,
        "findings": use.findings,
        "starts": waiver.starts.isoformat() if waiver.starts else None,
        "expires": waiver.expires.isoformat(),
        "reason": visible(waiver.reason),
        "approvedBy": visible(waiver.approved_by),
        "place": visible(waiver.place),
    }


def gap_of(gap: Gap) -> dict[str, Value]:
    return {
        "path": visible(gap.path),
        "stage": gap.stage,
        "reason": gap.reason,
        "offset": gap.offset,
        "detail": visible(gap.detail),
    }
