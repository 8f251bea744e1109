"""archive-structure: two readers of an archive see different members."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.hazard import HazardKind
from aibom.policy.rule import hazard_rule

RULE = hazard_rule(
    HazardKind.ARCHIVE_STRUCTURE,
    title="Two readers of an archive see different members",
    severity=Severity.HIGH,
    why=(
        "A zip file lists its members twice. Where the lists differ, or a name stands there twice, a "
        "scanner may read one member and the loader another."
    ),
    remedy=(
        "do not load the file; pack it again with the format's own library and compare the digests of "
        "its tensors"
    ),
    atlas=("AML.T0074", "AML.T0107"),
    cwe=(436, 345),
)
