"""benchmark-contamination: rows of a dataset hold the text of a benchmark."""

from __future__ import annotations

from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import signal_rule


def _tell(signal: Signal) -> str:
    return f"{signal.count:,} rows hold {signal.parts:,} sequences of 13 words from {signal.what!r}"


RULE = signal_rule(
    SignalKind.CONTAMINATION,
    title="Rows of a dataset hold the text of a benchmark",
    severity=Severity.MEDIUM,
    why=(
        "A model that has learned the questions of a test passes it. What the benchmark then says about the "
        "model, and what a model card says by it, is worth nothing."
    ),
    remedy="remove the rows before training, or do not report results of this benchmark",
    tell=_tell,
)
