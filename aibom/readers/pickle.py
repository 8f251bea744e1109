"""A bounded symbolic pickle machine for protocols 0 to 5: it imports nothing and calls nothing.

Stack, marks and memo behave byte for byte as CPython's (Lib/pickle.py, Modules/_pickle.c,
`pickletools` for the opcodes); what would be an object is a symbol of `pickle_values`. Where the
two unpicklers of CPython disagree the walk takes the road that sees more, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import repeat
from operator import length_hint
from sys import maxsize
from typing import ClassVar, Final, TypeAlias

from aibom.domain.errors import UnreadableError, malformed, over_limit
from aibom.domain.facts import Defect, Import, Nested
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.limits import PICKLE_OPCODE_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle_calls import AfterBuild, Calls
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_nested import PROTOCOLS
from aibom.readers.pickle_size import largest
from aibom.readers.pickle_values import Value

_EXPANDED_COUNT: Final = 10**8  # values; no honest file unfolds to so many
_EXPANDED_RATIO: Final = 10**4  # values to opcodes
_SHARED_COUNT: Final = 26  # with fewer doublings there are no 10^8 values
_STOPPED: Final = maxsize  # a place that no opcode has


# Takes the machine and the place of the operand, gives the place of the next opcode.
Handler: TypeAlias = "Callable[[Machine, int], int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One pickle stream, or what there is of it when `error` is set.

    `stop` is the offset after STOP or of the failure; imports stand in the order they are made.
    """

    root: Value = field(repr=False)
    imports: tuple[Import, ...]
    hazards: tuple[Hazard, ...]
    nested: tuple[Nested, ...]  # literals that may be files of their own
    start: int
    stop: int
    protocol: int
    opcodes: int
    defects: tuple[Defect, ...]
    error: UnreadableError | None
    cut: bool  # not every value was kept


def run(
    reader: ByteReader,
    start: int = 0,
    end: int | None = None,
    *,
    after_build: AfterBuild | None = None,
    kept: int = KEPT_BYTES,
    opcodes: int = PICKLE_OPCODE_COUNT,
) -> Stream:
    """The stream at `start`, read once. Never raises: the error stands beside what was seen.

    `kept` bounds the memory of the values; beyond it they are OPAQUE, imports stay exact.

    `after_build` gets what a BUILD has filled and the offset after it, and returns the offset to
    go on at: some writers put raw data between opcodes. It may raise `UnreadableError`.
    """
    return told(Machine(reader, start, end, kept, after_build), opcodes)


def told(machine: Machine, opcodes: int) -> Stream:
    """What the machine finds in its stream, of which it does at most so many opcodes."""
    root: Value = None
    error = None
    try:
        root = machine.steps(opcodes)
    except UnreadableError as caught:
        error = caught
    except IndexError:
        error = malformed("the stack is too short for the opcode", machine.stop)
    return Stream(
        root=root,
        imports=machine.imports(),
        hazards=tuple(machine.hazards.found),
        nested=tuple(machine.nested.values()),
        start=machine.start,
        stop=min(machine.stop, machine.end),
        protocol=machine.protocol,
        opcodes=machine.count,
        defects=tuple(machine.defects),
        error=error,
        cut=machine.room < 0,
    )


