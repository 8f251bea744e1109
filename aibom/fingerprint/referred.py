"""References as text, so that the cache can keep them."""

from __future__ import annotations

import json

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.finding import Location
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Flag, Reference, Referred


def dumped(told: Referred) -> str:
    """JSON without the path of the file itself, which the key stands for."""
    references = [
        (
            one.kind.value,
            _ref(one.target),
            one.loader,
            (one.location.line, one.location.column, one.location.inside),
            sorted(one.flags),
            one.confidence.value,
        )
        for one in told.references
    ]
    defects = [(defect.reason.value, defect.message, defect.offset) for defect in told.defects]
    return json.dumps((references, defects, told.asked), separators=(",", ":"))


def loaded(text: str, path: str) -> Referred:
    """What was written for a file. Raises ValueError or TypeError when it was not written so."""
    references, defects, asked = json.loads(text)
    return Referred(
        references=tuple(_reference(path, *parts) for parts in references),
        defects=tuple(
            Defect(reason=Reason(reason), message=message, offset=offset)
            for reason, message, offset in defects
        ),
        asked=tuple((other, etag) for other, etag in asked),
    )


def _ref(ref: Ref | None) -> tuple[bool, str, str, str | None, str | None] | None:
    if ref is None:
        return None
    return isinstance(ref, PinnedRef), ref.scheme, ref.location, ref.revision, ref.subpath


def _reference(
    path: str,
    kind: str,
    target: tuple[bool, str, str, str | None, str | None] | None,
    loader: str,
    place: tuple[int | None, int | None, str],
    flags: list[str],
    confidence: int,
) -> Reference:
    ref = None
    if target is not None:
        pinned, scheme, location, revision, subpath = target
        made = PinnedRef if pinned else Ref
        ref = made(scheme=scheme, location=location, revision=revision, subpath=subpath)
    line, column, inside = place
    return Reference(
        kind=ComponentKind(kind),
        target=ref,
        loader=loader,
        location=Location(path=path, line=line, column=column, inside=inside),
        flags=frozenset(Flag(flag) for flag in flags),
        confidence=Confidence(confidence),
    )
