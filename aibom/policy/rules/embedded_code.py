"""embedded-code: a model file carries compiled Python code."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.EMBEDDED_CODE,
    title="A model file carries compiled Python code",
    severity=Severity.CRITICAL,
    why=(
        "A Lambda layer or a pickled function holds Python bytecode that runs when the model is loaded "
        "or used, and that no review of a repository shows."
    ),
    remedy=(
        "do not load the file; ask its author to replace Lambda layers by registered layers, and keep "
        "safe_mode on"
    ),
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(502, 506),
)
