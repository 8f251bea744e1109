"""What the pages about signatures tell people to copy, run as it stands there."""

from __future__ import annotations

import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from aibom.cli.main import commands
from aibom.domain.check import Outcome
from aibom.domain.limits import KIB, MIB
from aibom.domain.verification import FileState
from aibom.outputs.verification_json import SCHEMA
from aibom.trust.identity import check_expected, matches
from tests.hostile import FIXTURES
from tests.trust.certificates import ec_key, private_pem, public_pem

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LIMIT = re.compile(r"^\| `((?:trust|workflows)\.[\w.]+)` \| ([\d,]+)(?: (KiB|MiB))? \|", re.MULTILINE)
_UNITS = {"": 1, "KiB": KIB, "MiB": MIB}


def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def blocks(kind: str) -> list[str]:
    """The code of one language on the page about signatures."""
    return [body for language, body in _FENCE.findall(text_of("signatures.md")) if language == kind]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a signed model, its key, `aibom`, and a server that says what it serves."""
    model, key = tmp_path / "models" / "acme", ec_key()
    model.mkdir(parents=True)
    shutil.copyfile(FIXTURES / "safetensors" / "small.safetensors", model / "model.safetensors")
    (model / "config.json").write_text("{}", "utf-8")
    (tmp_path / "release.pem").write_bytes(private_pem(key))
    (tmp_path / "release.pub").write_bytes(public_pem(key))
    program(tmp_path / "bin" / "aibom", f'exec {shlex.quote(sys.executable)} -m aibom "$@"')
    program(tmp_path / "serve", 'echo "serving $1"')
    run(tmp_path, "aibom sign model models/acme --key release.pem")
    return tmp_path


def program(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n", "utf-8")
    path.chmod(0o755)


def run(
    place: Path, script: str, *, shell: tuple[str, ...] = ("sh", "-c")
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{place / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(DOCS.parent),
        "HOME": str(place),
    }
    return subprocess.run(
        [*shell, script], cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def change(place: Path) -> None:
    with (place / "models" / "acme" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))


def test_the_shell_script_serves_what_was_signed_and_nothing_with_a_changed_byte(place: Path) -> None:
    (script,) = blocks("sh")
    assert len(script.splitlines()) == 5
    good = run(place, script)
    assert (good.returncode, good.stdout.splitlines()[-1]) == (0, "serving models/acme"), good.stderr
    change(place)
    bad = run(place, script)
    assert bad.returncode == 1
    assert "serving" not in bad.stdout
    assert "content-mismatch" in bad.stdout


@pytest.mark.parametrize("number", range(2))
def test_the_python_programs_stop_at_a_changed_byte(place: Path, number: int) -> None:
    program = blocks("python")[number]
    python = (sys.executable, "-c")
    good = run(place, program, shell=python)
    assert good.returncode == 0, good.stderr
    change(place)
    bad = run(place, program, shell=python)
    assert bad.returncode == 1
    assert "content-mismatch" in bad.stderr


def test_python_pages_name_two_programs() -> None:
    assert len(blocks("python")) == 2


def check_verify(arguments: list[str]) -> None:
    """Raises unless these are arguments that `aibom verify` takes."""
    assert arguments[:2] == ["aibom", "verify"]
    parse(arguments[1:])


def parse(arguments: list[str]) -> None:
    command: click.Command = commands
    context = click.Context(commands)
    while isinstance(command, click.Group):
        found = command.get_command(context, arguments[0])
        assert found is not None, arguments[0]
        command, arguments = found, arguments[1:]
    command.make_context("aibom", list(arguments))


def test_the_dockerfile_takes_the_model_from_the_stage_that_verified_it() -> None:
    (dockerfile,) = blocks("dockerfile")
    lines = [shlex.split(line) for line in dockerfile.splitlines()]
    assert [words[0] for words in lines] == ["FROM", "COPY", "RUN", "FROM", "COPY"]
    stage, model = lines[0][-1], lines[1][-1]
    ran = lines[2][2:]
    check_verify(ran)
    assert ran[2] == model
    key = dict(each.split("=") for each in lines[2][1].removeprefix("--mount=").split(","))["target"]
    assert ran[ran.index("--key") + 1] == key
    assert lines[4][1:] == [f"--from={stage}", model, model]


def test_the_init_container_is_five_lines_and_names_flags_that_exist() -> None:
    (text,) = (body for body in blocks("yaml") if "initContainers" in body)
    assert len(text.splitlines()) == 5
    (container,) = yaml.safe_load(text)["initContainers"]
    check_verify(container["command"])
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert all(each["readOnly"] for each in mounts.values())
    for path in (container["command"][2], container["command"][4]):
        assert any(path.startswith(f"{mount}/") for mount in mounts), path


def commands_of_pipelines() -> list[str]:
    documents = [yaml.safe_load(body) for body in blocks("yaml") if "sign model" in body]
    steps = [
        step["run"] for each in documents for job in each.get("jobs", {}).values() for step in job["steps"]
    ]
    scripts = [
        line for each in documents for job in each.values() if "script" in job for line in job["script"]
    ]
    return [*steps, *scripts]


def test_the_pipelines_run_commands_that_exist() -> None:
    found = commands_of_pipelines()
    assert len(found) == 2
    for line in found:
        program, *arguments = shlex.split(line)
        assert program == "aibom"
        parse(arguments)


def shown(page: str) -> list[str]:
    """The command lines of aibom that a page shows, continued lines joined."""
    bodies = (
        body.replace("\\\n", " ") for kind, body in _FENCE.findall(text_of(page)) if kind in ("", "console")
    )
    return [
        line for body in bodies for line in re.findall(r"^\$ (?:\w+=\S+ )?(aibom .*)", body, re.MULTILINE)
    ]


@pytest.mark.parametrize(
    "page",
    ["signatures.md", "commands/verify.md", "commands/sign.md", "commands/inspect.md", "../README.md"],
)
def test_every_command_line_that_a_page_shows_is_one_that_is_taken(
    page: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    found = shown(page)
    assert found
    for line in found:
        parse(shlex.split(re.split(r" (?:&&|#) ", line)[0])[1:])


def test_the_pattern_of_the_page_matches_a_release_and_no_other_workflow() -> None:
    (line,) = (line for line in shown("signatures.md") if "--pattern" in line)
    words = shlex.split(line)
    identity, issuer = words[words.index("--identity") + 1], words[words.index("--issuer") + 1]
    check_expected(issuer, pattern=True)
    place = "https://github.com/acme/models/.github/workflows"
    assert matches(f"{place}/release.yml@refs/tags/v1.2", identity, pattern=True)
    assert not matches(f"{place}/test.yml@refs/tags/v1.2", identity, pattern=True)
    assert not matches(f"{place}/release.yml@refs/heads/main", identity, pattern=True)


def test_every_limit_of_signatures_on_the_page_has_the_value_that_it_has() -> None:
    told = _LIMIT.findall(text_of("limits.md"))
    assert len(told) > 25
    for name, number, unit in told:
        module, _, constant = name.rpartition(".")
        value = getattr(importlib.import_module(f"aibom.{module}"), constant)
        assert int(number.replace(",", "")) * _UNITS[unit] == value, name


@pytest.mark.parametrize("page", ["commands/verify.md", "exit-codes.md"])
def test_every_outcome_of_verify_is_told_with_its_exit_code(page: str) -> None:
    from aibom.cli.verify import _CODES  # noqa: PLC0415 - the table itself

    lines = [line for line in text_of(page).splitlines() if line.startswith("| `")]
    for outcome in Outcome:
        (line,) = (line for line in lines if f"`{outcome}`" in line and re.search(r"\| \d+ \|", line))
        assert f"| {int(_CODES[outcome])} |" in line


@pytest.mark.parametrize("state", FileState)
def test_every_state_of_a_file_is_explained(state: FileState) -> None:
    assert f"| `{state}` |" in text_of("commands/verify.md")
    assert f"`{state}`" in text_of("report-json.md")


def test_the_fields_of_a_verification_are_documented(place: Path) -> None:
    out = run(place, "aibom verify models/acme --key release.pub -f json").stdout
    page = text_of("report-json.md").partition("\n## Verification\n")[2]
    assert SCHEMA in page
    keys = set(re.findall(r'"(\w+)":', out))
    assert len(keys) > 15
    assert not {key for key in keys - {"version", "algorithm"} if f"`{key}`" not in page}
