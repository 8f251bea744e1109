"""deceptive-text: people see text of a dataset as something else than a model does."""

from __future__ import annotations

from aibom.domain.confidence import Confidence
from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import signal_rule


def _tell(signal: Signal) -> str:
    return f"{signal.count:,} rows of the column {signal.column!r} hold {signal.what}"


RULE = signal_rule(
    SignalKind.DECEPTIVE_TEXT,
    title="People see text of a dataset as something else than a model does",
    severity=Severity.MEDIUM,
    why=(
        "Bidirectional controls show text in another order than it is read in, and zero-width characters cut "
        "words that look whole. Both get past reviewers and filters, and serve as triggers."
    ),
    remedy="remove the characters from text that does not need them, and ask who put them there",
    tell=_tell,
    confidence=Confidence.MEDIUM,
    cwe=(1007,),
)
