"""One BOM of 100,000 files: seconds and peak memory to build, render, validate and lint it.

    python benchmarks/bom_100k.py [COUNT]

Bounds for 100,000: 5 s (of the processor) from the first domain object to the validated document,
2 s more for the lint, 400 MB in all. The domain objects stay until the document is written. Exits
with 1 beyond a bound.
"""

from __future__ import annotations

import gc
import hashlib
import resource
import sys
import time

import orjson

from aibom.cli.main import GC_THRESHOLDS
from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts, FileKind
from aibom.domain.file import File
from aibom.domain.report import Coverage, PolicyUse, Report
from aibom.domain.target import Target, Tool
from aibom.outputs import cyclonedx, lint, schema

SECONDS = 5.0
LINT_SECONDS = 2.0
MEGABYTES = 400.0


def report_of(count: int) -> Report:
    """Half of the files in one dataset, the other half in no component."""
    facts = Facts(format="parquet", kind=FileKind.DATA)
    files = tuple(file_of(f"data/part-{number:06}.parquet", facts) for number in range(count))
    dataset = Component(
        id="dataset:data",
        kind=ComponentKind.DATASET,
        name="data",
        basis=IdentityBasis.INFERRED,
        files=tuple(file.path for file in files[: count // 2]),
    )
    return Report(
        targets=(Target(name="data"),),
        tool=Tool(name="aibom", version="0"),
        policy=PolicyUse(name="default", sha256="0" * 64),
        files=files,
        components=(dataset,),
        coverage=Coverage.of(files, (), count, 0),
        timestamp="2026-01-01T00:00:00Z",
    )


def file_of(path: str, facts: Facts) -> File:
    sha256 = hashlib.sha256(path.encode()).hexdigest()
    return File(
        entry=Entry(path=path, size=len(path)),
        digests=(Digest(algorithm="sha256", value=sha256, grade=Grade.COMPUTED),),
        facts=facts,
    )


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux


def main(count: int) -> int:
    spent: dict[str, float] = {}
    started, last = time.perf_counter(), time.process_time()

    def tell(step: str) -> None:
        nonlocal last
        now = time.process_time()
        spent[step], last = now - last, now
        print(f"{step:<9}{spent[step]:6.2f} s   peak so far {peak_megabytes():4.0f} MB")

    gc.set_threshold(*GC_THRESHOLDS)  # as the command line does
    report = report_of(count)
    tell("report")
    document = cyclonedx.render(report)
    tell("render")
    del report
    parsed = orjson.loads(document)
    tell("parse")
    wrong = schema.errors_in(parsed)
    tell("validate")
    odd = lint.problems_in(parsed)
    tell("lint")
    print(f"{count} files, {len(document) / 1e6:.0f} MB of JSON, {len(wrong)} errors, {len(odd)} problems")
    seconds = sum(spent.values()) - spent["lint"]
    wall = time.perf_counter() - started
    print(f"{seconds:.2f} s without lint, {wall:.2f} s on the wall, {peak_megabytes():.0f} MB in all")
    slow = seconds > SECONDS or spent["lint"] > LINT_SECONDS or peak_megabytes() > MEGABYTES
    return int(slow or bool(wrong or odd))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
