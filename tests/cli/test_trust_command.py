"""`aibom trust` as a user types it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.trust.trust_root import embedded
from aibom.trust.trust_update import TARGET, Repository
from tests.services.fake_sigstore import FakeSigstore
from tests.services.fake_tuf import FakeTuf

ROOT = FakeSigstore().trusted_root()
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Which instances were asked for, of which one on this machine takes the place."""
    instances: list[str] = []
    with FakeTuf(tmp_path / "repository") as tuf:
        tuf.publish(TARGET, ROOT)

        def repository(instance: str) -> Repository:
            instances.append(instance)
            return Repository(address=tuf.address, root=tuf.first_root)

        monkeypatch.setattr("aibom.workflows.trust.repository", repository)
        yield instances


@pytest.fixture
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("socket.socket.__init__", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)


@pytest.mark.usefixtures("_no_network")
def test_show_tells_the_production_root_by_default(capfdbinary: Captured) -> None:
    assert _run(["trust", "show"]) == 0
    lines = capfdbinary.readouterr().out.decode().splitlines()
    assert lines[0] == f"sha256                 {embedded('production').sha256}"
    assert any("https://rekor.sigstore.dev" in line for line in lines)


@pytest.mark.usefixtures("_no_network")
def test_show_tells_the_root_of_staging_or_of_a_file(tmp_path: Path, capfdbinary: Captured) -> None:
    assert _run(["trust", "show", "--staging"]) == 0
    assert embedded("staging").sha256 in capfdbinary.readouterr().out.decode()
    file = tmp_path / "root.json"
    file.write_bytes(ROOT)
    assert _run(["trust", "show", "--trust-root", str(file), "--json"]) == 0
    rows = json.loads(capfdbinary.readouterr().out)
    assert rows[0] == {"name": "sha256", "value": hashlib.sha256(ROOT).hexdigest()}


def test_update_writes_the_file_and_tells_its_digest(
    asked: list[str], tmp_path: Path, capfdbinary: Captured
) -> None:
    file = tmp_path / "root.json"
    file.write_text("old")
    assert _run(["trust", "update", "-o", str(file)]) == 0
    assert asked == ["production"]
    assert file.read_bytes() == ROOT
    captured = capfdbinary.readouterr()
    assert captured.out.decode() == f"sha256:{hashlib.sha256(ROOT).hexdigest()}  {file}\n"
    assert captured.err == b""
    assert not (tmp_path / "home").exists()
    assert _run(["trust", "show", "--trust-root", str(file)]) == 0


def test_update_writes_to_standard_output_without_a_file(asked: list[str], capfdbinary: Captured) -> None:
    assert _run(["trust", "update", "--staging"]) == 0
    assert asked == ["staging"]
    captured = capfdbinary.readouterr()
    assert captured.out == ROOT
    assert captured.err.decode() == f"sha256:{hashlib.sha256(ROOT).hexdigest()}  -\n"


def test_an_update_with_a_folder_keeps_what_it_saw_there_by_instance(
    asked: list[str], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for flags in ([], ["--staging"], []):
        assert _run(["trust", "update", "-o", str(tmp_path / "r.json"), "--state", str(state), *flags]) == 0
    assert asked == ["production", "staging", "production"]
    kept = {path.relative_to(state).as_posix() for path in state.rglob("*.json")}
    assert {"production/timestamp.json", "staging/timestamp.json"} <= kept


def test_a_variable_does_not_stand_in_the_way_of_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    file = tmp_path / "root.json"
    file.write_bytes(ROOT)
    monkeypatch.setenv("AIBOM_STAGING", "1")
    assert _run(["trust", "show", "--trust-root", str(file)]) == 0
    assert hashlib.sha256(ROOT).hexdigest() in capfdbinary.readouterr().out.decode()


def test_an_update_that_fails_leaves_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    with FakeTuf(tmp_path / "repository") as gone:
        pass
    nowhere = Repository(address=gone.address, root=gone.first_root)
    monkeypatch.setattr("aibom.workflows.trust.repository", lambda _: nowhere)
    file = tmp_path / "root.json"
    file.write_text("old")
    assert _run(["trust", "update", "-o", str(file)]) == 4
    assert f"not updated: {gone.address} cannot be reached" in capfdbinary.readouterr().err.decode()
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["repository", "root.json"]


@pytest.mark.usefixtures("_no_network")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["update", "--offline"], "--offline forbids it"),
        (["update", "-o", "."], "it is a folder"),
        (["update", "--state", "no/such/folder"], "is no folder; create it first"),
        (["show", "--trust-root", "r.json", "--staging"], "--trust-root or --staging"),
        (["update", "-o", "no/such/root.json"], "its folder does not exist"),
        (["show", "--trust-root", "no/such/root.json"], "cannot read"),
        (["show", "--trust-root", "{json}"], "other.json: trust root of media type"),
    ],
)
def test_a_wrong_word_is_a_usage_error(
    arguments: list[str], words: str, tmp_path: Path, capfdbinary: Captured
) -> None:
    (tmp_path / "other.json").write_text("{}")
    given = [each.replace("{json}", str(tmp_path / "other.json")) for each in arguments]
    assert _run(["trust", *given]) == 2
    assert words in capfdbinary.readouterr().err.decode()


def test_the_variable_for_offline_refuses_as_well(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    monkeypatch.setenv("AIBOM_OFFLINE", "1")
    assert _run(["trust", "update"]) == 2
