"""hidden-text: text of a dataset carries a message that people do not see."""

from __future__ import annotations

from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import signal_rule


def _tell(signal: Signal) -> str:
    return f"{signal.count:,} rows of the column {signal.column!r} hold {signal.what}"


RULE = signal_rule(
    SignalKind.HIDDEN_TEXT,
    title="Text of a dataset carries a message that people do not see",
    severity=Severity.HIGH,
    why=(
        "Tag characters, variation selectors and zero-width characters spell whole sentences that no screen "
        "shows and that a tokenizer reads: instructions to a model, or a trigger that no reviewer finds."
    ),
    remedy="remove the characters, and read what they spell before the dataset is used",
    tell=_tell,
    cwe=(506, 1007),
)
