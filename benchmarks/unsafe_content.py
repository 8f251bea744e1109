"""Unsafe content: python benchmarks/unsafe_content.py [--peers] [--keep DIR]

Writes a corpus of malicious files, which harm nobody, and of benign ones from the real libraries,
scans it with aibom, and prints the verdicts class by class. Exits with 1 when a goal is missed: no
malicious file safe, no benign file dangerous, at most 2 % of the benign files unknown.
Needs the packages of benchmarks/corpus/requirements.txt.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import stamp, write_corpus
from corpus.writer import MANIFEST, Item, Label, read_manifest
from peers import Answers, Level, all_peers, children_seconds

from aibom import __version__

VERDICTS = ("safe", "unknown", "incomplete", "dangerous")
NOT_JUDGED = "not judged"
LEAST = {Label.MALICIOUS: 250, Label.BENIGN: 150}
UNKNOWN_SHARE = 0.02
SHOWN_REASONS = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """A file of the corpus with what aibom says about it."""

    item: Item
    verdict: str
    reasons: tuple[str, ...] = ()

    @property
    def miss(self) -> bool:
        """A malicious file must not pass; a benign one without a verdict has nothing that could run."""
        if self.item.label is Label.MALICIOUS:
            return self.verdict in ("safe", NOT_JUDGED)
        return self.verdict not in ("safe", NOT_JUDGED)


def scan(files: Path) -> tuple[dict[str, Any], float]:
    """The JSON report of aibom, and the seconds of the processor that it took."""
    with tempfile.TemporaryDirectory(prefix="aibom-home-") as home:
        started = children_seconds()
        result = subprocess.run(
            [sys.executable, "-m", "aibom", "scan", str(files), "-f", "json", "-q", "--no-cache"],
            env={**os.environ, "HOME": home, "XDG_CACHE_HOME": home}, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        seconds = children_seconds() - started
    if result.returncode not in (0, 1, 4):
        sys.exit(f"aibom ended with {result.returncode}")
    return json.loads(result.stdout), seconds


def judge(items: list[Item], report: dict[str, Any]) -> list[Judged]:
    contents = {entry["path"]: entry for entry in report["contents"]}
    findings: dict[str, list[str]] = {}
    for finding in report["findings"]:
        findings.setdefault(finding["path"], []).append(f"{finding['rule']}: {finding['found']}")
    judged = []
    for item in items:
        entry = contents.get(item.path, {})
        reasons = (*findings.get(item.path, ()), *entry.get("unexamined", ()))
        judged.append(Judged(item, entry.get("verdict", NOT_JUDGED), reasons))
    return judged


def print_table(judged: list[Judged]) -> None:
    columns = (*VERDICTS, NOT_JUDGED)
    print(f"\n{'class':34}{'files':>7}" + "".join(f"{column:>12}" for column in columns))
    for kind in sorted({each.item.kind for each in judged}):
        counts = Counter(each.verdict for each in judged if each.item.kind == kind)
        print(f"{kind:34}{counts.total():7}" + "".join(f"{counts[column] or '.':>12}" for column in columns))
    for label in (Label.MALICIOUS, Label.BENIGN):
        counts = Counter(each.verdict for each in judged if each.item.label is label)
        print(
            f"{'all ' + label:34}{counts.total():7}" + "".join(f"{counts[column]:12}" for column in columns)
        )
        print(" " * 41 + "".join(f"{counts[column] / max(counts.total(), 1):12.1%}" for column in columns))


def print_misses(judged: list[Judged]) -> None:
    misses = [each for each in judged if each.miss]
    print(f"\n{len(misses)} files are not judged as they should be")
    for each in misses:
        reasons = "; ".join(each.reasons[:SHOWN_REASONS])
        print(f"  {each.verdict:10} {each.item.path}  {reasons}")


def goals(judged: list[Judged]) -> bool:
    """Prints each goal with what was reached; True when all are met."""
    counts = {label: Counter(each.verdict for each in judged if each.item.label is label) for label in LEAST}
    bad, good = counts[Label.MALICIOUS], counts[Label.BENIGN]
    unknown = good["unknown"] / max(good.total(), 1)
    lines = [
        (f"{label} files: {counts[label].total()} (at least {least})", counts[label].total() >= least)
        for label, least in LEAST.items()
    ]
    lines += [
        (f"malicious files called safe: {bad['safe']} (goal 0)", bad["safe"] == 0),
        (f"malicious files not judged: {bad[NOT_JUDGED]} (goal 0)", bad[NOT_JUDGED] == 0),
        (f"benign files called dangerous: {good['dangerous']} (goal 0)", good["dangerous"] == 0),
        (
            f"benign files unknown: {good['unknown']}, {unknown:.1%} (goal at most {UNKNOWN_SHARE:.0%})",
            unknown <= UNKNOWN_SHARE,
        ),
    ]
    print()
    for line, met in lines:
        print(f"{'met   ' if met else 'MISSED'} {line}")
    print(f"       benign files incomplete: {good['incomplete']}")
    return all(met for _, met in lines)


LEVELS = {
    "dangerous": Level.FLAGGED,
    "unknown": Level.WARNED,
    "incomplete": Level.NO_ANSWER,
    NOT_JUDGED: Level.CLEAN,
}


def own_answers(judged: list[Judged], seconds: float) -> Answers:
    """Ours in the terms of the peers: no verdict counts as clean, an incomplete look as no answer."""
    levels = {each.item.path: LEVELS.get(each.verdict, Level.CLEAN) for each in judged}
    return Answers(version=__version__, levels=levels, seconds=seconds, timed="the folder at once")


def compare(files: Path, environments: Path, judged: list[Judged], seconds: float) -> None:
    """The same files through each peer: what it flags, calls clean and has no answer to, of either kind."""
    kinds = [[each.item.path for each in judged if each.item.label is label] for label in LEAST]
    print(f"\n{'':56}{'malicious':^27}{'benign':^27}")
    print(
        f"{'tool':20}{'flagged means':36}" + f"{'flagged':>9}{'clean':>9}{'neither':>9}" * 2 + f"{'CPU s':>8}"
    )
    ours = {Level.FLAGGED: "dangerous", Level.WARNED: "dangerous or unknown"}
    print_answers("aibom", ours, own_answers(judged, seconds), kinds)
    for peer in all_peers():
        answers = peer.answers(environments, files, kinds[0] + kinds[1])
        print_answers(peer.package, peer.meaning, answers, kinds)


def print_answers(tool: str, meaning: dict[Level, str], answers: Answers, kinds: list[list[str]]) -> None:
    for level, words in meaning.items():
        row = ""
        for paths in kinds:
            flagged = answers.share(paths, [each for each in Level if each >= level])
            clean = answers.share(paths, [Level.CLEAN])
            row += f"{flagged:9.1%}{clean:9.1%}{1 - flagged - clean:9.1%}"
        print(
            f"{tool + ' ' + answers.version:20}{words:36}{row}{answers.seconds:8.1f}  {answers.timed}",
            flush=True,
        )


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--peers",
        action="store_true",
        help="install picklescan, modelscan, fickling and modelaudit, run them too",
    )
    options.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep the corpus and the peers there; use what is there"
    )
    given = options.parse_args()
    os.environ |= {"KERAS_BACKEND": "torch", "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory(prefix="aibom-unsafe-") as temporary:
        folder = (given.keep or Path(temporary)).resolve()
        corpus = folder / f"unsafe-content-{stamp()}"
        missing = [] if (corpus / MANIFEST).exists() else write_corpus(corpus)
        for each in missing:
            print(f"SKIPPED {each}")
        report, seconds = scan(corpus / "files")
        items = [item for item in read_manifest(corpus / MANIFEST) if item.label is not Label.NEUTRAL]
        judged = judge(items, report)
        print_table(judged)
        print_misses(judged)
        met = goals(judged)
        print(f"       scanned in {seconds:.1f} s of the processor")
        if given.peers:
            compare(corpus / "files", folder / "peers", judged, seconds)
    return int(bool(missing) or not met)


if __name__ == "__main__":
    sys.exit(main())
