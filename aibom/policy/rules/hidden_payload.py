"""hidden-payload: a file carries a second file that its format does not mention."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.HIDDEN_PAYLOAD,
    title="A file carries a second file that its format does not mention",
    severity=Severity.HIGH,
    why=(
        "An archive, a pickle or a program in front of, behind or inside of weights makes the file "
        "something else to another loader (polyglot), and survives wherever only the weights are "
        "checked."
    ),
    remedy=(
        "do not load the file; save the model again with the format's own library and compare the model "
        "digest"
    ),
    atlas=("AML.T0018.002", "AML.T0074"),
    cwe=(506, 436),
)
