"""What an expression sees of a component. What nobody knows is absent, and never empty or zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aibom.domain.check import CheckKind, Outcome
from aibom.domain.component import Component, RelationKind
from aibom.domain.content import ContentVerdict
from aibom.domain.facts import Attribute
from aibom.domain.licences import spdx_of
from aibom.policy.estate import Subject
from aibom.policy.rules._outcomes import BROKEN, UNDECIDED
from aibom.policy.rules._place import purl_of
from aibom.policy.rules._stated import is_whole
from aibom.policy.rules.base_models import _unresolved as unresolved
from aibom.policy.rules.content import _is_loaded as is_loaded

INTEGER_MOST: Final = 2**63 - 1  # of the language


def _licences(subject: Subject) -> list[str] | None:
    component = subject.component
    values = [spdx_of(claim.value) or claim.value for claim in component.claimed(Attribute.LICENCE)]
    values += [claim.value for claim in component.claimed(Attribute.LICENCE_NAME)]
    return list(dict.fromkeys(values)) or None


def _formats(subject: Subject) -> list[str] | None:
    """Those of all files; None when one of them is not known."""
    found = {file.format for file in subject.files}
    if None in found or len(subject.files) < len(subject.component.files):
        return None
    return sorted(each for each in found if each) or None


def _parameters(subject: Subject) -> int | None:
    """Measured, else as stated."""
    component = subject.component
    stated = component.first(Attribute.PARAMETER_COUNT) or ""
    count = component.parameter_count
    if count is None and stated.isascii() and stated.isdigit():
        count = int(stated[:20])
    return count if count is not None and count <= INTEGER_MOST else None


def _digests(subject: Subject) -> list[str] | None:
    """Those of all files; None when one of them was not read."""
    if len(subject.files) < len(subject.component.files):
        return None
    found = {f"{each.algorithm}:{each.value}" for file in subject.files for each in file.digests}
    return sorted(found) or None


def _base_models(subject: Subject) -> list[str] | None:
    """None also when a base is declared that names no place."""
    component = subject.component
    bases = [each for each in component.relations if each.kind is RelationKind.ANCESTOR]
    return None if any(unresolved(component, bases)) else _targets(subject, RelationKind.ANCESTOR)


def _targets(subject: Subject, kind: RelationKind) -> list[str] | None:
    """Package URLs, or names of what has none."""
    known = subject.estate.components
    found: list[str] = []
    for each in subject.component.relations:
        if each.kind is not kind:
            continue
        if each.target is not None:
            found.append(purl_of(each.target) or each.target.location)
            continue
        component = known.get(each.target_id or "")
        if component is None:
            return None  # a list without it would say that there is no other
        found.append(component.purl or component.name)
    return found or None


def _signed(subject: Subject) -> bool | None:
    """Whether a signature was verified, and none was found broken; None when nobody could check."""
    outcomes = {check.outcome for check in subject.checks(CheckKind.SIGNATURE)}
    if outcomes & BROKEN:
        return False
    if Outcome.VERIFIED in outcomes:
        return True
    return None if not outcomes or outcomes & UNDECIDED else False


def _content(subject: Subject) -> str | None:
    """The worst verdict on its files; None when one that is loaded has none, unless it is the very worst."""
    contents = subject.estate.contents
    found = [contents[path].verdict for path in subject.component.files if path in contents]
    unjudged = any(path not in contents and is_loaded(subject, path) for path in subject.component.files)
    worst = max(found, default=None)
    if worst is None or (unjudged and worst is not ContentVerdict.DANGEROUS):
        return None
    return worst.label


def _dtypes(subject: Subject) -> list[str] | None:
    component = subject.component
    return list(component.dtypes or _claimed(component, Attribute.DTYPE)) or None


def _claimed(component: Component, attribute: Attribute) -> Iterable[str]:
    return dict.fromkeys(claim.value for claim in component.claimed(attribute))


def _first(attribute: Attribute) -> Callable[[Subject], object]:
    return lambda subject: subject.component.first(attribute)


# In the order of the page.
FIELDS: Final[Mapping[str, Callable[[Subject], object]]] = {
    "kind": lambda subject: subject.component.kind.value,
    "name": lambda subject: subject.component.name,
    "purl": lambda subject: subject.component.purl,
    "version": lambda subject: subject.component.version,
    "organisation": _first(Attribute.ORGANISATION),
    "description": _first(Attribute.DESCRIPTION),
    "task": _first(Attribute.TASK),
    "architecture": _first(Attribute.ARCHITECTURE),
    "licences": _licences,
    "formats": _formats,
    "dtypes": _dtypes,
    "parameters": _parameters,
    "file_count": lambda subject: len(subject.component.files) or None,
    "digests": _digests,
    "model_digest": lambda subject: subject.component.model_digest,
    "base_models": _base_models,
    "datasets": lambda subject: _targets(subject, RelationKind.TRAINED_ON),
    "signed": _signed,
    "content": _content,
    "complete": is_whole,
}


def values(subject: Subject, names: Iterable[str]) -> dict[str, object]:
    """What is known of those fields."""
    found = ((name, FIELDS[name](subject)) for name in names)
    return {name: value for name, value in found if value is not None}
