"""module-reference: a model configuration names a Python object outside of its library."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.MODULE_REFERENCE,
    title="A model configuration names a Python object outside of its library",
    severity=Severity.HIGH,
    why=(
        "Loaders of Keras import whatever module and name the configuration gives; any function that the "
        "machine has can be called that way (CVE-2025-1550)."
    ),
    remedy=(
        "do not load the file with an older Keras; ask its author to save it with registered layers only"
    ),
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(470, 502),
)
