"""Makes pairs of versions with known edits, and prints what `aibom diff` found beside what was expected.

python benchmarks/version_pairs.py

Exit code 1 when anything is missing, wrong or too much.
"""

import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson

SCRIPT = runpy.run_path(str(Path(__file__).parent.parent / "fixtures/scripts/make_versions.py"))


def found(old: Path, new: Path) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "aibom", "diff", str(old), str(new), "-f", "json", "--no-cache", "-q"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    changes: list[dict[str, str]] = orjson.loads(done.stdout)["changes"]
    return changes


def main() -> int:
    wrong = 0
    print(f"{'edit':22} {'found':6} class, subject, what changed")
    with tempfile.TemporaryDirectory() as folder:
        for edit, expected in SCRIPT["EXPECTED"].items():
            changes = found(*SCRIPT["make"](Path(folder), edit))
            told = [(change["class"], change["subject"], change["detail"]) for change in changes]
            pairs = list(zip(told, expected, strict=False))
            right = len(told) == len(expected) and all(
                one[:2] == (kind, subject) and words in one[2] for one, (kind, subject, words) in pairs
            )
            wrong += not right
            for number, line in enumerate(told or [("", "no difference", "")]):
                head = edit if number == 0 else ""
                mark = ("yes" if right else "NO") if number == 0 else ""
                print(f"{head:22} {mark:6} {', '.join(filter(None, line))}")
    print(f"{len(SCRIPT['EXPECTED']) - wrong} of {len(SCRIPT['EXPECTED'])} as expected")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
