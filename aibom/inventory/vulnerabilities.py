"""The vulnerabilities that a CycloneDX document (1.4 to 1.7) lists, as its maker found them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from aibom.domain.errors import malformed, over_limit
from aibom.domain.finding import Severity
from aibom.domain.vulnerability import Vulnerability
from aibom.inventory.bom_component import entries, text
from aibom.readers.cyclonedx_analysis import assessment_of, names_of
from aibom.readers.json import Json, integer, members

AFFECTED_COUNT: Final = 200_000  # components of all vulnerabilities together
_LEVELS: Final = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
    "none": Severity.INFO,
}
# Qualitative scale of CVSS 3 and 4; that of CVSS 2 ends at high, and its numbers are the same.
_SCORES: Final = (
    (9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM), (0.1, Severity.LOW),
    (0.0, Severity.INFO),
)  # fmt: skip
_LINK: Final = re.compile(r"urn:cdx:([0-9a-f-]{36})/([1-9][0-9]*)#(.+)\Z", re.ASCII)


def vulnerabilities(document: Mapping[str, Json]) -> Iterator[Vulnerability]:
    """In the order of the document. Raises malformed (no list of objects) or limit (components)."""
    listed = document.get("vulnerabilities", [])
    if not isinstance(listed, list):
        raise malformed("/vulnerabilities: a list is expected")
    serial = text(document.get("serialNumber")).removeprefix("urn:uuid:")
    own = (serial, str(integer(document.get("version")) or 1))
    issued = text(members(document.get("metadata")).get("timestamp")) or None
    count = 0
    for number, each in enumerate(listed):
        pointer = f"/vulnerabilities/{number}"
        if not isinstance(each, dict):
            raise malformed(f"{pointer}: a vulnerability is an object")
        found = _vulnerability(each, pointer, own, issued)
        count += max(1, len(found.affects))
        if count > AFFECTED_COUNT:
            raise over_limit(f"{pointer}: vulnerabilities of more than {AFFECTED_COUNT:,} components")
        yield found


def _vulnerability(
    each: Mapping[str, Json], pointer: str, own: tuple[str, str], issued: str | None
) -> Vulnerability:
    names = names_of(each) or (text(each.get("bom-ref")) or pointer,)
    ratings = [_severity(rating) for rating in entries(each.get("ratings"))]
    return Vulnerability(
        id=names[0],
        aliases=names[1:],
        severity=max((rating for rating in ratings if rating is not None), default=None),
        affects=tuple(dict.fromkeys(_refs(each, own))),
        recommendation=text(each.get("recommendation")),
        assessment=assessment_of(each, issued),
        pointer=pointer,
    )


def _severity(rating: Mapping[str, Json]) -> Severity | None:
    """As it is named, else by its score; None for `unknown`."""
    named = _LEVELS.get(text(rating.get("severity")))
    score = rating.get("score")
    if named is not None or isinstance(score, bool) or not isinstance(score, int | float):
        return named
    return next((level for least, level in _SCORES if least <= score <= 10), None)


def _refs(each: Mapping[str, Json], own: tuple[str, str]) -> Iterator[str]:
    """What it affects. A link to another document is kept as it is: it names no component of this one."""
    for affected in entries(each.get("affects")):
        ref = text(affected.get("ref"))
        link = _LINK.match(ref)
        if link is not None and (link[1], link[2]) == own:
            ref = unquote(link[3])
        if ref:
            yield ref
