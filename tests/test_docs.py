"""The documentation: complete, true where a program can tell, and free of dead links."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import click
import pytest

from aibom.cli.exit_codes import ExitCode
from aibom.cli.main import _run, commands
from aibom.cli.rendering import OUTPUTS
from aibom.domain import limits
from aibom.domain.check import Outcome
from aibom.domain.component import ComponentKind, IdentityBasis, Origin, RelationKind
from aibom.domain.errors import Reason
from aibom.domain.facts import Capability, FileKind, Layout
from aibom.domain.gap import Stage
from aibom.domain.protocols import Format
from aibom.domain.reference import Flag
from aibom.domain.rule_text import RuleText
from aibom.formats import FORMATS
from aibom.outputs import json_report, lint
from aibom.policy import REQUIREMENTS, RULES
from tests.hostile import FIXTURES

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
GITHUB = [path for path in (ROOT / ".github").rglob("*") if path.is_file()]

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MACHINE = re.compile(r"(?<![\w.~:/-])/(?:root|home|tmp|work)\b")
_UNITS = {"KiB": limits.KIB, "MiB": limits.MIB, "GiB": limits.GIB}
_UNIT_OF = {"_BYTES": "bytes", "_CHARS": "characters", "_NS": "nanoseconds"}


def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def rows(page: str) -> list[list[str]]:
    """The cells of all table rows of a page, without their backticks."""
    lines = [line for line in text_of(page).splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def command(name: str) -> click.Command:
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    return found


COMMANDS = commands.list_commands(click.Context(commands))


def options(name: str) -> list[click.Option]:
    """The flags of a command and of its subcommands."""
    found = command(name)
    parts = [found, *found.commands.values()] if isinstance(found, click.Group) else [found]
    return [each for part in parts for each in part.params if isinstance(each, click.Option)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_with_each_flag_and_variable(name: str) -> None:
    page = text_of(f"commands/{name}.md")
    assert page.startswith(f"# aibom {name}\n")
    for option in options(name):
        for flag in (*option.opts, *option.secondary_opts):
            assert re.search(rf"`{flag}\b", page), f"{flag} is not explained"
        if option.envvar:
            assert f"`{option.envvar}`" in page, f"{option.envvar} is not explained"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_page_explains_a_flag_or_variable_that_its_command_does_not_have(name: str) -> None:
    flags = {flag for option in options(name) for flag in option.opts}
    told = [cells for cells in rows(f"commands/{name}.md") if cells[0].startswith("-")]
    for cells in told:
        assert set(re.findall(r"--?[a-z][\w-]*", cells[0])) <= flags, cells[0]
    assert {cells[1] for cells in told} - {"none"} == {option.envvar for option in options(name)} - {None}


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_is_named_on_the_page_of_scan(name: str) -> None:
    assert f"`{name}`" in text_of("commands/scan.md")


@pytest.mark.parametrize("rule", [*RULES, *REQUIREMENTS], ids=lambda rule: rule.id)
def test_every_rule_and_section_has_a_page_with_its_title_and_severity_and_a_row(rule: RuleText) -> None:
    page = text_of(f"rules/{rule.id}.md")
    assert page.startswith(f"# {rule.id}: {rule.title}\n\nSeverity `{rule.severity.label}`.")
    for heading in ("What it looks for", "Why", "Example", "False alarms to expect", "What to do"):
        assert f"\n## {heading}\n" in page
    row = rf"^\| \[{rule.id}\]\(rules/{rule.id}\.md\) \| {rule.severity.label} \|"
    assert re.search(row, text_of("index.md"), re.MULTILINE)


@pytest.mark.parametrize("rule", REQUIREMENTS, ids=lambda rule: rule.id)
def test_the_page_of_a_section_says_that_it_is_in_force_only_where_a_policy_has_it(rule: RuleText) -> None:
    page = text_of(f"rules/{rule.id}.md")
    assert f"In force only where a policy has the section `{rule.id}`." in page
    assert "\n## Settings\n" in page


def test_there_is_no_page_of_a_rule_that_does_not_exist() -> None:
    known = {rule.id for rule in (*RULES, *REQUIREMENTS)}
    assert {path.stem for path in (DOCS / "rules").glob("*.md")} == known


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_every_format_that_is_read_has_a_page_and_every_other_one_a_row(fmt: Format) -> None:
    if fmt.read is not None:
        assert (DOCS / "formats" / f"{fmt.name}.md").is_file()
    else:
        assert any(fmt.name in cells for cells in rows("formats/unread.md"))


def test_every_limit_stands_in_the_table_with_its_value_and_unit() -> None:
    told = {cells[0]: cells for cells in rows("limits.md") if cells[0].isupper()}
    known = {
        name: value
        for name, value in vars(limits).items()
        if name.isupper() and name not in ("KIB", "MIB", "GIB")
    }
    assert told.keys() == known.keys()
    for name, value in known.items():
        number, _, unit = told[name][1].partition(" ")
        assert int(number.replace(",", "")) * _UNITS.get(unit, 1) == value, name
        suffix = name[name.rindex("_") :]
        assert told[name][2] == _UNIT_OF.get(suffix, told[name][2]), name


def test_every_exit_code_is_documented_and_no_other() -> None:
    told = {int(cells[0]) for cells in rows("exit-codes.md") if cells[0].isdigit()}
    assert told == {int(code) for code in ExitCode}


def test_every_field_of_the_json_report_is_documented() -> None:
    tree = ast.parse(Path(json_report.__file__).read_text("utf-8"))
    keys = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    page = text_of("report-json.md")
    assert len(keys) > 50
    assert not {key for key in keys if f"`{key}`" not in page}
    assert f"`{json_report.SCHEMA}`" in page


@pytest.mark.parametrize(
    "values",
    [
        Reason,
        Stage,
        Layout,
        Capability,
        FileKind,
        Outcome,
        ComponentKind,
        IdentityBasis,
        Origin,
        RelationKind,
        Flag,
    ],
)
def test_every_word_that_a_field_of_the_json_report_can_hold_is_documented(values: type[Enum]) -> None:
    page = text_of("report-json.md")
    assert not {value.value for value in values if f"`{value.value}`" not in page}


def test_every_problem_that_validate_reports_is_documented_with_its_severity() -> None:
    told = {cells[0]: cells[1] for cells in rows("commands/validate.md") if len(cells) == 3}
    known = {code: severity.label for code, severity in lint.SEVERITIES.items()}
    assert {"schema": "high", **known}.items() <= told.items()


def prose(path: Path) -> str:
    """The text of a page without its code blocks."""
    return _FENCE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(path: Path) -> Iterator[tuple[Path, str]]:
    for target in _LINK.findall(prose(path)):
        if not re.match(r"[a-z]+:", target):
            place, _, anchor = target.partition("#")
            yield (path.parent / place).resolve() if place else path, anchor


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_every_link_leads_to_a_file_of_the_project_and_to_a_heading_in_it(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), target.name
        assert target.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(target), f"{target.name}#{anchor}"


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    todo = [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            found = [target for target, _ in links(page)]
            todo += [target for target in found if target.suffix == ".md" and target.is_file()]
            todo += [inner for target in found if target.is_dir() for inner in target.glob("*.md")]
    assert {relative(path) for path in set(DOCS.rglob("*.md")) - reached} == set()


def test_decisions_are_numbered_without_a_hole() -> None:
    numbers = [path.name[:4] for path in sorted((DOCS / "adr").glob("*.md"))]
    assert numbers == [f"{number:04}" for number in range(len(numbers))]


@pytest.mark.parametrize("path", [*PAGES, *GITHUB], ids=relative)
def test_no_page_names_a_path_of_the_machine_it_was_written_on(path: Path) -> None:
    assert not _MACHINE.search(path.read_text("utf-8"))


def test_the_set_up_for_tests_that_the_readme_gives_is_the_one_of_the_pipeline() -> None:
    blocks = [body for kind, body in _FENCE.findall((ROOT / "README.md").read_text("utf-8")) if kind == "sh"]
    (tests,) = (body.strip() for body in blocks if "pytest" in body)
    assert len(blocks) == 2
    assert tests in (ROOT / ".ci" / "run").read_text("utf-8")


def example(page: str, line: str) -> str:
    """What a page says that a command line prints."""
    for _, body in _FENCE.findall(text_of(page)):
        _, found, output = f"\n{body}".partition(f"\n$ {line}\n")
        if found:
            return output.partition("\n$ ")[0].rstrip("\n") + "\n"
    raise AssertionError(f"{page} has no example of {line}")


def printed(line: str, capfdbinary: pytest.CaptureFixture[bytes]) -> str:
    _run(line.split()[1:])
    return capfdbinary.readouterr().out.decode()


_OTHER = """{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
"components": [{"type": "library", "name": "m", "bom-ref": "a", "purl": "pkg:huggingface/acme/m@main"}],
"dependencies": [{"ref": "a", "dependsOn": ["b"]}]}"""


@pytest.fixture
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the examples are about, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "missing").mkdir()
    shard = tmp_path / "missing" / "model-00001-of-00002.safetensors"
    shutil.copyfile(FIXTURES / "safetensors" / "small.safetensors", shard)
    (tmp_path / "other.json").write_text(_OTHER, "utf-8")
    (tmp_path / "evil").mkdir()
    # Names a command, and is never loaded.
    pickled = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R."
    (tmp_path / "evil" / "weights.bin").write_bytes(pickled)


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize(
    ("page", "line"),
    [
        ("commands/explain.md", "aibom explain"),
        ("commands/explain.md", "aibom explain digest-mismatch"),
        ("commands/scan.md", "aibom scan missing"),
        ("commands/scan.md", "aibom scan evil"),
        ("commands/validate.md", "aibom validate other.json"),
        ("commands/validate.md", "aibom validate --json other.json"),
    ],
)
def test_an_example_shows_what_is_printed(
    page: str, line: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert printed(line, capfdbinary) == example(page, line)
