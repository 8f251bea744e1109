"""The packs: each demand of each one is met by a good project, and each is missed by a bad one."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from aibom.cli.main import _run
from aibom.cli.packs import PACKS, policy, policy_pack
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import RelationKind
from aibom.domain.controls import CONTROLS
from aibom.domain.digest import Digest, Grade
from aibom.domain.finding import Severity, Standing
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict, judge
from aibom.policy import RULES, Policy, PolicyError, evaluate, judged, parse_policy
from aibom.policy.schema import document_schema
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES
from tests.sources.test_hub_cache import cached

CASES = Path(__file__).parent / "cases"
TODAY = date(2026, 11, 23)
COMMIT = "0123456789abcdef0123456789abcdef01234567"
KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEWd3XflXgBhQU4lWsR0pqJa2sbJF3G3sSKalr4yGtsqMIcNyAny9ya2sXa/39RoCqpDk2PtqUS/mRi2oVOxroZg=="  # noqa: E501
SECTIONS = {
    "baseline": [],
    "strict": ["integrity", "formats", "content", "model-card", "datasets", "references", "bom"],
    "production": [
        "integrity", "formats", "content", "licences", "model-card", "datasets", "references", "bom",
    ],
    "air-gapped": ["integrity", "content", "datasets", "references", "bom"],
    "iso42001": [
        "integrity", "formats", "content", "licences", "model-card", "datasets", "references", "lineage",
        "bom",
    ],
}  # fmt: skip
TO_FILL_IN = {
    "baseline": set(),
    "strict": set(),
    "production": {"signature", "attestations", "sources", "base-models"},
    "air-gapped": {"sources", "signature"},
    "iso42001": {"signature", "attestations", "sources", "base-models"},
}
EACH = [(pack, section) for pack, sections in SECTIONS.items() for section in sections]
# These ask for digests alone, which every scan computes.
UNDIGESTED = {("air-gapped", "datasets"), ("air-gapped", "bom")}

CARD = """---
license: mit
pipeline_tag: text-classification
datasets: [acme/tickets]
model-index:
- name: triage
  results:
  - task: {type: text-classification}
    dataset: {name: tickets, type: acme/tickets}
    metrics: [{type: accuracy, value: 0.9}]
---

# Triage

## Intended uses

Sorting tickets.

## Limitations

English alone.
"""
DATA_CARD = "---\nlicense: cc-by-4.0\npretty_name: Tickets\ntask_categories: [text-classification]\n---\n"
CODE = f"""from transformers import AutoModel

