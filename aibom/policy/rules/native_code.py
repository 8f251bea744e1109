"""native-code: a model file holds machine code."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.NATIVE_CODE,
    title="A model file holds machine code",
    severity=Severity.HIGH,
    why=(
        "A program, a shared library or a compiled engine under the name of weights runs as such once it "
        "is opened, with all rights of the user."
    ),
    remedy=(
        "treat the file as a program: run it only from a source that you trust, after checking its signature"
    ),
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(506, 829),
)
