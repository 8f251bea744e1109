"""Pickles of any protocol under any name, and what lies in their literals.

Raw numbers begin like a pickle now and then. A part counts when its name says so, when a stream
fills it, or when a stream imports a name that can exist.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, over_limit, unsupported
from aibom.domain.facts import Import, Nested, Use
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader, Match, Probe
from aibom.formats import _pickle, torch_legacy
from aibom.formats.inside.part import Host, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.pickle import run
from aibom.readers.pickle_nested import BASE64, LATIN_1, STARTERS
from aibom.readers.ranges import Memory, Window, check_inside

LITERAL_COUNT: Final = 1_000  # literals of one pickle that are looked at
ENCODED_BYTES: Final = 8 * MIB  # of one literal that must be decoded first
_LIKELY_OPCODES: Final = 200  # so many in a row are worth a walk
_SUFFIXES: Final = (".pkl", ".pickle", ".joblib", ".dill", ".sav")
_NAME: Final = re.compile(r"[\w.<>]+\Z")
_PROTO: Final = 0x80
OPCODES: Final = frozenset(b"(.012BCFGIJKLMNPQRSTUVX])abcdeghijlopqrstu}") | {*range(0x80, 0x99)}
_PERSID: Final = ord("P")
# Of those that may come first: the bytes of their argument, behind which another must follow.
_WIDTHS: Final = {**dict.fromkeys(b"(N\x88\x89)]}\x8f", 0), **dict(zip(b"KMJG", (1, 2, 4, 8), strict=True))}
# The number that begins PyTorch's checkpoints, in the protocols from 2 on and before.
_LEGACY: Final = (b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", b"119547037146038801333356")
_LEGACY_BYTES: Final = 64
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class _Front:
    """The head of a part, and newlines for the rest: no opcode, and the end of any line."""

    def __init__(self, head: bytes, size: int) -> None:
        self._head = head
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        check_inside(self.size, offset, length)
        return self._head[offset : offset + length].ljust(length, b"\n")

    def read_into(self, offset: int, buffer: memoryview) -> int:
        data = self.read_at(offset, min(len(buffer), max(0, self.size - offset)))
        buffer[: len(data)] = data
        return len(data)


def begins(part: Part) -> bool:
    """True when the head is a pickle stream, or runs to its end as one, or calls something first."""
    head = part.head
    # Without the mark of a protocol no loader takes a persistent id first; zip and Parquet begin so.
    if not head or head[0] not in STARTERS or head[0] == _PERSID:
        return False
    if _pickle.begins_with_protocol(head):
        return True
    following = 1 + _WIDTHS.get(head[0], len(head))
    if following < len(head) and head[following] not in OPCODES:
        return False
    stream = run(_Front(head, part.size), opcodes=_LIKELY_OPCODES)
    if stream.error is None:
        return bool(stream.imports) or stream.stop == part.size
    # What runs past the head goes on in bytes that are not known yet.
    beyond = stream.error.reason is not Reason.TRUNCATED and stream.stop >= len(head)
    long = stream.error.reason is Reason.LIMIT
    return beyond or long or any(_called(item) for item in stream.imports)


def examine(walk: Walk, part: Part) -> bool:
    """Takes over all streams, then what their literals are."""
    with walk.opened(part) as reader:
        if any(mark in part.head[:_LEGACY_BYTES] for mark in _LEGACY):
            probe = Probe(name=part.name, head=part.head, reader=reader)
            if torch_legacy.FORMAT.recognise(probe) is Match.CONTENT:
                return _examine_legacy(walk, part, probe)
        return examine_streams(walk, part, reader, 0, certain=part.named(*_SUFFIXES))


def examine_streams(walk: Walk, part: Part, reader: ByteReader, start: int, *, certain: bool) -> bool:
    """Takes over all streams from `start`; if it is not `certain` that they are some, they must show it."""
    try:
        walked = _pickle.walk(reader, start)
    except UnreadableError as error:
        # Not one whole stream and no import. As many opcodes as a limit allows are no accident.
        if certain or error.reason is Reason.LIMIT:
            walk.may_run = True
            walk.failed(part, error)
            return True
        return False
    if not (certain or walked.end == reader.size or _meant(part, walked.imports)):
        walk.take(part, (), (), (each for each in walked.defects if each.reason is Reason.LIMIT))
        return False
    walk.may_run = True
    walk.take(part, _foreign(part, walked.imports), walked.hazards, walked.defects)
    follow(walk, part, reader, walked.nested)
    return True


def _meant(part: Part, imports: Iterable[Import]) -> bool:
    """True when an import is no accident; without the mark of a protocol it must be called as well."""
    told = _possible if part.head[0] == _PROTO else _called
    return any(told(item) for item in imports)


def _possible(item: Import) -> bool:
    """True when a module and a name could be spelled so."""
    return bool(_NAME.match(item.module) and _NAME.match(item.qualname))


def _called(item: Import) -> bool:
    return item.use is Use.CALL and _possible(item)


def _examine_legacy(walk: Walk, part: Part, probe: Probe) -> bool:
    """A checkpoint of PyTorch: storages stand behind the streams, which no walk could make sense of."""
    walk.may_run = True
    facts = torch_legacy.FORMAT.read(probe) if torch_legacy.FORMAT.read else None
    if facts is not None:
        walk.take(part, facts.imports, facts.hazards, facts.defects)
        follow(walk, part, probe.reader, facts.nested)
    return True


def _foreign(part: Part, imports: Iterable[Import]) -> Iterable[Import]:
    """Without the classes that a TorchScript archive defines in its own `code/`."""
    if not part.script:
        return imports
    return (item for item in imports if f"{item.module}.".partition(".")[0] != "__torch__")


def follow(walk: Walk, part: Part, reader: ByteReader, nested: tuple[Nested, ...]) -> None:
    """Examines the literals of a pickle that may be files of their own."""
    for item in nested[:LITERAL_COUNT]:
        try:
            literal = _literal(part, reader, item)
        except UnreadableError as error:
            walk.may_run = True
            walk.failed(part, error)
            continue
        if literal is not None:
            walk.dispatch(literal)
    if len(nested) > LITERAL_COUNT:
        walk.may_run = True
        message = f"more than {LITERAL_COUNT} literals that may be files"
        walk.defect(part, Reason.LIMIT, message, nested[LITERAL_COUNT].offset)


def _literal(part: Part, reader: ByteReader, item: Nested) -> Part | None:
    """The literal as a part, None when it is not encoded as it seemed. Raises limit or unsupported."""
    window = Window(reader, item.offset, item.length)
    host = replace(part, host=Host.MODEL)
    name = f"@{item.offset}"
    if item.encoding is None:
        return host.stored(name, window, item.offset)
    if item.length > ENCODED_BYTES:
        message = f"a literal of {item.length} encoded bytes, at most {ENCODED_BYTES} are read"
        raise over_limit(message, item.offset)
    try:
        plain = _decoded(window.read_at(0, item.length), item.encoding, item.offset)
    except (binascii.Error, UnicodeError):
        return None
    return replace(host.stored(name, Memory(plain), 0), origin=0, inflated=True)


def _decoded(data: bytes, encoding: str, offset: int) -> bytes:
    if encoding == BASE64:
        return binascii.a2b_base64(data.translate(_URL_SAFE))
    if encoding == LATIN_1:
        return data.decode("utf-8", "surrogatepass").encode("latin-1")
    raise unsupported(f"a literal in {encoding} is not read", offset)