AutoModel.from_pretrained("acme/triage", revision="{COMMIT}")
"""
WEIGHTS = (FIXTURES / "safetensors" / "small.safetensors").read_bytes()
DANGEROUS = (FIXTURES / "pickle" / "os_system.pkl").read_bytes()  # names a command, and is never loaded


def project(place: Path, model: dict[str, bytes] | None = None, data: dict[str, bytes] | None = None) -> Path:
    """A model and its data in a cache of the Hub, and code that names them."""
    good = {
        "model.safetensors": WEIGHTS,
        "config.json": b'{"model_type": "bert"}',
        "README.md": CARD.encode(),
    }
    table = {"train.csv": b"text,label\na,1\nb,2\n", "README.md": DATA_CARD.encode()}
    cached(place / "hub", "acme/triage", {**good, **(model or {})}, commit=COMMIT)
    cached(place / "hub", "acme/tickets", {**table, **(data or {})}, kind="dataset", commit=COMMIT)
    (place / "app.py").write_text(CODE, "utf-8")
    return place


def looked_at(*places: Path, pack: str) -> Report:
    request = ScanRequest(
        targets=tuple(map(str, places)), policy=policy(pack), today=TODAY, timestamp="2026-11-23T00:00:00Z",
        jobs=1,
    )  # fmt: skip
    return scan(request)


def _cut(place: Path) -> Path:
    return project(place, {"model.safetensors": WEIGHTS[:-8]})


def _pickled(place: Path) -> Path:
    return project(place, {"pytorch_model.bin": (FIXTURES / "pickle" / "protocol4.pkl").read_bytes()})


def _dangerous(place: Path) -> Path:
    return project(place, {"pytorch_model.bin": DANGEROUS})


def _unlicensed(place: Path) -> Path:
    return project(place, {"README.md": CARD.replace("license: mit\n", "").encode()})


def _copyleft(place: Path) -> Path:
    return project(place, {"README.md": CARD.replace("license: mit", "license: gpl-3.0").encode()})


def _silent(place: Path) -> Path:
    return project(place, {"README.md": CARD.partition("## Intended")[0].encode()})


def _unlicensed_data(place: Path) -> Path:
    return project(place, data={"README.md": DATA_CARD.replace("license: cc-by-4.0\n", "").encode()})


def _floating(place: Path) -> Path:
    found = project(place)
    (found / "app.py").write_text(CODE.replace(COMMIT, "main"), "utf-8")
    return found


BAD: dict[str, Callable[[Path], Path]] = {
    "integrity": _cut,
    "formats": _pickled,
    "content": _dangerous,
    "licences": _copyleft,
    "model-card": _silent,
    "datasets": _unlicensed_data,
    "references": _floating,
    "lineage": project,  # what a comparison says is put into the report
    "bom": _unlicensed,
}


def prepared(pack: str) -> str:
    """The pack with the lines that wait to be filled in, filled in."""
    return re.sub(r"^#-", "", policy_pack(pack).decode(), flags=re.MULTILINE)


def filled_in(pack: str) -> Policy:
    return parse_policy(prepared(pack).replace("YOUR-PUBLIC-KEY", KEY).encode())


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_is_a_policy_of_its_name_that_says_what_it_is_for(pack: str) -> None:
    document = yaml.safe_load(policy_pack(pack))
    assert document["name"] == pack
    assert len(document["description"]) > 40
    assert [section.requirement.id for section in policy(pack).sections] == SECTIONS[pack]


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_passes_the_schema_as_it_stands_and_filled_in(pack: str) -> None:
    validator = jsonschema_rs.Draft202012Validator(document_schema())
    validator.validate(yaml.safe_load(policy_pack(pack)))
    validator.validate(yaml.safe_load(prepared(pack)))


@pytest.mark.parametrize("pack", [pack for pack in PACKS if pack != "baseline"])
def test_lint_has_nothing_to_say_about_a_pack(pack: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["policy", "lint", pack]) == 0
    out, err = capfd.readouterr()
    assert out.startswith(f"{pack}: all is well ({len(SECTIONS[pack])} sections")
    assert err == ""


@pytest.mark.parametrize("pack", PACKS)
def test_every_section_and_every_group_of_rules_says_why(pack: str) -> None:
    """A comment stands right above each section, also above those that wait."""
    lines = policy_pack(pack).decode().splitlines()
    keys = [index for index, line in enumerate(lines) if re.match(r"(#-)?[a-z][a-z-]*:", line)]
    ours = [
        i
        for i in keys
        if lines[i].removeprefix("#-").partition(":")[0] in {*SECTIONS[pack], *TO_FILL_IN[pack]}
    ]
    assert len(ours) == len(SECTIONS[pack]) + len(TO_FILL_IN[pack])
    for index in ours:
        assert lines[index - 1].startswith("# "), lines[index]


@pytest.mark.parametrize("pack", PACKS)
def test_no_pack_lowers_a_rule_or_switches_one_off(pack: str) -> None:
    found = policy(pack)
    for rule in RULES:
        default = None if rule.optional else rule.severity
        now = found.severity(rule.id, default)
        assert default is None or (now is not None and now >= default), rule.id


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_has_no_value_of_anybody_and_the_sections_that_need_one_wait(pack: str) -> None:
    text = policy_pack(pack).decode()
    in_force = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"YOUR|example|acme|https?:", in_force)
    assert {each.requirement.id for each in filled_in(pack).sections} == {*SECTIONS[pack], *TO_FILL_IN[pack]}


WORKFLOW = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/v1"
BUILT = {"found": "https://slsa.dev/provenance/v1", "detail": "SLSA_BUILD_LEVEL_3"}


def vouched(report: Report) -> Report:
    """The report of a project that a workflow of acme has signed and built."""
    made = [
        Check(
            subject=each.id, kind=kind, outcome=Outcome.VERIFIED, identity=WORKFLOW, signed_at="2026-11-22",
            issuer="https://token.actions.githubusercontent.com", **parts,
        )
        for each in report.components
        for kind, parts in ((CheckKind.SIGNATURE, {}), (CheckKind.PROVENANCE, BUILT))
    ]  # fmt: skip
    return replace(report, checks=tuple(made))


def demands(found: Policy, report: Report, pack: str) -> dict[str, tuple[int, int, int]]:
    """How many components passed, failed and are undecided, in the sections that were filled in."""
    told = judged(found, report, TODAY).demands
    return {
        each.rule: (each.passed, each.failed, each.undecided)
        for each in told
        if each.rule in TO_FILL_IN[pack]
    }


@pytest.mark.parametrize("pack", ["production", "iso42001"])
def test_a_pack_that_is_filled_in_passes_what_acme_has_signed_and_nothing_else(
    pack: str, tmp_path: Path
) -> None:
    text = prepared(pack).replace("YOUR-ORGANISATION/YOUR-REPOSITORY", "acme/models")
    found = parse_policy(text.replace("YOUR-ORGANISATION", "acme").encode())
    report = looked_at(project(tmp_path), pack=pack)
    told = demands(found, vouched(report), pack)
    assert (told["signature"], told["attestations"], told["sources"]) == ((2, 0, 0),) * 3
    assert told["base-models"] == (0, 0, 1)  # it does not say what it was made from
    nobody = demands(found, report, pack)
    strict = pack == "production"  # it takes what nobody has looked for as missing
    assert nobody["signature"] == nobody["attestations"] == ((0, 2, 0) if strict else (0, 0, 2))
    # Nobody is called YOUR-ORGANISATION: what was forgotten lets nobody in.
    forgotten = demands(filled_in(pack), vouched(report), pack)
    assert all(passed == 0 for passed, _, _ in forgotten.values())
    assert forgotten["signature"] == (0, 2, 0)


def test_a_key_that_was_not_filled_in_is_refused() -> None:
    with pytest.raises(PolicyError, match="key is"):
        parse_policy(prepared("air-gapped").encode())


@pytest.mark.parametrize("pack", PACKS)
def test_a_good_project_passes_every_section(pack: str, tmp_path: Path) -> None:
    report = looked_at(project(tmp_path), pack=pack)
    assert report.findings == ()
    for demand in report.demands:
        assert (demand.passed > 0, demand.failed, demand.undecided) == (True, 0, 0), demand
    assert judge(report, Severity.HIGH, strict=True) is Verdict.PASSED


@pytest.mark.parametrize(("pack", "section"), EACH)
def test_each_section_refuses_a_project_that_misses_it(pack: str, section: str, tmp_path: Path) -> None:
    report = looked_at(BAD[section](tmp_path), pack=pack)
    if section == "lineage":
        report = judged(policy(pack), denied(report), TODAY)
    if (pack, section) in UNDIGESTED:
        report = judged(policy(pack), undigested(report), TODAY)
    (demand,) = (each for each in report.demands if each.rule == section)
    assert demand.failed > 0, demand
    assert judge(report, Severity.HIGH, strict=False) is Verdict.VIOLATED
    assert any(each.rule == section and each.counts and each.decided for each in report.findings)


def undigested(report: Report) -> Report:
    """The report of somebody who knows weak digests alone."""
    weak = (Digest(algorithm="md5", value="0" * 32, grade=Grade.COMPUTED),)
    return replace(report, files=tuple(replace(file, digests=weak) for file in report.files))


def denied(report: Report) -> Report:
    """The report of a model that names a base, and whose weights are not those of its child."""
    from tests.policy.rules.demands import arrow  # noqa: PLC0415 - one test needs it

    base = arrow(RelationKind.ANCESTOR, "hf acme/base")
    components = tuple(replace(each, relations=(*each.relations, base)) for each in report.components)
    checks = tuple(
        Check(subject=each.id, kind=CheckKind.LINEAGE, outcome=Outcome.CONTENT_MISMATCH,
              identity="weights", expected="pkg:huggingface/acme/base")
        for each in components
    )  # fmt: skip
    return replace(report, components=components, checks=checks)


@pytest.mark.parametrize("pack", ["strict", "air-gapped"])
def test_digests_that_are_only_claimed_do_not_pass_where_bytes_are_demanded(
    pack: str, tmp_path: Path
) -> None:
    report = looked_at(project(tmp_path), pack=pack)
    files = tuple(
        replace(file, digests=tuple(replace(each, grade=Grade.CLAIMED) for each in file.digests))
        for file in report.files
    )
    found = evaluate(policy(pack), replace(report, files=files), TODAY).findings
    assert any(each.rule == "integrity" and each.decided for each in found)


WAYS = {
    "remote-code": f'AutoModel.from_pretrained("acme/triage", revision="{COMMIT}", trust_remote_code=True)',
    "unsafe-load": 'import torch\ntorch.load("model.pt", weights_only=False)',
    "http": 'import torch\ntorch.hub.load_state_dict_from_url("http://models.example/a.pt")',
}


@pytest.mark.parametrize("pack", ["strict", "production", "air-gapped", "iso42001"])
@pytest.mark.parametrize("way", WAYS)
def test_ways_to_load_that_a_pack_forbids_are_told_one_by_one(pack: str, way: str, tmp_path: Path) -> None:
    place = project(tmp_path)
    (place / "app.py").write_text(f"from transformers import AutoModel\n\n{WAYS[way]}\n", "utf-8")
    found = looked_at(place, pack=pack).findings
    told = {each.found.partition(":")[0] for each in found if each.rule == "references" and each.counts}
    assert way in told


def test_production_wants_to_know_where_a_model_comes_from(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "README.md").write_text(CARD, "utf-8")
    report = looked_at(tmp_path, pack="production")
    (finding,) = (each for each in report.findings if each.rule == "integrity")
    assert (finding.message, finding.decided) == (
        "where it comes from is not known, so nothing pins it",
        False,
    )


@pytest.mark.parametrize("pack", ["strict", "production", "air-gapped", "iso42001"])
def test_what_is_known_of_data_elsewhere_is_shown_and_stops_nobody(pack: str, tmp_path: Path) -> None:
    place = project(tmp_path)
    shutil.rmtree(place / "hub" / "datasets--acme--tickets")
    report = looked_at(place, pack=pack)
    (finding,) = (each for each in report.findings if each.rule == "datasets")
    assert finding.standing is Standing.ADVISORY
    assert judge(report, Severity.HIGH, strict=False) is Verdict.PASSED


def test_the_controls_above_each_section_are_those_that_it_is_evidence_for() -> None:
    text = policy_pack("iso42001").decode()
    told = {
        key: set(controls.split(", "))
        for controls, key in re.findall(
            r"^# Controls: (.+)\n(?:# .+\n)+(?:#-)?([a-z-]+):$", text, re.MULTILINE
        )
    }
    known = {
        each.requirement.id: {control for name, control in each.requirement.controls if name == "iso42001"}
        for each in filled_in("iso42001").sections
    }
    assert told == known
    assert set.union(*told.values()) == CONTROLS["iso42001"].keys()


@pytest.mark.parametrize("pack", PACKS)
def test_the_cases_of_a_pack_come_out_as_expected(pack: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = _run(["policy", "test", pack, str(CASES / f"{pack}.yaml")])
    out = capfd.readouterr().out
    assert code == 0, out
    cases = yaml.safe_load((CASES / f"{pack}.yaml").read_text("utf-8"))["cases"]
    assert {rule for case in cases for rule in case.get("rules", ())} or pack == "baseline"


# Scanned together: everything below these folders of fixtures, by every pack.
FOLDERS = ("cards", "gguf", "onnx", "pickle", "quickstart", "safetensors", "torch")
PINNED: dict[str, dict[str, int]] = {
    "baseline": {
        "custom-operator": 1,
        "dangerous-import": 8,
        "missing-part": 5,
        "pickle-structure": 1,
        "remote-code": 4,
        "unexamined-content": 1,
        "unindexed-bytes": 1,
        "unlisted-import": 56,
        "unpinned-reference": 2,
    },
    "strict": {
        "bom": 26,
        "content": 25,
        "custom-operator": 1,
        "dangerous-import": 8,
        "formats": 19,
        "integrity": 10,
        "missing-part": 5,
        "model-card": 58,
        "pickle-structure": 1,
        "references": 2,
        "remote-code": 4,
        "unexamined-content": 1,
        "unindexed-bytes": 1,
        "unlisted-import": 56,
        "unpinned-reference": 2,
    },
    "production": {
        "bom": 98,
        "content": 25,
        "custom-operator": 1,
        "dangerous-import": 8,
        "formats": 19,
        "integrity": 45,
        "licences": 28,
        "missing-part": 5,
        "model-card": 153,
        "pickle-structure": 1,
        "references": 2,
        "remote-code": 4,
        "unexamined-content": 1,
        "unindexed-bytes": 1,
        "unlisted-import": 56,
        "unpinned-reference": 2,
    },
    "air-gapped": {
        "content": 25,
        "custom-operator": 1,
        "dangerous-import": 8,
        "integrity": 10,
        "missing-part": 5,
        "network-address": 3,
        "pickle-structure": 1,
        "references": 2,
        "remote-code": 4,
        "unexamined-content": 1,
        "unindexed-bytes": 1,
        "unlisted-import": 56,
        "unpinned-reference": 2,
    },
    "iso42001": {
        "bom": 26,
        "content": 25,
        "custom-operator": 1,
        "dangerous-import": 8,
        "datasets": 1,
        "formats": 19,
        "integrity": 9,
        "licences": 28,
        "missing-part": 5,
        "model-card": 183,
        "pickle-structure": 1,
        "references": 2,
        "remote-code": 4,
        "unexamined-content": 1,
        "unindexed-bytes": 1,
        "unlisted-import": 56,
        "unpinned-reference": 2,
    },
}


@pytest.mark.parametrize("pack", PACKS)
def test_what_a_pack_finds_in_the_fixtures_is_known(pack: str) -> None:
    report = looked_at(*(FIXTURES / folder for folder in FOLDERS), pack=pack)
    found = Counter(each.rule for each in report.findings if each.counts)
    assert dict(sorted(found.items())) == PINNED[pack]
