"""no-organisation: a repository is named without an organisation."""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, reference_rule

_EXAMPLES: Final = {"hf": "google-bert/bert-base-uncased", "hf-dataset": "rajpurkar/squad"}


def _tell(reference: Reference) -> Told | None:
    if Flag.NO_ORGANISATION not in reference.flags:
        return None
    example = _EXAMPLES.get(reference.target.scheme) if reference.target else None
    return Told(
        message=f"{name_of(reference)} names no organisation",
        remedy=f"write the full id, as in {example}" if example else "",
        confidence=Confidence.MEDIUM,  # it may be the name of a folder
    )


RULE = reference_rule(
    "no-organisation",
    title="A repository is named without an organisation",
    severity=Severity.LOW,
    why=(
        "A bare name says nothing about who is trusted. On the Hub it is an old alias that leads to wherever "
        "the repository has moved to, and a folder of that name in the working directory is taken first."
    ),
    remedy="write the full id: organisation/name",
    tell=_tell,
    atlas=("AML.T0010.003", "AML.T0010.002"),
    cwe=(706,),
)
