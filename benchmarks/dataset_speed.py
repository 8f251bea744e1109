"""How fast rows are fingerprinted on one core, each against the bare work that cannot be left out.

python benchmarks/dataset_speed.py [MEGABYTES [ROWS_OF_SIDECARS]]

Speeds are bytes per second of processor time, the best of five runs; those of Parquet count the bytes of the
same rows as JSON Lines. `lean` is row digests, blocks and root; `all` adds the multiset and column
digests. The bare work: SHA-256 of each line; of JSON parse, dump with sorted keys, SHA-256; of CSV
`csv.reader` and SHA-256 of the cells joined; of Parquet decode and SHA-256 of equally long rows.
Inputs lie in memory, so that no disk is measured.
"""

import csv
import hashlib
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aibom.domain.dataset import RowForm
from aibom.fingerprint.dataset import BlockRows, DatasetPass, Wanted, fingerprint_rows
from aibom.fingerprint.row_blocks import Blocks
from aibom.fingerprint.rows_arrow import ArrowRows
from aibom.fingerprint.sidecar import Shape, Sidecar, SidecarWriter
from aibom.fingerprint.sidecar_changes import compare
from aibom.readers import row_csv, row_jsonl, row_parquet
from aibom.readers.ranges import Memory
from aibom.sources.local_file import LocalFile, open_beneath

RUNS = 5
LEAN = Wanted(multiset=False, columns=False)
WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "naïve",
    "zeta",
    "eta",
    "theta",
    "iota",
    "kappa",
    "lambda",
]
# MB per second, of `lean`.
TARGETS = {"jsonl, lines": 350, "jsonl, values": 45, "csv": 100, "csv, quoted": 100, "parquet": 150}


def rows(count: int) -> list[dict[str, object]]:
    chance = random.Random(1)
    return [
        {
            "id": number,
            "text": " ".join(chance.choices(WORDS, k=48)),
            "label": chance.randrange(5),
            "score": chance.random(),
            "source": f"web-{chance.randrange(1000)}",
            "ok": chance.random() < 0.5,
        }
        for number in range(count)
    ]


def best(work: Callable[[], object]) -> float:
    found = float("inf")
    for _ in range(RUNS):
        start = time.process_time()
        work()
        found = min(found, time.process_time() - start)
    return found


def parquet(data: bytes, wanted: Wanted) -> object:
    whole = DatasetPass(RowForm.TYPED, wanted)
    for batch in row_parquet.parquet(Memory(data)):
        whole.feed(ArrowRows(batch))
    return whole.finish()


def sha256_each(lines: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(line).digest() for line in lines]


def bare_json(data: bytes) -> None:
    for line in data.splitlines():
        hashlib.sha256(json.dumps(json.loads(line), sort_keys=True).encode()).digest()


def bare_csv(data: bytes) -> None:
    for row in csv.reader(io.StringIO(data.decode(), newline="")):
        hashlib.sha256("\0".join(row).encode()).digest()


def bare_parquet(data: bytes, lines: list[bytes]) -> None:
    for _ in pq.ParquetFile(pa.BufferReader(data)).iter_batches(4_096, use_threads=False):
        pass
    sha256_each(lines)


def speeds(megabytes: int) -> None:
    table = rows(megabytes * 1_000_000 // 385)
    jsonl = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table).encode()
    lines = jsonl.splitlines()
    texts = {}
    for name, quoting in (("csv", csv.QUOTE_MINIMAL), ("csv, quoted", csv.QUOTE_NONNUMERIC)):
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, table[0].keys(), quoting=quoting, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        texts[name] = out.getvalue().encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(table), sink)
    columns = sink.getvalue()

    def by_line(wanted: Wanted) -> object:
        return fingerprint_rows(row_jsonl.lines(Memory(jsonl)), form=RowForm.LINES, wanted=wanted)

    def by_value(wanted: Wanted) -> object:
        return fingerprint_rows(row_jsonl.records(Memory(jsonl)), wanted=wanted)

    def by_cell(data: bytes, wanted: Wanted) -> object:
        return fingerprint_rows(row_csv.records(Memory(data)), wanted=wanted)

    print(
        f"SHA-256 of {len(jsonl) / 1e6:.0f} MB: {len(jsonl) / 1e6 / best(lambda: hashlib.sha256(jsonl)):.0f} MB/s"
    )
    print(f"{'':14} {'bare':>6} {'lean':>6} {'ratio':>6} {'all':>6} {'target':>6}")
    report("jsonl, lines", jsonl, lambda: sha256_each(jsonl.split(b"\n")), by_line)
    report("jsonl, values", jsonl, lambda: bare_json(jsonl), by_value)
    for name, data in texts.items():
        report(name, data, lambda data=data: bare_csv(data), lambda wanted, data=data: by_cell(data, wanted))
    report("parquet", jsonl, lambda: bare_parquet(columns, lines), lambda wanted: parquet(columns, wanted))


def report(name: str, data: bytes, bare: Callable[[], object], ours: Callable[[Wanted], object]) -> None:
    size = len(data) / 1e6
    least, lean, whole = (
        size / best(bare),
        size / best(lambda: ours(LEAN)),
        size / best(lambda: ours(Wanted())),
    )
    print(f"{name:14} {least:6.0f} {lean:6.0f} {lean / least:6.2f} {whole:6.0f} {TARGETS[name]:6}")


def write(path: Path, digests: bytes, changed: int | None) -> None:
    with path.open("wb") as file:
        writer, blocks = SidecarWriter(file.write, Shape()), Blocks()
        for at in range(0, len(digests), 1 << 20):
            piece = bytearray(digests[at : at + (1 << 20)])
            if changed is not None and 0 <= changed * 32 - at < len(piece):
                piece[changed * 32 - at] ^= 1
            for block, found in blocks.feed(bytes(piece)):
                writer.block(BlockRows(block=block, rows=found))
        for block, found in blocks.finish():
            writer.block(BlockRows(block=block, rows=found))
        writer.finish()


def sidecars(count: int) -> None:
    chance = random.Random(0)
    digests = b"".join(chance.randbytes(32 * 1_000) for _ in range(count // 1_000))
    with tempfile.TemporaryDirectory() as folder:
        for name, changed in (("old.rows", None), ("new.rows", count * 2 // 3)):
            write(Path(folder, name), digests, changed)
        times = []
        for _ in range(RUNS):
            start = time.process_time()
            with (
                LocalFile(open_beneath(folder, "old.rows")) as first,
                LocalFile(open_beneath(folder, "new.rows")) as second,
            ):
                old, new = Sidecar(first), Sidecar(second)
                found = compare(old, new)
            times.append(time.process_time() - start)
        assert found.removed == found.added == (count * 2 // 3,)
        read = found.digests_read + old.blocks + new.blocks
        print(
            f"one changed row of {count:,}: {1e3 * min(times):.1f} ms, "
            f"{read:,} digests read, {100 * read / (2 * count):.3f} % (targets 50 ms, 1 %)"
        )


if __name__ == "__main__":
    speeds(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
    sidecars(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
