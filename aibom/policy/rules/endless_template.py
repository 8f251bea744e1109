"""endless-template: a chat template loops over an enormous range."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.ENDLESS_TEMPLATE,
    title="A chat template loops over an enormous range",
    severity=Severity.MEDIUM,
    why="Whoever renders the template with the first message waits for ever or runs out of memory.",
    remedy="do not use the template; take the one of the base model",
    atlas=("AML.T0029",),
    cwe=(834, 400),
)
