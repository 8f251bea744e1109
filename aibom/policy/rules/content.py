"""content: what loading the files would run is judged, and as harmless as the policy demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from aibom.domain.content import ContentVerdict
from aibom.domain.facts import FileKind
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.setting import Setting

# The other two verdicts are never allowed: one says that nobody knows, the other that somebody does.
_ALLOWABLE: Final = {verdict.label: verdict for verdict in (ContentVerdict.SAFE, ContentVerdict.UNKNOWN)}
_LOADED: Final = frozenset({FileKind.WEIGHTS, FileKind.DATA, FileKind.POINTER})
_MESSAGES: Final = {
    ContentVerdict.SAFE: "loading the file is safe, and the policy does not allow that",
    ContentVerdict.UNKNOWN: "loading the file may run something that nobody has vouched for",
    ContentVerdict.INCOMPLETE: "not everything in the file could be looked at",
    ContentVerdict.DANGEROUS: "loading the file runs something dangerous",
}


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    words = members["allow"].choices(_ALLOWABLE)
    allowed = {_ALLOWABLE[word] for word in words}
    expected = ", ".join(sorted(words))

    def judge(subject: Subject) -> Objections:
        if not subject.component.files:
            return (Objection(message="nothing tells its files", expected=expected, decided=False),)
        return list(_objections(subject, allowed, expected))

    return judge


def _objections(subject: Subject, allowed: set[ContentVerdict], expected: str) -> Iterator[Objection]:
    contents = subject.estate.contents
    unjudged = []
    for path in subject.component.files:
        content = contents.get(path)
        if content is None:
            unjudged.append(path)
        elif content.verdict not in allowed:
            yield Objection(
                message=_MESSAGES[content.verdict],
                found=content.verdict.label,
                expected=expected,
                path=path,
                decided=content.verdict is not ContentVerdict.INCOMPLETE,
                waivable=content.verdict is not ContentVerdict.DANGEROUS,
            )
    # Cards and configurations load nothing and have no verdict; a model without any was not looked at.
    nothing = len(unjudged) == len(subject.component.files)
    for path in unjudged[:1] if nothing else filter(lambda path: _is_loaded(subject, path), unjudged):
        message = "nobody has looked at what loading the file runs"
        yield Objection(message=message, expected=expected, path=path, decided=False)


def _is_loaded(subject: Subject, path: str) -> bool:
    """Whether the file is weights or data, or may be, since nobody has read it."""
    file = subject.estate.files.get(path)
    return file is None or (file.facts is not None and file.facts.kind in _LOADED)


RULE: Final = Requirement(
    id="content",
    title="Loading a file is not as harmless as the policy demands",
    severity=Severity.HIGH,
    why=(
        "Some formats run code when they are loaded. A verdict of a scan says whether everything in a file "
        "is known to be harmless; a policy says how much has to be known before anybody loads it."
    ),
    remedy="convert the file to safetensors, or have what it imports reviewed and put on an allowlist",
    schema={
        "allow": {
            "type": "array",
            "items": {"enum": list(_ALLOWABLE)},
            "minItems": 1,
            "description": "Verdicts that are good enough. `dangerous` and `incomplete` never are.",
        }
    },
    required=("allow",),
    judge_each=_judge,
    controls=(
        ("iso42001", "A.6.2.4"),
        ("nist-ai-rmf", "MEASURE 2.7"),
        ("eu-ai-act", "15"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0011.000", "AML.T0018.002"),
    cwe=(502, 506),
)
