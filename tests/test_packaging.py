"""The wheel: builds, installs, holds the policies, and works away from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from aibom import __version__
from tests.hostile import FIXTURES

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(folder),
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(installed), "HOME": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_holds_the_package_the_policies_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.partition("/")[0] for name in names}
    assert roots == {"aibom", f"aibom-{__version__}.dist-info"}
    packs = {path.name for path in (ROOT / "policies").rglob("*") if path.is_file()}
    assert packs == {name.rpartition("/")[2] for name in names if name.startswith("aibom/policies/")}
    assert not [name for name in names if name.startswith(("tests/", "fixtures/")) or "/test_" in name]


def test_an_installed_wheel_reads_its_pack_and_scans(installed: Path) -> None:
    code = "import sys; from aibom.cli.packs import policy_pack as p; sys.stdout.buffer.write(p('baseline'))"
    done = run(installed, "-c", code)
    assert done.stdout == (ROOT / "policies" / "baseline.yaml").read_text(), done.stderr
    scanned = run(installed, "-m", "aibom", "scan", str(FIXTURES / "quickstart"), "--no-cache")
    assert (scanned.returncode, "PASSED policy baseline" in scanned.stdout) == (0, True), scanned.stderr
    explained = run(installed, "-m", "aibom", "explain", "dangerous-import")
    assert "What it looks for" in explained.stdout, explained.stderr


def test_an_installed_wheel_judges_by_its_allowlists(installed: Path) -> None:
    # A pipeline of PyTorch's own parts, which no list but the shipped ones vouches for.
    scanned = run(installed, "-m", "aibom", "scan", str(FIXTURES / "torch"), "--no-cache", "-f", "json")
    allowlists = {
        pack for content in json.loads(scanned.stdout)["contents"] for pack in content["allowlists"]
    }
    assert any(pack.startswith("torch ") for pack in allowlists), scanned.stderr


def test_the_wheel_is_typed_and_small(wheel: Path) -> None:
    assert "aibom/py.typed" in zipfile.ZipFile(wheel).namelist()
    # Code, policies and pages of rules alone: 1.6 MB. Fixtures, tests or documents would show.
    assert wheel.stat().st_size < 1_800_000
