"""Reference finding: python benchmarks/reference_finding.py [--peers] [--misses] [--kind KIND] [--labelled DIR]

Holds what aibom finds in the labelled files of benchmarks/references/corpus against their truth, and
prints precision and recall for each kind of file: a reference counts when target and line are right;
kind, revision and flags of the found ones are columns of their own. Exits with 1 when precision or
recall of any kind is under the goal. With --peers, other tools are scored on the same files, and
all of them, ours too, by name only.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from references.peers import Answers, FailedError, all_peers
from references.scoring import SCORED_FLAGS, Outcome, Pair, Score, Told, generous, strict
from references.truth import UNKNOWN, Truth, TruthError, read_truth

from aibom import __version__
from aibom.discovery import discover, wanting
from aibom.discovery.found import Text
from aibom.domain.reference import Reference

ROOT = Path(__file__).parent / "references"
GOAL = 0.98
COLUMNS = ("truth", "found", "missed", "wrong", "precision", "recall")
AGREEING = ("kind", "revision", "flags")
Scoring = Callable[[list[Truth], list[Told]], Outcome]


def ours(corpus: Path, kind: str | None) -> tuple[list[Told], list[str]]:
    """Every reference that the discoverers tell, and what they say that they could not read."""
    told: list[Told] = []
    defects: list[str] = []

    def beside(path: str) -> bytes | None:
        place = (corpus / path).resolve()
        return place.read_bytes() if place.is_file() and place.is_relative_to(corpus) else None

    for file in sorted(each for each in (corpus / (kind or "")).rglob("*") if each.is_file()):
        path = file.relative_to(corpus).as_posix()
        found = discover(Text(path=path, data=file.read_bytes(), beside=beside), wanting(path))
        if found is not None:
            told += map(as_told, found.references)
            defects += [f"{path}: {each.message}" for each in found.defects]
    return told, defects


def as_told(reference: Reference) -> Told:
    place, target = reference.location, reference.target
    name, revision = (f"{target.scheme}:{target.location}", target.revision) if target else (None, None)
    return Told(
        path=place.path, part=place.inside, line=place.line,
        kind=reference.kind, target=name, revision=revision, flags=frozenset(reference.flags),
    )  # fmt: skip


def named(told: Told) -> Told:
    """With a name for its target, as other tools have it."""
    return replace(told, target=told.target and told.target.partition(":")[2])


def by_kind(truths: list[Truth], told: list[Told], scoring: Scoring) -> dict[str, Outcome]:
    """The outcome for each kind of file. Decoys can be wrong in folders where nothing is true."""
    kinds = {each.files for each in truths} | {each.path.partition("/")[0] for each in told}
    return {
        kind: scoring(
            [each for each in truths if each.files == kind],
            [each for each in told if each.path.startswith(f"{kind}/")],
        )
        for kind in sorted(kinds)
    }


def print_table(
    title: str, outcomes: dict[str, Outcome], failures: dict[str, str], columns: tuple[str, ...] = COLUMNS
) -> Score:
    """A row for each kind of file, and the total of those that the tool did not fail at."""
    print("\n" + heading(title, columns))
    for kind, outcome in outcomes.items():
        print(f"{kind:28} FAILED {failures[kind]}" if kind in failures else row(kind, outcome.score, columns))
    score = sum((outcome.score for kind, outcome in outcomes.items() if kind not in failures), Score())
    print(row("total", score, columns) if score.truth else "", flush=True)
    return score


def heading(name: str, columns: tuple[str, ...]) -> str:
    return f"{name:28}" + "".join(f"{column:>10}" for column in columns)


def row(name: str, score: Score, columns: tuple[str, ...]) -> str:
    return f"{name:28}" + "".join(f"{shown(getattr(score, column)):>10}" for column in columns)


def shown(value: float | None) -> str:
    if value is None:
        return "n/a"
    # Rounded down, so that nothing looks perfect that is not.
    return str(value) if isinstance(value, int) else f"{math.floor(value * 1000 + 1e-9) / 1000:.3f}"


def print_misses(outcomes: dict[str, Outcome], defects: list[str]) -> None:
    lines = []
    for one in outcomes.values():
        lines += [f"{each.place} missed {each.target or UNKNOWN}" for each in one.missed]
        lines += [f"{each.place} wrong {each.target or UNKNOWN}" for each in one.wrong]
        lines += [f"{pair.truth.place} {word}" for pair in one.pairs for word in differences(pair)]
    print("", *sorted(lines), *(f"not read: {defect}" for defect in defects), sep="\n")


def differences(pair: Pair) -> Iterator[str]:
    """What is told otherwise about a reference that was found."""
    truth, told = pair.truth, pair.told
    if not pair.kind:
        yield f"kind {truth.target}: {told.kind}, not {'|'.join(sorted(truth.kinds))}"
    if not pair.revision:
        yield f"revision {truth.target}: {told.revision}, not {truth.revision}"
    if not pair.flags:
        ours, theirs = (" ".join(sorted(each.flags & SCORED_FLAGS)) or "none" for each in (told, truth))
        yield f"flags {truth.target}: {ours}, not {theirs}"


def compare(truths: list[Truth], own: Answers, corpus: Path, environments: Path) -> None:
    """Every tool read by name: a table each, and one with the totals."""
    kinds = {each.files for each in truths}
    totals = [total("aibom", own, truths, generous)]
    for peer in all_peers():
        try:
            answers = peer.answers(environments, corpus, kinds)
        except FailedError as error:
            totals.append(f"{peer.name:28} FAILED {error}")
        else:
            totals.append(total(peer.name, answers, truths, partial(generous, asked=peer.asked)))
    print("", heading("by name", (*COLUMNS, "CPU s")), *totals, sep="\n")


def total(name: str, answers: Answers, truths: list[Truth], scoring: Scoring) -> str:
    """Prints the table of one tool; its last row, with the seconds, for the comparison."""
    name = f"{name} {answers.version}"
    score = print_table(f"{name}, by name", by_kind(truths, answers.told, scoring), answers.failures)
    if not score.truth:
        return f"{name:28} FAILED at every kind of file"
    failed = f"  failed: {', '.join(answers.failures)}" if answers.failures else ""
    return f"{row(name, score, COLUMNS)}{answers.seconds:>10.1f}{failed}"


def goal_met(outcomes: dict[str, Outcome]) -> bool:
    """Prints the kinds of files that are under the goal."""
    shares = {kind: (one.score.precision, one.score.recall) for kind, one in outcomes.items()}
    under = [
        kind for kind, both in shares.items() if any(share is not None and share < GOAL for share in both)
    ]
    print(
        f"\n{'MISSED' if under else 'met   '} precision and recall of each kind at least {GOAL:.2f}", *under
    )
    return not under


def main() -> int:
    layout = argparse.RawDescriptionHelpFormatter
    options = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    options.add_argument("--peers", action="store_true", help="install and score other tools")
    options.add_argument("--peers-home", type=Path, metavar="DIR", help="where they are kept")
    options.add_argument("--misses", action="store_true", help="list what is not as it should be")
    options.add_argument(
        "--labelled", type=Path, metavar="DIR", default=ROOT, help="with `corpus` and `truth`"
    )
    options.add_argument("--kind", help="only this kind of file: the name of a truth file")
    given = options.parse_args()
    corpus = (given.labelled / "corpus").resolve()
    try:
        truths = [each for each in read_truth(given.labelled) if given.kind in (None, each.files)]
    except TruthError as error:
        sys.exit(str(error))
    if not truths:
        sys.exit("there is no such truth")
    told, defects = ours(corpus, given.kind)
    seconds = time.process_time()  # with the start of the program, as for the others
    outcomes = by_kind(truths, told, strict)
    print(f"{len(truths)} references in {len({each.path for each in truths})} files")
    print_table(f"aibom {__version__}", outcomes, {}, COLUMNS + AGREEING)
    if given.misses:
        print_misses(outcomes, defects)
    met = goal_met(outcomes)
    if given.peers:
        own = Answers(version=__version__, told=[named(each) for each in told], seconds=seconds)
        with tempfile.TemporaryDirectory(prefix="aibom-peers-") as temporary:
            compare(truths, own, corpus, (given.peers_home or Path(temporary)).resolve())
    return int(not met)


if __name__ == "__main__":
    sys.exit(main())
