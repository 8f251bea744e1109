"""formats: the files of models and datasets are of formats that the policy allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.setting import Setting

# What steers or holds weights and data; cards, licences and code are no matter of this rule.
_KINDS: Final = frozenset({FileKind.WEIGHTS, FileKind.DATA, FileKind.POINTER, FileKind.ARCHIVE})


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    allowed = frozenset(each.text() for each in members["allow"].items())
    expected = ", ".join(sorted(allowed))

    def judge(subject: Subject) -> Objections:
        if len(subject.files) < len(subject.component.files) or not subject.files:
            message = "not all of its files were looked at, so their formats are not known"
            return (Objection(message=message, expected=expected, decided=False),)
        return [
            _objection(file, expected)
            for file in subject.files
            if file.format not in allowed and (file.facts is None or file.facts.kind in _KINDS)
        ]

    return judge


def _objection(file: File, expected: str) -> Objection:
    if file.format is None:
        message = "the format of the file is not known"
        return Objection(message=message, expected=expected, path=file.path, decided=False)
    message = f"the format {file.format} is not allowed"
    return Objection(message=message, found=file.format, expected=expected, path=file.path)


RULE: Final = Requirement(
    id="formats",
    title="A file is of a format that the policy does not allow",
    severity=Severity.HIGH,
    why=(
        "Some formats run code when they are loaded, and some say less about themselves than others. A "
        "team that allows only formats that it can check keeps the others out, whatever they hold today."
    ),
    remedy="convert the file to an allowed format, or add its format to `formats.allow`",
    schema={
        "allow": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "Names of formats, as `aibom formats` lists them.",
        }
    },
    required=("allow",),
    judge_each=_judge,
    controls=(("iso42001", "A.6.2.4"), ("nist-ai-rmf", "MAP 4.2"), ("owasp-llm", "LLM03")),
    atlas=("AML.T0011.000",),
    cwe=(502,),
)
