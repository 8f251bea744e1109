"""sources: models and datasets come from places that the policy allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._place import Places, purl_of
from aibom.policy.setting import Setting

_FOLDER: Final = "file:"
_PURL: Final = "pkg:"
# Places without a package URL, with a bucket, host or name that is no star.
_ADDRESS: Final = re.compile(r"((gs|az|abfs|s3|https|git\+https|git\+ssh)://|models:/|runs:/)[^*/]")


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    places = Places.of(members["allow"])
    for entry in members["allow"].items():
        if not entry.text().startswith((_PURL, _FOLDER)) and not _ADDRESS.match(entry.text()):
            raise entry.error(
                "a place is a package URL such as pkg:huggingface/acme/*, an address such as s3://acme-models/**,"
                " or file:FOLDER"
            )

    def judge(subject: Subject) -> Objections:
        purl, name = _origin(subject)
        found = purl or name
        if not found or (not purl and found.startswith(_FOLDER) and not places.names):
            return (
                Objection(message="where it comes from is not known", expected=places.texts, decided=False),
            )
        if places.allow(purl) if purl else places.allow_name(found):
            return ()
        return (Objection(message=f"{found} is not an allowed place", found=found, expected=places.texts),)

    return judge


def _origin(subject: Subject) -> tuple[str | None, str | None]:
    """The package URL of the component or of the target that it lies in; else the address of that target,
    or its name when it is on this machine.
    """
    component = subject.component
    if component.purl:
        return component.purl, None
    targets = subject.estate.report.targets
    if len(targets) > 1:
        targets = tuple(each for each in targets if subject.where.startswith(f"{each.name}/"))
    if len(targets) != 1:
        return None, None
    target = targets[0]
    purl = purl_of(target.ref) if target.ref else None
    return purl, target.place or f"{_FOLDER}{target.name}"


RULE: Final = Requirement(
    id="sources",
    title="A model or dataset comes from a place that the policy does not allow",
    severity=Severity.HIGH,
    why=(
        "Anybody can publish a model, under a name that looks like another. A list of the organisations and "
        "registries that somebody has decided to trust keeps the others out before their bytes are loaded."
    ),
    remedy="take the model from an allowed place, or add this one to `sources.allow` after review",
    schema={
        "allow": {
            "type": "array",
            "items": {"type": "string", "pattern": f"^(pkg:[a-z]|file:|{_ADDRESS.pattern})"},
            "minItems": 1,
            "description": (
                "Patterns of package URLs; of addresses, for what has none; file:NAME for a folder."
            ),
        }
    },
    required=("allow",),
    judge_each=_judge,
    controls=(
        ("iso42001", "A.10.3"),
        ("nist-ai-rmf", "GOVERN 6.1"),
        ("nist-ai-rmf", "MANAGE 3.1"),
        ("eu-ai-act", "25"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0010.003", "AML.T0010.002"),
    cwe=(829,),
)
