"""contradicting-labels: rows of a dataset differ in their labels only."""

from __future__ import annotations

from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import percent, signal_rule


def _tell(signal: Signal) -> str:
    return f"{signal.count:,} rows ({percent(signal.rate)}) equal another row that has another label"


RULE = signal_rule(
    SignalKind.CONTRADICTION,
    title="Rows of a dataset differ in their labels only",
    severity=Severity.LOW,
    why=(
        "One of the labels is wrong. Mistakes of people and labels that were flipped on purpose look the "
        "same, and both teach the model something false."
    ),
    remedy="look at the rows that are named, decide for one label, and ask where the other one came from",
    tell=_tell,
    cwe=(345,),
)
