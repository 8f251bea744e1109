"""attestations: somebody whom the policy names attests how a model or dataset came about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.glob import Glob
from aibom.policy.requirement import Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._outcomes import UNDECIDED, told, weighed
from aibom.policy.setting import Setting

LEVEL_COUNT: Final = 4  # of SLSA; the build track of v1.0 ends at 3, v0.1 had 4
_LEVEL: Final = re.compile(r"\bSLSA_(?:BUILD_)?LEVEL_([0-4])\b")
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]*:\S+\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    predicate: str
    builder: Glob | None
    min_level: int

    def judge(self, checks: Sequence[Check]) -> Objections:
        # A bill of materials may record that something was attested, and not what.
        about = [check for check in checks if check.found in ("", self.predicate)]
        if not about:
            return (self._objection(f"there is no attestation {self.predicate}", "", decided=False),)
        return weighed([self._of(check) for check in about])

    def _of(self, check: Check) -> Objection | None:
        if check.outcome is not Outcome.VERIFIED:
            message = f"its attestation is {check.outcome}{told(check)}"
            return self._objection(message, check.outcome, decided=check.outcome not in UNDECIDED)
        if not check.found:
            return self._objection("what is attested about it is not told", "", decided=False)
        if self.builder is not None and not self.builder.matches(check.identity):
            return self._objection(f"it was built by {check.identity}", check.identity)
        return self._of_level(check)

    def _of_level(self, check: Check) -> Objection | None:
        if not self.min_level:
            return None
        level = level_of(check)
        if level is None:
            return self._objection("the SLSA level of its build is not told", "no level", decided=False)
        if level >= self.min_level:
            return None
        return self._objection(f"it was built at SLSA level {level}", f"level {level}")

    def _objection(self, message: str, found: str, *, decided: bool = True) -> Objection:
        parts = [self.predicate]
        parts += [f"by {self.builder.text}"] if self.builder else []
        parts += [f"at level {self.min_level}"] if self.min_level else []
        return Objection(message=message, found=found, expected=" ".join(parts), decided=decided)


def level_of(check: Check) -> int | None:
    """The SLSA level that a check tells in SLSA's own words; the lowest when it tells several."""
    return min(map(int, _LEVEL.findall(check.detail)), default=None)


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    demands = members["require"].each(_demand)

    def judge(subject: Subject) -> Objections:
        checks = subject.checks(CheckKind.PROVENANCE)
        return [objection for demand in demands for objection in demand.judge(checks)]

    return judge


def _demand(setting: Setting) -> _Demand:
    members = setting.members(("predicate", "builder", "min-level"), ("predicate",))
    predicate = members["predicate"].text()
    if not _URI.match(predicate):
        raise members["predicate"].error("predicate is a URI such as https://slsa.dev/provenance/v1")
    return _Demand(
        predicate=predicate,
        builder=members["builder"].glob() if "builder" in members else None,
        min_level=members["min-level"].whole(0, LEVEL_COUNT) if "min-level" in members else 0,
    )


RULE: Final = Requirement(
    id="attestations",
    title="An attestation that the policy demands is missing or does not hold",
    severity=Severity.HIGH,
    why=(
        "A signature says who answers for a model, an attestation says how it came about: from which "
        "source, by which build. A model that was swapped before it was signed shows up only there."
    ),
    remedy="let the build attest its provenance, and keep the attestation beside the model",
    schema={
        "require": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "predicate": {"type": "string", "format": "uri"},
                    "builder": {"type": "string"},
                    "min-level": {"type": "integer", "minimum": 0, "maximum": LEVEL_COUNT},
                },
                "required": ["predicate"],
                "additionalProperties": False,
            },
            "description": "Predicate types, each with the builder and the least SLSA level.",
        }
    },
    required=("require",),
    judge_each=_judge,
    controls=(
        ("iso42001", "A.6.2.3"),
        ("iso42001", "A.10.3"),
        ("nist-ai-rmf", "MAP 4.2"),
        ("owasp-llm", "LLM03"),
    ),
    atlas=("AML.T0010.003",),
    cwe=(345,),
)
