"""ambiguous-header: two readers of a header see different tensors."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.AMBIGUOUS_HEADER,
    title="Two readers of a header see different tensors",
    severity=Severity.HIGH,
    why=(
        "Tensors that overlap, keys that stand there twice or sizes that contradict each other are read "
        "differently by different libraries, so the weights that were checked may not be the ones that "
        "are used."
    ),
    remedy="save the model again with the format's own library and compare the model digest",
    atlas=("AML.T0018", "AML.T0074"),
    cwe=(436, 345),
)
