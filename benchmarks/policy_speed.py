"""How long it takes to judge a bill of materials: python benchmarks/policy_speed.py [--runs 3] [--count N ...]

Documents of small models (name, version, package URL, one licence, one SHA-256) against twelve demands.
Each program runs as a whole process; the bare baseline hands the same file to `json.loads`. Wall time is
the median.
"""

import argparse
import gc
import hashlib
import json
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from run import AIBOM, Series, alone, row

from aibom.cli.main import GC_THRESHOLDS
from aibom.inventory.bom import read_bom
from aibom.policy import parse_policy
from aibom.workflows.check import CheckRequest, check

BARE = "import json, pathlib, sys; json.loads(pathlib.Path(sys.argv[1]).read_bytes())"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TODAY = date(2026, 3, 1)
POLICY = """
version: 1
name: benchmark
sources: {allow: ['pkg:huggingface/acme/*']}
integrity: {hashes: [sha256], revision: pinned, coverage: complete}
formats: {allow: [safetensors]}
content: {allow: [safe]}
licences: {allow: [MIT]}
model-card: {require: [licence]}
base-models: {allow: ['pkg:huggingface/acme/*']}
datasets: {require: [digest, licence, source]}
references: {require: [pinned], unknown: warn}
lineage: {require: [verified]}
bom: {require: [tool, timestamp, purl, version, digests, licences]}
attestations: {require: [{predicate: 'https://slsa.dev/provenance/v1'}], unknown: warn, mode: warn}
"""
# Sections that no document of this kind can meet: it has no word for what they ask.
UNSAID = ("formats", "content", "base-models", "attestations")


def component(number: int) -> dict[str, object]:
    purl = f"pkg:huggingface/acme/m{number}@{COMMIT}"
    return {
        "type": "machine-learning-model",
        "bom-ref": purl,
        "name": f"acme/m{number}",
        "version": COMMIT,
        "purl": purl,
        "licenses": [{"license": {"id": "MIT"}}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(purl.encode()).hexdigest()}],
    }


def write_bom(file: Path, count: int) -> None:
    tools = {"components": [{"type": "application", "name": "benchmark"}]}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": "2026-01-01T00:00:00Z", "tools": tools},
        "components": [component(number) for number in range(count)],
    }
    file.write_text(json.dumps(document), "utf-8")


def evaluate_alone(file: Path, policy: Path) -> None:
    """Prints how long reading and judging take, without start-up and outputs."""
    gc.set_threshold(*GC_THRESHOLDS)
    data, parsed = file.read_bytes(), parse_policy(policy.read_bytes())
    started = time.process_time()
    read_bom(data)
    read = time.process_time() - started
    started = time.process_time()
    report = check(CheckRequest(document=data, name=file.name, policy=parsed, today=TODAY))
    whole = time.process_time() - started
    found = f"{len(report.findings):,} findings"
    print(f"  processor time: reading {read:.2f} s, judging {whole - read:.2f} s, {found}")


def measure(folder: Path, counts: list[int], runs: int) -> None:
    caches = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    policy, met = folder / "policy.yaml", folder / "met.yaml"
    policy.write_text(POLICY, "utf-8")
    said = [line for line in POLICY.splitlines(keepends=True) if not line.startswith(UNSAID)]
    met.write_text("".join(said), "utf-8")
    small = folder / "small.json"
    write_bom(small, 1)
    start = Series([*AIBOM, "check", str(small), "--policy", str(met), "-q"], caches)
    alone(start, runs * 2)
    row("aibom check, one component", start, None, "< 0.25 s")
    for count in counts:
        file = folder / f"{count}.json"
        write_bom(file, count)
        print(f"\n{count:,} components, {file.stat().st_size / 1e6:,.0f} MB")
        base = Series([sys.executable, "-c", BARE, str(file)])
        alone(base, runs)
        row("bare: json.loads", base, 1.0, "")
        for name, judge_by in (("8 demands, all met", met), ("12 demands, 4 of them unknown", policy)):
            ours = Series(
                [*AIBOM, "check", str(file), "--policy", str(judge_by), "-q", "--fail-on", "critical"], caches
            )
            alone(ours, runs)
            row(f"aibom check, {name}", ours, ours.wall / base.wall, "< 3 s and 400 MB for 100,000")
            evaluate_alone(file, judge_by)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), given.count, given.runs)


if __name__ == "__main__":
    main()
