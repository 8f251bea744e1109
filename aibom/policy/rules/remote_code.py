"""remote-code: a model brings Python code that its loader runs."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.REMOTE_CODE,
    title="A model brings Python code that its loader runs",
    severity=Severity.MEDIUM,
    why=(
        "With trust_remote_code=True the library imports the Python files that the configuration names "
        "(auto_map, custom_pipelines), from whatever revision it is given."
    ),
    remedy=("read the files, pin the revision to a commit, or use a model that the library supports itself"),
    atlas=("AML.T0011.001", "AML.T0010.003"),
    cwe=(829, 494),
)
