"""The machine sees every import and every use that CPython's two unpicklers make, on generated programs.

The unpicklers get classes that record what is done to them and do nothing: no real name is ever
looked up.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aibom.domain.facts import Use
from aibom.readers.pickle import Stream, run
from aibom.readers.ranges import Memory

FAILURES = (
    pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError, ValueError, AssertionError,
    OverflowError, MemoryError, struct.error,
)  # fmt: skip
Uses = dict[tuple[str, str], Use]
Draw = Callable[[st.SearchStrategy[object]], object]


class Watching(type):
    """The type of everything that is imported: notes what is done to the class itself."""

    uses: Uses
    name: tuple[str, str]

    def note(cls, use: Use) -> None:
        cls.uses[cls.name] = max(cls.uses[cls.name], use)

    def __call__(cls, *args: object, **kwargs: object) -> object:
        cls.note(Use.CALL)
        return object.__new__(cls)

    def __setitem__(cls, key: object, value: object) -> None:
        cls.note(Use.CALL)

    @property
    def changed(cls) -> Callable[[object], None]:
        return lambda value: cls.note(Use.CALL)

    @property
    def extended(cls) -> Callable[[list[object]], None]:
        return lambda values: cls.note(Use.CALL) if values else None

    append = add = __setstate__ = changed
    extend = extended


class Inert:
    """What an imported class makes: takes every state, item and pair, and forgets them."""

    __getinitargs__ = ()  # OBJ and INST then call the class, as they do with any arguments

    def take(self, *values: object) -> None:
        pass

    append = extend = add = __setitem__ = __setstate__ = take


def watched(uses: Uses, module: str, name: str) -> type:
    def new(cls: Watching, *args: object, **kwargs: object) -> object:
        cls.note(Use.CONSTRUCT)
        return object.__new__(cls)

    uses.setdefault((module, name), Use.REFERENCE)
    members = {**vars(Inert), "__new__": new, "uses": uses, "name": (module, name)}
    members = {key: value for key, value in members.items() if key not in ("__dict__", "__weakref__")}
    return Watching("Watched", (), members)


def by_cpython(unpickler: type, data: bytes) -> tuple[Uses, bool]:
    """What one of CPython's unpicklers imports and uses, and whether it came to the end."""
    uses: Uses = {}
    known: dict[tuple[str, str], type] = {}

    class Watcher(unpickler):
        def find_class(self, module: str, name: str) -> type:
            return known.setdefault((module, name), watched(uses, module, name))

        def persistent_load(self, pid: object) -> object:
            return Inert()

    try:
        Watcher(io.BytesIO(data)).load()
    except FAILURES:
        return uses, False
    return uses, True


def by_machine(stream: Stream) -> Uses:
    return {(item.module, item.qualname): item.use for item in stream.imports}


def check(data: bytes) -> None:
    stream = run(Memory(data))
    ours = by_machine(stream)
    clean = not (stream.error or stream.defects or stream.hazards)
    for unpickler in (pickle.Unpickler, pickle._Unpickler):
        theirs, whole = by_cpython(unpickler, data)
        if whole and clean:
            assert theirs == ours, unpickler
        if not stream.error:
            # What was made before a failure counts as well: the load has run it.
            for name, use in theirs.items():
                assert ours.get(name, 0) >= use or stream.defects or stream.hazards, (unpickler, name)


