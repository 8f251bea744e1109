"""What two versions of a component state differently, claim by claim."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from aibom.domain.component import Claim, Component, RelationKind
from aibom.domain.difference import Change, ChangeClass
from aibom.domain.facts import Attribute

# What a configuration file says in a key of its own is told by that key where both files are read.
CLASSES: Final[Mapping[Attribute, ChangeClass]] = {
    Attribute.LICENCE: ChangeClass.LICENCE,
    Attribute.LICENCE_NAME: ChangeClass.LICENCE,
    Attribute.BASE_MODEL: ChangeClass.BASE_MODEL,
    Attribute.BASE_MODEL_RELATION: ChangeClass.BASE_MODEL,
    Attribute.DATASET: ChangeClass.DATASET,
    Attribute.CHAT_TEMPLATE_SHA256: ChangeClass.CHAT_TEMPLATE,
    Attribute.SYSTEM_PROMPT_SHA256: ChangeClass.CHAT_TEMPLATE,
}
_CONFIGURED: Final[Mapping[Attribute, ChangeClass]] = {
    Attribute.ROW_COUNT: ChangeClass.DATASET,
    Attribute.TOKENIZER_CLASS: ChangeClass.TOKENIZER,
    Attribute.VOCABULARY_SIZE: ChangeClass.TOKENIZER,
    Attribute.ARCHITECTURE: ChangeClass.CONFIGURATION,
    Attribute.MODEL_TYPE: ChangeClass.CONFIGURATION,
    Attribute.QUANTISATION: ChangeClass.CONFIGURATION,
    Attribute.HYPERPARAMETER: ChangeClass.CONFIGURATION,
    Attribute.REMOTE_CODE: ChangeClass.CONFIGURATION,
    Attribute.TASK: ChangeClass.CONFIGURATION,
}
_IS_DIGEST: Final = (Attribute.CHAT_TEMPLATE_SHA256, Attribute.SYSTEM_PROMPT_SHA256)
_DETAILS: Final = re.compile(r" \([a-z_-]+=[^()]*\)\Z")
_SHORT: Final = 12
_SOURCES_TOLD: Final = 3


def claim_changes(
    subject: str, old: Component, new: Component, *, keys_told: bool, both_told: bool
) -> Iterator[tuple[Change, frozenset[str]]]:
    """One change for each attribute of which the values differ, and the files that state them.

    `keys_told`: the keys of configuration files are compared elsewhere. `both_told`: False when what
    one side does not state may still be so.
    """
    table: Mapping[Attribute, ChangeClass] = CLASSES if keys_told else {**CLASSES, **_CONFIGURED}
    if not keys_told and not (old.claimed(Attribute.BASE_MODEL) and new.claimed(Attribute.BASE_MODEL)):
        # A bill of materials says it in the pedigree.
        table = {attribute: kind for attribute, kind in table.items() if kind is not ChangeClass.BASE_MODEL}
        yield from ((change, frozenset()) for change in _ancestors(subject, old, new, both_told=both_told))
    for attribute, kind in table.items():
        before, after = _values(old, attribute), _values(new, attribute)
        if before.keys() == after.keys() or not (both_told or (before and after)):
            continue
        removed = [value for value in before if value not in after]
        added = [value for value in after if value not in before]
        claims = [before[value] for value in removed] + [after[value] for value in added]
        sources = frozenset(claim.source for claim in claims)
        change = Change(
            kind=kind,
            subject=subject,
            old=_joined(removed, attribute),
            new=_joined(added, attribute),
            detail=_detail(attribute, sources),
        )
        yield change, sources


def _values(component: Component, attribute: Attribute) -> dict[str, Claim]:
    """The claims by value. Licences are named without regard to case."""
    found: dict[str, Claim] = {}
    for claim in component.claimed(attribute):
        value = _value(claim)
        found.setdefault(value.lower() if attribute is Attribute.LICENCE else value, claim)
    return found


def _value(claim: Claim) -> str:
    """The value; of a hyperparameter with its details, which name it, as our own documents spell them."""
    if claim.attribute is not Attribute.HYPERPARAMETER:
        return _DETAILS.sub("", claim.value.strip())
    details = ", ".join(f"{name}={value}" for name, value in claim.statement.details)
    return f"{claim.value} ({details})" if details else claim.value


def _joined(values: list[str], attribute: Attribute) -> str:
    return ", ".join(value[:_SHORT] if attribute in _IS_DIGEST else value for value in values)


def _detail(attribute: Attribute, sources: frozenset[str]) -> str:
    said = "" if attribute in (Attribute.LICENCE, Attribute.BASE_MODEL, *_IS_DIGEST) else str(attribute)
    files = ", ".join(sorted(sources - {"bom"})[:_SOURCES_TOLD])
    return " in ".join(filter(None, (said, files)))


def _ancestors(subject: str, old: Component, new: Component, *, both_told: bool) -> Iterator[Change]:
    """What bills of materials say in the pedigree."""
    before, after = _lineage(old), _lineage(new)
    if before != after and (both_told or (before and after)):
        yield Change(
            kind=ChangeClass.BASE_MODEL, subject=subject, detail="ancestors",
            old=", ".join(sorted(before - after)), new=", ".join(sorted(after - before)),
        )  # fmt: skip


def _lineage(component: Component) -> set[str]:
    targets = [each.target for each in component.relations if each.kind is RelationKind.ANCESTOR]
    return {
        f"{target.location}@{target.revision}" if target.revision else target.location
        for target in targets
        if target is not None
    }
