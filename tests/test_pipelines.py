"""aibom in pipelines: the action does what it says, and what is there to be copied can be copied."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from aibom import __version__
from aibom.cli.exit_codes import ExitCode
from aibom.cli.main import commands
from aibom.policy import parse_policy
from tests.hostile import FIXTURES

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "pipelines.md").read_text("utf-8")
SCRIPT = ROOT / ".github" / "action" / "run.py"
EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R."  # names a command, and is never loaded

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def blocks(heading: str, kind: str) -> list[str]:
    """The code of one language in one section of the page."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (body,) = (part for part in section if part.startswith(f"{heading}\n"))
    return [code for language, code in _FENCE.findall(body) if language == kind]


def snippet(heading: str) -> Any:
    (code,) = blocks(heading, "yaml")
    return yaml.safe_load(code)


ACTION = loaded("action.yml")
STEPS = ACTION["runs"]["steps"]
HOOKS = {hook["id"]: hook for hook in loaded(".pre-commit-hooks.yaml")}


class Runner:
    """A machine of GitHub's, as far as the script can see."""

    def __init__(self, folder: Path) -> None:
        self.workspace, self.temp = folder / "work", folder / "temp"
        self.output, self.summary = folder / "output", folder / "summary"
        for each in (self.workspace, self.temp / "aibom-venv" / "bin"):
            each.mkdir(parents=True)
        for each in (self.output, self.summary):
            each.touch()
        # -P for -I: as isolated from the checkout, but with the path of the code under test.
        self.python(f'test "$1" = -I && shift && exec {shlex.quote(sys.executable)} -P "$@"')

    def python(self, line: str) -> None:
        """What stands for the Python of the environment that `install` makes."""
        program = self.temp / "aibom-venv" / "bin" / "python"
        program.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
        program.chmod(0o755)

    def run(self, command: str = "scan", /, **inputs: str) -> subprocess.CompletedProcess[str]:
        # As GitHub does it: every input has a value, that of action.yml when nobody gives one.
        given = {name: str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.temp),
            "AIBOM_NO_CACHE": "1", "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary),
            # Where packages come from, for `install`.
            **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
            **{f"INPUT_{name.upper().replace('-', '_')}": value for name, value in given.items()},
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-I", str(SCRIPT), command],
            cwd=self.workspace, env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    def outputs(self) -> dict[str, str]:
        lines = self.output.read_text("utf-8").splitlines()
        assert len({line.partition("=")[0] for line in lines}) == len(lines), "told twice"
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    found = Runner(tmp_path)
    shutil.copyfile(FIXTURES / "safetensors" / "small.safetensors", found.workspace / "model.safetensors")
    return found


def test_a_run_without_findings_passes_and_tells_github_where_everything_is(runner: Runner) -> None:
    done = runner.run()
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = runner.outputs()
    assert outputs["verdict"] == "passed"
    assert '"bomFormat"' in Path(outputs["bom"]).read_text("utf-8")
    assert '"runs"' in Path(outputs["sarif"]).read_text("utf-8")
    assert runner.summary.read_text("utf-8").startswith("# aibom")
    assert "PASSED" in done.stdout
    assert not set(runner.workspace.iterdir()) - {runner.workspace / "model.safetensors"}


def violate(runner: Runner) -> dict[str, str]:
    (runner.workspace / "evil.bin").write_bytes(EVIL)
    return {}


def leave_out(runner: Runner) -> dict[str, str]:
    (runner.workspace / "model.safetensors").rename(runner.workspace / "model-00001-of-00002.safetensors")
    return {"strict": "true"}


def empty(runner: Runner) -> dict[str, str]:
    (runner.workspace / "model.safetensors").unlink()
    return {}


def mistype(runner: Runner) -> dict[str, str]:
    return {"policy": "basline"}


def break_down(runner: Runner) -> dict[str, str]:
    runner.python("exit 70")
    return {}


def kill(runner: Runner) -> dict[str, str]:
    runner.python("kill -9 $$")
    return {}


