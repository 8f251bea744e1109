"""What a section of a policy demands: three-valued, pure, with what was found and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.component import Component, ComponentKind
from aibom.domain.finding import Severity
from aibom.domain.rule_text import RuleText
from aibom.policy.estate import Estate, Subject
from aibom.policy.setting import Setting

MODELS: Final = frozenset({ComponentKind.MODEL, ComponentKind.ADAPTER})
DATASETS: Final = frozenset({ComponentKind.DATASET})
ARTEFACTS: Final = MODELS | DATASETS

Schema = Mapping[str, object]  # JSON Schema 2020-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Why a demand is not met, or why nobody can tell."""

    message: str  # one lower-case clause without full stop
    found: str = ""  # short and stable: the fingerprint of the finding holds it
    expected: str = ""
    remedy: str = ""  # empty: what the rule says for all
    path: str = ""  # empty: that of the component
    decided: bool = True  # False: too little is known
    waivable: bool = True  # False: nobody may answer for it, whatever the rule
    severity: Severity | None = None  # None: that of the section


Objections = Sequence[Objection]  # empty: the demand is met
SubjectJudge = Callable[[Subject], Objections]
EstateJudge = Callable[[Estate], Objections]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement(RuleText):
    """One section of the policy document; its id is the key of the section.

    `schema` holds the JSON Schemas of the section's own keys, `required` those that have to be there.
    Exactly one of `judge_each` and `judge_whole` is there: both take the members of the section and
    return what judges. They raise `PolicyError`.
    """

    schema: Mapping[str, Schema]
    required: tuple[str, ...] = ()
    shorthand: str = ""  # the key that the section stands for when it is a list
    kinds: frozenset[ComponentKind] = ARTEFACTS  # of components that `judge_each` is asked about
    judge_each: Callable[[Mapping[str, Setting]], SubjectJudge] | None = None
    judge_whole: Callable[[Mapping[str, Setting]], EstateJudge] | None = None

    def __post_init__(self) -> None:
        if (self.judge_each is None) == (self.judge_whole is None):
            raise ValueError(f"requirement {self.id}: judges either each component or the whole")


def name_of(component: Component) -> str:
    """What a component is called in a message."""
    return component.purl or component.name