class Program:
    """A pickle in the making, with the kinds of the values on its stack: mostly valid, never long."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.ops: list[bytes] = []
        self.stack: list[str] = []
        self.marks: list[list[str]] = []
        self.memo: dict[int, str] = {}

    def pick(self, *choices: object) -> object:
        return self.draw(st.sampled_from(choices))

    def coin(self) -> bool:
        return bool(self.pick(0, 1))

    def emit(self, op: bytes, takes: int = 0, gives: str = "") -> None:
        self.ops.append(op)
        if takes:
            del self.stack[-takes:]
        if gives:
            self.stack.append(gives)

    def text(self, value: str) -> None:
        data = value.encode()
        form = self.pick(
            b"\x8c%c%b" % (len(data), data), b"X%b%b" % (struct.pack("<I", len(data)), data), b"V%b\n" % data,
            b"U%c%b" % (len(data), data), b"S'%b'\n" % data,
            b"\x8d%b%b" % (struct.pack("<Q", len(data)), data),
        )  # fmt: skip
        self.emit(form, gives="text")

    def atom(self) -> None:
        forms = (
            b"N", b"\x88", b"\x89", b"K\x07", b"M\x01\x02", b"J\xff\xff\xff\xff", b"I7\n", b"I01\n", b"L7L\n",
            b"\x8a\x01\x07", b"\x8b\x02\0\0\0\x01\x01", b"F1.5\n", b"G?\xf8\0\0\0\0\0\0",
            b"C\x02ab", b"B\x02\0\0\0ab", b"\x8e\x02\0\0\0\0\0\0\0ab", b"T\x02\0\0\0ab",
        )  # fmt: skip
        self.emit(self.pick(*forms), gives="atom")

    def container(self) -> None:
        op, kind = self.pick((b"]", "list"), (b"}", "dict"), (b"\x8f", "set"), (b")", "tuple"))
        self.emit(op, gives=kind)

    def import_(self) -> None:
        module, name = self.pick("m", "m.n"), self.pick("f", "g", "K.k")
        if self.coin():
            self.emit(f"c{module}\n{name}\n".encode(), gives="global")
            return
        self.text(module)
        self.again()
        self.text(name)
        self.again()
        self.emit(b"\x93", takes=2, gives="global")

    def again(self) -> None:
        """Perhaps through the memo, or doubled and dropped: what hides a name from a textual look."""
        trick = self.pick("", "", "memo", "dup")
        if trick == "memo":
            self.memoize()
            self.emit(b"0", takes=1)
            self.emit(b"h%c" % max(self.memo), gives="text")
        elif trick == "dup":
            self.emit(b"20")

    def memoize(self) -> None:
        index = self.pick(len(self.memo), len(self.memo), 3)
        same = index == len(self.memo)
        forms = (b"q%c" % index, b"r%b" % struct.pack("<I", index), b"p%d\n" % index, *([b"\x94"] * same))
        self.memo[index] = self.stack[-1]
        self.emit(self.pick(*forms))

    def get(self) -> None:
        index = self.pick(*self.memo) if self.memo else 0
        forms = (b"h%c" % index, b"j%b" % struct.pack("<I", index), b"g%d\n" % index)
        self.emit(self.pick(*forms), gives=self.memo.get(index, "atom"))

    def fill(self) -> None:
        kind = self.stack[-1]
        if kind in ("dict", "global", "object") and self.coin():
            self.many(2, b"u") if self.coin() else self.one(2, b"s")
        elif kind == "set":
            self.many(1, b"\x90")
        elif kind != "dict":
            self.many(1, b"e") if self.coin() else self.one(1, b"a")

    def one(self, width: int, op: bytes) -> None:
        for _ in range(width):
            self.atom()
        self.emit(op, takes=width)

    def many(self, width: int, op: bytes) -> None:
        self.emit(b"(")
        for _ in range(width * self.pick(0, 1, 3)):
            self.atom()
            self.emit(b"", takes=1)
        self.emit(op)

    def tuple_(self) -> None:
        count = self.pick(1, 2, 3)
        if len(self.stack) >= count:
            self.emit((b"\x85", b"\x86", b"\x87")[count - 1], takes=count, gives="tuple")

    def mark(self) -> None:
        self.emit(b"(")
        self.marks.append(self.stack)
        self.stack = []

    def close(self) -> None:
        if not self.marks:
            return
        inner, self.stack = self.stack, self.marks.pop()
        if inner and inner[0] == "global" and self.coin():
            self.emit(b"o", gives="object")
        elif self.coin():
            self.emit(b"imod\nold\n", gives="object")
        else:
            self.emit(*self.pick((b"t", 0, "tuple"), (b"l", 0, "list"), (b"1", 0, ""), (b"\x91", 0, "set")))

    def call(self) -> None:
        self.import_() if self.coin() else self.get()
        form = self.pick("reduce", "newobj", "newobj_ex", "with")
        if form == "with":
            self.atom()
            self.emit(b"\x85", takes=1, gives="tuple")
        else:
            self.emit(b")", gives="tuple")
        if form == "newobj_ex":
            self.emit(b"}", gives="dict")
            self.emit(b"\x92", takes=3, gives="object")
        else:
            self.emit(b"\x81" if form == "newobj" else b"R", takes=2, gives="object")

    def build(self) -> None:
        self.atom()
        self.emit(b"b", takes=1)

    def persist(self) -> None:
        if self.coin():
            self.emit(b"Pid\n", gives="object")
        else:
            self.emit(b"Q", takes=1, gives="object")

    def odd(self) -> None:
        """Whatever it does to the stack: nobody promised a valid program."""
        self.emit(
            self.pick(
                b"0",
                b"2",
                b"1",
                b"R",
                b"\x81",
                b"e",
                b"u",
                b"s",
                b"o",
                b"\x94",
                b"\x80\x04",
                b"\x82\x01",
                b"b",
            )
        )

    def step(self) -> None:
        choices = [self.atom, self.container, self.import_, self.call, self.mark, self.get]
        if self.stack:
            choices += [self.memoize, self.fill, self.tuple_, self.build, self.persist, self.fill]
        if self.marks:
            choices += [self.close, self.close]
        self.pick(*choices, *([self.odd] if self.pick(*range(12)) == 0 else []))()


def framed(ops: list[bytes], draw: Draw) -> bytes:
    """The opcodes in frames; now and then the length of one is a lie."""
    parts: list[bytes] = []
    while ops:
        count = draw(st.integers(1, 12))
        body, ops = b"".join(ops[:count]), ops[count:]
        lie = draw(st.sampled_from((0, 0, 0, 0, 0, 0, 0, 1, -1)))
        parts.append(b"\x95" + struct.pack("<Q", max(0, len(body) + lie)) + body)
    return b"".join(parts)


@st.composite
def programs(draw: Draw) -> bytes:
    program = Program(draw)
    for _ in range(draw(st.integers(1, 25))):
        program.step()
    while program.marks and draw(st.integers(0, 3)):
        program.close()
    if not program.stack:
        program.atom()
    protocol = draw(st.integers(0, 5))
    head = b"\x80%c" % protocol if protocol > 1 else b""
    ops = [op for op in program.ops if op] + [b"."]
    return head + (framed(ops, draw) if protocol > 3 and draw(st.booleans()) else b"".join(ops))


@settings(max_examples=250, deadline=None)
@given(programs())
def test_imports_and_uses_are_those_of_both_unpicklers(data: bytes) -> None:
    check(data)


@settings(max_examples=150, deadline=None)
@given(programs(), st.data())
def test_no_changed_byte_hides_an_import(data: bytes, chance: st.DataObject) -> None:
    at = chance.draw(st.integers(0, len(data) - 1))
    changed = data[:at] + bytes((chance.draw(st.integers(0, 255)),)) + data[at + 1 :]
    assume(b"r" not in changed)  # CPython makes room for every entry up to the index that LONG_BINPUT names
    check(changed)


@settings(max_examples=100, deadline=None)
@given(programs(), st.sampled_from((0, 100, 300, 800)))
def test_without_room_for_values_imports_stay_exact_or_a_limit_is_told(data: bytes, kept: int) -> None:
    stream, cut = run(Memory(data)), run(Memory(data), kept=kept)
    assert str(cut.error) == str(stream.error)
    assert by_machine(cut) == by_machine(stream) or cut.defects != stream.defects
