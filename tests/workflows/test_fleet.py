"""Many targets in one run: one document each, and a run that dies at any moment goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.cli.packs import policy
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.fleet import State
from aibom.domain.report import Report
from aibom.sources import shown
from aibom.workflows import fleet as workflow
from aibom.workflows.fleet import FleetRequest, expanded, file_name, fleet, read_targets
from aibom.workflows.ledger import Ledger
from aibom.workflows.scan import ScanRequest
from tests.services.fake_hub import FakeHub
from tests.sources.test_hub import WEIGHTS

Captured = pytest.CaptureFixture[str]
FILES = {"README.md": b"---\nlicense: mit\n---\n# A model", "config.json": b'{"model_type": "bert"}'}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub(tokens={"token"}) as fake:
        for number in range(12):
            fake.add(
                f"org/model-{number:02}", {**FILES, "model.safetensors": WEIGHTS, "n.txt": b"%d" % number}
            )
        yield fake


def scanning(hub: FakeHub) -> ScanRequest:
    return ScanRequest(targets=(), policy=policy(None), opening=hub.opening("token"))


def rendered(report: Report) -> tuple[bytes, str]:
    return json.dumps([file.path for file in report.files]).encode(), "passed"


def run(hub: FakeHub, folder: Path, *targets: str, jobs: int = 2) -> dict[str, State]:
    request = FleetRequest(targets=targets, scanning=scanning(hub), jobs=jobs)
    with Ledger(folder / "ledger.sqlite", "") as ledger:
        fleet(request, ledger, rendered, lambda name, data: (folder / name).write_bytes(data) and None)
        return {line.target: line.state for line in ledger.lines()}


def test_each_repository_of_an_organisation_has_a_document_of_its_own(hub: FakeHub, tmp_path: Path) -> None:
    found = run(hub, tmp_path, "hf://org/*")
    assert found == {f"hf://org/model-{number:02}": State.DONE for number in range(12)}
    assert {path.name for path in tmp_path.glob("*.cdx.json")} == {file_name(target) for target in found}


def test_the_same_weights_are_described_once(hub: FakeHub, tmp_path: Path) -> None:
    run(hub, tmp_path, "hf://org/*", jobs=1)
    ranged = [request for request in hub.fetched if "model" in request.path or "cdn" in request.path]
    assert len(ranged) <= 2


def test_a_second_run_does_nothing_again(hub: FakeHub, tmp_path: Path) -> None:
    run(hub, tmp_path, "hf://org/*")
    before = len(hub.requests)
    run(hub, tmp_path, "hf://org/*")
    assert len(hub.requests) == before


def test_a_target_that_is_not_there_costs_no_other(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    found = run(hub, tmp_path / "out", "hf://org/none", "hf://org/model-01", str(tmp_path / "nowhere"))
    assert list(found.values()) == [State.FAILED, State.DONE, State.FAILED]
    hub.add("org/none", FILES)
    found = run(hub, tmp_path / "out", "hf://org/none", "hf://org/model-01", str(tmp_path / "nowhere"))
    assert list(found.values()) == [State.DONE, State.DONE, State.FAILED]


def test_a_bug_that_one_target_meets_costs_no_other(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = workflow.scan

    def broken(request: ScanRequest) -> Report:
        if request.targets == ("hf://org/model-01",):
            raise KeyError("a bug")
        return look(request)

    monkeypatch.setattr(workflow, "scan", broken)
    found = run(hub, tmp_path, "hf://org/model-01", "hf://org/model-02")
    assert list(found.values()) == [State.FAILED, State.DONE]


def test_a_report_that_cannot_be_written_costs_no_other(hub: FakeHub, tmp_path: Path) -> None:
    def render(report: Report) -> tuple[bytes, str]:
        if report.targets[0].name == "model-01":
            raise TypeError("a bug")
        return rendered(report)

    request = FleetRequest(targets=("hf://org/model-01", "hf://org/model-02"), scanning=scanning(hub))
    with Ledger(tmp_path / "ledger.sqlite", "") as ledger:
        fleet(request, ledger, render, lambda _name, _data: None)
        assert [line.state for line in ledger.lines()] == [State.FAILED, State.DONE]


def test_a_pattern_that_cannot_be_listed_ends_the_run_and_is_listed_anew(
    hub: FakeHub, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableError) as caught:
        run(hub, tmp_path, "hf://nobody/*")
    assert caught.value.reason is not Reason.INTERNAL
    hub.add("nobody/model", FILES)
    assert run(hub, tmp_path, "hf://nobody/*") == {"hf://nobody/model": State.DONE}


def test_a_target_that_is_no_pattern_stands_for_itself(hub: FakeHub) -> None:
    for target in ("hf://org/model-01", "some/folder"):
        assert list(expanded(target, hub.opening("token"))) == [target]


def test_a_file_name_tells_its_target_and_is_nobody_elses() -> None:
    names = [file_name(f"hf://org/{name}") for name in ("a/b", "a_b", "a b", "ä" * 500, "", "../../x")]
    assert len(set(names)) == len(names)
    assert all(len(name) < 160 and "/" not in name and not name.startswith(".") for name in names)
    assert names[0].startswith("hf_org_a_b-")


def test_a_signed_address_is_not_in_a_file_name() -> None:
    signed = "https://host/m.gguf?X-Amz-Signature=secret"
    assert (shown(signed), "secret" in file_name(signed)) == ("https://host/m.gguf", False)
    assert file_name(signed) != file_name("https://host/m.gguf")
    assert shown("s3://bucket/key?versionId=1") == "s3://bucket/key?versionId=1"


def test_a_file_of_targets_may_have_comments_and_blank_lines() -> None:
    assert read_targets("# models\n\nhf://org/a\n  oci://host/b:1 \n") == ("hf://org/a", "oci://host/b:1")
    with pytest.raises(UnreadableError, match="characters"):
        read_targets("x" * 5_000)


def documents(folder: Path) -> dict[str, str]:
    """Each document without what differs by the time."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.cdx.json"))
    }


