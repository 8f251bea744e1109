"""Findings from what the rows of a data file hint at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aibom.domain.confidence import Confidence
from aibom.domain.dataset_signals import DatasetSignals, Signal, SignalKind
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation

# What a signal says, or None where it is too weak to be told.
Tell = Callable[[Signal], str | None]


def signal_rule(
    kind: SignalKind,
    *,
    title: str,
    severity: Severity,
    why: str,
    remedy: str,
    tell: Tell,
    confidence: Confidence = Confidence.HIGH,
    cwe: tuple[int, ...] = (),
) -> Rule:
    """The rule that turns the signals of one kind into findings, with the rows that were looked at."""
    violation = Violation(rule=kind.value, severity=severity, remedy=remedy, confidence=confidence)

    def check(report: Report) -> Iterator[Finding]:
        for dataset in report.signals:
            for signal in dataset.of(kind):
                told = tell(signal) if signal.count else None
                if told is not None:
                    # Counts move with every version of the data; what was found stays the same.
                    found = " / ".join(filter(None, (signal.column, signal.what, signal.label)))
                    message = f"{told}{_examples(signal)}; {_looked_at(signal, dataset)}"
                    yield violation.at(dataset.file, message, found=found)

    return Rule(
        id=kind.value,
        title=title,
        severity=severity,
        why=why,
        remedy=remedy,
        check=check,
        confidence=confidence,
        atlas=("AML.T0010.002",),
        cwe=cwe,
    )


def percent(rate: float) -> str:
    """A share that is not nothing, and is never shown as nothing."""
    return "less than 0.1 %" if rate < 0.001 else f"{100 * rate:.1f} %"


def _looked_at(signal: Signal, dataset: DatasetSignals) -> str:
    # Of addresses only the rows that hold one are counted.
    if signal.looked >= dataset.rows or signal.kind is SignalKind.SPLIT_VIEW:
        return f"all {dataset.rows:,} rows were looked at"
    return f"{signal.looked:,} of {dataset.rows:,} rows were looked at"


def _examples(signal: Signal) -> str:
    if not signal.examples:
        return ""
    return f", such as row {', '.join(map(str, signal.examples))} from 0"
