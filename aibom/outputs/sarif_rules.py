"""Rules and taxonomies in SARIF. They are the same in every run of one version, as GitHub asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from aibom.domain.controls import CONTROLS, FRAMEWORKS
from aibom.domain.finding import Severity
from aibom.domain.rule_text import RuleText
from aibom.domain.taxonomies import ATLAS, ATLAS_VERSION, CWE
from aibom.outputs.cdx.text import Json

LEVELS: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
# GitHub: over 9.0 critical, from 7.0 high, from 4.0 medium, below low, 0.0 none.
_SCORES: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "3.0",
    Severity.INFO: "0.0",
}

Control = tuple[str, str]  # framework and id, see domain.controls
Controls = Mapping[str, Sequence[Control]]  # by the id of a rule
NO_CONTROLS: Final[Controls] = MappingProxyType({})

_MARKUP = re.compile(r"(`[^`]*`)|([_*<\[\]])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taxonomy:
    """A list of others, with an identity that only this file needs: references go by GUID."""

    name: str
    title: str
    address: str
    version: str | None = None

    @property
    def guid(self) -> UUID:
        return uuid5(NAMESPACE_URL, self.address)

    @property
    def reference(self) -> Json:
        return {"name": self.name, "guid": str(self.guid)}

    def taxon(self, identifier: str) -> Json:
        return {"id": identifier, "guid": str(uuid5(self.guid, identifier))}


_ATLAS: Final = _Taxonomy(
    name="MITRE ATLAS",
    title="Adversarial Threat Landscape for AI Systems",
    address="https://atlas.mitre.org/",
    version=ATLAS_VERSION,
)
_CWE: Final = _Taxonomy(name="CWE", title="Common Weakness Enumeration", address="https://cwe.mitre.org/")


def descriptor(rule: RuleText, controls: Sequence[Control] = ()) -> Json:
    """One `reportingDescriptor`, related to the techniques and weaknesses of `taxonomies`."""
    targets = [(_ATLAS, each) for each in rule.atlas] + [(_CWE, str(each)) for each in rule.cwe]
    found: Json = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in (*rule.id.split("-"), "rule")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why},
        "help": {"text": _help(rule, controls), "markdown": _help_markdown(rule, controls)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "precision": rule.confidence.label,
            "security-severity": _SCORES[rule.severity],
            "tags": _tags(rule, controls),
        },
    }
    relationships = [
        {"target": {**taxonomy.taxon(each), "toolComponent": taxonomy.reference}, "kinds": ["relevant"]}
        for taxonomy, each in targets
    ]
    return {**found, "relationships": relationships} if relationships else found


def taxonomies(rules: Iterable[RuleText]) -> list[Json]:
    """The techniques and weaknesses that any rule names, with the names that they have there."""
    told = list(rules)
    atlas = sorted({each for rule in told for each in rule.atlas})
    cwe = sorted({each for rule in told for each in rule.cwe})
    return [
        _component(_ATLAS, {each: ATLAS[each] for each in atlas}),
        _component(_CWE, {str(each): CWE[each] for each in cwe}),
    ]


def supported() -> list[Json]:
    """The references of the driver to `taxonomies`."""
    return [_ATLAS.reference, _CWE.reference]


def _component(taxonomy: _Taxonomy, names: dict[str, str]) -> Json:
    version = {"version": taxonomy.version} if taxonomy.version else {}
    return {
        **taxonomy.reference,
        **version,
        "organization": "MITRE",
        "informationUri": taxonomy.address,
        "shortDescription": {"text": f"{taxonomy.title}."},
        "taxa": [
            {**taxonomy.taxon(each), "name": name, "shortDescription": {"text": f"{name}."}}
            for each, name in names.items()
        ],
    }


def _tags(rule: RuleText, controls: Sequence[Control]) -> list[str]:
    """GitHub shows ten of them and refuses more than twenty."""
    weaknesses = [f"external/cwe/cwe-{number:03}" for number in rule.cwe]
    techniques = [f"external/mitre/atlas/{each}" for each in rule.atlas]
    evidence = [f"external/{framework}/{control.replace(' ', '-')}" for framework, control in controls]
    return ["security", *weaknesses, *techniques, *evidence]


def _help(rule: RuleText, controls: Sequence[Control]) -> str:
    lines = [f"{rule.title}.", f"Why: {rule.why}", f"What to do: {rule.remedy}."]
    lines += [f"MITRE ATLAS: {each} ({ATLAS[each]})." for each in rule.atlas]
    lines += [f"CWE-{number}: {CWE[number]}." for number in rule.cwe]
    lines += [f"Evidence about {each}." for each in _evidence(controls)]
    return "\n".join([*lines, f"More: aibom explain {rule.id}"])


def _help_markdown(rule: RuleText, controls: Sequence[Control]) -> str:
    references = [f"- MITRE ATLAS {each}: {ATLAS[each]}" for each in rule.atlas]
    references += [f"- CWE-{number}: {CWE[number]}" for number in rule.cwe]
    references += [f"- Evidence about {each}" for each in _evidence(controls)]
    parts = [
        f"# {rule.title}",
        _plain(rule.why),
        f"**What to do:** {_plain(rule.remedy)}.",
        "\n".join(references),
        f"An example, and which false alarms to expect: `aibom explain {rule.id}`",
    ]
    return "\n\n".join(filter(None, parts))


def _evidence(controls: Iterable[Control]) -> list[str]:
    return [f"{FRAMEWORKS[name]}, {control}: {CONTROLS[name][control]}" for name, control in controls]


def _plain(text: str) -> str:
    """Text whose `__names__` do not become markup; code between backticks stays."""
    return _MARKUP.sub(lambda match: match[1] or f"\\{match[2]}", text)
