"""The policy document as JSON Schema 2020-12, for editors and for whoever generates policies.

The parser is the judge: what this schema refuses, it refuses, too; it also refuses what no schema can
tell (patterns that match everything, keys that stand twice).
"""

from __future__ import annotations

from typing import Final

from aibom.policy.document import OFF, SECTION_KEYS, SEVERITIES, VERSION, Mode, OnUnknown
from aibom.policy.requirement import Requirement
from aibom.policy.rules import REQUIREMENTS, RULES
from aibom.policy.setting import TEXT_CHARS
from aibom.policy.waivers import NEVER

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Json = dict[str, object]

_TEXT: Final[Json] = {"type": "string", "pattern": r"\S", "maxLength": TEXT_CHARS}
_DAY: Final[Json] = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_DAYS: Final[Json] = {"type": "string", "pattern": "^[1-9][0-9]{0,4}d$"}
_MODE: Final[Json] = {"enum": list(Mode)}
_COMMON: Final[dict[str, Json]] = {
    "unknown": {
        "enum": list(OnUnknown),
        "description": "What becomes of a demand when too little is known. Default: incomplete, exit code 4.",
    },
    "mode": {**_MODE, "description": "warn: findings are shown and do not count."},
    "effective-on": {**_DAY, "description": "The day from which the demand binds; until then it warns."},
    "severity": {"enum": list(SEVERITIES), "description": "Of the findings. Default: that of the rule."},
}


def document_schema() -> Json:
    """The schema of a whole policy, self-contained."""
    assert _COMMON.keys() == set(SECTION_KEYS)
    sections = {each.id: _section(each) for each in REQUIREMENTS}
    demanding = ("extends", "rules", *sections)
    return {
        "$schema": DIALECT,
        "title": "aibom policy",
        "description": f"What models and datasets have to be, version {VERSION}.",
        **_mapping({**_own(), **sections}, "version", "name"),
        "anyOf": [{"required": [key]} for key in demanding],
    }


def _own() -> dict[str, Json]:
    file = {**_TEXT, "description": "Path of the policy that this one stands on, from this file."}
    sha256: Json = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$", "description": "Its SHA-256."}
    return {
        "version": {"const": VERSION, "description": "Of this format."},
        "name": {**_TEXT, "description": "What reports call the policy."},
        "description": {"type": "string"},
        "extends": _mapping({"file": file, "sha256": sha256}, "file", "sha256"),
        "mode": {**_MODE, "description": "warn: no finding of this policy counts."},
        "effective-on": {**_DAY, "description": "The day from which the demands bind."},
        "rules": _rules(),
        "waivers": {"type": "array", "minItems": 1, "items": _waiver()},
        "max-waiver": {**_DAYS, "description": "How long a waiver may last, such as 90d."},
    }


def _rules() -> Json:
    # Readers of YAML 1.1 take the word `off` for false.
    levels: Json = {"enum": [*SEVERITIES, OFF, False]}
    rules = {rule.id: {**levels, "description": f"{rule.title}."} for rule in RULES}
    return {**_mapping(rules), "minProperties": 1, "description": "Severities of rules, or off."}


def _waiver() -> Json:
    waivable = [rule.id for rule in (*REQUIREMENTS, *RULES) if rule.id not in NEVER]
    digest = {"type": "string", "pattern": "^(v1:)?sha256:[0-9a-f]{64}$"}
    members: dict[str, Json] = {
        "rule": {"enum": waivable},
        "component": {**_TEXT, "description": "Package URL, or the name of what has none."},
        "digest": {**digest, "description": "Of a file, or the model digest (v1:sha256:...)."},
        "expires": {**_DAY, "description": "The last day."},
        "starts": {**_DAY, "description": "The first day."},
        "reason": _TEXT,
        "approved-by": _TEXT,
    }
    return _mapping(members, *(key for key in members if key != "starts"))


def _section(requirement: Requirement) -> Json:
    own = {key: dict(schema) for key, schema in requirement.schema.items()}
    schema = _mapping({**own, **_COMMON}, *requirement.required)
    if not requirement.required:  # what demands nothing is a mistake
        schema["anyOf"] = [{"required": [key]} for key in own]
    if requirement.shorthand:
        schema = {"anyOf": [own[requirement.shorthand], schema]}
    return {"title": requirement.id, "description": requirement.why, **schema}


def _mapping(properties: dict[str, Json], *required: str) -> Json:
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema
