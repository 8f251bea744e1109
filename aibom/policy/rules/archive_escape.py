"""archive-escape: an archive writes outside of its folder when it is unpacked."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.ARCHIVE_ESCAPE,
    title="An archive writes outside of its folder when it is unpacked",
    severity=Severity.HIGH,
    why=(
        "An absolute path, `..` or a link in a member name makes an unpacker overwrite files of the host "
        "(zip slip)."
    ),
    remedy="do not unpack the archive; ask its author for one without such names",
    atlas=("AML.T0011.000", "AML.T0112.001"),
    cwe=(22, 59),
)
