"""`aibom baseline` as a user types it, and `--baseline` of a scan."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.policy.baseline import BASELINE_BYTES
from tests.hostile import FIXTURES

SCAN = ["scan", "model", "--policy", "policy.yaml", "-q", "--no-cache"]
POLICY = "version: 1\nname: team\nlicences: {allow: [MIT], unknown: fail}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY, "utf-8")
    Path("model").mkdir()
    Path("model/small.safetensors").write_bytes((FIXTURES / "safetensors" / "small.safetensors").read_bytes())


@pytest.fixture
def known() -> str:
    assert _run([*SCAN, "-f", "json=report.json"]) == 1
    assert _run(["baseline", "report.json", "-o", "known.json"]) == 0
    return "known.json"


def test_a_pipeline_fails_on_what_is_new_alone(known: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert _run([*SCAN, "--baseline", known]) == 0
    # Names a command, and is never loaded.
    Path("model/evil.bin").write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R.")
    assert _run([*SCAN, "--baseline", known]) == 1
    assert "dangerous-import" in capfd.readouterr().out


def test_what_is_dangerous_is_never_known(known: str) -> None:
    Path("model/evil.bin").write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R.")
    assert _run([*SCAN, "-f", "json=report.json"]) == 1
    assert _run(["baseline", "report.json", "-o", known]) == 0
    assert _run([*SCAN, "--baseline", known]) == 1


def test_it_goes_to_standard_output_without_a_file(known: str, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    assert _run(["baseline", "report.json"]) == 0
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == (Path(known).read_text("utf-8"), "")
    assert json.loads(shown.out)["targets"] == ["model"]


@pytest.mark.usefixtures("known")
def test_what_is_written_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert _run(["baseline", "report.json", "-o", "other.json"]) == 0
    assert capfd.readouterr().err == "wrote other.json (1 known findings)\n"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--name", "other"], "it is of 'model', and this is 'other'"),
        (["--policy", "strict"], "it is by the policy 'team', and this is 'strict'"),
    ],
    ids=["target", "policy"],
)
def test_a_baseline_of_something_else_is_refused(
    flags: list[str], words: str, known: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run([*SCAN, *flags, "--baseline", known, "-f", "json=report.json"]) == 2
    assert words in capfd.readouterr().err


@pytest.mark.parametrize("command", [["baseline"], [*SCAN, "--baseline"]], ids=["baseline", "scan"])
@pytest.mark.parametrize(
    ("data", "words"),
    [(None, "No such file"), (b"", "not JSON"), (b"{}", "its schema is not"), (b"\xff", "not UTF-8")],
    ids=["missing", "empty", "object", "bytes"],
)
def test_what_is_no_such_file_is_one_error(
    command: list[str], data: bytes | None, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if data is not None:
        Path("x.json").write_bytes(data)
    assert _run([*command, "x.json"]) == 2
    shown = capfd.readouterr()
    assert (shown.out, words in shown.err) == ("", True)


def test_a_file_that_is_too_large_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    with Path("x.json").open("wb") as file:
        file.truncate(BASELINE_BYTES + 1)
    assert _run(["baseline", "x.json"]) == 2
    assert "is larger than" in capfd.readouterr().err


def test_an_old_baseline_stays_when_there_is_no_new_one(known: str) -> None:
    before = Path(known).read_bytes()
    Path("report.json").write_text("{}", "utf-8")
    assert _run(["baseline", "report.json", "-o", known]) == 2
    assert Path(known).read_bytes() == before
