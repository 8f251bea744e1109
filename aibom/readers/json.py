"""JSON with bounds: size, depth, number of values, no duplicate keys.

The standard library's parser does the work; what it would accept silently (duplicate keys, deep
nesting, ten million values) is refused here. RFC 8259.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import DOCUMENT_BYTES, DOCUMENT_DEPTH, JSON_VALUE_COUNT
from aibom.domain.protocols import ByteReader

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

# Possessive, so that a hostile run of backslashes cannot make it backtrack.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?+|[\[\]{}]', re.DOTALL)


class DuplicateKeyError(ValueError):
    """Two members of one object have the same name."""


def unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """The members of an object. Raises `DuplicateKeyError`."""
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise DuplicateKeyError(f"duplicate key {double[:80]!r}")
    return members


def parse(
    data: bytes, *, offset: int = 0, values: int = JSON_VALUE_COUNT, depth: int = DOCUMENT_DEPTH
) -> Json:
    """The parsed document. `offset` is where `data` starts in its file, for error messages.

    Raises malformed (syntax, encoding, duplicate key) or limit (values, depth).
    """
    _check_bounds(data, offset, values, depth)
    try:
        parsed: Json = json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise malformed("JSON is not UTF-8", offset + error.start) from None
    except json.JSONDecodeError as error:
        raise malformed(f"not JSON: {error.msg}", offset + error.pos) from None
    except (DuplicateKeyError, ValueError) as error:
        raise malformed(f"JSON refused: {error}", offset) from None
    except RecursionError:
        raise over_limit("JSON is nested too deeply", offset) from None
    return parsed


def _check_bounds(data: bytes, offset: int, values: int, depth: int) -> None:
    opened = data.count(b"[") + data.count(b"{")
    # Commas inside strings count too: the bound errs on the side of refusing.
    if data.count(b",") + opened > values:
        raise over_limit(f"JSON holds more than {values} values", offset)
    if opened > depth:
        _check_depth(data, offset, depth)


def _check_depth(data: bytes, offset: int, limit: int) -> None:
    level = 0
    for match in _TOKEN.finditer(data):
        first = data[match.start()]
        if first in b"[{":
            level += 1
            if level > limit:
                raise over_limit(f"JSON is nested deeper than {limit} levels", offset + match.start())
        elif first in b"]}":
            level -= 1


def parse_document(reader: ByteReader, limit: int = DOCUMENT_BYTES) -> Json:
    """The whole file as JSON; raises limit when it is larger than `limit` bytes."""
    if reader.size > limit:
        raise over_limit(f"document of {reader.size} bytes, at most {limit} are read")
    return parse(reader.read_at(0, reader.size))


def parse_object(reader: ByteReader, limit: int = DOCUMENT_BYTES) -> dict[str, Json]:
    """The whole file as a JSON object; raises malformed when it is another value."""
    document = parse_document(reader, limit)
    if not isinstance(document, dict):
        raise malformed(f"a JSON object is expected, not {type(document).__name__}")
    return document


def text(value: Json) -> str | None:
    """The value when it is a string, else None: for fields that hostile files mistype."""
    return value if isinstance(value, str) else None


def strings(value: Json) -> tuple[str, ...]:
    """One string or a list of strings as a tuple; everything else is dropped."""
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def integer(value: Json) -> int | None:
    """The value when it is an integer and not a boolean, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def naturals(value: Json) -> tuple[int, ...] | None:
    """A list of integers from 0 to 2^63 - 1 as a tuple, else None."""
    if not isinstance(value, list):
        return None
    found = tuple(item for item in value if type(item) is int and 0 <= item < 2**63)
    return found if len(found) == len(value) else None


def members(value: Json) -> dict[str, Json]:
    """The value when it is an object, else an empty one: for optional parts of configurations."""
    return value if isinstance(value, dict) else {}