@pytest.mark.parametrize(
    ("prepare", "verdict", "code", "results"),
    [
        (violate, "violated", 1, True),
        (empty, "nothing", 3, True),
        (leave_out, "incomplete", 4, True),
        (mistype, "error", 2, False),
        (break_down, "error", 70, False),
        (kill, "error", 137, False),
    ],
    ids=["violated", "nothing", "incomplete", "usage", "bug", "killed"],
)
def test_the_verdict_and_the_exit_code_are_those_of_the_scan(
    runner: Runner, prepare: Any, verdict: str, code: int, results: bool
) -> None:
    done = runner.run(**prepare(runner))
    outputs = runner.outputs()
    assert (outputs["verdict"], done.returncode) == (verdict, code), done.stdout + done.stderr
    assert [bool(outputs[name]) for name in ("bom", "sarif")] == [results, results]
    assert bool(runner.summary.read_text("utf-8")) == results


def test_every_exit_code_is_explained_on_the_page_with_its_verdict() -> None:
    told = dict(re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, re.MULTILINE))
    named = {0: "passed", 1: "violated", 3: "nothing", 4: "incomplete"}
    interrupted = {ExitCode.INTERRUPTED}  # a pipeline has no keyboard
    assert told == {str(int(code)): named.get(code, "error") for code in set(ExitCode) - interrupted}


ATTACKS = {
    "shell": "$(touch x)`touch x`; touch x & ' touch x \" && touch x | ${{ github.token }}",
    "flag": "--output=x",
    "output": ".\nverdict=passed",
    "command": "::set-env name=x::y",
    "carriage-return": ".\rverdict=passed",
    "escape": "\x1b[2J",
}
TEXTS = sorted(set(ACTION["inputs"]) - {"version", "python-version", "category", "upload-sarif"})


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", TEXTS)
def test_an_input_is_never_more_than_a_value(runner: Runner, name: str, attack: str) -> None:
    runner.python('for each; do printf "%s\\0" "$each"; done >"$RUNNER_TEMP/arguments"')
    done = runner.run(**{name: ATTACKS[attack]})
    assert not (runner.workspace / "x").exists()
    outputs = runner.outputs()
    assert set(outputs) <= {"verdict", "bom", "sarif"}
    if done.returncode == 0:
        _, *arguments = (runner.temp / "arguments").read_text("utf-8").rstrip("\0").split("\0")
        flags, targets = arguments[3:-1], arguments[arguments.index("--") + 1 :]
        if name == "target":
            assert targets == ATTACKS[attack].split("\n")
        else:
            assert targets == ["."]
            known = ("--fail-on=", "--policy=", "--baseline=", "--strict", "--format=", "--")
            assert all(each.startswith(known) for each in flags)
            values = [each.partition("=")[2] for each in flags]
            assert any(each.endswith(ATTACKS[attack].split("\n")[-1]) for each in values)
    else:
        assert outputs["verdict"] == "error"
        assert not (runner.temp / "arguments").exists()
        assert done.stdout.startswith(f"::error title=aibom::input '{name}' ")
        assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "version",
    ["1", "1.2", "1.2.3.4", "1.2.3 --pre", "1.2.3\n4", "$(touch x)", "1.2.3;x", "../x", "v1.2.3", "١.٢.٣"],
    ids=["one", "two", "four", "flag", "lines", "shell", "semicolon", "path", "v", "digits"],
)  # fmt: skip
def test_a_version_that_is_none_installs_nothing(runner: Runner, version: str) -> None:
    before = (runner.temp / "aibom-venv" / "bin" / "python").read_bytes()
    done = runner.run("install", version=version)
    assert (done.returncode, runner.outputs()["verdict"]) == (2, "error")
    assert done.stdout.startswith("::error title=aibom::input 'version' ")
    assert (runner.temp / "aibom-venv" / "bin" / "python").read_bytes() == before


def test_several_targets_and_results_stand_on_lines_of_their_own(runner: Runner) -> None:
    for name in ("a b", "c"):
        (runner.workspace / name).mkdir()
        shutil.copy(runner.workspace / "model.safetensors", runner.workspace / name)
    done = runner.run(target="a b\n\n  c\r\n", formats="html=page.html\njson=report.json\n", bom="bom.json")
    assert done.returncode == 0, done.stdout
    assert "a b, c" in done.stdout
    assert runner.outputs()["bom"] == str(runner.workspace / "bom.json")
    assert {"page.html", "report.json", "bom.json"} <= {path.name for path in runner.workspace.iterdir()}


