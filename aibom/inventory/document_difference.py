"""What differs between two versions of a JSON document or of the front matter of a card, key by key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Final, TypeAlias

from aibom.domain.difference import Change, ChangeClass
from aibom.domain.text import capped
from aibom.readers.json import Json

KEY_COUNT: Final = 200  # differences told of one document; the rest is counted
VALUE_CHARS: Final = 200
VALUE_COUNT: Final = 100_000  # of a value that is written out or digested
_SHORT: Final = 12
_MEANINGS: Final = {
    "license": ChangeClass.LICENCE,
    "licence": ChangeClass.LICENCE,
    "license_name": ChangeClass.LICENCE,
    "license_link": ChangeClass.LICENCE,
    "base_model": ChangeClass.BASE_MODEL,
    "base_model_relation": ChangeClass.BASE_MODEL,
    "base_model_name_or_path": ChangeClass.BASE_MODEL,
    "_name_or_path": ChangeClass.BASE_MODEL,
    "chat_template": ChangeClass.CHAT_TEMPLATE,
    "datasets": ChangeClass.DATASET,
    "dataset_info": ChangeClass.DATASET,
}


class _Absent:
    """Stands for a key that is not there, which is not the same as null."""


_ABSENT: Final = _Absent()
_Value: TypeAlias = "Json | _Absent"


def document_changes(path: str, kind: ChangeClass, old: Json, new: Json) -> list[Change]:
    """One change for each place that differs. Lists of different lengths count as one value."""
    found: list[Change] = []
    left_out = 0
    for keys, before, after in _differing((), old, new, set()):
        if len(found) < KEY_COUNT:
            found.append(_change(path, kind, keys, before, after))
        else:
            left_out += 1
    if left_out:
        found.append(Change(kind=kind, subject=path, detail=f"{left_out:,} more keys differ"))
    return found


def _differing(
    keys: tuple[str, ...], old: _Value, new: _Value, seen: set[tuple[int, int]]
) -> Iterator[tuple[tuple[str, ...], _Value, _Value]]:
    """The innermost places that differ. The depth is that of the parsers, which is bounded.

    YAML may hold one value in many places (aliases): a pair of containers is compared once.
    """
    if isinstance(old, dict | list) and isinstance(new, dict | list):
        if (id(old), id(new)) in seen:
            return
        seen.add((id(old), id(new)))
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _differing((*keys, key), old.get(key, _ABSENT), new.get(key, _ABSENT), seen)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differing((*keys, str(number)), one, other, seen)
    elif type(old) is not type(new) or (old != new and (old == old or new == new)):  # noqa: PLR0124 - NaN
        yield keys, old, new


def _change(path: str, kind: ChangeClass, keys: tuple[str, ...], old: _Value, new: _Value) -> Change:
    pointer = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
    known = next((_MEANINGS[key] for key in keys if key in _MEANINGS), kind)
    told = _digest if known is ChangeClass.CHAT_TEMPLATE else _shown
    subject = f"{path}: {capped(pointer, VALUE_CHARS)}" if pointer else path
    return Change(kind=known, subject=subject, old=told(old), new=told(new))


def _shown(value: _Value) -> str:
    if isinstance(value, list) and len(value) > 1:
        return f"{len(value):,} entries, {_digest(value)}"
    if isinstance(value, str):
        return capped(value, VALUE_CHARS) or '""'
    return capped(_text(value), VALUE_CHARS)


def _digest(value: _Value) -> str:
    """Of a template or a list: too long to be shown."""
    if isinstance(value, _Absent):
        return ""
    text = value if isinstance(value, str) else _text(value)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_SHORT]


def _text(value: _Value) -> str:
    if isinstance(value, _Absent):
        return ""
    if _count(value, VALUE_COUNT) < 0:
        return f"(more than {VALUE_COUNT:,} values)"
    return json.dumps(value, sort_keys=True)


def _count(value: Json, left: int) -> int:
    """What is left of a budget of values when all inside of this one are counted; negative when over."""
    left -= 1
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            if left < 0:
                break
            left = _count(inner, left)
    return left
