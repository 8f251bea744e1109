"""Other scanners of unsafe content, each in an environment of its own, run on the same files.

Every file is given by its name, so that no tool passes over it because of its suffix. What a tool
says is read generously: whatever it lists counts, even when its exit code says something else.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import tempfile
import venv
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

FILE_SECONDS = 120
BATCH_FILES = 40
BATCH_SECONDS = 1800
CRASH = re.compile("^(ERROR: )?(Unhandled exception|Exception:)", re.MULTILINE)
QUIET = {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1"}


def children_seconds() -> float:
    """Seconds of the processor that all ended child processes took: other work on the machine does not count."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Level(IntEnum):
    """What a tool says about one file."""

    NO_ANSWER = -1  # an error, a crash, out of time, or a format that it does not know
    CLEAN = 0
    WARNED = 1
    FLAGGED = 2


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one version of a tool says about each file, by path within the corpus."""

    version: str
    levels: dict[str, Level]
    seconds: float  # of the processor
    timed: str  # what took them

    def share(self, paths: Iterable[str], levels: Collection[Level]) -> float:
        answers = [self.levels[path] in levels for path in paths]
        return sum(answers) / len(answers)

    def keep(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def kept(cls, path: Path) -> Answers:
        document = json.loads(path.read_text())
        levels = {name: Level(level) for name, level in document["levels"].items()}
        return cls(**{**document, "levels": levels})


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool: how it is installed, and how it judges one file, or many in one go."""

    package: str
    meaning: dict[Level, str]
    also_needs: tuple[str, ...] = ()
    one: Callable[[Command, Path], Level] | None = None
    many: Callable[[Command, list[Path]], dict[Path, Level]] | None = None
    folder: tuple[str, ...] = ()

    def answers(self, environments: Path, files: Path, paths: list[str]) -> Answers:
        """Those about every path below `files`, kept beside it, so that a version of a tool runs once."""
        place = environments / self.package
        if not (place / "bin" / self.package).exists():
            venv.create(place, with_pip=True)
            packages = [self.package, *self.also_needs]
            subprocess.run([place / "bin" / "pip", "install", "--quiet", *packages], check=True)
        asked = [place / "bin" / "pip", "show", self.package]
        shown = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        version = next(line.split()[1] for line in shown.splitlines() if line.startswith("Version:"))
        kept = files.parent / f"{self.package}-{version}.json"
        if not kept.exists():
            self.run(place / "bin" / self.package, version, files, paths).keep(kept)
        return Answers.kept(kept)

    def run(self, program: Path, version: str, files: Path, paths: list[str]) -> Answers:
        """The seconds are those of one run over the folder, where the tool has such a run and survives it."""
        with tempfile.TemporaryDirectory(prefix="aibom-peer-") as home:
            command = command_of(program, home)
            started = children_seconds()
            found = self.judge(command, [files / path for path in paths])
            seconds, timed = children_seconds() - started, "all files by name"
            if self.folder:
                started = children_seconds()
                result = command(*self.folder, files, seconds=BATCH_SECONDS)
                if CRASH.search(result.stdout + result.stderr):
                    timed += "; given the folder, it crashes"
                else:
                    seconds, timed = children_seconds() - started, "the folder at once"
        levels = {path.relative_to(files).as_posix(): level for path, level in found.items()}
        return Answers(version=version, levels=levels, seconds=seconds, timed=timed)

    def judge(self, command: Command, files: list[Path]) -> dict[Path, Level]:
        found: dict[Path, Level] = {}
        if self.many is not None:
            for start in range(0, len(files), BATCH_FILES):
                found |= self.many(command, files[start : start + BATCH_FILES])
        elif self.one is not None:
            one = self.one
            with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
                found |= zip(files, pool.map(lambda path: one(command, path), files), strict=True)
        return found


def command_of(program: Path, home: str) -> Command:
    """Runs `program` with the given arguments; out of time is exit code 124, as in coreutils."""

    def command(*arguments: str | Path, seconds: int = FILE_SECONDS) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [program, *arguments], cwd=home, env={**os.environ, **QUIET, "HOME": home}, timeout=seconds,
                check=False, capture_output=True, text=True, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([], 124, "", "")

    return command


def by_picklescan(command: Command, path: Path) -> Level:
    result = command("--path", path)
    counts = {key: int(n) for key, n in re.findall(r"^(\w+) \w+: (\d+)$", result.stdout, re.MULTILINE)}
    if counts.get("Infected") or counts.get("Dangerous"):
        return Level.FLAGGED
    if counts.get("Suspicious"):
        return Level.WARNED
    return Level.CLEAN if result.returncode == 0 and counts.get("Scanned") else Level.NO_ANSWER


def by_modelscan(command: Command, path: Path) -> Level:
    with tempfile.TemporaryDirectory(prefix="aibom-peer-") as folder:
        report = Path(folder) / "report.json"
        result = command("scan", "--path", path, "--reporting-format", "json", "--output-file", report)
        issues = json.loads(report.read_text())["issues"] if report.exists() else []
    if issues:
        return Level.FLAGGED
    return Level.CLEAN if result.returncode == 0 else Level.NO_ANSWER


def by_fickling(command: Command, path: Path) -> Level:
    result = command("--check-safety", path, "--json-output", os.devnull)
    if result.returncode == 1 and "Traceback" not in result.stderr:
        return Level.FLAGGED
    return Level.CLEAN if result.returncode == 0 else Level.NO_ANSWER


def by_modelaudit(command: Command, paths: list[Path]) -> dict[Path, Level]:
    """One report over a batch: a process for each file would mostly measure its start."""
    with tempfile.TemporaryDirectory(prefix="aibom-peer-") as folder:
        report = Path(folder) / "report.json"
        command("scan", "--no-cache", "--format", "json", "--output", report, *paths, seconds=BATCH_SECONDS)
        document = json.loads(report.read_text()) if report.exists() else {"file_metadata": {}, "issues": []}
    seen = document["file_metadata"]
    found = dict.fromkeys(paths, Level.NO_ANSWER)
    for path in paths:
        if str(path) in seen and not seen[str(path)].get("scan_outcome"):
            found[path] = Level.CLEAN
    levels = {"critical": Level.FLAGGED, "warning": Level.WARNED}
    for issue in document["issues"]:
        place, level = issue.get("location") or "", levels.get(issue["severity"])
        owners = [path for path in paths if place.startswith(str(path))]
        if level is not None and owners:
            owner = max(owners, key=lambda path: len(str(path)))
            found[owner] = max(found[owner], level)
    return found


def all_peers() -> tuple[Peer, ...]:
    return (
        Peer(
            package="picklescan",
            meaning={
                Level.FLAGGED: "dangerous (exit code 1)",
                Level.WARNED: "dangerous or suspicious (exit code 0)",
            },
            also_needs=("numpy",),  # without it, one .npy file ends the scan of a folder
            one=by_picklescan,
            folder=("--path",),
        ),
        Peer(
            package="modelscan",
            meaning={Level.FLAGGED: "any issue (exit code 1)"},
            one=by_modelscan,
            folder=("scan", "--path"),
        ),
        Peer(
            package="fickling",
            meaning={Level.FLAGGED: "not likely safe (exit code 1)"},
            also_needs=("typing_extensions",),  # imported, and not declared
            one=by_fickling,
        ),
        Peer(
            package="modelaudit",
            meaning={
                Level.FLAGGED: "critical (exit code 1)",
                Level.WARNED: "critical or warning (exit code 1)",
            },
            many=by_modelaudit,
        ),
    )
