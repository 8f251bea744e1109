"""unsafe-template: a chat template reaches for Python's internals."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.UNSAFE_TEMPLATE,
    title="A chat template reaches for Python's internals",
    severity=Severity.CRITICAL,
    why=(
        "Chat templates are Jinja programs that run with every conversation. Through __class__, "
        "__globals__ and their like a template gets from a text to os.system wherever it is rendered "
        "without a sandbox (CVE-2024-34359)."
    ),
    remedy=(
        "do not use the template; take the one of the base model, and render only in "
        "jinja2.sandbox.ImmutableSandboxedEnvironment"
    ),
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(1336, 94),
)
