"""validate, formats, explain, completion, --version."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aibom import __version__
from aibom.cli.main import _run
from aibom.domain.rule_text import RuleText
from aibom.domain.taxonomies import ATLAS, CWE
from aibom.formats import FORMATS
from aibom.policy import REQUIREMENTS, RULES
from aibom.policy.requirement import Requirement
from tests.hostile import FIXTURES

VALID = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": []}


def shown(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().out


def write(path: Path, document: object) -> str:
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def test_a_valid_bom_is_valid(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bom = write(tmp_path / "bom.json", VALID)
    assert _run(["validate", bom]) == 0
    assert shown(capfd) == f"{bom}: valid\n"


def test_what_no_schema_sees_is_told_with_its_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    twice = [{"type": "file", "name": name, "bom-ref": "same"} for name in ("a", "b")]
    assert _run(["validate", write(tmp_path / "bom.json", {**VALID, "components": twice})]) == 1
    assert "/components/0/bom-ref: 'same' is not the only one" in shown(capfd)


def test_schema_errors_are_told_with_their_place(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = {**VALID, "components": [{"type": "service", "name": "a"}]}
    assert _run(["validate", write(tmp_path / "bom.json", wrong), "--json"]) == 1
    (problems,) = json.loads(shown(capfd)).values()
    assert problems[0]["pointer"].startswith("/components/0")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"bomFormat": "CycloneDX", "specVersion": "9.9"}', "[" * 100_000]
)
def test_what_is_no_bom_is_invalid_and_not_a_crash(text: str, tmp_path: Path) -> None:
    assert _run(["validate", write(tmp_path / "bom.json", text), "-q"]) == 1


def test_a_bom_that_is_not_there_is_a_usage_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["validate", "no-such.json"]) == 2
    assert "cannot read 'no-such.json'" in capfd.readouterr().err


def test_formats_lists_every_format(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["formats"]) == 0
    lines = shown(capfd).splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in FORMATS]
    assert _run(["formats", "--json"]) == 0
    assert {row["name"]: row["read"] for row in json.loads(shown(capfd))} == {
        each.name: each.read is not None for each in FORMATS
    }


EXPLAINED: tuple[RuleText, ...] = (*RULES, *REQUIREMENTS)


def test_explain_lists_every_rule_and_then_every_section_with_its_severity(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert _run(["explain"]) == 0
    rules, heading, sections = shown(capfd).strip("\n").split("\n\n")
    assert heading == "Sections of a policy, in force where it has them:"
    for told, known in ((rules, RULES), (sections, REQUIREMENTS)):
        lines = [line.split(maxsplit=2) for line in told.splitlines()]
        assert lines == [[each.id, each.severity.label, each.title] for each in known]


@pytest.mark.parametrize("rule", EXPLAINED, ids=lambda rule: rule.id)
def test_explain_prints_the_whole_page_of_a_rule(rule: RuleText, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["explain", rule.id]) == 0
    text = shown(capfd)
    lines = text.splitlines()
    page = (FIXTURES.parent / "docs" / "rules" / f"{rule.id}.md").read_text("utf-8")
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[1:] == re.findall("^## (.+)$", page, re.MULTILINE)
    # Code is told as it stands, so that it can be copied; everything else is wrapped.
    assert {line.strip() for line in lines if len(line) > 80} <= {line.strip() for line in page.splitlines()}
    flat = " ".join(text.split())
    assert flat.startswith(f"{rule.id}: {rule.title} Severity {rule.severity.label}.")
    for technique in rule.atlas:
        assert f"{technique} ({ATLAS[technique]})" in flat
    for weakness in rule.cwe:
        assert f"CWE-{weakness} ({CWE[weakness]})" in flat


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.id)
def test_explain_tells_every_setting_of_a_section_and_what_it_is_evidence_for(
    requirement: Requirement, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run(["explain", requirement.id]) == 0
    text = shown(capfd)
    assert requirement.schema.keys() <= {line.strip() for line in text.splitlines()}
    for _, control in requirement.controls:
        assert f"{control} (" in " ".join(text.split())


@pytest.mark.parametrize("rule", EXPLAINED, ids=lambda rule: rule.id)
def test_no_markup_of_the_page_is_left(rule: RuleText, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["explain", rule.id]) == 0
    page = (FIXTURES.parent / "docs" / "rules" / f"{rule.id}.md").read_text("utf-8")
    code = {line.strip() for body in re.findall(r"^```.*?^```$", page, re.DOTALL | re.MULTILINE)
            for line in body.splitlines()}  # fmt: skip
    text = "\n".join(line for line in shown(capfd).splitlines() if line.strip() not in code)
    assert "`" not in text
    assert "](" not in text
    assert not re.search(r"^\s*(#|\|)", text, re.MULTILINE)


def test_explain_does_not_know_every_word(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["explain", "no-such-rule"]) == 2
    assert "no rule 'no-such-rule'; `aibom explain` lists them" in capfd.readouterr().err


def test_a_command_on_a_page_can_be_copied_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["explain", "dangerous-import"]) == 0
    assert '\n    hf download org/name --include "*.safetensors" --include "*.json"\n' in shown(capfd)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["completion", shell]) == 0
    assert "_AIBOM_COMPLETE" in shown(capfd)


def test_bash_completes_a_flag() -> None:
    environment = {"_AIBOM_COMPLETE": "bash_complete", "COMP_WORDS": "aibom scan --repro", "COMP_CWORD": "2"}
    code = "import sys; sys.argv = ['aibom']; from aibom.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False, text=True
    )
    assert "--reproducible" in done.stdout


def test_version_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["--version"]) == 0
    assert shown(capfd) == f"aibom {__version__}\n"


def test_version_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['aibom', '--version']\n"
        "from aibom.cli.main import _run; _run(['--version'])\n"
        "heavy = {'rich', 'cyclonedx', 'jsonschema_rs', 'yaml', 'blake3', 'sqlite3', 'orjson'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_the_exit_codes(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["--help"]) == 0
    assert "4 incomplete" in shown(capfd)


def test_the_quickstart_bom_validates(tmp_path: Path) -> None:
    bom = tmp_path / "bom.json"
    assert _run(["scan", str(FIXTURES / "quickstart"), "-q", "-f", f"cyclonedx={bom}"]) == 0
    assert _run(["validate", str(bom), "-q"]) == 0
