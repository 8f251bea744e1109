"""The walk through a pickle of a million small dicts: python benchmarks/pickle_walk.py [--rows N] [--runs N]

83 MB, 25 million opcodes. The exact walk, the fast road and `pickletools.genops` each run as a whole
process, in turn, so that the ratios hold when the machine's speed drifts. The time is that of the
processor, the best of all runs; memory is the largest peak of a process, the interpreter included.
"""

import argparse
import pickle
import pickletools
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = ("genops", "exact", "fast")


class Opened:
    """A file as the readers see one."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self._file = path.open("rb")

    def read_at(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


def make(path: Path, rows: int) -> None:
    value = [
        {
            "id": index,
            "name": f"user-{index:07d}-with-a-name",
            "age": index % 97,
            "score": index * 0.5,
            "active": index % 2 == 0,
            "tags": ["a", "b", index % 10],
            "weight": index / 3,
        }
        for index in range(rows)
    ]
    with path.open("wb") as file:
        pickle.dump(value, file)


def walk(kind: str, path: Path) -> None:
    """One run in this process: seconds, mebibytes and opcodes to standard output."""
    from aibom.readers.pickle import run  # noqa: PLC0415 - not in the process that makes the file
    from aibom.readers.pickle_skim import skim  # noqa: PLC0415

    started = time.process_time()
    if kind == "genops":
        with path.open("rb") as file:
            count = sum(1 for _ in pickletools.genops(file))
    else:
        stream = (skim if kind == "fast" else run)(Opened(path), 0)
        if stream is None or stream.error or stream.defects or stream.hazards:
            sys.exit(f"{kind}: the walk failed: {stream}")
        count = stream.opcodes
    seconds = time.process_time() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--walk", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.walk:
        walk(given.walk[0], Path(given.walk[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.pkl"
        # The process that makes the file is large; its children inherit nothing of that.
        subprocess.run(
            [
                sys.executable,
                "-c",
                f"import pickle_walk as p; from pathlib import Path; p.make(Path({str(path)!r}), {given.rows})",
            ],
            cwd=Path(__file__).parent,
            check=True,
        )
        report(path, given.runs)


def report(path: Path, runs: int) -> None:
    best = dict.fromkeys(KINDS, float("inf"))
    peak = dict.fromkeys(KINDS, 0.0)
    opcodes = 0
    for _ in range(runs):
        for kind in KINDS:
            command = [sys.executable, __file__, "--walk", kind, str(path)]
            seconds, memory, count = subprocess.run(
                command, stdout=subprocess.PIPE, check=True
            ).stdout.split()
            best[kind] = min(best[kind], float(seconds))
            peak[kind] = max(peak[kind], float(memory))
            opcodes = int(count) if kind == "genops" else opcodes
    size = path.stat().st_size / 1e6
    print(f"{size:.1f} MB, {opcodes / 1e6:.1f} million opcodes, best of {runs}\n")
    print(f"| {'walk':<8} | {'MB/s':>6} | {'to genops':>9} | {'peak MiB':>8} |")
    print(f"|{'-' * 10}|{'-' * 7}:|{'-' * 10}:|{'-' * 9}:|")
    for kind in KINDS:
        ratio = best["genops"] / best[kind]
        print(f"| {kind:<8} | {size / best[kind]:>6.1f} | {ratio:>9.2f} | {peak[kind]:>8.0f} |")


if __name__ == "__main__":
    main()
