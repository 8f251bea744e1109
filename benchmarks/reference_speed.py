"""How long it takes to find the references of a folder: python benchmarks/reference_speed.py FOLDER [--runs 3]

A large folder of installed packages serves well. Each program runs as a whole process; the bare
baseline reads every Python file once and hands it to Python's own parser. Wall time is the median.
"""

import argparse
import ast
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

from run import AIBOM, Series, alone, row


def parse_all(folder: Path) -> None:
    """The bare baseline: every file through the parser, and nothing else."""
    warnings.simplefilter("ignore")
    for path in folder.rglob("*.py"):
        try:
            ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, OSError):
            continue


def measure(folder: Path, runs: int) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    python = sum(path.suffix == ".py" for path in files)
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files):,} files, {python:,} of Python, {size / 1e6:,.0f} MB\n")
    with tempfile.TemporaryDirectory() as home:
        caches = {"HOME": home, "XDG_CACHE_HOME": f"{home}/cache"}
        base = Series([sys.executable, __file__, str(folder), "--bare"])
        alone(base, runs)
        row("bare: read and parse every Python file", base, 1.0, "")
        for name, command in (("refs", ["refs", "-f", "json"]), ("scan", ["scan", "-f", "cyclonedx"])):
            ours = Series([*AIBOM, *command, str(folder), "-q"], caches)
            for _ in range(runs):
                shutil.rmtree(f"{home}/cache", ignore_errors=True)
                ours.once()
            row(f"aibom {name}, first run", ours, ours.wall / base.wall, "refs < 15 s, < 200 MB")
            again = Series(ours.command, caches)
            alone(again, runs)
            row(f"aibom {name}, again", again, again.wall / base.wall, "refs < 3 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--bare", action="store_true", help="only the baseline, in this process")
    given = parser.parse_args()
    if given.bare:
        parse_all(given.folder)
    else:
        measure(given.folder, given.runs)


if __name__ == "__main__":
    main()