class Machine(Calls):
    """The loop, and the opcodes that begin and end a stream."""

    __slots__ = ("count", "protocol", "stop")
    handlers: ClassVar[tuple[Handler, ...]]  # by opcode

    def __init__(
        self, reader: ByteReader, start: int, end: int | None, room: int, after_build: AfterBuild | None
    ) -> None:
        super().__init__(reader, start, end, room, after_build)
        self.protocol = 0
        self.count = 0
        self.stop = start

    def steps(self, most: int) -> Value:
        """Runs to STOP and returns what it leaves; raises limit after `most` opcodes."""
        handlers = self.handlers
        budget = repeat(None, most)
        at = 0
        try:
            while at != _STOPPED:
                at = self.advance(at)
                window = self.window
                for _ in budget:
                    at = handlers[window[at]](self, at + 1)
                    if at >= self.limit:
                        break
                else:
                    raise over_limit(f"more than {most} opcodes", self.base + at)
        finally:
            self.count = most - length_hint(budget) + self.joined
            if at != _STOPPED:
                self.stop = self.base + at
        root = self.stack.pop()
        self.hold((root,))
        self.measure(root)
        return root

    def measure(self, root: Value) -> None:
        """Records a stream whose containers hold each other so often that following them never ends."""
        if self.shared < _SHARED_COUNT:
            return
        size = largest((root, *self.memo, *self.sparse.values()))
        if size > max(_EXPANDED_COUNT, _EXPANDED_RATIO * self.count):
            message = f"unfolds to {size:.0e} values when shared containers are followed each time"
            self.hazards.add(HazardKind.DECOMPRESSION_BOMB, "expanding-pickle", message, self.start)

    def halt(self, at: int) -> int:
        if self.inside_frame(at):
            self.differ("the stream stops inside a frame", at)
        self.stop = self.base + at
        return _STOPPED

    def unknown(self, at: int) -> int:
        raise malformed(f"0x{self.window[at - 1]:02x} is no opcode", self.base + at - 1)

    def proto(self, at: int) -> int:
        self.protocol = self.window[at]
        if self.protocol not in PROTOCOLS:
            raise malformed(f"protocol {self.protocol}", self.base + at - 1)
        if self.base + at - 1 != self.start:
            self.differ("the protocol changes inside the stream", at)
        return at + 1


def _push(value: Value) -> Handler:
    def push(machine: Machine, at: int) -> int:
        machine.stack.append(value)
        return at

    return push


_CONSTANTS: Final[dict[bytes, Value]] = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
_M: Final = Machine
_OPCODES: Final[dict[bytes, Handler]] = {
    b"\x80": _M.proto, b"\x95": _M.enter_frame, b".": _M.halt, b"(": _M.mark, b"0": _M.pop, b"1": _M.pop_mark,
    b"2": _M.dup, b"\x94": _M.memoize, b"p": _M.put, b"q": _M.binput, b"r": _M.long_binput,
    b"g": _M.get, b"h": _M.binget, b"j": _M.long_binget,
    b"I": _M.int_line, b"J": _M.binint, b"K": _M.binint1, b"M": _M.binint2, b"L": _M.long_line,
    b"\x8a": _M.long1, b"\x8b": _M.long4, b"F": _M.float_line, b"G": _M.binfloat,
    b"S": _M.string_line, b"T": _M.binstring, b"U": _M.short_binstring, b"V": _M.unicode_line,
    b"X": _M.binunicode, b"\x8c": _M.short_binunicode, b"\x8d": _M.binunicode8,
    b"B": _M.binbytes, b"C": _M.short_binbytes, b"\x8e": _M.binbytes8, b"\x96": _M.binbytes8,
    b"\x97": _M.next_buffer, b"\x98": _M.readonly_buffer,
    b"t": _M.tuple_mark, b"\x85": _M.tuple1, b"\x86": _M.tuple2, b"\x87": _M.tuple3,
    b"]": _M.empty_list, b"l": _M.list_mark, b"a": _M.append, b"e": _M.add_mark,
    b"}": _M.empty_dict, b"d": _M.dict_mark, b"s": _M.set_item, b"u": _M.set_mark,
    b"\x8f": _M.empty_set, b"\x90": _M.add_mark, b"\x91": _M.frozenset_mark,
    b"c": _M.global_, b"\x93": _M.stack_global, b"\x82": _M.ext1, b"\x83": _M.ext2, b"\x84": _M.ext4,
    b"i": _M.inst, b"o": _M.obj, b"R": _M.reduce, b"\x81": _M.newobj, b"\x92": _M.newobj_ex,
    b"b": _M.build, b"P": _M.persid, b"Q": _M.binpersid,
    **{code: _push(value) for code, value in _CONSTANTS.items()},
}  # fmt: skip
Machine.handlers = tuple(_OPCODES.get(bytes((code,)), _M.unknown) for code in range(256))
