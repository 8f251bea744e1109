"""The arguments of a call as short text: literals as Python writes them, `?` for what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped
from aibom.readers.pickle_values import Blob, Global, Mapping, Sequence, Skipped, SkippedError, Value

ARGUMENTS_CHARS: Final = 200
UNKNOWN: Final = "?"  # also stands for a module or name that cannot be resolved
_DEPTH: Final = 4
_ITEM_COUNT: Final = 16  # of one container
_BRACKETS: Final = {"list": "[]", "set": "{}", "frozenset": "{}"}


def rendered(reader: ByteReader, args: Value, kwargs: Value = None) -> str:
    """`('echo hi', 1)`, at most `ARGUMENTS_CHARS` long and a mark; bounded whatever the arguments are."""
    values = (args,) if kwargs is None else (args, kwargs)
    pieces: list[str] = []
    room = ARGUMENTS_CHARS
    for index, value in enumerate(values):
        for piece in _pieces(reader, value, _DEPTH):
            pieces.append(piece)
            room -= len(piece)
            # One piece more than fits, so that the cut is marked.
            if room < 0:
                return capped("".join(pieces), ARGUMENTS_CHARS)
        if index + 1 < len(values):
            pieces.append(" ")
    return "".join(pieces)


def _pieces(reader: ByteReader, value: Value, depth: int) -> Iterator[str]:
    if isinstance(value, Global):
        yield f"{value.module}.{value.qualname}"[: ARGUMENTS_CHARS + 1]
    elif isinstance(value, Blob):
        yield _blob(reader, value)
    elif isinstance(value, (tuple, Sequence, Mapping)):
        yield from _container(reader, value, depth - 1) if depth else UNKNOWN
    elif value is None or isinstance(value, (bool, int, float, str, bytes)):
        yield repr(value)
    elif isinstance(value, Skipped):
        raise SkippedError
    else:
        yield UNKNOWN


def _container(
    reader: ByteReader, value: tuple[Value, ...] | Sequence | Mapping, depth: int
) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _joined(reader, "{}", value.flat, (": ", ", "), depth)
    elif isinstance(value, Sequence):
        yield from _joined(reader, _BRACKETS[value.kind], value.items, (", ", ", "), depth)
    else:
        yield from _joined(reader, ("(", ",)" if len(value) == 1 else ")"), value, (", ", ", "), depth)


def _joined(
    reader: ByteReader, brackets: Iterable[str], items: Iterable[Value], between: tuple[str, str], depth: int
) -> Iterator[str]:
    opening, closing = brackets
    yield opening
    for index, item in enumerate(items):
        if index:
            yield between[index % 2 - 1]
        if index == 2 * _ITEM_COUNT:
            yield UNKNOWN
            break
        yield from _pieces(reader, item, depth)
    yield closing


def _blob(reader: ByteReader, blob: Blob) -> str:
    """The beginning of a long text, with the mark of what is missing."""
    try:
        head = reader.read_at(blob.offset, min(blob.length, ARGUMENTS_CHARS))
    except UnreadableError:
        return UNKNOWN
    text = repr(head.decode(blob.encoding or "latin-1", "replace") if blob.encoding else head)
    return (
        text if blob.length <= len(head) else f"{text[:-1]}…[{blob.length - len(head)} more bytes]{text[-1]}"
    )
