"""Declared bases, training data and remote code as relations. Declared, never proven here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from aibom.domain.component import Claim, Relation, RelationKind
from aibom.domain.facts import Attribute
from aibom.domain.ref import PinnedRef, Ref, is_commit

_HUB_NAME = re.compile(r"[\w][\w.-]{0,95}(?:/[\w][\w.-]{0,95})?\Z")
_HUB_URL = re.compile(
    r"https?://(?:www\.)?huggingface\.co/(?P<dataset>datasets/)?(?P<name>[\w.-]+/[\w.-]+)/?\Z"
)
_WEAK_RELATION = "name_or_path"  # config.json's `_name_or_path`: where somebody once loaded it from


def relations_of(claims: Iterable[Claim], own: Ref | None) -> tuple[Relation, ...]:
    """The relations that the claims declare, without those to the component itself."""
    found: dict[tuple[RelationKind, str], Relation] = {}
    ordered = sorted(claims, key=lambda claim: claim.statement.detail("relation") == _WEAK_RELATION)
    kinds = _relation_kinds(ordered)
    for relation in (one for claim in ordered for one in _relations(claim, kinds)):
        target = relation.target
        if target is None or (own is not None and target.location.lower() == own.location.lower()):
            continue
        found.setdefault((relation.kind, target.location.lower()), relation)
    return tuple(sorted(found.values(), key=lambda r: (r.kind, r.target.location if r.target else "")))


def _relation_kinds(claims: Iterable[Claim]) -> dict[str, str]:
    """What each file says about how its base was used."""
    return {c.source: c.value for c in claims if c.attribute is Attribute.BASE_MODEL_RELATION}


def _relations(claim: Claim, kinds: dict[str, str]) -> Iterator[Relation]:
    attribute = claim.attribute
    if attribute is Attribute.BASE_MODEL:
        target = hub_ref(claim.value, claim.statement.detail("revision"))
        stated = claim.statement.detail("relation")
        detail = kinds.get(claim.source) or (None if stated == _WEAK_RELATION else stated)
        if target is not None:
            yield Relation(kind=RelationKind.ANCESTOR, target=target, detail=detail, source=claim.source)
    elif attribute is Attribute.DATASET:
        target = hub_ref(claim.value, None, dataset=True)
        if target is not None:
            yield Relation(kind=RelationKind.TRAINED_ON, target=target, source=claim.source)
    elif attribute is Attribute.REMOTE_CODE and "--" in claim.value:
        target = hub_ref(claim.value.partition("--")[0], None)
        if target is not None:
            yield Relation(kind=RelationKind.USES, target=target, detail="remote-code", source=claim.source)


def hub_ref(text: str, revision: str | None, *, dataset: bool = False) -> Ref | None:
    """The place a Hub name or URL means; None for local paths, which say nothing to others."""
    url = _HUB_URL.match(text)
    if url is not None:
        text, dataset = url["name"], dataset or url["dataset"] is not None
    if text.startswith(("http://", "https://")):
        return _link(text)
    if not _HUB_NAME.match(text) or ".." in text:
        return None
    scheme = "hf-dataset" if dataset else "hf"
    if is_commit(revision):
        return PinnedRef(scheme=scheme, location=text, revision=revision)
    return Ref(scheme=scheme, location=text, revision=revision)


def _link(text: str) -> Ref | None:
    try:
        return Ref(scheme="https", location=text)
    except ValueError:  # credentials in the URL
        return None
