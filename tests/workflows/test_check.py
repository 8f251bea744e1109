"""A bill of materials is judged as what it describes would be: the same findings, or the reason why not."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from aibom.cli.packs import allowlist
from aibom.domain.check import CheckKind, Outcome
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict, judge
from aibom.outputs import cyclonedx
from aibom.policy import Policy, parse_policy
from aibom.workflows.check import CheckRequest, check
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES

TODAY = date(2026, 3, 1)
DAY = "2026-03-01T00:00:00Z"
CORPUS = FIXTURES.parent / "benchmarks" / "references" / "corpus"
FOLDERS = [
    path for path in sorted((*FIXTURES.rglob("*"), CORPUS)) if path.is_dir() and "scripts" not in path.parts
]
# Not here: `grade: computed` and attestations, of which a bill of materials can record nothing.
DEMANDS = """
version: 1
name: n
sources: {allow: ['pkg:huggingface/acme/*', 'file:quickstart']}
signature: {signers: [{issuer: 'https://a.b', identity: 'x@a.b'}]}
integrity: {hashes: [sha256], revision: pinned, coverage: complete}
formats: {allow: [safetensors]}
content: {allow: [safe]}
licences: {allow: [MIT]}
model-card:
  require: [description, intended-use, limitations, training-data, metrics, licence, author, citation,
    base-model, architecture, task, language, library, hyperparameters, energy, sensitive-data, source]
base-models: {allow: ['pkg:huggingface/acme/*']}
datasets: {require: [digest, licence, source]}
references: {require: [pinned], forbid: [http, unsafe-load, remote-code]}
lineage: {require: [verified]}
bom: {require: [purl, version, digests, licences]}
"""
SILENT = "the bill of materials does not tell what code refers to"


def policy(text: str = DEMANDS) -> Policy:
    return parse_policy(text.encode())


def scanned(folder: Path) -> Report:
    return scan(
        ScanRequest(
            targets=(str(folder),),
            policy=policy(),
            allowlist=allowlist(()),
            cache=None,
            today=TODAY,
            timestamp=DAY,
        )
    )


def checked(document: bytes, text: str = DEMANDS, **parts: bool) -> Report:
    return check(CheckRequest(document=document, name="bom.json", policy=policy(text), today=TODAY, **parts))


def told(finding: Finding) -> tuple[object, ...]:
    return (
        finding.rule,
        finding.location.path,
        finding.found,
        finding.expected,
        finding.decided,
        finding.fingerprint,
    )


def demanded(report: Report) -> Counter[tuple[object, ...]]:
    rules = {demand.rule for demand in report.demands}
    return Counter(told(each) for each in report.findings if each.rule in rules)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.relative_to(FIXTURES.parent).as_posix())
def test_our_own_bill_of_materials_has_the_findings_of_the_scan(folder: Path) -> None:
    report = scanned(folder)
    expected = demanded(report)
    for version in cyclonedx.SPEC_VERSIONS:
        assert demanded(checked(cyclonedx.render(report, spec_version=version), trusted=True)) == expected


def bom(*components: object, **rest: object) -> bytes:
    return json.dumps(
        {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, **rest}
    ).encode()


MODEL = {"type": "machine-learning-model", "bom-ref": "m", "name": "acme/m"}
HEAD = "version: 1\nname: n\n"


def test_the_report_is_ours_and_the_document_is_judged() -> None:
    text = HEAD + "bom: {require: [tool, timestamp]}"
    about = {"tools": [{"name": "syft"}], "timestamp": DAY}
    report = checked(bom(MODEL, metadata=about), text)
    assert (report.tool.name, report.timestamp, report.targets[0].name) == ("aibom", None, "bom.json")


def test_a_document_that_tells_nothing_about_code_is_not_known_to_be_pinned() -> None:
    report = checked(bom(MODEL), HEAD + "references: {require: [pinned]}")
    assert [(each.message, each.decided) for each in report.findings] == [(SILENT, False)]
    assert judge(report, Severity.HIGH, strict=False) is Verdict.INCOMPLETE


@pytest.mark.parametrize("trusted", [False, True])
def test_a_recorded_verification_is_none_unless_the_document_is_trusted(trusted: bool) -> None:
    recorded = [
        {"name": "aibom:check:signature", "value": "verified|x@a.b"},
        {"name": "aibom:check:provenance", "value": "verified|https://a.b/ci"},
        {"name": "aibom:check:lineage", "value": "verified|weights"},
        {"name": "aibom:check:digest", "value": "verified|card"},
        {"name": "aibom:check:signature", "value": "content-mismatch|y@a.b"},
    ]
    report = checked(bom({**MODEL, "properties": recorded}), trusted=trusted)
    doubted = Outcome.VERIFIED if trusted else Outcome.COULD_NOT_CHECK
    assert [(each.kind, each.outcome) for each in report.checks] == [
        (CheckKind.DIGEST, Outcome.VERIFIED),
        (CheckKind.SIGNATURE, doubted),
        (CheckKind.SIGNATURE, Outcome.CONTENT_MISMATCH),
        (CheckKind.PROVENANCE, doubted),
        (CheckKind.LINEAGE, doubted),
    ]


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        ((), (0, 0, 0)),
        ((MODEL, {"type": "library", "name": "x"}), (2, 2, 0)),
        (({"type": "file", "name": "a"},), (1, 0, 1)),
        (
            ({**MODEL, "hashes": [{"alg": "MD5", "content": "a" * 32}]}, {"type": "file", "name": "a"}),
            (2, 1, 1),
        ),
        (({**MODEL, "externalReferences": [{"type": "bom", "url": "urn:cdx:x/1"}]},), (1, 0, 1)),
    ],
    ids=["nothing", "components", "no digest", "files", "a bill of materials elsewhere"],
)
def test_coverage_counts_files_or_else_components(
    components: tuple[object, ...], expected: tuple[int, int, int]
) -> None:
    found = checked(bom(*components)).coverage
    assert (found.listed, found.read, found.unread) == expected


def test_a_finding_points_into_the_document() -> None:
    report = checked(
        bom({"type": "library", "name": "x", "components": [MODEL]}), HEAD + "licences: {allow: [MIT]}"
    )
    assert [each.pointer for each in report.findings] == ["/components/0/components/0"]
