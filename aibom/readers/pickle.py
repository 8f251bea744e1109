"""A bounded symbolic pickle machine for protocols 0 to 5: it imports nothing and calls nothing.

Stack, marks and memo behave byte for byte as CPython's (Lib/pickle.py, Modules/_pickle.c,
`pickletools` for the opcodes); what would be an object is a symbol of `pickle_values`. Where the
two unpicklers of CPython disagree the walk takes the road that sees more, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.facts import Defect, Import
from aibom.domain.limits import IMPORT_COUNT, PICKLE_OPCODE_COUNT
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped
from aibom.readers.pickle_input import LINE_BYTES
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_stack import Containers
from aibom.readers.pickle_values import OPAQUE, Blob, Call, Global, Opaque, Persistent, Value

PROTOCOLS: Final = range(6)
UNKNOWN: Final = "?"  # stands for a module or name that cannot be resolved
_NAME_CHARS: Final = 256
_CALL_COST: Final = 96  # bytes
_PERSISTENT_COST: Final = 48
_STOP: Final = 0x2E

AfterBuild: TypeAlias = Callable[[Value, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One pickle stream, or what there is of it when `error` is set.

    `stop` is the offset after STOP or of the failure; imports stand in the order they are made.
    """

    root: Value = field(repr=False)
    imports: tuple[Import, ...]
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
) -> Stream:
    """The stream at `start`, read once. Never raises: the error stands beside what was seen.

    `kept` bounds the memory of the values; beyond it they are OPAQUE, imports stay exact.

    `after_build` gets what a BUILD has filled and the offset after it, and returns the offset to
    go on at: some writers put raw data between opcodes. It may raise `UnreadableError`.
    """
    machine = Machine(reader, start, end, after_build)
    machine.room = kept
    root: Value = None
    error = None
    try:
        root = machine.steps()
    except UnreadableError as caught:
        error = caught
    except IndexError:
        error = malformed("the stack is too short for the opcode", machine.op)
    return Stream(
        root=root,
        imports=machine.imports(),
        start=start,
        stop=machine.position,
        protocol=machine.protocol,
        opcodes=machine.count,
        defects=tuple(machine.defects),
        error=error,
        cut=machine.room < 0,
    )


