"""What is there about a component, three-valued: yes, no, or nobody has looked."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from aibom.domain.component import Component
from aibom.domain.facts import Attribute
from aibom.domain.licences import says_nothing
from aibom.policy.estate import Estate, Subject

# Digests of the plain bytes for which nobody can make a second file.
STRONG: Final = ("sha256", "sha384", "sha512", "blake2b", "blake3")
_LICENCES: Final = (Attribute.LICENCE, Attribute.LICENCE_NAME, Attribute.LICENCE_LINK)


def states(component: Component, attributes: Collection[Attribute]) -> bool:
    """Whether one of the attributes is claimed, with a value that says something."""
    for claim in component.claims:
        attribute = claim.statement.attribute
        if attribute in attributes and _says(attribute, claim.value):
            return True
    return False


def has_licence(component: Component) -> bool:
    return states(component, _LICENCES)


def has_digests(subject: Subject) -> bool | None:
    """Whether all of its content has a strong digest, whoever states it; None when a file was not read."""
    component = subject.component
    if not component.files:
        outside = component.claimed(Attribute.DATA_FILE)
        return bool(outside) and all(claim.statement.detail("sha256") for claim in outside)
    files = subject.files
    if any(all(digest.algorithm not in STRONG for digest in file.digests) for file in files):
        return False
    return True if len(files) == len(component.files) else None


def is_whole(subject: Subject) -> bool:
    """True when nothing of the component was left out of the look: what is not there is absent."""
    component = subject.component
    return component.complete and gap_paths(subject.estate).isdisjoint(component.files)


@lru_cache(maxsize=1)
def is_from_bom(estate: Estate) -> bool:
    """Whether a bill of materials was read, and no place: tool and time of the report are then our own."""
    return any(component.pointer for component in estate.report.components)


@lru_cache(maxsize=1)
def gap_paths(estate: Estate) -> frozenset[str]:
    """The paths that were not, or not fully, looked at."""
    return frozenset(gap.path for gap in estate.report.gaps)


def _says(attribute: Attribute, value: str) -> bool:
    return bool(value.strip()) and not (attribute in _LICENCES and says_nothing(value))
