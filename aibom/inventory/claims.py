"""What files state about a component, with who says it and how far to trust it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from aibom.domain.component import Claim, Origin
from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, FileKind, Statement
from aibom.domain.file import File
from aibom.domain.licences import says_nothing

_LOCAL_PATH = re.compile(r"[\\/~.]|[A-Za-z]:[\\/]|file:")
_ORIGINS = {
    FileKind.WEIGHTS: Origin.HEADER,
    FileKind.DATA: Origin.HEADER,
    FileKind.CARD: Origin.CARD,
}
_LISTS = frozenset({"checksums", "dvc"})
# What the bytes themselves say comes first, then machine-written files, then prose.
_TRUST = (Origin.MEASURED, Origin.CONFIG, Origin.HEADER, Origin.CARD, Origin.LAYOUT, Origin.API)


def claims_of(files: Iterable[File], *, inherited: bool = False) -> tuple[Claim, ...]:
    """The claims of the files, most trusted origin first, without exact repetitions."""
    found: dict[tuple[object, ...], Claim] = {}
    for file in files:
        for claim in _claims(file, inherited):
            statement = claim.statement
            found.setdefault((statement.attribute, statement.value, statement.details, claim.origin), claim)
    return tuple(sorted(found.values(), key=_order))


def _claims(file: File, inherited: bool) -> Iterator[Claim]:
    # A list of checksums speaks about files, not about what they amount to.
    if file.facts is None or file.format in _LISTS:
        return
    origin = _ORIGINS.get(file.facts.kind, Origin.CONFIG)
    confidence = Confidence.LOW if inherited or origin is Origin.CARD else Confidence.MEDIUM
    for statement in file.facts.statements:
        if statement.attribute is not Attribute.LICENCE or not says_nothing(statement.value):
            told = _without_folders(statement)
            yield Claim(statement=told, origin=origin, source=file.path, confidence=confidence)


def _without_folders(statement: Statement) -> Statement:
    """A base that is a path keeps its last part: the rest names somebody's home or machine."""
    if statement.attribute is not Attribute.BASE_MODEL or not _LOCAL_PATH.match(statement.value):
        return statement
    last = re.split(r"[\\/]", statement.value.rstrip("\\/"))[-1]
    return replace(statement, value=f"(local folder) {last}")


def _order(claim: Claim) -> tuple[int, str, str, str]:
    return _TRUST.index(claim.origin), claim.attribute, claim.source, claim.statement.pointer


def measured(attribute: Attribute, value: str, source: str) -> Claim:
    """A claim that we make ourselves, from the bytes of the files below `source`."""
    statement = Statement(attribute=attribute, value=value)
    return Claim(statement=statement, origin=Origin.MEASURED, source=source, confidence=Confidence.HIGH)
