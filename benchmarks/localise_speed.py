"""What evidence about weights costs: python benchmarks/localise_speed.py [FILE] [--mib 4096] [--runs 3]

FILE is a safetensors file, which is not written to. Without it one of `--mib` MiB is made in a temporary
folder, and removed. Three questions, each answered in turns, with CPU seconds of this process and wall time:

- Localising: one value of the last large tensor is changed (in what the reader returns, never in the
  file), and found from the sidecar, beside a bare BLAKE3 pass over the same file.
- The first look: one pass for SHA-256 and tensor digests, without and with leaves, on one thread and on two.
- The sidecar: its size, and the time to write and to read it.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
from blake3 import blake3

from aibom.domain.facts import Facts
from aibom.domain.limits import MIB, PROBE_BYTES
from aibom.domain.protocols import ByteReader, Probe
from aibom.domain.weights_evidence import WeightsEvidence
from aibom.fingerprint.localise import localise
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.weights_sidecar import evidence, read, render
from aibom.formats.safetensors import FORMAT
from aibom.readers.buffers import aligned
from aibom.readers.ranges import Memory
from aibom.sources.local_file import LocalFile

COLUMNS = 4_096
TENSOR_MIB = 32


class Edited:
    """A file of which one byte is another one."""

    def __init__(self, reader: ByteReader, at: int) -> None:
        self._reader, self._at = reader, at

    @property
    def size(self) -> int:
        return self._reader.size

    def read_at(self, offset: int, length: int) -> bytes:
        return self._reader.read_at(offset, length)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        count = self._reader.read_into(offset, buffer)
        if offset <= self._at < offset + count:
            buffer[self._at - offset] ^= 1
        return count


def made(path: Path, mib: int) -> Path:
    """A model of F16 matrices of 32 MiB and one small vector beside each."""
    count, entries, at = mib // TENSOR_MIB, {}, 0
    for layer in range(count):
        for name, rows in (("weight", TENSOR_MIB * MIB // 2 // COLUMNS), ("norm", 1)):
            size = rows * COLUMNS * 2
            entries[f"layers.{layer}.{name}"] = {
                "dtype": "F16", "shape": [rows, COLUMNS], "data_offsets": [at, at + size],
            }  # fmt: skip
            at += size
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    body = np.random.default_rng(1).standard_normal(TENSOR_MIB * MIB // 2, np.float32).astype(np.float16)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for layer in range(count):
            file.write((body + np.float16(layer)).tobytes())
            file.write(body[:COLUMNS].tobytes())
    return path


@contextmanager
def opened(path: Path) -> Iterator[LocalFile]:
    with LocalFile(os.open(path, os.O_RDONLY)) as file:
        yield file


def facts_of(reader: ByteReader) -> Facts:
    assert FORMAT.read is not None
    head = reader.read_at(0, min(PROBE_BYTES, reader.size))
    return FORMAT.read(Probe(name="model.safetensors", head=head, reader=reader))


def bare(reader: ByteReader) -> str:
    """BLAKE3 of the file and nothing else."""
    hasher, buffer, at = blake3(), aligned(MIB), 0
    while count := reader.read_into(at, buffer) if at < reader.size else 0:
        hasher.update(buffer[:count])
        at += count
    return hasher.hexdigest()[:8]


def timed(size: int, runs: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """CPU seconds of each work; they take turns, so that a busy machine is busy for all."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    said: dict[str, object] = {}
    for _ in range(runs):
        for name, work in works.items():
            start, wall = time.process_time(), time.perf_counter()
            said[name] = work()
            taken[name].append((time.process_time() - start, time.perf_counter() - wall))
    first = 0.0
    for name, seconds in taken.items():
        cpu, wall = (median(each) for each in zip(*seconds, strict=True))
        first = first or cpu
        print(
            f"{name:34} {cpu:7.3f} CPU-s {wall:7.3f} s wall {size / cpu / 1e6:6.0f} MB/CPU-s {cpu / first:5.2f}  {said[name]}"
        )
    return {name: median(cpu for cpu, _ in seconds) for name, seconds in taken.items()}


def looked(reader: ByteReader, facts: Facts, *, leaves: bool, threads: int) -> str:
    if threads == 1:
        fingerprint(reader, facts, leaves=leaves, header=leaves)
    else:
        with ThreadPoolExecutor(1) as companion:
            fingerprint(reader, facts, leaves=leaves, header=leaves, companion=companion)
    return ""


def measure(path: Path, runs: int) -> None:
    with opened(path) as reader:
        facts = facts_of(reader)
        found = fingerprint(reader, facts, leaves=True, header=True)
        given = evidence(reader.size, facts, found)
        large = max(facts.tensors, key=lambda tensor: (tensor.length, tensor.offset))
        edited = Edited(reader, large.offset + large.length * 3 // 4)
        print(f"{reader.size:,} bytes, {len(facts.tensors)} tensors; ratios are to the first line of a group")
        timed(reader.size, runs, {
            "bare BLAKE3": lambda: bare(reader),
            "localise one value": lambda: localise(given, edited, facts),
            "localise, nothing changed": lambda: localise(given, reader, facts),
        })  # fmt: skip
        timed(reader.size, runs, {
            f"look{', leaves' * leaves}, {threads} thread{'s' * (threads - 1)}": lambda leaves=leaves, threads=threads: looked(
                reader, facts, leaves=leaves, threads=threads
            )
            for threads in (1, 2) for leaves in (False, True)
        })  # fmt: skip
        measure_sidecar(given, runs)


def measure_sidecar(given: WeightsEvidence, runs: int) -> None:
    data = render(given)
    print(f"sidecar of {len(data):,} bytes, {len(data) / given.size:.5%} of the file")
    timed(len(data), runs, {"render": lambda: len(render(given)), "read": lambda: read(Memory(data)).size})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--mib", type=int, default=4096)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to make a file; default: a new one")
    given = parser.parse_args()
    if given.file:
        measure(given.file, given.runs)
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        measure(made(Path(name) / "model.safetensors", given.mib), given.runs)


if __name__ == "__main__":
    main()
