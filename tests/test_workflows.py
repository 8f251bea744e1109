"""The pipelines: pinned actions, no permissions by default, no trigger that trusts a fork."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

GITHUB = Path(__file__).parent.parent / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.y*ml"))

_USES = re.compile(r"uses:\s*(?P<action>\S+)(?P<rest>.*)")
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}\Z")


def parsed(path: Path) -> dict[Any, Any]:
    document = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def triggers(document: dict[Any, Any]) -> set[str]:
    on = document[True]  # YAML 1.1 reads the key `on` as a truth value
    return {on} if isinstance(on, str) else set(on)


def jobs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from parsed(path)["jobs"].items()


def uses(path: Path) -> list[str]:
    steps = [step for _, job in jobs(path) for step in job.get("steps", [])]
    called = [job["uses"] for _, job in jobs(path) if "uses" in job]
    return called + [step["uses"] for step in steps if "uses" in step]


def name_of(path: Path) -> str:
    return path.name


def test_there_is_a_pipeline_for_changes_and_one_for_releases() -> None:
    assert {path.name for path in WORKFLOWS} >= {"ci.yml", "release.yml"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(path: Path) -> None:
    assert uses(path)
    for action in uses(path):
        assert _PINNED.match(action), f"{action} is not pinned"
    for found in _USES.finditer(path.read_text("utf-8")):
        assert re.match(r" # v\d+\.\d+\.\d+$", found["rest"]), f"{found['action']} has no version"


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_a_workflow_has_no_permission_and_each_job_names_its_own(path: Path) -> None:
    assert parsed(path)["permissions"] == {}
    for name, job in jobs(path):
        assert job["permissions"], f"{name} does not say what it may do"
        granted = {scope for scope, level in job["permissions"].items() if level != "read"}
        assert granted <= {"id-token"}, f"{name} may write"


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_code_of_a_fork_never_runs_with_our_secrets(path: Path) -> None:
    assert not triggers(parsed(path)) & {"pull_request_target", "workflow_run", "issue_comment"}


@pytest.mark.parametrize("path", WORKFLOWS, ids=name_of)
def test_no_job_runs_for_ever_or_keeps_the_token_of_the_checkout(path: Path) -> None:
    assert "concurrency" in parsed(path)
    for name, job in jobs(path):
        assert job["timeout-minutes"] <= 60, name
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, name


def test_only_the_publishing_job_can_prove_who_it_is_and_it_runs_none_of_our_code() -> None:
    release = dict(jobs(GITHUB / "workflows" / "release.yml"))
    assert [name for name, job in release.items() if "id-token" in job["permissions"]] == ["publish"]
    assert release["publish"]["environment"]["name"] == "pypi"
    assert not [step for step in release["publish"]["steps"] if "run" in step]


def test_every_python_that_the_package_names_is_tried_and_no_other() -> None:
    pyproject = (GITHUB.parent / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', pyproject)
    (job,) = (job for _, job in jobs(GITHUB / "workflows" / "ci.yml"))
    assert job["strategy"]["matrix"]["python"] == named
    assert job["steps"][-1]["run"] == "bash .ci/run"


def test_updates_of_dependencies_wait_some_days() -> None:
    for update in parsed(GITHUB / "dependabot.yml")["updates"]:
        assert update["cooldown"]["default-days"] >= 7, update["package-ecosystem"]
