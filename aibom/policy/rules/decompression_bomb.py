"""decompression-bomb: something small unpacks to something enormous."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.DECOMPRESSION_BOMB,
    title="Something small unpacks to something enormous",
    severity=Severity.HIGH,
    why=(
        "A few kilobytes that inflate to gigabytes, or a pickle that doubles a list again and again, "
        "take a machine down before any model is loaded."
    ),
    remedy=(
        "do not unpack the file; if it is meant to be that large, ask its author for an uncompressed one"
    ),
    atlas=("AML.T0029",),
    cwe=(409, 400),
)