def test_what_an_earlier_step_left_is_no_result_of_this_one(runner: Runner) -> None:
    (runner.workspace / "bom.json").write_text("old", "utf-8")
    runner.run(bom="bom.json", policy="nowhere.yaml")
    assert runner.outputs() == {"bom": "", "sarif": "", "verdict": "error"}
    assert (runner.workspace / "bom.json").read_text("utf-8") == "old"


def test_only_what_is_not_in_the_baseline_fails(runner: Runner) -> None:
    (runner.workspace / "policy.yaml").write_text("version: 1\nname: p\nformats: {allow: [gguf]}\n", "utf-8")
    assert runner.run(policy="policy.yaml", formats="json=../report.json").returncode == 1
    line = ["-m", "aibom", "baseline", "../report.json", "-o", "../known.json"]
    subprocess.run([sys.executable, *line], cwd=runner.workspace, env={"PYTHONPATH": str(ROOT)}, check=True)
    runner.output.write_text("", "utf-8")
    assert runner.run(policy="policy.yaml", baseline="../known.json").returncode == 0
    assert runner.outputs()["verdict"] == "passed"


def test_commands_to_github_are_off_while_the_scan_prints_and_on_again_for_annotations(
    runner: Runner,
) -> None:
    (runner.workspace / "::set-env name=x::y.bin").write_bytes(EVIL)
    lines = runner.run().stdout.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    end = lines.index(f"::{token}::")
    assert lines.count(f"::{token}::") == 1
    assert "FAILED: 1 finding at or above high" in lines[1:end]
    assert [line for line in lines[end + 1 :] if line.startswith("::error file=")]
    assert all(re.match(r"::(error|warning|notice) ", line) for line in lines[end + 1 :] if line)


def test_what_the_scan_says_on_standard_error_is_also_kept_from_github(runner: Runner) -> None:
    runner.python("echo '::error::x' >&2")
    done = runner.run()
    assert (done.stdout.splitlines()[1], done.stderr) == ("::error::x", "")


def test_summary_and_annotations_can_be_switched_off(runner: Runner) -> None:
    lines = runner.run(summary="false", annotations="false").stdout.rstrip().splitlines()
    assert runner.summary.read_text("utf-8") == ""
    assert lines[-1] == lines[0].replace("stop-commands::", "") + "::"


def test_a_summary_that_github_would_drop_is_cut_at_a_line(runner: Runner) -> None:
    write = (
        'for each; do case "$each" in *markdown=*) yes "| äöü |" | head -c 3000001 >"${each#*markdown=}" ;; '
        "esac; done"
    )
    runner.python(write)
    runner.run()
    *lines, _, last = runner.summary.read_text("utf-8").splitlines()
    assert runner.summary.stat().st_size < 1 << 20
    assert len(lines) > 50_000
    assert set(lines) == {"| äöü |"}
    assert last.startswith("Cut here")


def test_nothing_in_the_checkout_is_imported(runner: Runner) -> None:
    for name in ("venv", "re", "aibom", "secrets"):
        (runner.workspace / f"{name}.py").write_text("raise SystemExit('taken over')", "utf-8")
    done = runner.run()
    assert "taken over" not in done.stdout + done.stderr
    assert all("-I" in shlex.split(step["run"]) for step in STEPS if "run" in step)


def test_every_input_reaches_the_script_as_a_variable_and_no_text_of_a_shell() -> None:
    ran = [step for step in STEPS if "run" in step]
    assert not [step for step in ran if _EXPRESSION.search(step["run"])]
    given = {name: value for step in ran for name, value in step["env"].items() if name != "PYTHON"}
    wanted = set(ACTION["inputs"]) - {"python-version", "category", "upload-sarif"}
    assert given == {
        f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in wanted
    }


def test_the_expressions_of_the_action_name_inputs_and_steps_that_exist() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    steps = {step["id"] for step in STEPS if "id" in step}
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert set(re.findall(r"steps\.([\w-]+)", text)) == steps


def test_sarif_is_uploaded_after_a_failing_scan_too_and_always_in_the_same_category() -> None:
    (upload,) = (step for step in STEPS if "upload-sarif" in step.get("uses", ""))
    assert "always()" in upload["if"]
    assert ACTION["inputs"]["category"]["default"] == "aibom"
    assert upload["with"]["category"] == "${{ inputs.category }}"


