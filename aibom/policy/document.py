"""The policy document: which rules are in force, and how severe a violation is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from aibom.domain.errors import UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.report import PolicyUse
from aibom.policy.rules import RULES
from aibom.readers import json, yaml
from aibom.readers.json import Json

_VERSION = 1
_KEYS = frozenset(("version", "name", "description", "rules"))
_OFF = "off"


class PolicyError(ValueError):
    """The document is not a policy; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy by name and digest. A rule that it does not name keeps its own severity."""

    name: str
    sha256: str
    severities: tuple[tuple[str, Severity | None], ...] = ()  # None: the rule is off

    @property
    def use(self) -> PolicyUse:
        return PolicyUse(name=self.name, sha256=self.sha256)

    def severity(self, rule: str, default: Severity | None) -> Severity | None:
        return dict(self.severities).get(rule, default)


def parse_policy(data: bytes) -> Policy:
    """The policy of a YAML document. Raises `PolicyError`."""
    try:
        document = yaml.parse(data)
    except UnreadableError as error:
        raise PolicyError(str(error)) from error
    if not isinstance(document, dict):
        raise PolicyError("a policy is a mapping with version, name and rules")
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise PolicyError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    if document.get("version") != _VERSION:
        raise PolicyError(f"version must be {_VERSION}")
    name = json.text(document.get("name"))
    if not name:
        raise PolicyError("name must be a text")
    severities = _severities(document.get("rules"))
    return Policy(name=name, sha256=hashlib.sha256(data).hexdigest(), severities=severities)


def _severities(rules: Json) -> tuple[tuple[str, Severity | None], ...]:
    if not isinstance(rules, dict) or not rules:
        raise PolicyError("rules must map at least one rule id to a severity")
    known = {rule.id for rule in RULES}
    found = []
    for rule, level in rules.items():
        if rule not in known:
            raise PolicyError(f"unknown rule {rule!r}; `aibom explain` lists the known ones")
        found.append((rule, _severity(rule, level)))
    return tuple(found)


def _severity(rule: str, level: Json) -> Severity | None:
    levels = {severity.label: severity for severity in Severity}
    if level == _OFF:
        return None
    if not isinstance(level, str) or level not in levels:
        raise PolicyError(f"rule {rule}: {level!r} is none of {', '.join(levels)}, {_OFF}")
    return levels[level]
