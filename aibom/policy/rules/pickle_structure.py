"""pickle-structure: a pickle is written to deceive its readers."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.PICKLE_STRUCTURE,
    title="A pickle is written to deceive its readers",
    severity=Severity.HIGH,
    why=(
        "Python's two unpicklers and most scanners disagree on such a stream, so what a scanner sees is "
        "not what a loader runs. No pickler writes it."
    ),
    remedy="do not load the file; ask its author for safetensors",
    atlas=("AML.T0011.000", "AML.T0076"),
    cwe=(502, 436),
)
