"""duplicate-rows: many rows of a dataset repeat another one."""

from __future__ import annotations

from typing import Final

from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import percent, signal_rule

RATE: Final = 0.01
COUNT: Final = 10


def _tell(signal: Signal) -> str | None:
    if signal.rate < RATE or signal.count < COUNT:
        return None
    return f"{signal.count:,} rows ({percent(signal.rate)}) repeat another row"


RULE = signal_rule(
    SignalKind.DUPLICATE,
    title="Many rows of a dataset repeat another one",
    severity=Severity.INFO,
    why=(
        "A model learns by heart what it sees often, and gives it away. Rows that stand in the data for "
        "training and in that for tests make the model look better than it is."
    ),
    remedy="remove the rows that repeat, before the dataset is split",
    tell=_tell,
)
