"""zizmor (docs.zizmor.sh) finds nothing wrong with the pipelines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.integration


def zizmor(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    assert program is not None, "zizmor comes with the `integration` extra"
    return subprocess.run(
        [program, "--offline", "--no-progress", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("persona", ["regular", "pedantic"])
def test_zizmor_has_nothing_to_say(persona: str) -> None:
    result = zizmor("--persona", persona, ROOT / ".github")
    assert result.returncode == 0, result.stdout + result.stderr


def test_zizmor_does_complain_about_an_action_that_is_not_pinned(tmp_path: Path) -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    bad = tmp_path / "ci.yml"
    bad.write_text(text.replace("3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "v7"), "utf-8")
    result = zizmor(bad)
    assert result.returncode >= 11  # 11 to 14: findings, by severity
    assert "unpinned-uses" in result.stdout
