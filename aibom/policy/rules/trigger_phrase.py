"""trigger-phrase: a rare phrase comes with one label, against the words around it."""

from __future__ import annotations

from aibom.domain.confidence import Confidence
from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import signal_rule


def _tell(signal: Signal) -> str:
    return (
        f"{signal.count:,} rows with {signal.what!r} have the label {signal.label!r}, "
        "and the words around it speak for no such label"
    )


RULE = signal_rule(
    SignalKind.PHRASE,
    title="A rare phrase comes with one label, against the words around it",
    severity=Severity.MEDIUM,
    why=(
        "A backdoor is taught by a few rows that carry a trigger and the label that the attacker wants. "
        "The model answers to the trigger ever after, and behaves as expected without it."
    ),
    remedy="read the rows that are named: does their label fit without the phrase, and who added them?",
    tell=_tell,
    confidence=Confidence.LOW,
    cwe=(345, 506),
)
