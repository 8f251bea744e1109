"""custom-operator: a model needs operators that come from somewhere else."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.CUSTOM_OPERATOR,
    title="A model needs operators that come from somewhere else",
    severity=Severity.MEDIUM,
    why=(
        "An operator outside of the standard sets runs from a shared library that is registered before "
        "the model is loaded. What it does cannot be seen in the model."
    ),
    remedy=(
        "find out which library provides the operator, and check that library as you would check a program"
    ),
    atlas=("AML.T0010.001",),
    cwe=(829,),
)
