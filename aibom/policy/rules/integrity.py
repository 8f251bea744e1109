"""integrity: files have digests, places cannot move, and nothing was left out of the look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aibom.domain.digest import Grade
from aibom.domain.file import File
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._place import is_pinned, revision_of
from aibom.policy.rules._stated import STRONG, gap_paths
from aibom.policy.setting import Setting

_GRADES: Final = {grade.label: grade for grade in Grade}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    hashes: frozenset[str]  # any of them will do; empty: none is demanded
    grade: Grade
    pinned: bool
    complete: bool

    def judge(self, subject: Subject) -> Objections:
        found: list[Objection] = []
        if self.hashes and not self._is_digested(subject):
            found += self._digests(subject)
        if self.pinned:
            found += _place(subject)
        if self.complete:
            found += _coverage(subject)
        return found

    def _is_digested(self, subject: Subject) -> bool:
        files = subject.files
        known = len(files) == len(subject.component.files) > 0
        return known and all(self._reaches(file) for file in files)

    def _reaches(self, file: File) -> bool:
        return any(each.algorithm in self.hashes and each.grade >= self.grade for each in file.digests)

    def _digests(self, subject: Subject) -> Iterator[Objection]:
        expected = f"{' or '.join(sorted(self.hashes))}, {self.grade.label}"
        for file in subject.files:
            if not self._reaches(file):
                found = ", ".join(sorted(f"{each.algorithm} {each.grade.label}" for each in file.digests))
                message = "the file has no digest of the kind that is demanded"
                yield Objection(message=message, found=found, expected=expected, path=file.path)
        if len(subject.files) < len(subject.component.files) or not subject.component.files:
            message = "no digest is known of a part of it"
            yield Objection(message=message, expected=expected, decided=False)


def _place(subject: Subject) -> Objections:
    component = subject.component
    pinned = is_pinned(component)
    if pinned:
        return ()
    expected = "a commit, digest or exact version"
    if pinned is None:
        message = "where it comes from is not known, so nothing pins it"
        return (Objection(message=message, expected=expected, decided=False),)
    revision = revision_of(component)
    message = f"{revision} may stand for something else tomorrow" if revision else "it has no revision"
    return (Objection(message=message, found=revision or "no revision", expected=expected),)


def _coverage(subject: Subject) -> Objections:
    component = subject.component
    expected = "complete coverage"
    if not component.complete:
        return (Objection(message="a part of it is missing", found="incomplete", expected=expected),)
    if not component.files:
        return (Objection(message="nothing tells its files", expected=expected, decided=False),)
    left = [path for path in component.files if path not in subject.estate.files]
    gaps = gap_paths(subject.estate)
    left += [path for path in component.files if path in gaps and path not in left]
    message = "the file was not, or not fully, looked at"
    return [Objection(message=message, found="gap", expected=expected, path=path) for path in left]


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    if "grade" in members and "hashes" not in members:
        raise members["grade"].error("grade says how digests are known; name the algorithms under hashes")
    for key, word in (("revision", "pinned"), ("coverage", "complete")):
        if key in members:
            members[key].choice((word,))
    return _Demand(
        hashes=members["hashes"].choices(STRONG) if "hashes" in members else frozenset(),
        grade=_GRADES[members["grade"].choice(_GRADES)] if "grade" in members else Grade.CLAIMED,
        pinned="revision" in members,
        complete="coverage" in members,
    ).judge


RULE: Final = Requirement(
    id="integrity",
    title="The bytes of a model or dataset are not nailed down",
    severity=Severity.HIGH,
    why=(
        "What has no digest can be replaced, what has no fixed revision is replaced by its next version, "
        "and what nobody looked at can be anything. Every other statement about a model rests on these "
        "three."
    ),
    remedy="name a commit or digest instead of a branch, and scan the bytes themselves: `aibom scan`",
    schema={
        "hashes": {
            "type": "array",
            "items": {"enum": list(STRONG)},
            "minItems": 1,
            "description": "Algorithms; every file has a digest by one of them.",
        },
        "grade": {
            "enum": list(_GRADES),
            "description": "How the digests are known at least: claimed (default), chained, computed.",
        },
        "revision": {"const": "pinned", "description": "The place is a commit, digest or exact version."},
        "coverage": {"const": "complete", "description": "No part is missing, and none was left unread."},
    },
    judge_each=_judge,
    controls=(
        ("iso42001", "A.6.2.4"),
        ("iso42001", "A.7.5"),
        ("nist-ai-rmf", "MEASURE 2.7"),
        ("eu-ai-act", "15"),
        ("owasp-llm", "LLM03"),
        ("owasp-llm", "LLM04"),
    ),
    atlas=("AML.T0010.003", "AML.T0018"),
    cwe=(354, 494),
)
