"""`aibom refs` as a user types it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.domain.entry import Entry
from aibom.outputs.reference_csv import COLUMNS
from aibom.sources.local import LocalSource
from aibom.sources.local_file import LocalFile

CODE = """import torch
from transformers import AutoModel, pipeline

AutoModel.from_pretrained("org/a-model", trust_remote_code=True)
pipeline("fill-mask", model="bert", revision="0123456789abcdef0123456789abcdef01234567")
torch.load(path, weights_only=False)
"""
NOTEBOOK = {
    "nbformat": 4,
    "metadata": {},
    "cells": [{"cell_type": "code", "source": 'from datasets import load_dataset\nload_dataset("org/data")'}],
}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "NO_COLOR", "COLUMNS")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def place(tmp_path: Path) -> str:
    folder = tmp_path / "place"
    folder.mkdir()
    (folder / "app.py").write_text(CODE)
    (folder / "nb.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / "requirements.txt").write_text("torch==2.1.0\n")
    (folder / "notes.txt").write_text("from transformers import AutoModel")
    return str(folder)


def out(capfdbinary: pytest.CaptureFixture[bytes]) -> str:
    return capfdbinary.readouterr().out.decode()


def document(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> dict:
    assert _run(["refs", *arguments, "-f", "json"]) == 0
    return json.loads(out(capfdbinary))


def test_the_table_is_the_default(place: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(["refs", place]) == 0
    captured = capfdbinary.readouterr()
    assert captured.err == b""
    assert captured.out.decode().splitlines() == [
        "app.py",
        "     4  model      hf:org/a-model  unpinned remote-code",
        "     5  model      hf:bert@0123456789ab  no-organisation",
        "     6  model      ? torch.load  unsafe-load unresolved",
        "",
        "nb.ipynb",
        "cell 1:2  dataset    hf-dataset:org/data  unpinned",
        "",
        "requirements.txt",
        "     1  library    pypi:torch@2.1.0",
        "",
        "5 references in 3 files: 3 models, 1 dataset, 1 library",
        "  2 unpinned, 1 remote-code, 1 unsafe-load, 1 unresolved, 1 no-organisation",
        "3 of 4 files can refer to something, 0 gaps",
    ]


def test_without_a_target_it_is_here(
    place: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(place)
    assert len(document(capfdbinary)["references"]) == 5


def test_nothing_found_is_no_error(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert _run(["refs", str(tmp_path)]) == 0
    assert out(capfdbinary) == "No references found.\n0 of 1 file can refer to something, 0 gaps\n"


def test_json_has_the_objects_of_the_report(place: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    found = document(capfdbinary, place)
    assert found["schema"] == "aibom-references/1"
    assert (found["listed"], found["lookedAt"], found["gaps"]) == (4, 3, [])
    assert _run(["scan", place, "-f", "json", "--exit-zero"]) == 0
    assert found["references"] == json.loads(out(capfdbinary))["references"]


def test_csv_has_a_line_per_reference(place: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(["refs", place, "-f", "csv"]) == 0
    text = out(capfdbinary)
    assert text.count("\r\n") == text.count("\n") == 6
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["path"], row["line"], row["target"]) for row in rows] == [
        ("app.py", "4", "hf:org/a-model"),
        ("app.py", "5", "hf:bert@0123456789abcdef0123456789abcdef01234567"),
        ("app.py", "6", "?"),
        ("nb.ipynb", "2", "hf-dataset:org/data"),
        ("requirements.txt", "1", "pypi:torch@2.1.0"),
    ]


def test_csv_of_hostile_names_is_inert_and_stays_one_line_each(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    names = [b"=1+1.py", b"+a.py", b"-a.py", b"@a.py", b"a\nb.py", b'a,"b".py', b"\xff.py"]  # fmt: skip
    for name in names:
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_text(CODE)
    assert _run(["refs", str(tmp_path), "-f", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(out(capfdbinary), newline=""), strict=True))
    assert sorted({row["path"] for row in rows}) == [
        "'+a.py", "'-a.py", "'=1+1.py", "'@a.py", r"\xff.py", 'a,"b".py', r"a\x0ab.py",
    ]  # fmt: skip
    assert len(rows) == 3 * len(names)


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        (["--kind", "dataset"], [2]),
        (["--kind", "dataset", "--kind", "library"], [2, 1]),
        (["--flag", "remote-code"], [4]),
        (["--flag", "remote-code", "--flag", "unresolved"], [4, 6]),
        (["--kind", "model", "--flag", "unpinned"], [4]),
        (["--kind", "service"], []),
    ],
)
def test_kinds_and_flags_choose(
    flags: list[str], lines: list[int], place: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = document(capfdbinary, place, *flags)
    assert [one["line"] for one in found["references"]] == lines
    assert (found["listed"], found["lookedAt"]) == (4, 3)


def test_o_writes_a_file_without_colours_and_says_so(
    place: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    result = tmp_path / "refs.txt"
    assert _run(["refs", place, "-o", str(result), "--color", "always"]) == 0
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err.decode() == f"wrote {result} ({result.stat().st_size:,} bytes)\n"
    assert b"\x1b" not in result.read_bytes()
    assert _run(["refs", place, "-f", "csv", "-o", str(result), "-q"]) == 0
    assert capfdbinary.readouterr() == (b"", b"")
    assert result.read_bytes().startswith(b"path,inside,")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no/such/place"], "no such file or folder: 'no/such/place'"),
        (["-o", "no/such/refs.json"], "its folder does not exist"),
        (["-f", "xml"], "'xml' is not one of"),
        (["--kind", "nothing"], "'nothing' is not one of"),
        (["--flag", "nothing"], "'nothing' is not one of"),
        (["--jobs", "0"], "--jobs"),
        (["ftp://host/name"], "ftp"),
        (["hf://org/name", "--offline"], "--offline forbids it"),
    ],
)
def test_a_wrong_word_is_a_usage_error_that_says_what_to_do(
    arguments: list[str], words: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["refs", *arguments]) == 2
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert words in captured.err.decode()


def test_an_empty_folder_is_nothing_to_look_at(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["refs", str(tmp_path)]) == 3
    assert out(capfdbinary) == "No references found.\n0 of 0 files can refer to something, 0 gaps\n"


def test_a_gap_is_shown_and_incomplete_only_when_strict(
    place: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["refs", place, "--strict"]) == 0
    (Path(place) / "old.py").write_text("import torch\nprint 'x'\ntorch.load('m.pt')\n")
    capfdbinary.readouterr()
    assert _run(["refs", place]) == 0
    table = out(capfdbinary)
    assert "  old.py: malformed: references: not Python" in table
    assert table.endswith("4 of 5 files can refer to something, 1 gap\n")
    assert max(map(len, table.splitlines())) <= 80
    assert _run(["refs", place, "--strict"]) == 4
    assert _run(["refs", place, "--strict", "--exclude", "old.py"]) == 0


def test_colours_are_for_terminals_and_who_asks(
    place: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert _run(["refs", place, "--color", "always"]) == 0
    painted = out(capfdbinary)
    assert "\x1b[31mremote-code\x1b[0m" in painted
    for flags in ([], ["--color", "never"], ["--color", "auto"]):
        assert _run(["refs", place, *flags]) == 0
        assert "\x1b" not in out(capfdbinary)


@pytest.mark.parametrize(("no_color", "painted"), [(None, True), ("1", False), ("", True)])
def test_a_terminal_gets_colours_unless_it_says_no(no_color: str | None, painted: bool, place: str) -> None:
    told = {} if no_color is None else {"NO_COLOR": no_color}
    reading, writing = pty.openpty()
    with os.fdopen(reading, "rb", buffering=0) as terminal, os.fdopen(writing, "wb") as end:
        done = subprocess.run(
            [sys.executable, "-m", "aibom", "refs", place, "-q"],
            env={**os.environ, **told},
            stdout=end,
            stderr=subprocess.PIPE,
            check=True,
        )
        end.close()
        shown = terminal.read(10_000)
    assert done.stderr == b""
    assert b"org/a-model" in shown
    assert (b"\x1b[" in shown) is painted


def test_a_closed_pipe_is_not_an_error(place: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m aibom refs {place} -f json | head -c 10",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""
    assert len(done.stdout) == 10


def test_a_full_device_is_an_error_of_one_line(place: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "aibom", "refs", place], stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 4
    assert b"No space left" in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_weights_and_data_are_never_opened(
    place: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("m.safetensors", "m.gguf", "m.bin", "m.pkl", "data.parquet", "data.csv"):
        (Path(place) / name).write_bytes(b"never read")
    real, opened = LocalSource.open, []

    def counting(source: LocalSource, entry: Entry) -> LocalFile:
        opened.append(entry.path)
        return real(source, entry)

    monkeypatch.setattr(LocalSource, "open", counting)
    assert document(capfdbinary, place)["listed"] == 10
    assert sorted(opened) == ["app.py", "nb.ipynb", "requirements.txt"]


def test_the_cache_is_used_unless_it_is_not_wanted(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("AIBOM_CACHE_DIR", str(cache))
    without = document(capfdbinary, place, "--no-cache")
    assert not cache.exists()
    assert document(capfdbinary, place) == document(capfdbinary, place) == without
    assert (cache / "digests.sqlite").exists()


def test_offline_opens_no_socket(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.__init__", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    assert _run(["refs", place, "--offline"]) == 0


def test_several_targets_have_their_names_in_front(
    place: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Dockerfile").write_text("FROM vllm/vllm-openai:latest\n")
    found = document(capfdbinary, place, str(other))
    assert [target["name"] for target in found["targets"]] == ["place", "other"]
    assert [one["path"] for one in found["references"]][:2] == ["other/Dockerfile", "place/app.py"]


def test_ctrl_c_says_so_and_exits_with_130(
    place: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("aibom.cli.refs.find_references", interrupted)
    assert _run(["refs", place]) == 130
    assert b"interrupted" in capfdbinary.readouterr().err


def test_help_names_every_flag(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert _run(["refs", "--help"]) == 0
    shown = out(capfdbinary)
    for word in (
        "--format",
        "--output",
        "--kind",
        "--flag",
        "--strict",
        "--no-cache",
        "--exclude",
        "--color",
    ):
        assert word in shown
