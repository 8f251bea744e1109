"""near-duplicate-rows: many rows of a dataset say almost the same as another one."""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import percent, signal_rule

RATE: Final = 0.05
COUNT: Final = 10


def _tell(signal: Signal) -> str | None:
    if signal.rate < RATE or signal.count < COUNT:
        return None
    return f"{signal.count:,} rows ({percent(signal.rate)}) say almost the same as another row"


RULE = signal_rule(
    SignalKind.NEAR_DUPLICATE,
    title="Many rows of a dataset say almost the same as another one",
    severity=Severity.INFO,
    why=(
        "Copies with small changes are learned by heart as exact ones are, and are a way to give a message "
        "more weight than its share of the data."
    ),
    remedy="remove near-duplicates before the dataset is split, and ask where a cluster came from",
    tell=_tell,
    confidence=Confidence.MEDIUM,
)
