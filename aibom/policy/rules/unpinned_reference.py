"""unpinned-reference: a model or dataset is referred to without a revision that cannot move."""

from __future__ import annotations

from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, pinning, reference_rule

# Nobody but the provider can pin a hosted model, and packages are pinned by lock files.
_KINDS: Final = (
    ComponentKind.MODEL,
    ComponentKind.ADAPTER,
    ComponentKind.DATASET,
    ComponentKind.TOKENIZER,
)
# Two rules that say more about the same reference, and files that are versioned with the code.
_ELSEWHERE: Final = frozenset({Flag.FLOATING_TAG, Flag.HTTP, Flag.LOCAL_PATH})


def _tell(reference: Reference) -> Told | None:
    if Flag.UNPINNED not in reference.flags or reference.kind not in _KINDS or reference.flags & _ELSEWHERE:
        return None
    revision = reference.target.revision if reference.target else None
    weakness = (
        f"can move: {revision} is no full commit and no digest" if revision else "is not fixed to a revision"
    )
    return Told(
        message=f"{name_of(reference)} {weakness}",
        remedy=pinning(reference),
        # A bare name may be that of a folder.
        confidence=Confidence.MEDIUM if Flag.NO_ORGANISATION in reference.flags else Confidence.HIGH,
    )


RULE = reference_rule(
    "unpinned-reference",
    title="A model or dataset is referred to without a fixed revision",
    severity=Severity.LOW,
    why=(
        "Without a commit or digest the same line loads other bytes tomorrow, and nobody notices. An "
        "attacker who takes over the repository reaches every deployment at once."
    ),
    remedy="name the commit, digest or version that you tested",
    tell=_tell,
    atlas=("AML.T0010.003", "AML.T0010.002"),
    cwe=(1357, 494),
)