def command(folder: Path) -> list[str]:
    arguments = [
        "scan",
        "hf://org/*",
        "--into",
        str(folder),
        "--no-cache",
        "-q",
        "--jobs",
        "2",
        "--reproducible",
    ]
    return [sys.executable, "-m", "aibom", *arguments]


@pytest.mark.integration
def test_a_run_that_is_killed_at_random_moments_ends_like_one_that_is_not(
    hub: FakeHub, tmp_path: Path
) -> None:
    environment = {
        **os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "token",
        "AIBOM_ALLOW_HOST": hub.cdn.removeprefix("http://"),
    }  # fmt: skip
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    subprocess.run(command(whole), env=environment, check=True)
    chance, kills = random.Random(7), 0
    for _ in range(40):
        process = subprocess.Popen(command(killed), env=environment)
        # While it starts, or behind one of the next documents: by count, as machines differ in speed.
        wanted = len(documents(killed)) + chance.randrange(4)
        deadline = time.monotonic() + chance.uniform(0.0, 0.5)
        while process.poll() is None and (
            time.monotonic() < deadline or len(list(killed.glob("*.cdx.json"))) < wanted
        ):
            time.sleep(0.001)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        if process.wait() == 0:
            break
        for path in killed.glob("*.cdx.json"):
            json.loads(path.read_bytes())  # whole, at any moment
    else:
        subprocess.run(command(killed), env=environment, check=True)
    assert kills
    assert documents(killed) == documents(whole)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["scan", "--targets", "list.txt"], 2, "--targets needs --into DIR"),
        (["scan", "a", "--into", "none"], 2, "there is no folder 'none'"),
        (["scan", "a", "--into", ".", "-f", "json"], 2, "it goes without -f"),
        (["scan", "--targets", "none.txt", "--into", "."], 2, "cannot read 'none.txt': No such file"),
        (["scan", "--targets", "empty.txt", "--into", "."], 2, "no targets"),
        (["scan", "hf://org/*", "--into", ".", "--offline"], 2, "--offline forbids it"),
    ],
    ids=["no-folder", "no-such-folder", "format", "no-file", "empty", "offline"],
)
def test_what_is_wrong_is_said(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: Captured,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("list.txt").write_text("a\n")
    Path("empty.txt").write_text("# none\n")
    assert _run(arguments) == code
    assert words in capfd.readouterr().err


def test_the_signature_of_an_address_is_told_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _run(["scan", "https://host/m.gguf?sig=secret#none", "--into", "."]) == 4
    told = "".join(capfd.readouterr()) + Path("index.cdx.json").read_text()
    assert ("https://host/m.gguf" in told, "secret" in told) == (True, False)
