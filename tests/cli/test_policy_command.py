"""`aibom policy` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from aibom.cli.main import _run
from aibom.policy.document import POLICY_BYTES

Captured = pytest.CaptureFixture[bytes]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "a" * 64
POLICY = """\
version: 1
name: mine
formats:
  allow: [safetensors]
licences: {allow: [MIT], mode: warn, effective-on: 2999-01-01}
rules: {native-code: off, secret: off}
waivers:
  - rule: formats
    component: m
    digest: sha256:DIGEST
    expires: 2020-01-01
    reason: r
    approved-by: a
""".replace("DIGEST", DIGEST)


def bom(format_name: str = "safetensors", name: str = "model.bin") -> str:
    file = {
        "type": "file", "bom-ref": "f", "name": name, "hashes": [{"alg": "SHA-256", "content": DIGEST}],
        "properties": [{"name": "aibom:file:format", "value": format_name}],
    }  # fmt: skip
    model = {
        "type": "machine-learning-model", "bom-ref": "m", "name": "bert",
        "purl": f"pkg:huggingface/acme/bert@{COMMIT}", "components": [file],
        "licenses": [{"license": {"id": "MIT"}}],
    }  # fmt: skip
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [model]})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("AIBOM_"):
            monkeypatch.delenv(name)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("bom.json").write_text(bom(), "utf-8")
    return work


def run(captured: Captured, *arguments: str) -> tuple[int, str, str]:
    code = _run(["policy", *arguments])
    out, err = captured.readouterr()
    return code, out.decode(), err.decode()


def test_lint_says_that_all_is_well_and_warns_of_what_does_not_bind(capfdbinary: Captured) -> None:
    code, out, err = run(capfdbinary, "lint", "policy.yaml")
    assert (code, out) == (0, "mine: all is well (2 sections, 1 waivers)\n")
    assert err.splitlines() == [
        "warning: policy.yaml:5:11: licences only warns (mode: warn)",
        "warning: policy.yaml:5:11: licences only warns until 2999-01-01",
        "warning: switched off: native-code",
        "warning: policy.yaml:8:5: the waiver of formats for m expired on 2020-01-01",
    ]


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("2020-01-01", "2999-01-01", "is not in force before 2998-01-01"),
        ("name: mine", "name: mine\nmode: warn", "mode: warn: no finding of this policy counts"),
        ("name: mine", "name: mine\neffective-on: 2999-01-01", "the demands only warn until 2999-01-01"),
    ],
    ids=["pending waiver", "mode", "effective-on"],
)
def test_lint_warns_of(capfdbinary: Captured, old: str, new: str, warning: str) -> None:
    Path("policy.yaml").write_text(POLICY.replace(old, new), "utf-8")
    code, _, err = run(capfdbinary, "lint", "policy.yaml")
    assert code == 0
    assert warning in err


@pytest.mark.parametrize("pack", ["baseline"])
def test_lint_takes_the_name_of_a_pack_and_does_not_warn_of_its_defaults(
    capfdbinary: Captured, pack: str
) -> None:
    code, out, err = run(capfdbinary, "lint", pack)
    assert (code, err) == (0, "")
    assert out.startswith("baseline: all is well")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            POLICY.replace("allow: [s", "alow: [s"),
            "policy.yaml:4:3: unknown key 'alow', did you mean 'allow'?",
        ),
        (POLICY + "integrity:\n\tx: 1\n", "policy.yaml:15:1: not YAML"),
        ("a" * (POLICY_BYTES + 1), "policy.yaml:1:1: more than 1,048,576 bytes"),
        ("version: 1\nname: &a x\n", "policy.yaml:2:7: anchors and aliases are not taken"),
    ],
    ids=["typing error", "tab", "too large", "anchor"],
)
def test_lint_says_one_error_with_its_place(capfdbinary: Captured, text: str, error: str) -> None:
    Path("policy.yaml").write_text(text, "utf-8")
    code, out, err = run(capfdbinary, "lint", "policy.yaml")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"Error: {error}")


def test_a_hostile_file_name_is_escaped(capfdbinary: Captured) -> None:
    name = "a\x1b[31m\u202e.yaml"
    Path(name).write_text("x: 1", "utf-8")
    for arguments in (["lint", name], ["explain", name], ["test", "policy.yaml", name], ["lint", name + "x"]):
        code, out, err = run(capfdbinary, *arguments)
        assert code == 2
        assert "\\x1b[31m" in out + err
        assert not {"\x1b", "\u202e"} & set(out + err)


def test_the_schema_is_printed_and_is_one(capfdbinary: Captured) -> None:
    code, out, _ = run(capfdbinary, "schema")
    assert code == 0
    validator = jsonschema_rs.Draft202012Validator(json.loads(out))
    assert validator.is_valid({"version": 1, "name": "n", "formats": {"allow": ["onnx"]}})
    assert not validator.is_valid({"version": 1, "name": "n", "formats": {"alow": ["onnx"]}})


def test_explain_says_what_is_demanded_and_why_within_80_columns(capfdbinary: Captured) -> None:
    code, out, _ = run(capfdbinary, "explain", "policy.yaml")
    assert code == 0
    assert "\nformats  (policy.yaml:4:3)\n" in out
    for words in (
        "allow     safetensors",
        "incomplete: neither passed nor failed",
        "why       Some formats run",
        "ISO/IEC 42001:2023, Annex A: A.6.2.4",
        "until 2020-01-01, by a: r",
        "off     native-code",
    ):
        assert words in out
    assert max(len(line) for line in out.splitlines() if DIGEST not in line and "sha256" not in line) <= 80


def test_explain_of_one_section_says_nothing_else(capfdbinary: Captured) -> None:
    code, out, _ = run(capfdbinary, "explain", "policy.yaml", "licences")
    assert code == 0
    assert out.startswith("licences  (policy.yaml:5:11)\n")
    assert "mode      warn: findings are shown, and do not count" in out
    assert "safetensors" not in out


def test_explain_of_a_section_that_is_not_there_says_which_are(capfdbinary: Captured) -> None:
    assert run(capfdbinary, "explain", "policy.yaml", "format") == (
        2, "", "Error: mine has no section 'format'; did you mean 'formats'?\n"
    )  # fmt: skip


CASES = """\
cases:
  - name: a bill of materials
    bom: boms/b.json
    expect: pass
  - name: no pickles
    model: {formats: [pickle], licence: mit}
    expect: fail
    rules: [formats]
