"""floating-tag: a reference follows a tag that is meant to move."""

from __future__ import annotations

from aibom.domain.finding import Severity
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, pinning, reference_rule


def _tell(reference: Reference) -> Told | None:
    if Flag.FLOATING_TAG not in reference.flags:
        return None
    revision = reference.target.revision if reference.target else None
    follows = (
        f"follows {revision}, which is meant to move"
        if revision
        else "names no tag or version, and so follows the newest"
    )
    return Told(message=f"{name_of(reference)} {follows}", remedy=pinning(reference))


RULE = reference_rule(
    "floating-tag",
    title="A reference follows a tag that is meant to move",
    severity=Severity.LOW,
    why=(
        "Tags such as latest point to something else after the next release, in every environment at "
        "another time. What was tested and what runs are then two things with one name."
    ),
    remedy="name the digest or an exact version",
    tell=_tell,
    atlas=("AML.T0010.004", "AML.T0010.003"),
    cwe=(1357, 494),
)
