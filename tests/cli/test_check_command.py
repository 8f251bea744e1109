"""`aibom check` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aibom.cli.main import _run
from tests.hostile import FIXTURES

POLICY = "version: 1\nname: team\nlicences: {allow: [MIT]}\n"
COMMIT = "0123456789abcdef" * 2 + "01234567"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, "utf-8")


def bom(*licences: str, **rest: object) -> None:
    """One model for each licence; the empty one says nothing."""
    components = [
        {"type": "machine-learning-model", "bom-ref": f"m{number}", "name": f"acme/m{number}"}
        | ({"licenses": [{"license": {"id": licence}}]} if licence else {})
        for number, licence in enumerate(licences)
    ]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components, **rest}
    Path("bom.json").write_text(json.dumps(document), "utf-8")


def run(*flags: str) -> int:
    return _run(["check", "bom.json", "--policy", "policy.yaml", *flags])


@pytest.mark.parametrize(
    ("licences", "flags", "code"),
    [
        (["MIT"], [], 0),
        (["MIT", "GPL-3.0"], [], 1),
        (["MIT", ""], [], 4),
        (["GPL-3.0", ""], [], 1),
        (["GPL-3.0"], ["--fail-on", "critical"], 0),
        ([""], ["--fail-on", "critical"], 0),
        (["GPL-3.0"], ["--exit-zero"], 0),
        ([], [], 3),
    ],
    ids=[
        "met",
        "not met",
        "not known",
        "both",
        "less severe",
        "less severe and not known",
        "exit zero",
        "empty",
    ],
)
def test_the_exit_code_says_what_was_found(
    licences: list[str], flags: list[str], code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    bom(*licences)
    assert run(*flags) == code
    assert "bom.json" in capfd.readouterr().out


def test_a_finding_tells_the_line_of_the_policy_and_the_place_in_the_document(
    capfd: pytest.CaptureFixture[str],
) -> None:
    bom("MIT", "GPL-3.0")
    assert run("-f", "json", "--reproducible") == 1
    (finding,) = json.loads(capfd.readouterr().out)["findings"]
    assert (finding["demand"], finding["pointer"]) == ("policy.yaml:3:11", "/components/1")


def test_without_a_policy_it_is_the_baseline(capfd: pytest.CaptureFixture[str]) -> None:
    bom("GPL-3.0")
    Path("aibom.toml").write_text("policy = 'policy.yaml'", "utf-8")  # nobody names it
    assert _run(["check", "bom.json"]) == 0
    assert "policy baseline" in capfd.readouterr().out


def test_several_results_are_written_and_the_same_bytes_twice(capfd: pytest.CaptureFixture[str]) -> None:
    bom("MIT", "")
    for folder in ("one", "two"):
        Path(folder).mkdir()
        forms = [("json", "json"), ("sarif", "sarif"), ("html", "html"), ("junit", "xml"), ("markdown", "md")]
        flags = [flag for name, ending in forms for flag in ("-f", f"{name}={folder}/r.{ending}")]
        assert run("--reproducible", *flags) == 4
    for file in sorted(Path("one").iterdir()):
        assert file.read_bytes() == (Path("two") / file.name).read_bytes()
    assert capfd.readouterr().out == ""


def test_what_a_scan_writes_is_checked(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["scan", str(FIXTURES / "quickstart"), "-f", "cyclonedx=bom.json", "-q"]) == 0
    assert run("-f", "json") == 1
    report = json.loads(capfd.readouterr().out)
    assert {each["rule"] for each in report["demands"]} == {"licences"}
    assert report["coverage"]["read"] > 10


SPDX = b'{"spdxVersion": "SPDX-2.3", "name": "x"}'
DEEP = b'{"bomFormat": "CycloneDX", "components": ' + b'[{"components": ' * 200 + b"[]" + b"}]" * 200 + b"}"


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        (b"{", 2, "bom.json: not JSON"),
        (b'{"a": 1, "a": 2}', 2, "bom.json: JSON refused: duplicate key 'a'"),
        (SPDX, 2, "bom.json: this is an SPDX document; CycloneDX 1.4 to 1.7 in JSON is read here"),
        (b"<bom/>", 2, "bom.json: a JSON object is expected, and this is XML"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.2"}', 2, "CycloneDX 1.2: read are 1.4"),
        (DEEP, 4, "bom.json: components nested deeper than 32 levels"),
        (b"[" * 100_000, 2, "a JSON object is expected"),
        (b'{"a": ' + b"[" * 100_000, 4, "JSON is nested too deeply"),
    ],
    ids=["cut", "twice", "SPDX", "XML", "version", "deep", "list", "deep list"],
)
def test_what_is_no_bill_of_materials_is_one_error_and_nothing_is_written_over(
    document: bytes, code: int, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("bom.json").write_bytes(document)
    Path("old.json").write_text("old", "utf-8")
    assert run("-f", "json=old.json") == code
    shown = capfd.readouterr()
    assert (shown.out, Path("old.json").read_text("utf-8")) == ("", "old")
    assert shown.err.startswith(f"Error: {words}" if words.startswith("bom.json") else "Error: ")
    assert words in shown.err
    assert len(shown.err.splitlines()) <= 2


def test_a_file_that_is_not_there_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["check", "none.json"]) == 2
    assert capfd.readouterr().err.startswith("Error: cannot read 'none.json': No such file")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "Error: policy 'policy.yaml': No such file or directory"),
        ("licence: {}", "Error: policy.yaml:1:1: unknown key 'licence', did you mean 'licences'?"),
        ("a: &x 1", "Error: policy.yaml:1:4: anchors and aliases are not taken"),
        ("a" * 10_000_000, "Error: policy.yaml:1:1: more than 1,048,576 bytes"),
    ],
    ids=["missing", "key", "anchor", "ten megabytes"],
)
def test_a_bad_policy_is_told_with_its_place(
    text: str | None, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    bom("MIT")
    Path("policy.yaml").unlink()
    if text is not None:
        Path("policy.yaml").write_text(text, "utf-8")
    assert run() == 2
    shown = capfd.readouterr()
    assert (shown.out, shown.err.startswith(words)) == ("", True)


def test_a_misspelt_pack_is_told() -> None:
    bom("MIT")
    assert _run(["check", "bom.json", "--policy", "stirct"]) == 2


def test_a_recorded_signature_counts_when_the_document_is_trusted(capfd: pytest.CaptureFixture[str]) -> None:
    bom("MIT")
    document = json.loads(Path("bom.json").read_text("utf-8"))
    document["components"][0]["properties"] = [{"name": "aibom:check:signature", "value": "verified|x@a.b"}]
    Path("bom.json").write_text(json.dumps(document), "utf-8")
    for flags, outcome in (((), "could-not-check"), (("--trust-bom",), "verified")):
        assert run("-f", "json", *flags) == 0
        assert [each["outcome"] for each in json.loads(capfd.readouterr().out)["checks"]] == [outcome]


def test_known_findings_do_not_fail(capfd: pytest.CaptureFixture[str]) -> None:
    bom("GPL-3.0")
    assert run("-f", "json=report.json") == 1
    assert _run(["baseline", "report.json", "-o", "known.json"]) == 0
    assert run("--baseline", "known.json") == 0
    bom("GPL-3.0", "GPL-2.0")
    assert run("--baseline", "known.json") == 1
    assert "known" in capfd.readouterr().out


def test_it_starts_without_what_only_scans_need() -> None:
    bom("MIT")
    code = (
        "import sys; from aibom.cli.main import _run; "
        "assert _run(['check', 'bom.json', '--policy', 'policy.yaml', '-q']) == 0; "
        "print([n for n in sys.modules if n.startswith(('aibom.formats', 'aibom.sources', 'aibom.trust', "
        "'numpy', 'sigstore', 'cryptography', 'jsonschema_rs'))], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_ten_thousand_components_are_judged_in_a_moment() -> None:
    bom(*["MIT"] * 10_000)
    started = time.process_time()
    assert run("-q", "-f", "json=report.json") == 0
    assert time.process_time() - started < 10
