"""split-view: a dataset names the addresses of its media, and not what has to be there."""

from __future__ import annotations

from aibom.domain.dataset_signals import Signal, SignalKind
from aibom.domain.finding import Severity
from aibom.policy.rules._signals import percent, signal_rule


def _tell(signal: Signal) -> str:
    share = percent(signal.rate)
    return f"{signal.count:,} addresses ({share}) in the column {signal.column!r} have no digest beside them"


RULE = signal_rule(
    SignalKind.SPLIT_VIEW,
    title="A dataset names the addresses of its media, and not what has to be there",
    severity=Severity.MEDIUM,
    why=(
        "Whoever buys a domain that expired, or owns a server, decides what everybody learns who downloads "
        "the dataset afterwards (split-view poisoning). Without digests nobody can tell."
    ),
    remedy="add a column with the SHA-256 of what each address held, and check it after the download",
    tell=_tell,
    cwe=(345, 494),
)
