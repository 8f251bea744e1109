"""`aibom.scan`: the same report as the command gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aibom
from aibom.cli.main import _run
from aibom.outputs import json_report
from tests.api.signed import PRIVATE, PUBLIC
from tests.hostile import FIXTURES

_SAFE = FIXTURES / "safetensors"


def test_the_report_is_that_of_the_command(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    report = aibom.scan(_SAFE, reproducible=True)
    assert report.components
    _run(["scan", str(_SAFE), "--reproducible", "-f", "json", "-q"])
    assert json_report.render(report) == capfdbinary.readouterr().out


def test_findings_are_those_of_the_shipped_policy_and_allowlist(tmp_path: Path) -> None:
    # Names a command, and is never loaded.
    (tmp_path / "weights.bin").write_bytes(b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R.")
    report = aibom.scan(tmp_path)
    assert [finding.rule for finding in report.findings] == ["dangerous-import"]
    assert report.policy.name == "baseline"
    policy = b"version: 1\nname: own\nrules:\n  unindexed-bytes: high\n"
    assert aibom.scan(tmp_path, policy=policy).policy.name == "own"


def test_signatures_are_checked_when_somebody_is_expected(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes((_SAFE / "small.safetensors").read_bytes())
    aibom.sign(tmp_path, key=PRIVATE)
    told = {check.outcome for check in aibom.scan(tmp_path).checks}
    assert told == {"could-not-check"}
    assert {check.outcome for check in aibom.scan(tmp_path, key=PUBLIC).checks} == {"verified"}


def test_a_cache_is_kept_where_it_is_asked_for_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    aibom.scan(_SAFE)
    assert not list(tmp_path.rglob("*.sqlite"))
    aibom.scan(_SAFE, cache=tmp_path / "own.sqlite")
    assert [path.name for path in tmp_path.rglob("*.sqlite")] == ["own.sqlite"]


def test_two_targets_are_one_report_and_patterns_leave_files_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}", "utf-8")
    report = aibom.scan(_SAFE, tmp_path, exclude=["*.json"], name="both", reproducible=True)
    assert len(report.targets) == 2
    assert report.coverage.excluded == 1
    assert report.timestamp is None
    assert json.loads(json_report.render(report))


@pytest.mark.parametrize(
    ("targets", "given", "words"),
    [
        ((), {}, "at least one target"),
        (("hf://acme/m",), {}, "say offline=False"),
        ((_SAFE,), {"policy": b"version: 9\nname: n"}, "version is 1"),
    ],
    ids=["none", "remote", "policy"],
)
def test_what_does_not_fit_is_a_value_error(
    targets: tuple[str, ...], given: dict[str, bytes], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        aibom.scan(*targets, **given)


def test_one_pattern_alone_is_not_taken_for_one_per_character() -> None:
    with pytest.raises(TypeError, match=r"a list of texts is wanted: \['\*.tmp'\]"):
        aibom.scan(_SAFE, exclude="*.tmp")
