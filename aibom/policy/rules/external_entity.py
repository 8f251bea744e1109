"""external-entity: an XML model makes its parser open files or addresses."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.EXTERNAL_ENTITY,
    title="An XML model makes its parser open files or addresses",
    severity=Severity.HIGH,
    why=(
        "Entities of a document type are expanded by many XML parsers: they read files of the host, "
        "reach internal addresses, or grow without bound."
    ),
    remedy="do not parse the file; models in PMML and OpenVINO need no document type at all",
    atlas=("AML.T0037", "AML.T0029"),
    cwe=(611, 776),
)
