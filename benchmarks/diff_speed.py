"""How long localising one changed value takes: python benchmarks/diff_speed.py [--mib 1024] [--runs 3]

Two files of one tensor that differ in one number are compared by `aibom.lineage.change`, in turn with a
bare BLAKE3 pass over one of them and over both. CPU seconds of this process; the files are in the page
cache. Then the kinds of change for which every element counts: all numbers moved, half of them pruned, a
cast to BF16 and one to F16.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from blake3 import blake3

from aibom.domain.facts import Tensor
from aibom.domain.limits import MIB
from aibom.lineage.change import tensor_change
from aibom.sources.local_file import LocalFile

COLUMNS = 4_096
_STEP = 16 * MIB


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(_STEP):
            yield data


def written(path: Path, source: Path, change: Callable[[np.ndarray], np.ndarray]) -> Path:
    with path.open("wb") as file:
        for data in chunks(source):
            file.write(change(np.frombuffer(data, np.float32)).tobytes())
    return path


def bfloat16(numbers: np.ndarray) -> np.ndarray:
    bits = numbers.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def digest(*paths: Path) -> None:
    buffer = bytearray(MIB)
    for path in paths:
        hasher = blake3()
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hasher.update(memoryview(buffer)[:count])
        hasher.digest()


@contextmanager
def opened(path: Path) -> Iterator[LocalFile]:
    with LocalFile(os.open(path, os.O_RDONLY)) as file:
        yield file


def compared(old: Path, new: Path, dtype: str = "F32") -> str:
    rows = old.stat().st_size // 4 // COLUMNS
    sides = [(old, "F32"), (new, dtype)]
    tensors = [
        Tensor(name="w", dtype=kind, shape=(rows, COLUMNS), offset=0, length=path.stat().st_size)
        for path, kind in sides
    ]
    with opened(old) as before, opened(new) as after:
        return str(tensor_change(before, tensors[0], after, tensors[1]))


def timed(name: str, size: int, runs: int, work: Callable[[], object]) -> None:
    seconds = []
    said: object = None
    for _ in range(runs):
        start = time.process_time()
        said = work()
        seconds.append(time.process_time() - start)
    taken = median(seconds)
    print(f"{name:28} {taken:7.3f} CPU-s {size / taken / 1e6:8.0f} MB/s  {said or ''}")


def measure(folder: Path, mib: int, runs: int) -> None:
    base, size = folder / "base", mib * MIB
    chance = np.random.default_rng(1)
    with base.open("wb") as file:
        for _ in range(size // _STEP):
            file.write(chance.standard_normal(_STEP // 4, np.float32).tobytes())
    one = folder / "one"
    one.write_bytes(b"")
    written(one, base, lambda numbers: numbers)
    with one.open("r+b") as file:
        file.seek(size * 3 // 4)
        file.write(np.float32(0.5).tobytes())
    timed("bare BLAKE3, one file", size, runs, lambda: digest(base))
    timed("bare BLAKE3, both files", size, runs, lambda: digest(base, one))
    timed("one number", size, runs, lambda: compared(base, one))
    one.unlink()
    edits: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
        ("all numbers", "F32", lambda numbers: numbers * np.float32(1.01)),
        ("pruned", "F32", lambda numbers: np.where(np.abs(numbers) < 0.5, np.float32(0), numbers)),
        ("cast to BF16", "BF16", bfloat16),
        ("cast to F16", "F16", lambda numbers: numbers.astype(np.float16)),
    )
    for name, dtype, change in edits:
        other = written(folder / "other", base, change)
        timed(name, size, runs, lambda other=other, dtype=dtype: compared(base, other, dtype))
        other.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write the files; default: a new one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        measure(Path(name), given.mib, given.runs)


if __name__ == "__main__":
    main()