def test_actions_within_the_action_are_pinned_to_the_commit_that_the_workflows_use() -> None:
    text = (ROOT / "action.yml").read_text("utf-8")
    pins = re.findall(r"uses: (\S+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+$", text, re.MULTILINE)
    assert len(pins) == len([step for step in STEPS if "uses" in step])
    ours = "".join(path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    for action, commit in (*pins, *re.findall(r"uses: (actions/\S+)@([0-9a-f]{40})", PAGE)):
        assert f"{action}@{commit}" in ours or f"{action}@" not in ours


def test_the_page_lists_every_input_with_its_default_and_every_output() -> None:
    rows = dict(re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \| (.*?) \|", PAGE, re.MULTILINE))
    told = {name: cell for cells, cell in rows.items() for name in re.findall(r"`([\w-]+)`", cells)}
    assert set(told) == set(ACTION["inputs"]) | set(ACTION["outputs"])
    for name, each in ACTION["inputs"].items():
        default = str(each.get("default", ""))
        assert not default or told[name] in (f"`{default}`", "temporary"), name


def matches(hook: str, path: str) -> bool:
    return re.search(HOOKS[hook]["files"], path) is not None


SAMPLES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in FIXTURES.rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


def test_the_hook_sees_models_pickles_code_and_configuration() -> None:
    unseen = [path for path in SAMPLES if not matches("aibom-scan", path)]
    assert {Path(path).name for path in unseen} == {"LICENSE", "merges.txt", "vocab.txt", "lightgbm.txt"}
    for path in (
        "a/b.PKL",
        "serve.py",
        "x.ipynb",
        "Dockerfile",
        "d/Modelfile",
        ".env",
        "requirements-dev.txt",
        "a.tsx",
    ):
        assert matches("aibom-scan", path), path
    for path in ("notes.txt", "logo.png", "a.c", "pkl", "python", "docs/guide.md", "requirements.lock.bak"):
        assert not matches("aibom-scan", path), path
    assert matches("aibom-policy-lint", "ci/aibom-policy.yaml")
    assert not matches("aibom-policy-lint", "policy.yaml")


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_hook_is_called_once_with_the_changed_files_and_flags_that_exist(hook: str) -> None:
    found = HOOKS[hook]
    assert found["pass_filenames"]
    assert found["require_serial"]
    parse([*shlex.split(found["entry"]), *found.get("args", []), "aibom-policy.yaml"])
    assert hook in PAGE


def test_the_hook_of_a_scan_opens_no_connection_and_takes_no_file_name_for_a_flag() -> None:
    assert "--offline" in HOOKS["aibom-scan"]["args"]
    assert HOOKS["aibom-scan"]["args"][-1] == "--"


def test_the_hook_passes_on_files_that_are_no_models_and_fails_on_a_model_that_violates(
    tmp_path: Path,
) -> None:
    line = [*shlex.split(HOOKS["aibom-scan"]["entry"])[1:], *HOOKS["aibom-scan"]["args"]]
    for name, data in {
        "a.py": b"x = 1\n",
        "b.json": b"{}",
        "empty.toml": b"",
        "-o.py": b"",
        "w.bin": EVIL,
    }.items():
        (tmp_path / name).write_bytes(data)

    def run(*names: str) -> int:
        environment = {"PYTHONPATH": str(ROOT), "AIBOM_NO_CACHE": "1"}
        command = [sys.executable, "-P", "-m", "aibom", *line, *names]
        return subprocess.run(command, cwd=tmp_path, env=environment, check=False, timeout=60).returncode

    assert run("a.py", "b.json", "empty.toml", "-o.py") == 0
    assert run("a.py", "w.bin") == 1


def parse(arguments: list[str]) -> None:
    """Raises unless aibom takes this command line."""
    assert arguments[0].rpartition("/")[2] == "aibom", arguments
    command: click.Command = commands
    rest = arguments[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(commands), rest[0])
        assert found is not None, rest[0]
        command, rest = found, rest[1:]
    command.make_context("aibom", list(rest))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str):
        yield value


def containers(value: Any) -> Iterator[dict[str, Any]]:
    """Everything with an image of ours."""
    if isinstance(value, dict):
        if str(value.get("image", "")).startswith("registry.example/aibom:"):
            yield value
        for each in value.values():
            yield from containers(each)
    elif isinstance(value, list):
        for each in value:
            yield from containers(each)


@pytest.mark.parametrize(
    "heading",
    ["Tekton", "Argo Workflows", "Argo CD", "Kubernetes init container"],
    ids=lambda text: text.replace(" ", "-"),
)
def test_a_container_of_the_page_runs_a_command_line_that_exists_on_paths_that_are_mounted(
    heading: str,
) -> None:
    (container,) = containers(snippet(heading))
    line = [*container["command"], *container.get("args", [])]
    parse(line)
    places = [each["mountPath"] for each in container.get("volumeMounts", [])]
    manifest = snippet(heading)
    inputs = [path for path in texts(manifest) if heading == "Argo Workflows" and path.startswith("/")]
    for word in line:
        path = word.partition("=")[2] or word
        assert not path.startswith("/") or path.startswith((*places, *inputs)), path
    assert "sh" not in line


def test_parameters_of_a_task_are_never_text_of_a_command() -> None:
    (container,) = containers(snippet("Tekton"))
    assert not [word for word in (*container["command"], *container["args"]) if "$(" in word]
    variables = {option.envvar for option in command_options("scan")}
    assert {each["name"] for each in container["env"]} <= variables


def command_options(name: str) -> list[click.Option]:
    found = commands.get_command(click.Context(commands), name)
    assert found is not None
    return [each for each in found.params if isinstance(each, click.Option)]


def test_the_manifests_are_of_kinds_and_versions_that_exist() -> None:
    kinds = {
        (each["apiVersion"], each["kind"]) for each in map(snippet, ("Tekton", "Argo Workflows", "Argo CD"))
    }
    assert kinds == {
        ("tekton.dev/v1", "Task"),
        ("argoproj.io/v1alpha1", "WorkflowTemplate"),
        ("batch/v1", "Job"),
    }
    hook = snippet("Argo CD")["metadata"]["annotations"]["argocd.argoproj.io/hook"]
    assert hook == "PreSync"
    assert snippet("Argo CD")["spec"]["backoffLimit"] == 0
    (entry,) = snippet("Argo Workflows")["spec"]["templates"]
    assert entry["name"] == snippet("Argo Workflows")["spec"]["entrypoint"]


def test_the_workflow_of_the_page_gives_the_action_inputs_that_it_has_and_reads_its_outputs() -> None:
    job = snippet("GitHub Actions")["jobs"]["aibom"]
    (step,) = (each for each in job["steps"] if each["uses"] == "OWNER/aibom@COMMIT")
    assert set(step["with"]) <= set(ACTION["inputs"])
    read = {name for text in texts(job) for name in re.findall(r"steps\.aibom\.outputs\.(\w+)", text)}
    assert read
    assert read <= set(ACTION["outputs"])
    assert job["permissions"] == {"contents": "read", "security-events": "write"}


def lines_of_gitlab() -> list[list[str]]:
    return [shlex.split(line) for line in loaded("templates/gitlab-ci.yml")["aibom"]["script"]]


def test_the_template_for_gitlab_runs_a_command_line_that_exists_and_keeps_what_it_writes() -> None:
    job = loaded("templates/gitlab-ci.yml")["aibom"]
    (scan,) = (line for line in lines_of_gitlab() if line[0].endswith("/aibom"))
    parse(scan)
    written = {word.partition("=")[2] for word in scan if "=" in word}
    assert set(job["artifacts"]["reports"].values()) == written
    assert job["artifacts"]["when"] == "always"
    assert scan[scan.index("--spec-version") + 1] == "1.6"


def test_the_variables_of_the_template_for_gitlab_are_those_of_aibom_and_always_quoted() -> None:
    job = loaded("templates/gitlab-ci.yml")["aibom"]
    own = {"AIBOM_PACKAGE", "AIBOM_TARGET"}
    known = {option.envvar for option in command_options("scan")}
    assert set(job["variables"]) - own <= known
    assert set(snippet("GitLab CI")["aibom"]["variables"]) <= known
    for line in job["script"]:
        for name in own:
            assert line.count(f"${name}") == line.count(f'"${name}"')
    assert job["variables"]["AIBOM_PACKAGE"] == f"aibom=={__version__}"


def test_the_job_of_gitlab_fails_on_a_violation_and_passes_without(tmp_path: Path) -> None:
    (scan,) = (line for line in loaded("templates/gitlab-ci.yml")["aibom"]["script"] if "aibom scan" in line)
    script = scan.replace("/opt/aibom/bin/aibom", f"{shlex.quote(sys.executable)} -m aibom")
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "AIBOM_TARGET": "$(touch x)"}
    (tmp_path / "$(touch x)").mkdir()

    def run() -> int:
        return subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, check=False).returncode

    (tmp_path / "$(touch x)" / "a.py").write_text("x = 1\n", "utf-8")
    assert run() == 0
    (tmp_path / "$(touch x)" / "w.bin").write_bytes(EVIL)
    assert run() == 1
    assert not (tmp_path / "x").exists()


