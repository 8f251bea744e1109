"""VEX: a statement sets a finding aside when it is about this vulnerability in this product, and no other."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from aibom.cli.check import command
from aibom.domain.finding import Finding, Severity, Standing
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict, judge
from aibom.policy import parse_policy
from aibom.policy import vex_document as documents
from aibom.policy.vex_document import CONTEXT, JUSTIFICATIONS, VexError, parse_vex
from aibom.workflows.check import CheckRequest, check

SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79"
SHA256 = "a" * 64
CVE = "CVE-2026-1"
TORCH = "pkg:pypi/torch@2.0.0"
APP = "pkg:oci/app@sha256:1?tag=v1"
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00.123456789+01:00"
WHY = {"justification": "component_not_present"}
NOT_AFFECTED, ACTIVE = Standing.NOT_AFFECTED, Standing.ACTIVE


def bom(*vulnerabilities: dict[str, Any], **parts: Any) -> bytes:
    """An application with one library, which has one vulnerability."""
    listed = vulnerabilities or (vulnerability(),)
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{SERIAL}", "version": 2,
        "metadata": {"component": {"type": "container", "name": "app", "bom-ref": "main", "purl": APP}},
        "components": [
            {"type": "library", "name": "torch", "version": "2.0.0", "bom-ref": "t", "purl": TORCH,
             "hashes": [{"alg": "SHA-256", "content": SHA256}]},
            {"type": "library", "name": "numpy", "version": "1", "bom-ref": "n", "purl": "pkg:pypi/numpy@1"},
        ],
        "vulnerabilities": list(listed),
    }  # fmt: skip
    return json.dumps(document | parts).encode()


def vulnerability(**parts: Any) -> dict[str, Any]:
    return {
        "id": CVE, "references": [{"id": "GHSA-1"}], "ratings": [{"severity": "critical"}],
        "affects": [{"ref": "t"}], **parts,
    }  # fmt: skip


def statement(**parts: Any) -> dict[str, Any]:
    return {
        "vulnerability": {"name": CVE}, "products": [{"@id": TORCH}], "status": "not_affected", **WHY,
        **parts,
    }  # fmt: skip


def open_vex(*statements: dict[str, Any], **parts: Any) -> bytes:
    document = {
        "@context": CONTEXT, "@id": "https://acme.example/vex/1", "author": "acme", "version": 1,
        "timestamp": EARLY, "statements": list(statements),
    }  # fmt: skip
    return json.dumps(document | parts).encode()


def cyclonedx(*affects: dict[str, Any], **parts: Any) -> bytes:
    analysis = {"state": "not_affected", "justification": "code_not_reachable", **parts.pop("analysis", {})}
    document = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "vulnerabilities": [{"id": CVE, "analysis": analysis, "affects": list(affects)}],
    }  # fmt: skip
    return json.dumps(document | parts).encode()


def judged(
    document: bytes, *vex: bytes, policy: str = "rules: {secret: off}", trusted: bool = False
) -> Report:
    request = CheckRequest(
        document=document,
        name="bom.json",
        policy=parse_policy(f"version: 1\nname: n\n{policy}\n".encode()),
        trusted=trusted,
        vex=tuple(each for number, data in enumerate(vex) for each in parse_vex(data, f"{number}.json")),
    )
    return check(request)


def found(report: Report) -> list[Finding]:
    return [each for each in report.findings if each.rule == "known-vulnerability"]


def standing(*vex: bytes, document: bytes = b"", trusted: bool = False) -> Standing:
    (finding,) = found(judged(document or bom(), *vex, trusted=trusted))
    return finding.standing


def test_a_listed_vulnerability_is_a_finding_about_its_component() -> None:
    report = judged(bom())
    (finding,) = found(report)
    assert (finding.severity, finding.subject, finding.pointer) == (
        Severity.CRITICAL,
        "t",
        "/vulnerabilities/0",
    )
    assert finding.message == f"{TORCH} is listed with the vulnerability {CVE}"
    assert judge(report, Severity.HIGH, strict=False) is Verdict.VIOLATED


def test_there_is_one_finding_for_each_component_and_vulnerability_and_the_worst_entry_counts() -> None:
    both = [{"ref": "t"}, {"ref": "n"}]
    cleared = {"state": "not_affected", "detail": "d"}
    report = judged(
        bom(
            vulnerability(ratings=[{"severity": "low"}], affects=both),
            vulnerability(ratings=[{"severity": "high"}]),
            vulnerability(analysis=cleared),
            vulnerability(id="CVE-2026-2", ratings=[]),
            vulnerability(id="CVE-2026-3", affects=[]),
            vulnerability(id="CVE-2026-4", affects=[{"ref": "gone"}]),
        )
    )
    assert sorted((each.subject, each.found, each.severity.label) for each in found(report)) == [
        ("bom.json", "CVE-2026-3 in bom.json", "critical"),
        ("gone", "CVE-2026-4 in gone", "critical"),
        ("n", f"{CVE} in pkg:pypi/numpy@1", "low"),
        ("t", f"{CVE} in {TORCH}", "high"),
        ("t", f"CVE-2026-2 in {TORCH}", "high"),
    ]


def test_a_policy_says_how_severe_a_vulnerability_may_be_at_most() -> None:
    for level, expected in (("medium", [Severity.MEDIUM]), ("critical", [Severity.CRITICAL]), ("off", [])):
        report = judged(bom(), policy=f"rules: {{known-vulnerability: {level}}}")
        assert [each.severity for each in found(report)] == expected
    low = bom(vulnerability(ratings=[{"severity": "low"}]))
    assert [each.severity for each in found(judged(low))] == [Severity.LOW]


def test_two_versions_of_one_package_are_two_findings() -> None:
    components = [
        {"type": "library", "name": "torch", "bom-ref": ref, "purl": f"pkg:pypi/torch@{ref}"} for ref in "12"
    ]
    affects = [{"ref": "1"}, {"ref": "2"}]
    listed = found(judged(bom(vulnerability(affects=affects), components=components)))
    assert len({each.fingerprint for each in listed}) == 2


def test_what_is_not_affected_stays_visible_with_the_reason_and_does_not_count() -> None:
    report = judged(bom(), open_vex(statement(impact_statement="not built in")))
    (finding,) = found(report)
    assert finding.standing is NOT_AFFECTED
    assert finding.justification == (
        f"0.json#/statements/0 on {EARLY} states not_affected: component_not_present: not built in"
    )
    assert judge(report, Severity.INFO, strict=False) is Verdict.PASSED


@pytest.mark.parametrize("justification", sorted(JUSTIFICATIONS))
def test_each_justification_is_enough(justification: str) -> None:
    assert standing(open_vex(statement(justification=justification))) is NOT_AFFECTED


@pytest.mark.parametrize(
    ("said", "expected", "words"),
    [
        ({"status": "fixed"}, NOT_AFFECTED, ""),
        ({"status": "under_investigation"}, ACTIVE, "states under_investigation"),
        ({"status": "affected", "action_statement": "upgrade to 2.1"}, ACTIVE, "states affected"),
    ],
    ids=["fixed", "under-investigation", "affected"],
)
def test_only_what_needs_no_action_is_set_aside(said: dict[str, str], expected: Standing, words: str) -> None:
    (finding,) = found(judged(bom(), open_vex(statement(**said))))
    assert finding.standing is expected
    assert words in finding.message
    assert (finding.remedy == "upgrade to 2.1") == (said["status"] == "affected")


@pytest.mark.parametrize(
    ("product", "applies"),
    [
        ({"@id": TORCH}, True),
        ({"@id": "pkg:pypi/torch"}, True),
        ({"@id": "x", "identifiers": {"purl": TORCH}}, True),
        ({"@id": TORCH, "hashes": {"sha-256": SHA256}}, True),
        ({"hashes": {"sha-256": SHA256.upper()}}, True),
        ({"@id": f"urn:cdx:{SERIAL}/2#t"}, True),
        ({"@id": f"urn:cdx:{SERIAL}/2"}, True),
        ({"@id": f"urn:cdx:{SERIAL}/2#main"}, True),
        ({"@id": "pkg:oci/app"}, True),
        ({"@id": APP}, True),
        ({"@id": APP, "subcomponents": [{"@id": TORCH}]}, True),
        ({"@id": APP, "subcomponents": [{"@id": "pkg:pypi/numpy@1"}, {"@id": "pkg:pypi/torch"}]}, True),
        ({"@id": "pkg:pypi/torch@2.0.1"}, False),
        ({"@id": "pkg:pypi/torch@2.0"}, False),
        ({"@id": "pkg:pypi/torchvision@2.0.0"}, False),
        ({"@id": "pkg:pypi/acme/torch@2.0.0"}, False),
        ({"@id": "pkg:conda/torch@2.0.0"}, False),
        ({"@id": f"{TORCH}?os=linux"}, False),
        ({"@id": f"{TORCH}#inner"}, False),
        ({"@id": "pkg:pypi/numpy@1"}, False),
        ({"@id": TORCH, "identifiers": {"purl": "pkg:pypi/numpy@1"}}, False),
        ({"@id": TORCH, "hashes": {"sha-256": "b" * 64}}, False),
        ({"hashes": {"sha-256": "b" * 64}}, False),
        ({"hashes": {"sha-256": "a"}}, False),
        ({"hashes": {"sha3-256": SHA256}}, False),
        ({"@id": "https://acme.example/torch"}, False),
        ({"identifiers": {"cpe23": "cpe:2.3:a:torch:torch:2.0.0:*:*:*:*:*:*:*"}}, False),
        ({"@id": f"urn:cdx:{SERIAL}/1#t"}, False),
        ({"@id": f"urn:cdx:{SERIAL}/2#n"}, False),
        ({"@id": f"urn:cdx:{'0' * 8}{SERIAL[8:]}/2#t"}, False),
        ({"@id": TORCH, "subcomponents": [{"@id": "pkg:pypi/inner"}]}, False),
        ({"@id": TORCH, "subcomponents": [{"@id": TORCH}]}, False),
        ({"@id": APP, "subcomponents": [{"@id": "pkg:pypi/numpy@1"}]}, False),
        ({"@id": "pkg:oci/other", "subcomponents": [{"@id": TORCH}]}, False),
        ({"@id": "pkg:oci/app@sha256:2"}, False),
        ({"@id": APP, "hashes": {"sha-256": SHA256}}, False),
    ],
    ids=lambda value: (
        json.dumps(value).replace(SERIAL, "serial").replace("/", "_")[:90]
        if isinstance(value, dict)
        else None
    ),
)
def test_a_statement_applies_to_the_product_that_it_names_and_to_no_other(
    product: dict[str, Any], applies: bool
) -> None:
    assert (standing(open_vex(statement(products=[product]))) is NOT_AFFECTED) is applies


@pytest.mark.parametrize(
    ("purl", "product", "applies"),
    [
        (f"{TORCH}?arch=x86", TORCH, True),
        (f"{TORCH}?arch=x86&os=linux", f"{TORCH}?os=linux", True),
        (f"{TORCH}?repository_url=evil.example", TORCH, False),
        (f"{TORCH}?repository_url=a.example", f"{TORCH}?repository_url=a.example", True),
        ("pkg:pypi/torch", TORCH, False),
        (None, TORCH, False),
    ],
    ids=["qualifier", "qualifiers", "elsewhere", "same-place", "no-version", "no-purl"],
)
def test_what_a_package_url_does_not_say_is_open_unless_it_names_another_place(
    purl: str | None, product: str, applies: bool
) -> None:
    component = {"type": "library", "name": "torch", "bom-ref": "t"} | ({"purl": purl} if purl else {})
    document = bom(components=[component])
    vex = open_vex(statement(products=[{"@id": product}]))
    assert (standing(vex, document=document) is NOT_AFFECTED) is applies


@pytest.mark.parametrize(
    ("vulnerability_", "applies"),
    [
        ({"name": CVE}, True),
        ({"name": CVE.lower()}, True),
        ({"name": "GHSA-1"}, True),
        ({"name": "X-1", "aliases": ["GHSA-1"]}, True),
        ({"name": "CVE-2026-11"}, False),
        ({"name": "X-1", "aliases": [7, ""]}, False),
    ],
    ids=["name", "case", "alias", "aliases", "longer", "nonsense"],
)
def test_a_vulnerability_is_known_by_all_of_its_names(vulnerability_: dict[str, Any], applies: bool) -> None:
    vex = open_vex(statement(vulnerability=vulnerability_))
    assert (standing(vex) is NOT_AFFECTED) is applies


AFFECTED = {"status": "affected", "action_statement": "act"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"timestamp": EARLY}, {**AFFECTED, "timestamp": LATE}, ACTIVE),
        ({"timestamp": LATE}, {**AFFECTED, "timestamp": EARLY}, NOT_AFFECTED),
        ({"timestamp": LATE}, AFFECTED, NOT_AFFECTED),
        ({}, AFFECTED, ACTIVE),
        ({"timestamp": EARLY}, {**AFFECTED, "timestamp": "2026-01-01T01:00:00+01:00"}, ACTIVE),
        ({"timestamp": "2026-01-01"}, {**AFFECTED, "timestamp": "2025-12-31T23:59:59Z"}, NOT_AFFECTED),
    ],
    ids=["later", "earlier", "inherited", "same", "same-moment", "day"],
)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_of_several_statements_the_latest_holds_and_of_equal_ones_the_stricter(
    first: dict[str, str], second: dict[str, str], expected: Standing, turned: bool
) -> None:
    listed = [statement(**first), statement(**second)]
    listed = listed[::-1] if turned else listed
    assert standing(open_vex(*listed)) is expected
    assert standing(*(open_vex(each) for each in listed)) is expected


LIBRARY = {"type": "library", "name": "t", "bom-ref": "x", "purl": TORCH}


@pytest.mark.parametrize(
    ("affects", "parts", "applies"),
    [
        ({"ref": f"urn:cdx:{SERIAL}/2#t"}, {}, True),
        ({"ref": f"urn:cdx:{SERIAL}/2"}, {}, True),
        ({"ref": TORCH}, {}, True),
        ({"ref": "x"}, {"components": [LIBRARY]}, True),
        ({"ref": "x"}, {"components": [{"type": "library", "components": [LIBRARY]}]}, True),
        ({"ref": "x"}, {"metadata": {"component": LIBRARY}}, True),
        ({"ref": "t"}, {"serialNumber": f"urn:uuid:{SERIAL}", "version": 2}, True),
        ({"ref": TORCH, "versions": [{"version": "2.0.0"}]}, {}, True),
        ({"ref": "t"}, {}, False),
        ({"ref": "t"}, {"serialNumber": f"urn:uuid:{SERIAL}", "version": 1}, False),
        ({}, {"serialNumber": f"urn:uuid:{SERIAL}", "version": 2}, False),
        ({"ref": f"urn:cdx:{SERIAL}/1#t"}, {}, False),
        ({"ref": f"urn:cdx:{SERIAL}/2#n"}, {}, False),
        ({"ref": TORCH, "versions": [{"version": "2.0.1"}]}, {}, False),
        ({"ref": TORCH, "versions": [{"range": "vers:pypi/>=1"}]}, {}, False),
        ({"ref": "x"}, {"components": [LIBRARY | {"purl": "pkg:pypi/torch@3"}]}, False),
    ],
    ids=[
        "link", "document", "purl", "component", "nested", "main", "same-document", "version", "bare-ref",
        "other-version-of-it", "no-ref", "old-link", "other-ref", "other-version", "range", "other-purl",
    ],
)  # fmt: skip
def test_a_cyclonedx_document_is_about_what_its_references_lead_to(
    affects: dict[str, Any], parts: dict[str, Any], applies: bool
) -> None:
    assert (standing(cyclonedx(affects, **parts)) is NOT_AFFECTED) is applies


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        ({"state": "false_positive"}, NOT_AFFECTED),
        ({"state": "resolved", "justification": ""}, NOT_AFFECTED),
        ({"justification": "", "detail": ""}, ACTIVE),
        ({"state": "exploitable"}, ACTIVE),
        ({"state": "in_triage"}, ACTIVE),
        ({"state": "nonsense"}, ACTIVE),
    ],
    ids=["false-positive", "resolved", "no-reason", "exploitable", "triage", "nonsense"],
)
def test_a_state_of_cyclonedx_clears_as_far_as_it_says(analysis: dict[str, str], expected: Standing) -> None:
    assert standing(cyclonedx({"ref": TORCH}, analysis=analysis)) is expected


def test_the_analysis_of_the_judged_document_counts_only_when_it_is_trusted() -> None:
    document = bom(vulnerability(analysis={"state": "not_affected", "justification": "code_not_present"}))
    assert standing(document=document) is ACTIVE
    assert standing(document=document, trusted=True) is NOT_AFFECTED
    (finding,) = found(judged(document))
    assert finding.message.endswith("; the bill of materials calls it not_affected")
    later = open_vex(statement(**AFFECTED))
    assert standing(later, document=document, trusted=True) is ACTIVE


def test_a_finding_that_is_waived_or_only_warns_keeps_its_story() -> None:
    (finding,) = found(judged(bom(), policy="mode: warn\nrules: {secret: off}"))
    assert finding.standing is Standing.ADVISORY
    waiver = (
        f"{{rule: known-vulnerability, component: '{TORCH}', digest: 'sha256:{SHA256}', expires: 2027-01-01, "
        "reason: r, approved-by: a}"
    )
    request = CheckRequest(
        document=bom(),
        name="b",
        policy=parse_policy(f"version: 1\nname: n\nrules: {{secret: off}}\nwaivers: [{waiver}]\n".encode()),
        today=date(2026, 12, 1),
        vex=parse_vex(open_vex(statement()), "v"),
    )
    (finding,) = found(check(request))
    assert finding.standing is Standing.WAIVED


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "not JSON"),
        (b"[]", "neither OpenVEX 0.2.0 nor CycloneDX"),
        (b"{}", "neither OpenVEX 0.2.0 nor CycloneDX"),
        (open_vex(**{"@context": "https://openvex.dev/ns"}), "OpenVEX of the context https://openvex.dev/ns"),
        (open_vex(**{"@context": "https://openvex.dev/ns/v0.3.0"}), "read is https://openvex.dev/ns/v0.2.0"),
        (cyclonedx(specVersion="1.3"), "neither"),
        (open_vex(statements={}), "/statements: a list of objects"),
        (open_vex(statements=[7]), "/statements: a list of objects"),
        (open_vex(statement(vulnerability=CVE)), "/statements/0/vulnerability: it needs a name"),
        (open_vex(statement(), statement(status="fine")), "/statements/1/status: one of not_affected, "),
        (open_vex(statement(justification=None)), "/statements/0: not_affected needs a justification or"),
        (open_vex(statement(justification=" ")), "not_affected needs a justification or"),
        (open_vex(statement(justification="because")), "/justification: one of component_not_present"),
        (open_vex(statement(status="affected")), "/statements/0: affected needs an action_statement"),
        (open_vex(statement(), timestamp=None), "/statements/0: neither it nor the document has a timestamp"),
        (open_vex(statement(timestamp="yesterday")), "has a timestamp of RFC 3339"),
        (open_vex(statement(products=None)), "/statements/0/products: a list of objects"),
        (open_vex(statement(products=[])), "/statements/0/products: it needs a product"),
        (open_vex(statement(products=[TORCH])), "/statements/0/products: a list of objects"),
        (open_vex(statement(products=[{}])), "/statements/0/products/0: it needs an @id"),
        (open_vex(statement(products=[{"@id": "x", "subcomponents": [{}]}])), "/subcomponents/0: it needs"),
        (cyclonedx(vulnerabilities={}), "/vulnerabilities: a list of objects"),
        (cyclonedx(vulnerabilities=[{"analysis": {"state": "resolved"}, "affects": 7}]), "/affects: a list"),
    ],
    ids=[
        "broken", "list", "empty", "0.0.1", "0.3.0", "1.3", "statements", "statement", "vulnerability",
        "status", "no-reason", "blank-reason", "justification", "no-action", "no-time", "time", "no-products",
        "empty-products", "0.0.1-products", "no-product", "no-subcomponent", "vulnerabilities", "affects",
    ],
)  # fmt: skip
def test_what_is_no_vex_is_refused_with_the_place(data: bytes, words: str) -> None:
    with pytest.raises(VexError, match=words):
        parse_vex(data, "v.json")


def test_documents_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("VEX_BYTES", 20), ("STATEMENT_COUNT", 1), ("PRODUCT_COUNT", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(documents, name, most)
            patched.setattr(documents._list, "__defaults__", (documents.STATEMENT_COUNT,))
            with pytest.raises(VexError, match=r"larger than|more than"):
                parse_vex(open_vex(statement(), statement()), "v")


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4) | st.sampled_from((TORCH, CVE, EARLY, "not_affected")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("@id", "identifiers", "hashes", "purl", "sha-256", "subcomponents", "name")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)  # fmt: skip
_KEYS = ("vulnerability", "products", "status", "justification", "timestamp", "analysis", "affects", "id")


@given(st.lists(st.dictionaries(st.sampled_from(_KEYS), _JSON)), st.booleans())
def test_arbitrary_documents_are_read_or_refused(listed: list[dict[str, Any]], ours: bool) -> None:
    data = cyclonedx(vulnerabilities=listed) if ours else open_vex(*listed)
    try:
        found = parse_vex(data, "v")
    except VexError:
        return
    assert len(found) <= len(listed)


FORMATS = ("table", "json", "sarif", "junit", "markdown", "html")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "bom.json").write_bytes(bom())
    (tmp_path / "a.json").write_bytes(open_vex(statement()))
    (tmp_path / "b.json").write_bytes(cyclonedx({"ref": "pkg:pypi/numpy@1"}))
    (tmp_path / "bad.json").write_bytes(b"{}")
    return tmp_path


def run(files: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, [str(files / "bom.json"), "-q", *arguments], standalone_mode=False)
    return done.return_value if done.exception is None else 2, done.output


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_set_aside_is_in_every_output_and_not_in_the_exit_code(name: str, files: Path) -> None:
    target = files / "out"
    arguments = ("--vex", str(files / "b.json"), "-f", f"{name}={target}")
    assert run(files, *arguments)[0] == 1
    assert run(files, "--vex", str(files / "a.json"), *arguments)[0] == 0
    text = target.read_text("utf-8").replace("\\_", "_")  # as Markdown writes it
    assert CVE in text
    assert "not-affected" in text
    assert "component_not_present" in text


def test_the_outputs_that_show_open_findings_only_leave_it_out_and_count_it(files: Path) -> None:
    gitlab, github = files / "gitlab", files / "github"
    assert run(files, "-f", f"gitlab={gitlab}", "-f", f"github={github}")[0] == 1
    assert CVE in gitlab.read_text("utf-8")
    assert (
        run(files, "--vex", str(files / "a.json"), "-f", f"gitlab={gitlab}", "-f", f"github={github}")[0] == 0
    )
    assert json.loads(gitlab.read_text("utf-8")) == []
    assert "1 not-affected" in github.read_text("utf-8")


def test_a_file_that_is_no_vex_is_an_error_of_usage(files: Path) -> None:
    for name in ("bad.json", "gone.json"):
        assert run(files, "--vex", str(files / name))[0] == 2