"""


def test_cases_that_come_out_as_expected_pass(capfdbinary: Captured) -> None:
    Path("boms").mkdir()
    Path("boms/b.json").write_text(bom(), "utf-8")
    Path("cases.yaml").write_text(CASES, "utf-8")
    code, out, err = run(capfdbinary, "test", "policy.yaml", "cases.yaml")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "ok      a bill of materials: expected pass",
        "ok      no pickles: expected fail with formats",
        "2 of 2 cases are as expected",
    ]


def test_a_case_that_comes_out_otherwise_is_told_with_its_findings(capfdbinary: Captured) -> None:
    Path("bom.json").write_text(bom("pickle"), "utf-8")
    text = CASES.replace("boms/b.json", "bom.json").replace("[formats]\n", "[licences]\n")
    Path("cases.yaml").write_text(text, "utf-8")
    code, out, _ = run(capfdbinary, "test", "policy.yaml", "cases.yaml")
    assert code == 1
    assert "FAILED  a bill of materials: expected pass, found fail (cases.yaml:2:5)\n" in out
    assert "high      formats: model.bin: the format pickle is not allowed" in out
    assert "FAILED  no pickles: expected fail with licences, found fail" in out.replace("\n        ", " ")
    assert "nothing was found by licences\n" in out
    assert out.endswith("0 of 2 cases are as expected\n")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("../secret.json", "'../secret.json' leads out of the folder of the cases"),
        ("link.json", "'link.json' leads out of the folder of the cases"),
        ("nowhere.json", "there is no file 'nowhere.json' beside the cases"),
        ("pipe", "there is no file 'pipe' beside the cases"),
        ('"a\\0b"', "is not the name of a file"),
        ("policy.yaml", "policy.yaml: "),
    ],
    ids=["upwards", "link", "missing", "pipe", "zero byte", "no bill of materials"],
)
def test_a_case_reads_only_files_beside_it(
    capfdbinary: Captured, folder: Path, name: str, error: str
) -> None:
    (folder.parent / "secret.json").write_text(bom(), "utf-8")
    Path("link.json").symlink_to(folder.parent / "secret.json")
    os.mkfifo("pipe")
    Path("cases.yaml").write_text(CASES.replace("boms/b.json", name), "utf-8")
    code, out, err = run(capfdbinary, "test", "policy.yaml", "cases.yaml")
    assert (code, out) == (2, "")
    assert err.startswith("Error: cases.yaml:3:10: ")
    assert error in err


def test_diff_says_what_is_demanded_otherwise_and_which_verdicts_change(capfdbinary: Captured) -> None:
    Path("new.yaml").write_text(POLICY.replace("[safetensors]", "[onnx]"), "utf-8")
    code, out, _ = run(capfdbinary, "diff", "policy.yaml", "new.yaml", "--bom", "bom.json")
    assert code == 0
    assert out.splitlines() == [
        "removed formats.allow[safetensors] (policy.yaml:4:11)",
        "added   formats.allow[onnx] (new.yaml:4:11)",
        "verdict formats: passes -> fails:",
        f"        pkg:huggingface/acme/bert@{COMMIT}",
    ]
    code, out, _ = run(capfdbinary, "diff", "policy.yaml", "new.yaml", "--json", "--exit-code")
    assert code == 1
    assert [each["what"] for each in json.loads(out)["changes"]] == [
        "formats.allow[safetensors]", "formats.allow[onnx]",
    ]  # fmt: skip


def test_a_policy_does_not_differ_from_itself(capfdbinary: Captured) -> None:
    assert run(capfdbinary, "diff", "policy.yaml", "policy.yaml", "--exit-code", "--bom", "bom.json") == (
        0, "both demand the same\n", "",
    )  # fmt: skip


@pytest.mark.parametrize("format_name", ["safetensors", "pickle", "a: b\n# \x1b"])
def test_init_writes_a_policy_that_the_bill_of_materials_passes(
    capfdbinary: Captured, format_name: str
) -> None:
    Path("bom.json").write_text(bom(format_name), "utf-8")
    code, out, err = run(capfdbinary, "init", "--from", "bom.json", "-o", "first.yaml")
    assert (code, out) == (0, "")
    assert err.startswith("wrote first.yaml (")
    assert run(capfdbinary, "lint", "first.yaml")[0] == 0
    assert _run(["check", "bom.json", "--policy", "first.yaml"]) == 0


def test_init_refuses_to_replace_a_file_without_force(capfdbinary: Captured) -> None:
    assert run(capfdbinary, "init", "--from", "bom.json", "-o", "policy.yaml") == (
        2, "", "Error: 'policy.yaml' is there already; --force replaces it\n",
    )  # fmt: skip
    assert Path("policy.yaml").read_text("utf-8") == POLICY
    assert run(capfdbinary, "init", "--from", "bom.json", "-o", "policy.yaml", "--force")[0] == 0
    assert Path("policy.yaml").read_text("utf-8").startswith("# Written by")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, "cannot read 'bom.json': No such file or directory"),
        ("{", "Error: 'bom.json': not JSON"),
        ('{"spdxVersion": "SPDX-2.3"}', "this is an SPDX document"),
    ],
    ids=["missing", "no JSON", "SPDX"],
)
def test_init_says_what_is_wrong_and_writes_nothing(
    capfdbinary: Captured, content: str | None, error: str
) -> None:
    Path("bom.json").unlink()
    if content is not None:
        Path("bom.json").write_text(content, "utf-8")
    code, _, err = run(capfdbinary, "init", "--from", "bom.json", "-o", "first.yaml")
    assert code == 2
    assert error in err
    assert not Path("first.yaml").exists()


def test_lint_imports_no_reader_of_inventories() -> None:
    program = (
        "import sys; from aibom.cli.main import _run; _run(['policy', 'lint', 'policy.yaml']);"
        "print([name for name in sys.modules if name.startswith(('aibom.inventory', 'aibom.outputs',"
        " 'aibom.formats', 'orjson', 'rich', 'cryptography', 'jsonschema_rs'))], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr.splitlines()[-1] == b"[]"
