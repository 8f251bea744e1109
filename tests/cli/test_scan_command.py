"""`aibom scan` as a user types it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from aibom.cli.main import _run
from aibom.outputs import lint, schema
from tests.hostile import FIXTURES

QUICKSTART = str(FIXTURES / "quickstart")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def out(capfdbinary: pytest.CaptureFixture[bytes]) -> bytes:
    return capfdbinary.readouterr().out


def test_the_quickstart_shows_components_identity_licences_gaps_and_verdict(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert _run(["scan", QUICKSTART]) == 0
    shown = out(capfdbinary).decode()
    for words in (
        "Components (",
        "declared",
        "inferred",
        "Apache-2.0",
        "CC-BY-4.0",
        "Gaps (",
        "PASSED policy baseline",
    ):
        assert words in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("version", ["1.6", "1.7"])
def test_cyclonedx_on_stdout_is_valid_and_nothing_else(
    version: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["scan", QUICKSTART, "-f", "cyclonedx", "--spec-version", version]) == 0
    document = out(capfdbinary)
    assert json.loads(document)["specVersion"] == version
    assert schema.errors(document) == []
    assert lint.problems(document) == ()
    assert JsonStrictValidator(SchemaVersion.from_version(version)).validate_str(document.decode()) is None


@pytest.mark.parametrize("form", ["table", "json", "cyclonedx", "markdown"])
def test_reproducible_gives_the_same_bytes_twice_and_from_a_copy_elsewhere(
    form: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    shutil.copytree(QUICKSTART, tmp_path / "a copy" / "elsewhere")
    results = []
    for place in (QUICKSTART, QUICKSTART, str(tmp_path / "a copy" / "elsewhere")):
        assert _run(["scan", place, "--reproducible", "-f", form]) == 0
        results.append(out(capfdbinary))
    assert results[0] == results[1] == results[2]
    for secret in (str(FIXTURES), str(tmp_path), os.uname().nodename):
        assert secret.encode() not in results[0]


def test_source_date_epoch_is_the_time_in_the_bom(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert _run(["scan", QUICKSTART, "-f", "cyclonedx"]) == 0
    assert json.loads(out(capfdbinary))["metadata"]["timestamp"] == "1970-01-02T00:00:00Z"


def test_several_results_go_to_their_files(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    bom, report = tmp_path / "bom.json", tmp_path / "report.json"
    code = _run(["scan", QUICKSTART, "-f", f"cyclonedx={bom}", "-f", f"json={report}", "-f", "table"])
    assert code == 0
    assert json.loads(bom.read_bytes())["bomFormat"] == "CycloneDX"
    assert json.loads(report.read_bytes())["schema"] == "aibom-report/1"
    captured = capfdbinary.readouterr()
    assert b"Components" in captured.out
    assert f"wrote {bom}".encode() in captured.err


def test_o_names_the_file_of_the_one_bare_format(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["scan", QUICKSTART, "-f", "json", "-o", str(tmp_path / "r.json"), "-q"]) == 0
    captured = capfdbinary.readouterr()
    assert (captured.out, captured.err) == (b"", b"")
    assert (tmp_path / "r.json").stat().st_size > 100


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scan", "no/such/place"], "no such file or folder: 'no/such/place'"),
        (["scan", "-f", "xml"], "no output format 'xml'; there are table, json, cyclonedx, markdown"),
        (["scan", "-f", "json="], "the file name is missing"),
        (["scan", "-f", "json=no/such/r.json"], "the folder 'no/such' does not exist"),
        (["scan", "-f", "json", "-f", "table"], "two results go to the same place"),
        (["scan", "-f", "json=a", "-o", "b"], "-o needs exactly one -f"),
        (["scan", "--fail-onn", "high"], "--fail-on"),
        (["scan", "--jobs", "0"], "--jobs"),
        (["scan", "--offline", "hf://org/name"], "--offline forbids it"),
        (["scan", "ftp://host/name"], "ftp"),
        (["scann", "."], "did you mean 'scan'?"),
        (["explain", "no-rule"], "no rule 'no-rule'"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_says_what_to_do(
    arguments: list[str], words: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(arguments) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()


def test_a_folder_without_files_is_nothing_to_scan(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert _run(["scan", str(tmp_path / "empty")]) == 3


def test_gaps_decide_under_strict_only() -> None:
    assert _run(["scan", QUICKSTART]) == 0
    assert _run(["scan", QUICKSTART, "--strict"]) == 4


@pytest.fixture
def violated(tmp_path: Path) -> str:
    place = tmp_path / "violated"
    place.mkdir()
    (place / "m.safetensors").write_bytes(b"\x80\x04\x8c\x11collections.abcde\x8c\x04Some\x93.")
    (place / "x.gguf").write_bytes(b"GGUF")
    return str(place)


def test_findings_decide_and_win_over_gaps(violated: str) -> None:
    assert _run(["scan", violated]) == 1
    assert _run(["scan", violated, "--strict"]) == 1
    assert _run(["scan", violated, "--fail-on", "critical"]) == 0


def test_exit_zero_forgives_findings_and_nothing_else(violated: str, tmp_path: Path) -> None:
    assert _run(["scan", violated, "--exit-zero"]) == 0
    assert _run(["scan", violated, "--exit-zero", "--strict"]) == 4
    assert _run(["scan", str(tmp_path / "nothing"), "--exit-zero"]) == 2


def test_a_flag_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIBOM_STRICT", "1")
    assert _run(["scan", QUICKSTART]) == 4


def test_a_flag_can_come_from_a_named_file_and_the_command_line_wins(
    tmp_path: Path, violated: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = tmp_path / "ci.toml"
    config.write_text('fail-on = "critical"\nformat = ["json"]\n')
    assert _run(["scan", violated, "--config", str(config)]) == 0
    assert json.loads(out(capfdbinary))["schema"] == "aibom-report/1"
    assert _run(["scan", violated, "--config", str(config), "--fail-on", "high"]) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("strictt = true", "did you mean 'strict'?"), ("x", "is not TOML"), ("zzz = 1", "known are")],
)
def test_a_bad_configuration_file_is_a_usage_error(
    text: str, words: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    config = tmp_path / "ci.toml"
    config.write_text(text)
    assert _run(["scan", QUICKSTART, "--config", str(config)]) == 2
    assert words in capfdbinary.readouterr().err.decode()


def test_nothing_in_the_target_configures_the_scan(tmp_path: Path) -> None:
    place = tmp_path / "place"
    shutil.copytree(QUICKSTART, place)
    for name in ("aibom.toml", ".aibom.toml", ".env", ".aibomignore", "policy.yaml", "pyproject.toml"):
        (place / name).write_text(
            'exit-zero = true\nexclude = ["*"]\nAIBOM_EXCLUDE=*\n[tool.aibom]\nexclude=["*"]\n'
        )
    done = subprocess.run(
        [sys.executable, "-m", "aibom", "scan", "-f", "json"], cwd=place, capture_output=True, check=True
    )
    coverage = json.loads(done.stdout)["coverage"]
    assert (coverage["excluded"], coverage["listed"]) == (0, sum(1 for p in place.rglob("*") if p.is_file()))


def test_excluded_files_are_counted(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(["scan", QUICKSTART, "--exclude", "*.gguf", "-f", "json"]) == 0
    assert json.loads(out(capfdbinary))["coverage"]["excluded"] == 2


def test_a_full_disk_leaves_the_old_output_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    old = tmp_path / "bom.json"
    old.write_text("the old one")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert _run(["scan", QUICKSTART, "-f", f"cyclonedx={old}"]) == 4
    assert old.read_text() == "the old one"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["bom.json"]
    assert "No space left on device" in capfdbinary.readouterr().err.decode()


def test_a_full_device_is_an_error_of_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aibom", "scan", QUICKSTART],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr


def test_a_closed_pipe_is_not_an_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m aibom scan {QUICKSTART} -f json | head -c 10",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert len(done.stdout) == 10


def test_offline_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.__init__", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    assert _run(["scan", QUICKSTART, "--offline", "-f", "cyclonedx"]) == 0


def test_names_with_terminal_escapes_are_shown_escaped(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for name in (b"a\x1b[2J.gguf", b"b\nc.gguf", b"\xff\xfe.gguf"):
        Path(os.fsdecode(bytes(place) + b"/" + name)).write_bytes(b"GGUF")
    for form in ("table", "json", "cyclonedx", "markdown"):
        assert _run(["scan", str(place), "-f", form]) == 0
        shown = out(capfdbinary)
        assert b"\x1b" not in shown
        assert b"\xff" not in shown
        shown.decode()


def test_a_bug_of_ours_is_exit_code_70(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("aibom.cli.scan.scan", broken)
    assert _run(["scan", QUICKSTART]) == 70
    assert b"This is a bug of ours" in capfdbinary.readouterr().err


def test_ctrl_c_says_so_and_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aibom.cli.scan.scan", interrupted)
    assert _run(["scan", QUICKSTART]) == 130
    assert b"interrupted: nothing was written" in capfdbinary.readouterr().err