def test_the_pipeline_of_jenkins_is_balanced_and_keeps_what_it_writes() -> None:
    (groovy,) = blocks("Jenkins", "groovy")
    (line,) = re.findall(r"sh '(.*?)'", groovy)
    parse(shlex.split(line))
    bare = re.sub(r"'[^'\n]*'", "''", groovy)
    assert "'" not in bare.replace("''", "")
    assert [bare.count(each) for each in "{("] == [bare.count(each) for each in "})"]
    for name in re.findall(r"=([\w.-]+)", line):
        assert groovy.count(f"'{name}'") == 1


def test_the_hooks_of_the_page_exist() -> None:
    (repository,) = snippet("pre-commit")["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == set(HOOKS)
    (args,) = re.findall(r"^`args: (\[.*\])`", PAGE, re.MULTILINE)
    parse(["aibom", "scan", *yaml.safe_load(args), "a.py"])


def test_the_policy_of_the_page_is_well_formed() -> None:
    (code,) = blocks("Waivers", "yaml")
    found = parse_policy(code.encode(), document="aibom-policy.yaml")
    assert len(found.waivers) == 1


def test_the_way_to_a_baseline_ends_with_a_pass_and_a_new_finding_fails(tmp_path: Path) -> None:
    (script,) = blocks("New findings only", "sh")
    work, program = tmp_path / "work", tmp_path / "bin" / "aibom"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m aibom "$@"\n', "utf-8")
    program.chmod(0o755)
    work.mkdir()
    (work / "policy.yaml").write_text("version: 1\nname: p\nformats: {allow: [gguf]}\n", "utf-8")
    shutil.copy(FIXTURES / "safetensors" / "small.safetensors", work)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "AIBOM_NO_CACHE": "1",
        "AIBOM_POLICY": "policy.yaml", "AIBOM_QUIET": "1",
    }  # fmt: skip

    def run(text: str) -> int:
        return subprocess.run(
            ["sh", "-e", "-c", text], cwd=work, env=environment, check=False, timeout=60
        ).returncode

    last = script.splitlines()[-1]
    assert run("aibom scan . --name acme") == 1
    assert run(script) == 0
    (work / "evil.bin").write_bytes(EVIL)
    assert run(last) == 1


