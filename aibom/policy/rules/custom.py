"""custom: rules of one's own, as expressions that are true where a component is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Severity
from aibom.policy.estate import Subject
from aibom.policy.expression import EXPRESSION_CHARS, Expression, ExpressionError
from aibom.policy.requirement import ARTEFACTS, Objection, Objections, Requirement, SubjectJudge
from aibom.policy.rules._values import FIELDS, values
from aibom.policy.setting import Setting

RULE_COUNT: Final = 100
_ROOT: Final = "component"
_NAMES: Final = tuple(f"{_ROOT}.{field}" for field in FIELDS)
_ID_PATTERN: Final = "^[A-Za-z][A-Za-z0-9._-]{0,63}$"
_ID: Final = re.compile(_ID_PATTERN[:-1] + r"\Z")
_REQUIRED: Final = ("id", "when", "message")
_KEYS: Final = (*_REQUIRED, "severity", "applies-to", "remedy")
_KINDS: Final = {kind.value: kind for kind in ComponentKind}
_SEVERITIES: Final = {severity.label: severity for severity in Severity}
_TEXT: Final = {"type": "string", "pattern": r"\S", "maxLength": 4_096}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    kinds: frozenset[ComponentKind]
    expression: Expression
    fields: tuple[str, ...]  # that the expression may ask for
    fires: Objection
    silent: Objection  # for what nobody can tell

    def judge(self, subject: Subject) -> Objection | None:
        fires = self.expression.evaluate({_ROOT: values(subject, self.fields)})
        if fires is None:
            return self.silent
        return self.fires if fires else None


def _judge(members: Mapping[str, Setting]) -> SubjectJudge:
    entries = members["rules"].items()
    if len(entries) > RULE_COUNT:
        raise members["rules"].error(f"more than {RULE_COUNT} custom rules")
    seen: set[str] = set()
    rules = [_rule(entry, seen) for entry in entries]
    asked = {kind: [rule for rule in rules if kind in rule.kinds] for kind in ComponentKind}

    def judge(subject: Subject) -> Objections:
        found = [rule.judge(subject) for rule in asked[subject.component.kind]]
        return [each for each in found if each is not None]

    return judge


def _rule(setting: Setting, seen: set[str]) -> _Rule:
    members = setting.members(_KEYS, _REQUIRED)
    identifier = members["id"].text()
    if not _ID.match(identifier):
        raise members["id"].error("id is a letter, and up to 63 letters, digits, dots, dashes, underscores")
    if identifier in seen:
        raise members["id"].error(f"two custom rules are called {identifier}")
    seen.add(identifier)
    text = members["when"].text()
    try:
        expression = Expression.compile(text, _NAMES)
    except ExpressionError as error:
        raise members["when"].error(f"when: {error}") from None
    kinds = members["applies-to"].choices(_KINDS) if "applies-to" in members else ARTEFACTS
    severity = _SEVERITIES[members["severity"].choice(_SEVERITIES)] if "severity" in members else None
    remedy = members["remedy"].text() if "remedy" in members else ""
    message = members["message"].text()
    return _Rule(
        kinds=frozenset(map(ComponentKind, kinds)),
        expression=expression,
        fields=tuple(field for field in FIELDS if re.search(rf"\b{field}\b", text)),
        fires=Objection(message=message, found=identifier, remedy=remedy, severity=severity),
        silent=Objection(
            message=f"the rule {identifier} could not be decided: {message}",
            found=identifier,
            remedy=remedy,
            severity=severity,
            decided=False,
        ),
    )


RULE: Final = Requirement(
    id="custom",
    title="A component is not as a rule of the policy's own demands",
    severity=Severity.HIGH,
    why=(
        "What an organisation demands of its models is not all foreseen here. A rule of its own is an "
        "expression over what is known of a component; where too little is known it decides nothing."
    ),
    remedy="do what the message says, or take another component",
    schema={
        "rules": {
            "type": "array",
            "minItems": 1,
            "maxItems": RULE_COUNT,
            "description": "Rules, each with an expression that is true where it is broken.",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "pattern": _ID_PATTERN},
                    "when": {**_TEXT, "maxLength": EXPRESSION_CHARS},
                    "message": _TEXT,
                    "severity": {"enum": list(_SEVERITIES)},
                    "applies-to": {"type": "array", "items": {"enum": list(_KINDS)}, "minItems": 1},
                    "remedy": _TEXT,
                },
                "required": list(_REQUIRED),
                "additionalProperties": False,
            },
        }
    },
    required=("rules",),
    shorthand="rules",
    kinds=frozenset(ComponentKind),
    judge_each=_judge,
    controls=(("iso42001", "A.6.2.4"), ("nist-ai-rmf", "GOVERN 6.1")),
    cwe=(1357,),
)
