"""dangerous-code: code of a model starts processes, opens connections or hides what it does."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.DANGEROUS_CODE,
    title="Code of a model starts processes, opens connections or hides what it does",
    severity=Severity.HIGH,
    why=(
        "Code that only computes has no use for a shell, a socket, exec or a payload that is decoded at "
        "run time. It runs with the rights of whoever loads the model."
    ),
    remedy=(
        "do not load the model with trust_remote_code; read the named lines, and ask the author what "
        "they are for"
    ),
    atlas=("AML.T0011.001", "AML.T0018.002"),
    cwe=(506, 94),
)
