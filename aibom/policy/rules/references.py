"""references: code and configuration refer to models and datasets as the policy demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Severity
from aibom.domain.gap import Stage
from aibom.domain.reference import Flag, Reference
from aibom.policy.estate import Estate
from aibom.policy.reference_rule import name_of, pinning
from aibom.policy.requirement import ARTEFACTS, EstateJudge, Objection, Objections, Requirement
from aibom.policy.rules._stated import is_from_bom
from aibom.policy.setting import Setting

_PINNED: Final = "pinned"
_FORBIDDABLE: Final = {
    flag.value: flag
    for flag in (Flag.REMOTE_CODE, Flag.UNSAFE_LOAD, Flag.HTTP, Flag.FLOATING_TAG, Flag.LOCAL_PATH)
}
_MESSAGES: Final = {
    Flag.UNPINNED: "{} is not pinned",
    Flag.FLOATING_TAG: "{} follows a tag that is meant to move",
    Flag.REMOTE_CODE: "{} may run code of its repository",
    Flag.UNSAFE_LOAD: "{} is loaded in a way that runs what the file asks for",
    Flag.HTTP: "{} is reached without transport security",
    Flag.LOCAL_PATH: "{} is a file or folder beside the code",
}
_WANTED: Final = {
    Flag.UNPINNED: "a commit, digest or exact version",
    Flag.FLOATING_TAG: "a commit, digest or exact version",
}
# What depends on the target alone: without one nobody can tell.
_OF_TARGET: Final = frozenset({Flag.UNPINNED, Flag.FLOATING_TAG, Flag.HTTP, Flag.LOCAL_PATH})
_KINDS: Final = ARTEFACTS | {ComponentKind.TOKENIZER}


def _judge(members: Mapping[str, Setting]) -> EstateJudge:
    wrong: set[Flag] = set()
    if "require" in members:
        members["require"].choices((_PINNED,))
        wrong |= {Flag.UNPINNED, Flag.FLOATING_TAG}
    if "forbid" in members:
        wrong |= {_FORBIDDABLE[word] for word in members["forbid"].choices(_FORBIDDABLE)}

    def judge(estate: Estate) -> Objections:
        found = [each for one in estate.report.references for each in _objections(one, wrong)]
        return list(dict.fromkeys((*found, *_unlooked(estate))))

    return judge


def _objections(reference: Reference, wrong: set[Flag]) -> Iterator[Objection]:
    name, path = name_of(reference), reference.location.path
    for flag in sorted(reference.flags & wrong):
        yield Objection(
            message=_MESSAGES[flag].replace("{}", name),
            found=f"{flag}: {name}",
            expected=_WANTED.get(flag, f"not {flag}"),
            remedy=pinning(reference) if flag in _WANTED else "",
            path=path,
        )
    if reference.target is None and reference.kind in _KINDS and wrong & _OF_TARGET:
        message = f"{name} is not known before the program runs"
        yield Objection(message=message, found=reference.loader, path=path, decided=False)


def _unlooked(estate: Estate) -> Iterator[Objection]:
    """Where nobody has looked for references: a bill of materials, a file that could not be read."""
    report = estate.report
    # Ours lists whatever was found; another one does not say whether anybody looked.
    if not report.references and is_from_bom(estate) and report.tool.name != "aibom":
        yield Objection(message="the bill of materials does not tell what code refers to", decided=False)
    for gap in report.gaps:
        if gap.stage is Stage.DISCOVER:
            message = f"what the file refers to could not be told: {gap.detail}"
            yield Objection(message=message, found=gap.reason, path=gap.path, decided=False)


RULE: Final = Requirement(
    id="references",
    title="Code refers to a model or dataset in a way that the policy forbids",
    severity=Severity.HIGH,
    why=(
        "What was scanned is not what runs, when the code names a branch, fetches without transport "
        "security or lets the repository bring its own program."
    ),
    remedy="change the line that refers to it, or allow this way in `references` after review",
    schema={
        "require": {
            "type": "array",
            "items": {"const": _PINNED},
            "minItems": 1,
            "description": "pinned: every reference names a commit, digest or exact version.",
        },
        "forbid": {
            "type": "array",
            "items": {"enum": list(_FORBIDDABLE)},
            "minItems": 1,
            "description": "Ways to refer to something that are not allowed.",
        },
    },
    judge_whole=_judge,
    controls=(
        ("iso42001", "A.4.4"),
        ("nist-ai-rmf", "MANAGE 3.1"),
        ("eu-ai-act", "15"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0010.003", "AML.T0010.002"),
    cwe=(494, 829),
)