class Machine(Containers):
    """The loop, and the opcodes that import and call."""

    __slots__ = ("_after_build", "_globals", "count", "protocol")

    def __init__(
        self, reader: ByteReader, start: int, end: int | None, after_build: AfterBuild | None
    ) -> None:
        super().__init__(reader, start, end)
        self._after_build = after_build
        self._globals: dict[tuple[str, str], Global] = {}
        self.protocol = 0
        self.count = 0

    def steps(self) -> Value:
        """Runs to STOP and returns what it leaves."""
        count = 0
        try:
            for count in range(1, PICKLE_OPCODE_COUNT + 1):  # noqa: B007
                self.op_at = at = self.at
                if at >= self.filled:
                    self.fill(1)
                    at = self.at
                self.at = at + 1
                code = self.window[at]
                if code == _STOP:
                    return self._stop()
                _HANDLERS[code](self)
        finally:
            self.count = count
        raise over_limit(f"more than {PICKLE_OPCODE_COUNT} opcodes", self.op)

    def _stop(self) -> Value:
        if self.inside_frame():
            self.note(Reason.MALFORMED, "the stream stops inside a frame")
        return self.stack.pop()

    def imports(self) -> tuple[Import, ...]:
        """Every name once; called when the stream calls it or changes what it names."""
        return tuple(
            Import(
                module=capped(value.module, _NAME_CHARS),
                qualname=capped(value.qualname, _NAME_CHARS),
                offset=value.offset,
                called=value in self.called,
            )
            for value in self._globals.values()
        )

    def unknown(self) -> None:
        raise malformed(f"0x{self.window[self.at - 1]:02x} is no opcode", self.op)

    def proto(self) -> None:
        self.protocol = self.byte()
        if self.protocol not in PROTOCOLS:
            raise malformed(f"protocol {self.protocol}", self.op)
        if self.op != self.start:
            self.note(Reason.MALFORMED, "the protocol changes inside the stream")

    # Imports

    def _import(self, module: str | None, name: str | None) -> Value:
        if module is None or name is None:
            self.note(Reason.MALFORMED, "an import whose name cannot be resolved")
        key = (UNKNOWN if module is None else module, UNKNOWN if name is None else name)
        # One symbol per name, so that a call through any of its uses marks the import.
        found = self._globals.get(key)
        if found is None:
            if len(self._globals) >= IMPORT_COUNT:
                self.note(Reason.LIMIT, f"more than {IMPORT_COUNT} imports")
                return OPAQUE
            found = self._globals[key] = Global(*key, self.op)
        return found

    def _line_text(self, encoding: str) -> str | None:
        line = self.line()
        return None if line is None else self.decoded(line, encoding)

    def global_(self) -> None:
        module = self._line_text("utf-8")
        self.stack.append(self._import(module, self._line_text("utf-8")))

    def stack_global(self) -> None:
        name = self._name(self.stack.pop())
        self.stack.append(self._import(self._name(self.stack.pop()), name))

    def _name(self, value: Value) -> str | None:
        # CPython refuses anything but text here; what may have been text beyond the budget is "?" too.
        if isinstance(value, Blob) and value.encoding and value.length <= LINE_BYTES:
            return self.decoded(self.reader.read_at(value.offset, value.length), value.encoding)
        return value if isinstance(value, str) else None

    def _extension(self, length: int) -> None:
        # Which global the number stands for is known to the loading program alone (PEP 307).
        self.number(length)
        self.stack.append(self._import(None, None))

    def ext1(self) -> None:
        self._extension(1)

    def ext2(self) -> None:
        self._extension(2)

    def ext4(self) -> None:
        self._extension(4)

    # Calls

    def _call(self, function: Value, args: Value, kwargs: Value = None) -> None:
        if isinstance(function, Global):
            self.called.add(function)
        # What a call or the loading program returns may be called; a text or a number may not.
        elif not isinstance(function, (Call, Persistent)):
            self.note(
                Reason.LIMIT if isinstance(function, Opaque) else Reason.MALFORMED,
                "a call of something that is not known",
            )
        kept = self.keep(_CALL_COST)
        self.stack.append(Call(function, args, self.op, kwargs) if kept else OPAQUE)

    def reduce(self) -> None:
        args = self.stack.pop()
        self._call(self.stack.pop(), args)

    def newobj_ex(self) -> None:
        kwargs = self.stack.pop()
        args = self.stack.pop()
        self._call(self.stack.pop(), args, kwargs)

    def inst(self) -> None:
        module = self._line_text("ascii")
        function = self._import(module, self._line_text("ascii"))
        self._call(function, tuple(self.since_mark()))

    def obj(self) -> None:
        items = self.since_mark()
        self._call(items.pop(0), tuple(items))

    def build(self) -> None:
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Call):
            target.state = state
        elif isinstance(target, Global):
            # BUILD on a class or module sets attributes of the real one.
            self.called.add(target)
        if self._after_build is not None:
            position = self._after_build(target, self.position)
            if position != self.position:
                if self.inside_frame():
                    self.note(Reason.MALFORMED, "raw data inside a frame")
                self.seek(position)

    # The rest

    def persid(self) -> None:
        self._persistent(self._line_text("ascii"))

    def binpersid(self) -> None:
        self._persistent(self.stack.pop())

    def _persistent(self, value: Value) -> None:
        self.stack.append(Persistent(value) if self.keep(_PERSISTENT_COST) else OPAQUE)

    def next_buffer(self) -> None:
        self.note(Reason.UNSUPPORTED, "a buffer that is not in the stream")
        self.stack.append(OPAQUE)

    def readonly_buffer(self) -> None:
        self.stack[-1] = self.stack[-1]


def _push(value: Value) -> Callable[[Machine], None]:
    def push(machine: Machine) -> None:
        machine.stack.append(value)

    return push


_CONSTANTS: Final[dict[bytes, Value]] = {b"N": None, b"\x88": True, b"\x89": False, b")": ()}
_M: Final = Machine
_OPCODES: Final[dict[bytes, Callable[[Machine], None]]] = {
    b"\x80": _M.proto, b"\x95": _M.enter_frame, b"(": _M.mark, b"0": _M.pop, b"1": _M.pop_mark,
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
    b"i": _M.inst, b"o": _M.obj, b"R": _M.reduce, b"\x81": _M.reduce, b"\x92": _M.newobj_ex,
    b"b": _M.build, b"P": _M.persid, b"Q": _M.binpersid,
    **{code: _push(value) for code, value in _CONSTANTS.items()},
}  # fmt: skip
_HANDLERS: Final = tuple(_OPCODES.get(bytes((code,)), _M.unknown) for code in range(256))

# The opcodes that may come first: they take nothing from the stack.
STARTERS: Final = frozenset(b"(N\x88\x89)IJKMLFG\x8a\x8bSTUVX\x8c\x8dBC\x8e\x96]}\x8fc\x82\x83\x84P\x95")
