"""`aibom diff` as a user types it."""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.main import _run
from aibom.domain.difference import CLASSES
from tests.hostile import FIXTURES

VERSIONS: dict[str, Any] = runpy.run_path(str(FIXTURES / "scripts/make_versions.py"))
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AIBOM_NO_CACHE", "1")
    monkeypatch.chdir(tmp_path)


def pair(edit: str) -> list[str]:
    VERSIONS["make"](Path(), edit)
    return [f"{edit}/old", f"{edit}/new"]


@pytest.mark.parametrize(
    ("edit", "flags", "code"),
    [
        ("nothing", [], 0),
        ("nothing", ["--fail-on", "any"], 0),
        ("bit-flip", [], 0),
        ("bit-flip", ["--fail-on", "licence"], 0),
        ("bit-flip", ["--fail-on", "licence,weights"], 1),
        ("bit-flip", ["--fail-on", "licence", "--fail-on", "weights"], 1),
        ("bit-flip", ["--fail-on", "any"], 1),
        ("bit-flip", ["--fail-on", "weight"], 2),
        ("bit-flip", ["--fail-on", ""], 2),
        ("bit-flip", ["--offline"], 0),
        ("bit-flip", ["-o", "there/is/no/folder"], 2),
        ("bit-flip", ["-f", "xml"], 2),
    ],
    ids=[
        "equal", "equal-any", "no-gate", "other-class", "one-of-two", "flag-twice", "any", "no-class",
        "empty-class", "offline", "no-folder", "no-format",
    ],
)  # fmt: skip
def test_the_exit_code_says_whether_the_gate_holds(
    edit: str, flags: list[str], code: int, capfd: Captured
) -> None:
    assert _run(["diff", *pair(edit), *flags]) == code
    out, err = capfd.readouterr()
    assert bool(out) is (code != 2)
    assert bool(err) is (code == 2)


def test_the_variable_names_classes_as_well(monkeypatch: pytest.MonkeyPatch, capfd: Captured) -> None:
    monkeypatch.setenv("AIBOM_DIFF_FAIL_ON", "licence,weights")
    assert _run(["diff", *pair("bit-flip")]) == 1
    assert "one bit flipped" in capfd.readouterr().out


def test_what_could_not_be_compared_is_incomplete_unless_the_gate_fails(capfd: Captured) -> None:
    old, new = pair("bit-flip")
    Path("outside.csv").write_text("a\n1\n")
    Path(new, "data/link.csv").symlink_to(Path("outside.csv").resolve())
    assert _run(["diff", old, new]) == 4
    assert _run(["diff", old, new, "--fail-on", "licence"]) == 4
    assert _run(["diff", old, new, "--fail-on", "weights"]) == 1
    assert "1 difference; 1 could not be compared" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("old", "words"),
    [("gone", "no such file or folder"), ("", "no such file or folder"), ("ftp://a/b", "://"),
     ("HEAD~1:model", "git+file://"), ("spdx.json", "SPDX"), ("cut.json", "JSON")],
    ids=["gone", "empty", "scheme", "revision", "spdx", "cut"],
)  # fmt: skip
def test_a_side_that_is_not_there_or_not_read_is_told_in_one_line(
    old: str, words: str, capfd: Captured
) -> None:
    Path("spdx.json").write_text('{"spdxVersion": "SPDX-2.3"}')
    Path("cut.json").write_text('{"bomFormat": "CycloneDX", ')
    assert _run(["diff", old, pair("nothing")[1]]) == 2
    out, err = capfd.readouterr()
    assert (out, words in err) == ("", True)
    assert "Traceback" not in err


@pytest.mark.parametrize("side", [0, 1], ids=["old", "new"])
def test_a_place_in_the_network_is_refused_offline(side: int, capfd: Captured) -> None:
    sides = pair("nothing")
    sides[side] = "hf://acme/small"
    assert _run(["diff", *sides, "--offline"]) == 2
    assert "--offline forbids it" in capfd.readouterr().err


def test_json_and_markdown_go_to_standard_output_or_a_file(capfd: Captured) -> None:
    sides = pair("low-rank")
    assert _run(["diff", *sides, "-f", "json", "-q"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["counts"] == {"weights": 1}
    assert err == ""
    assert _run(["diff", *sides, "-f", "markdown", "-o", "result.md"]) == 0
    assert Path("result.md").read_text().startswith("# aibom diff: old to new\n")
    out, err = capfd.readouterr()
    assert (out, err.startswith("wrote result.md (")) == ("", True)


def test_the_same_input_gives_the_same_bytes_and_no_absolute_path(capfd: Captured, tmp_path: Path) -> None:
    old, new = (str(Path(side).resolve()) for side in pair("unindexed"))
    for output_format in ("table", "json", "markdown"):
        outputs = set()
        for jobs in ("1", "4"):
            assert _run(["diff", old, new, "-f", output_format, "--jobs", jobs]) == 0
            outputs.add(capfd.readouterr().out)
        assert len(outputs) == 1
        assert str(tmp_path) not in outputs.pop()


def test_the_help_names_every_class(capfd: Captured) -> None:
    assert _run(["diff", "--help"]) == 0
    words = "".join(capfd.readouterr().out.split())
    assert all(str(kind) in words for kind in CLASSES)