def instructions(text: str) -> list[list[str]]:
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [shlex.split(line) for line in joined.splitlines() if line]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text("utf-8"))


def test_the_image_runs_aibom_as_somebody_who_owns_nothing() -> None:
    last = max(index for index, words in enumerate(DOCKERFILE) if words[0] == "FROM")
    final = {words[0]: words[1:] for words in DOCKERFILE[last:]}
    (user,) = final["USER"]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user), "a name says nothing to Kubernetes' runAsNonRoot"
    assert yaml.safe_load(" ".join(final["ENTRYPOINT"])) == ["aibom"]
    assert "RUN" not in final, "what is installed comes from the first stage"
    # Whoever builds at a fixed time does not want it in the results of scans.
    assert "SOURCE_DATE_EPOCH" not in "".join(final["ENV"])


def test_the_image_needs_nothing_that_is_kept_from_its_build(tmp_path: Path) -> None:
    let_in = [
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    ]
    copied = [words[1:] for words in DOCKERFILE if words[0] == "COPY" and "--from" not in words[1]]
    names = [name for words in copied for name in words[:-1]]
    assert sorted(names) == sorted(let_in)
    for *sources, target in copied:
        for name in sources:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, tmp_path / target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert list((tmp_path / "dist").glob("*.whl"))


def test_the_command_lines_for_docker_name_flags_that_exist() -> None:
    (script,) = blocks("Docker", "sh")
    build, run = (shlex.split(line) for line in script.splitlines())
    image = build[build.index("-t") + 1]
    parse(["aibom", *run[run.index(image) + 1 :]])
    assert fnmatch(run[run.index("-v") + 1], "*:/scan:ro")
