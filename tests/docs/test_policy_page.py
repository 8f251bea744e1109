"""What the page about policies tells people to type, run as it stands there."""

from __future__ import annotations

import pickle
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from aibom.cli.packs import PACKS
from aibom.domain.controls import CONTROLS
from aibom.domain.waiver import WaiverState
from aibom.policy import REQUIREMENTS, parse_policy
from aibom.policy.document import _OWN_KEYS, EXTENDS_DEPTH, SECTION_KEYS, OnUnknown
from aibom.policy.waivers import _KEYS, MAX_WAIVER_DAYS, NEVER, SOON_DAYS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "policies.md").read_text("utf-8")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BYTES = re.compile(r"\([\d,.]+ (?:bytes|kB)\)")  # of a pickle: another release of numpy, other bytes


def steps() -> Iterator[tuple[str, str]]:
    """Each command of the ten minutes, and what it prints there."""
    for kind, body in _FENCE.findall(PAGE):
        if kind == "console":
            for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
                first, *rest = part.splitlines(keepends=True)
                typed = [line for line in rest if line.startswith("> ")]
                yield first + "".join(line[2:] for line in typed), "".join(rest[len(typed) :])


def session(place: Path) -> Iterator[tuple[str, str]]:
    """Each command, and what it prints in an empty folder."""
    programs, work = place / "bin", place / "work"
    programs.mkdir()
    work.mkdir()
    for name, line in (("aibom", "-m aibom "), ("python3", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {line}"$@"\n', "utf-8")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(place)}
    code = 0
    for command, _ in steps():
        done = subprocess.run(
            ["sh", "-c", f"(exit {code})\n{command}"], cwd=work, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        )  # fmt: skip
        code = done.returncode
        yield command, done.stdout


def test_the_ten_minutes_print_what_the_page_shows(tmp_path: Path) -> None:
    for (command, told), (_, printed) in zip(steps(), session(tmp_path), strict=True):
        assert _BYTES.sub("", printed) == _BYTES.sub("", told), command


def test_the_ten_minutes_go_from_a_mistake_over_a_failing_gate_to_one_that_passes() -> None:
    assert [told.strip() for command, told in steps() if command == "echo $?\n"] == ["2", "1", "0", "0"]
    (installed,) = (body for kind, body in _FENCE.findall(PAGE) if kind == "sh")
    assert "pip install" in installed


def test_the_readme_shows_what_its_three_lines_of_policy_do(tmp_path: Path) -> None:
    part = (
        (ROOT / "README.md").read_text("utf-8").partition("\n## Say what you want\n")[2].partition("\n## ")[0]
    )
    (_, policy), (_, example) = _FENCE.findall(part)
    command, _, told = example.removeprefix("$ aibom ").partition("\n")
    assert len(policy.splitlines()) == 3
    (tmp_path / "policy.yaml").write_text(policy, "utf-8")
    (tmp_path / "model").mkdir()
    pickled = pickle.dumps({"weight": [0.25, 0.5]}, protocol=4)
    (tmp_path / "model" / "model.pkl").write_bytes(pickled)
    (tmp_path / "model" / "README.md").write_text("---\nlicense: mit\n---\n\n# Ranker\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "aibom", *shlex.split(command)], cwd=tmp_path, capture_output=True, text=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert _BYTES.sub("", done.stdout) == _BYTES.sub("", told)


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without backticks."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def names(heading: str) -> set[str]:
    return {re.sub(r"\[(.*?)\].*", r"\1", cells[0]) for cells in rows(heading)}


def test_every_key_of_the_document_is_explained() -> None:
    assert set(_OWN_KEYS) <= names("The document")
    told = {name for cells in rows("Waivers") for name in re.findall(r"[\w-]+", cells[0])}
    assert set(_KEYS) <= told
    assert set(WaiverState) <= told
    assert set(OnUnknown) <= names("Passed, failed, unknown")


def test_every_section_is_there_with_its_keys() -> None:
    told = {re.sub(r"\[(.*?)\].*", r"\1", cells[0]): cells for cells in rows("Sections")}
    for requirement in REQUIREMENTS:
        keys = {key.strip(" `") for key in told[requirement.id][2].split(",")}
        assert keys == requirement.schema.keys(), requirement.id
    assert told.keys() - {"Section", "Key"} == {each.id for each in REQUIREMENTS} | set(SECTION_KEYS)


def test_every_pack_is_told() -> None:
    assert names("Packs") - {"Pack"} == set(PACKS)


def test_the_numbers_and_names_of_waivers_are_those_of_the_program() -> None:
    never = PAGE.partition("Never waived: ")[2].partition("dangerous content")[0]
    assert set(re.findall(r"`([\w-]+)`", never)) == NEVER
    assert f"`{MAX_WAIVER_DAYS}d`" in PAGE
    assert f"less than {SOON_DAYS} days" in " ".join(PAGE.split())
    assert f"At most {EXTENDS_DEPTH} policies" in " ".join(PAGE.split())


def test_every_control_is_there_with_the_sections_that_are_evidence_for_it() -> None:
    told = {cells[0]: cells[1:] for cells in rows("Evidence for ISO/IEC 42001")[1:]}
    assert told.keys() == CONTROLS["iso42001"].keys()
    for control, (title, sections) in told.items():
        assert title == CONTROLS["iso42001"][control]
        known = {each.id for each in REQUIREMENTS if ("iso42001", control) in each.controls}
        assert {each.strip(" `") for each in sections.split(",")} == known


@pytest.mark.parametrize("number", range(4))
def test_each_policy_on_the_page_is_one(number: int) -> None:
    found = [body for kind, body in _FENCE.findall(PAGE) if kind == "yaml"]
    assert len(found) == 4
    text = found[number]
    if "custom:" in text:
        pytest.importorskip("cel_expr_python")
    if "extends:" in text:
        text = "".join(line for line in text.splitlines(keepends=True) if "extends:" not in line)
        assert yaml.safe_load(found[number])["extends"].keys() == {"file", "sha256"}
    assert parse_policy(text.encode()).sections
