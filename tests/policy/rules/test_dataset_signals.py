"""The rules about the rows of datasets: what they tell, how severe it is, and what is too weak to be told."""

from __future__ import annotations

import re

import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.dataset_signals import DatasetSignals, LabelCounts, Signal, SignalKind
from aibom.domain.finding import Finding, Severity
from aibom.policy import evaluate, parse_policy
from aibom.policy.rules import by_id
from tests.builders import report

EVERYTHING = parse_policy(b"version: 1\nname: all\nrules: {digest-mismatch: critical}\n")


def findings(*signals: Signal, rows: int = 10_000) -> list[Finding]:
    seen = DatasetSignals(file="d/train.jsonl", rows=rows, signals=signals)
    return list(evaluate(EVERYTHING, report(signals=(seen,))).findings)


@pytest.mark.parametrize(
    ("signal", "severity", "confidence", "message", "found"),
    [
        (
            Signal(kind=SignalKind.SPLIT_VIEW, count=600, looked=800, column="URL", examples=(0, 1)),
            Severity.MEDIUM,
            Confidence.HIGH,
            (
                "600 addresses (75.0 %) in the column 'URL' have no digest beside them, "
                "such as row 0, 1 from 0; all 10,000 rows were looked at"
            ),
            "URL",
        ),
        (
            Signal(kind=SignalKind.CONTRADICTION, count=2, looked=10_000, examples=(7,)),
            Severity.LOW,
            Confidence.HIGH,
            (
                "2 rows (less than 0.1 %) equal another row that has another label, such as row 7 from 0; "
                "all 10,000 rows were looked at"
            ),
            "",
        ),
        (
            Signal(kind=SignalKind.DUPLICATE, count=100, looked=9_000),
            Severity.INFO,
            Confidence.HIGH,
            "100 rows (1.1 %) repeat another row; 9,000 of 10,000 rows were looked at",
            "",
        ),
        (
            Signal(kind=SignalKind.NEAR_DUPLICATE, count=400, looked=4_000),
            Severity.INFO,
            Confidence.MEDIUM,
            "400 rows (10.0 %) say almost the same as another row; 4,000 of 10,000 rows were looked at",
            "",
        ),
        (
            Signal(kind=SignalKind.PHRASE, count=20, looked=4_000, what="cf", label="good"),
            Severity.MEDIUM,
            Confidence.LOW,
            (
                "20 rows with 'cf' have the label 'good', and the words around it speak for no such label; "
                "4,000 of 10,000 rows were looked at"
            ),
            "cf / good",
        ),
        (
            Signal(kind=SignalKind.CONTAMINATION, count=1, looked=10_000, what="gsm8k", parts=8),
            Severity.MEDIUM,
            Confidence.HIGH,
            "1 rows hold 8 sequences of 13 words from 'gsm8k'; all 10,000 rows were looked at",
            "gsm8k",
        ),
        (
            Signal(kind=SignalKind.HIDDEN_TEXT, count=1, looked=10_000, column="t", what="tag characters"),
            Severity.HIGH,
            Confidence.HIGH,
            "1 rows of the column 't' hold tag characters; all 10,000 rows were looked at",
            "t / tag characters",
        ),
        (
            Signal(kind=SignalKind.DECEPTIVE_TEXT, count=1, looked=10_000, column="t", what="overrides"),
            Severity.MEDIUM,
            Confidence.MEDIUM,
            "1 rows of the column 't' hold overrides; all 10,000 rows were looked at",
            "t / overrides",
        ),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Signal) else "",
)
def test_a_signal_is_told_by_the_rule_of_its_name(
    signal: Signal, severity: Severity, confidence: Confidence, message: str, found: str
) -> None:
    (finding,) = findings(signal)
    assert (finding.rule, finding.severity, finding.confidence) == (signal.kind.value, severity, confidence)
    assert (finding.message, finding.found, finding.location.path) == (message, found, "d/train.jsonl")
    assert finding.remedy


@pytest.mark.parametrize("kind", SignalKind, ids=lambda kind: kind.value)
def test_every_kind_has_a_rule_and_what_was_not_found_or_looked_at_is_no_finding(kind: SignalKind) -> None:
    assert by_id(kind.value) is not None
    assert findings(Signal(kind=kind, count=0, looked=100)) == []
    assert findings(Signal(kind=kind, count=0, looked=0, what="no column of labels")) == []


@pytest.mark.parametrize(
    ("kind", "count", "looked"),
    [
        (SignalKind.DUPLICATE, 99, 10_000),
        (SignalKind.DUPLICATE, 9, 10),
        (SignalKind.NEAR_DUPLICATE, 199, 4_000),
        (SignalKind.NEAR_DUPLICATE, 9, 10),
    ],
)
def test_a_few_repeated_rows_are_ordinary(kind: SignalKind, count: int, looked: int) -> None:
    assert findings(Signal(kind=kind, count=count, looked=looked)) == []
    assert len(findings(Signal(kind=kind, count=looked, looked=max(looked, 10)))) == 1


def test_the_fingerprint_of_a_finding_does_not_move_with_the_counts() -> None:
    signals = [
        Signal(kind=SignalKind.HIDDEN_TEXT, count=count, looked=100, column="t", what="tag characters")
        for count in (3, 4)
    ]
    (one,), (other,) = (findings(signal) for signal in signals)
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"count": 2, "looked": 1}, "2 of 1 rows"),
        ({"count": -1, "looked": 1}, "-1 of 1 rows"),
        ({"count": 1, "looked": 1, "examples": (1, 2)}, "2 examples of 1 rows"),
        ({"count": 9, "looked": 9, "examples": (1, 2, 3, 4, 5, 6)}, "6 examples"),
        ({"count": 1, "looked": 1, "what": "x" * 81}, "more than 80"),
    ],
)
def test_a_signal_cannot_contradict_itself(parts: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        Signal(kind=SignalKind.PHRASE, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [(("b", 1), ("a", 1)), (("a", 1), ("a", 2)), (("a", 0),)])
def test_labels_are_sorted_and_counted_once(counts: tuple[tuple[str, int], ...]) -> None:
    with pytest.raises(ValueError, match="labels"):
        LabelCounts(column="label", counts=counts)
