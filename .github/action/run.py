"""What action.yml runs: `install` gives aibom an environment of its own, `scan` runs it and tells GitHub.

Inputs come as variables INPUT_*. Each is checked and handed on as one argument; no shell sees it.
"""  # noqa: INP001 - a script

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

VERSION: Final = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){2}((a|b|rc)[0-9]{1,4})?")
VERDICTS: Final = {0: "passed", 1: "violated", 3: "nothing", 4: "incomplete"}
ERROR: Final = "error"  # the verdict of every other code
USAGE: Final = 2
SUMMARY_BYTES: Final = 1_000_000  # GitHub drops the summary of a step that is larger than 1 MiB
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class InputError(ValueError):
    """An input that is refused, with the reason."""


def text(name: str, default: str = "") -> str:
    """An input of one line."""
    found = os.environ.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip() or default
    if _CONTROL.search(found):
        raise InputError(f"input {name!r} is more than one line, or holds a control character")
    return found


def lines(name: str) -> list[str]:
    """An input of several lines, without the empty ones."""
    given = os.environ.get(f"INPUT_{name.upper().replace('-', '_')}", "")
    found = [line.strip() for line in given.split("\n") if line.strip()]
    if any(map(_CONTROL.search, found)):
        raise InputError(f"input {name!r} holds a control character")
    return found


def switch(name: str) -> bool:
    found = text(name, "false")
    if found not in ("true", "false"):
        raise InputError(f"input {name!r} is neither true nor false")
    return found == "true"


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def append(variable: str, data: bytes) -> None:
    """Adds to a file that GitHub reads after the step."""
    with Path(os.environ[variable]).open("ab") as file:
        file.write(data)


def home() -> Path:
    return Path(os.environ["RUNNER_TEMP"]) / "aibom-venv"


def python(*arguments: str) -> list[str]:
    # -I: a module that lies in the checkout is never imported.
    return [str(home() / "bin" / "python"), "-I", "-m", *arguments]


def install() -> int:
    """From the checkout of the action, or a release by its exact version."""
    version = text("version")
    if version and not VERSION.fullmatch(version):
        raise InputError("input 'version' is not a version such as 1.2.3")
    what = f"aibom=={version}" if version else str(Path(__file__).resolve().parents[2])
    venv.create(home(), with_pip=True, clear=True)
    command = python("pip", "install", "--quiet", "--disable-pip-version-check", what)
    return subprocess.run(command, check=False).returncode  # noqa: S603 - arguments, no shell


def scan() -> int:
    """The exit code of `aibom scan`, after verdict, paths, summary and annotations are told."""
    workspace = Path(os.environ["GITHUB_WORKSPACE"])
    folder = Path(tempfile.mkdtemp(prefix="aibom-", dir=os.environ["RUNNER_TEMP"]))
    results = {
        "bom": workspace / text("bom", str(folder / "bom.cdx.json")),
        "sarif": workspace / text("sarif", str(folder / "aibom.sarif")),
    }
    summary, annotations = folder / "summary.md", folder / "annotations"
    wanted = [f"cyclonedx={results['bom']}", f"sarif={results['sarif']}", *lines("formats")]
    wanted += [f"markdown={summary}"] if switch("summary") else []
    wanted += [f"github={annotations}"] if switch("annotations") else []
    before = {name: state(path) for name, path in results.items()}
    code = run([*flags(), "--format=table", *(f"--format={each}" for each in wanted)], workspace)
    for name, path in results.items():
        # What an earlier step left there is not a result of this one.
        told = path if state(path) != before[name] else ""
        append("GITHUB_OUTPUT", f"{name}={told}\n".encode())
    append("GITHUB_OUTPUT", f"verdict={VERDICTS.get(code, ERROR)}\n".encode())
    if summary.is_file():
        append("GITHUB_STEP_SUMMARY", fitting(summary.read_bytes()))
    if annotations.is_file():
        say(annotations.read_text("utf-8"))
    return code


def flags() -> list[str]:
    """Joined to their values, so that a value is never taken for a flag."""
    found = [f"--fail-on={text('fail-on', 'high')}", f"--policy={text('policy', 'baseline')}"]
    baseline = text("baseline")
    found += [f"--baseline={baseline}"] if baseline else []
    return [*found, "--strict"] if switch("strict") else found


def state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def run(arguments: list[str], workspace: Path) -> int:
    command = [*python("aibom", "scan"), *arguments, "--", *(lines("target") or ["."])]
    # Names in a scanned file may look like commands to GitHub; none is obeyed until the token comes.
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    done = subprocess.run(command, cwd=workspace, stderr=subprocess.STDOUT, check=False)  # noqa: S603
    say(f"\n::{token}::")
    return done.returncode if done.returncode >= 0 else 128 - done.returncode  # as a shell tells signals


def fitting(markdown: bytes) -> bytes:
    """As many whole lines as GitHub shows."""
    if len(markdown) <= SUMMARY_BYTES:
        return markdown
    kept = markdown[:SUMMARY_BYTES].rpartition(b"\n")[0]
    return kept + b"\n\nCut here: the whole summary is larger than GitHub shows.\n"


def main(arguments: list[str]) -> int:
    try:
        return {"install": install, "scan": scan}[arguments[0]]()
    except InputError as error:
        say(f"::error title=aibom::{error}")
        append("GITHUB_OUTPUT", f"verdict={ERROR}\n".encode())
        return USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
