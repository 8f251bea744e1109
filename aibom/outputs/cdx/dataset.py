"""The `data` of a data component: what kind of data it is, and where."""

from __future__ import annotations

from aibom.domain.component import ComponentKind
from aibom.domain.ref import Ref
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.text import Json, present, shown

_TYPES = {ComponentKind.DATASET: "dataset", ComponentKind.TOKENIZER: "configuration"}


def component_data(kind: ComponentKind, name: str, ref: Ref | None, sensitive: list[str]) -> list[Json]:
    """One entry for a dataset or tokenizer, none for anything else, where it is not allowed."""
    if kind not in _TYPES:
        return []
    places = refs.external_references(ref, kind)
    contents = {"url": places[0]["url"]} if places else {}
    return [present(type=_TYPES[kind], name=shown(name), contents=contents, sensitiveData=sensitive)]
