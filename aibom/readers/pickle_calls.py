"""The pickle opcodes that import and call: what a stream would have its loader run, and how.

Call shapes as in Lib/pickle.py: REDUCE, INST and OBJ call; NEWOBJ and NEWOBJ_EX make an instance
with `cls.__new__` (PEP 307), as do the functions of `copyreg` that stand for them in old protocols.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from aibom.domain.errors import Reason
from aibom.domain.facts import Import, Nested, Use
from aibom.domain.limits import IMPORT_COUNT
from aibom.domain.protocols import ByteReader
from aibom.domain.text import capped
from aibom.readers.pickle_arguments import UNKNOWN, rendered
from aibom.readers.pickle_input import LINE_BYTES
from aibom.readers.pickle_nested import LATIN_1
from aibom.readers.pickle_stack import Containers
from aibom.readers.pickle_values import OPAQUE, Blob, Call, Global, Opaque, Persistent, Value, is_global

AfterBuild: TypeAlias = Callable[[Value, int], int]

_NAME_CHARS: Final = 256
_CALL_COST: Final = 96  # bytes
_PERSISTENT_COST: Final = 48
_CALL_COUNT: Final = 16  # calls of one accessor whose arguments are told
_MAKERS: Final = {
    (module, name)
    for module in ("copyreg", "copy_reg")
    for name in ("_reconstructor", "__newobj__", "__newobj_ex__")
}
# What these do is in their arguments alone, so that each call is of interest.
ACCESSORS: Final = {
    ("builtins", "getattr"), ("__builtin__", "getattr"), ("builtins", "__import__"),
    ("__builtin__", "__import__"), ("operator", "attrgetter"), ("operator", "itemgetter"),
    ("operator", "methodcaller"), ("_operator", "attrgetter"), ("_operator", "itemgetter"),
    ("_operator", "methodcaller"), ("importlib", "import_module"), ("pkgutil", "resolve_name"),
    ("dill._dill", "_getattribute"), ("dill._dill", "_get_attr"), ("dill._dill", "_import_module"),
}  # fmt: skip
# What these get is a file, whatever it begins with.
_LOADERS: Final = {
    ("torch.storage", "_load_from_bytes"), ("torch", "load"), ("torch.serialization", "load"),
    ("pickle", "loads"), ("pickle", "_loads"), ("pickle", "load"), ("_pickle", "loads"), ("_pickle", "load"),
    ("cPickle", "loads"), ("cPickle", "load"), ("dill", "loads"), ("dill", "load"), ("dill._dill", "loads"),
    ("dill._dill", "load"), ("cloudpickle", "loads"), ("cloudpickle", "load"),
    ("cloudpickle.cloudpickle", "loads"), ("cloudpickle.cloudpickle", "load"), ("joblib", "load"),
    ("joblib.numpy_pickle", "load"), ("numpy", "load"), ("marshal", "loads"),
}  # fmt: skip
# What a loader's argument may be wrapped in.
_WRAPPERS: Final = {("io", "BytesIO"), ("_io", "BytesIO"), ("_codecs", "encode"), ("builtins", "bytearray")}


class Calls(Containers):
    """One symbol per imported name, so that a call through any of its uses marks the import."""

    __slots__ = ("_after_build", "_globals")

    def __init__(
        self, reader: ByteReader, start: int, end: int | None, room: int, after_build: AfterBuild | None
    ) -> None:
        super().__init__(reader, start, end, room)
        self._after_build = after_build
        self._globals: dict[tuple[str, str], Global] = {}

    def imports(self) -> tuple[Import, ...]:
        """Every name once, with the most that the stream does with it."""
        return tuple(
            Import(
                module=capped(value.module, _NAME_CHARS),
                qualname=capped(value.qualname, _NAME_CHARS),
                offset=value.offset,
                use=value.use,
                kept=value.kept,
                arguments="; ".join(value.arguments),
            )
            for value in self._globals.values()
        )

    # Imports

    def _import(self, module: str | None, name: str | None, at: int) -> Value:
        key = (UNKNOWN if module is None else module, UNKNOWN if name is None else name)
        found = self._globals.get(key)
        if found is None:
            if len(self._globals) >= IMPORT_COUNT:
                self.note(Reason.LIMIT, f"more than {IMPORT_COUNT} imports", at)
                return OPAQUE
            found = self._globals[key] = Global(*key, self.base + at - 1)
            self.imported = True
            if any(part[:2] == part[-2:] == "__" for part in key[1].split(".")) and key not in _MAKERS:
                self.suspect("dunder-path", f"imports {key[1][:80]!r}, internals of Python", at)
        return found

    def _unresolved(self, at: int) -> None:
        self.suspect("unresolved-import", "imports something by a name that is no text", at)
        self.note(Reason.MALFORMED, "an import whose name cannot be resolved", at)

    def _line_text(self, at: int, encoding: str) -> tuple[str | None, int]:
        line, stop = self.line(at)
        return (None if line is None else self.decoded(line, encoding, at)), stop

    def _named(self, at: int, encoding: str) -> tuple[Value, int]:
        """The import of two lines, and what follows them."""
        module, middle = self._line_text(at, encoding)
        name, stop = self._line_text(middle, encoding)
        if module is None or name is None:
            self._unresolved(at)
        return self._import(module, name, at), stop

    def global_(self, at: int) -> int:
        value, stop = self._named(at, "utf-8")
        self.stack.append(value)
        return stop

    def stack_global(self, at: int) -> int:
        parts = self.stack.pop(), self.stack.pop()
        name, module = (self.name(part, at) for part in parts)
        if any(isinstance(part, Opaque) for part in parts):
            self.note(Reason.LIMIT, "an import by a name that is no longer kept", at)
        elif module is None or name is None:
            self._unresolved(at)
        known = len(self._globals)
        self.stack.append(self._import(module, name, at))
        if len(self._globals) > known:
            self.recall()
        return at

    def name(self, value: Value, at: int) -> str | None:
        """The text that an import goes by, if it is one."""
        # CPython refuses anything but text here.
        if isinstance(value, Blob) and value.encoding and value.length <= LINE_BYTES:
            return self.decoded(self.reader.read_at(value.offset, value.length), value.encoding, at)
        return value if isinstance(value, str) else None

    def _extension(self, at: int) -> None:
        # Which global the number stands for is known to the loading program alone (PEP 307).
        self.suspect("extension-registry", "imports through the extension registry of the loader", at)
        self.stack.append(self._import(None, None, at))

    def ext1(self, at: int) -> int:
        self._extension(at)
        return at + 1

    def ext2(self, at: int) -> int:
        self._extension(at)
        return at + 2

    def ext4(self, at: int) -> int:
        self._extension(at)
        return at + 4

    # Calls

    def _used(self, value: Value, use: Use, args: Value, kwargs: Value = None) -> None:
        """Records a use of an imported name; the arguments of the first one, or of each of a few."""
        if not isinstance(value, Global):
            return
        told = value.arguments
        if use > value.use:
            value.use = use
            value.arguments = [rendered(self.reader, args, kwargs)]
        elif use is Use.CALL and (value.module, value.qualname) in ACCESSORS and len(told) <= _CALL_COUNT:
            text = rendered(self.reader, args, kwargs)
            if text not in told:
                told.append(text if len(told) < _CALL_COUNT else UNKNOWN)

    def call(self, function: Value, args: Value, use: Use, at: int, kwargs: Value = None) -> None:
        """Records a call, or that an instance is made, and pushes what it would return."""
        function = _resolved(function)
        key = (function.module, function.qualname) if isinstance(function, Global) else None
        # Whatever is called may call what it is given; the makers are told apart by `_made`.
        self.hold(args[2:] if isinstance(args, tuple) and key in _MAKERS else (args,))
        if isinstance(function, Global):
            self._used(function, use, args, kwargs)
            if key in _MAKERS:
                self._made(args, at)
            elif key in _LOADERS:
                self._loaded(args, at)
        elif isinstance(function, Opaque):
            self.note(Reason.LIMIT, "a call of something that is no longer kept", at)
        elif not _is_time_zone(function):
            self.suspect("computed-call", "calls something that is not imported by its name", at)
        kept = self.keep(_CALL_COST)
        self.stack.append(Call(function, args, self.base + at - 1, kwargs) if kept else OPAQUE)

    def all_kept(self) -> None:
        for value in self._globals.values():
            value.kept = True

    def _made(self, args: Value, at: int) -> None:
        """The class that a function of `copyreg` makes an instance of, and the base that it calls."""
        items = args if isinstance(args, tuple) else ()
        if items:
            self._used(items[0], Use.CONSTRUCT, items[1:])
        if len(items) > 2 and isinstance(items[1], Global) and items[1].qualname != "object":
            self._used(items[1], Use.CALL, items[2:])
        elif len(items) > 2 and isinstance(items[1], Call):
            self.suspect("computed-call", "calls what the result of a call has for a base", at)

    def _loaded(self, args: Value, at: int) -> None:
        """The bytes that a loader is given are a file of their own."""
        value = args[0] if isinstance(args, tuple) and args else None
        encoding = None
        if isinstance(value, Call) and isinstance(value.function, Global) and isinstance(value.args, tuple):
            key = (value.function.module, value.function.qualname)
            encoding = LATIN_1 if key[1] == "encode" else None
            value = value.args[0] if key in _WRAPPERS and value.args else None
        if isinstance(value, Blob):
            encoding = encoding if value.encoding else None
            self.nest(Nested(offset=value.offset, length=value.length, encoding=encoding))
        else:
            self.note(Reason.NOT_READ, "a loader is given something that cannot be looked at", at)

    def reduce(self, at: int) -> int:
        args = self.stack.pop()
        self.call(self.stack.pop(), args, Use.CALL, at)
        return at

    def newobj(self, at: int) -> int:
        args = self.stack.pop()
        self.call(self.stack.pop(), args, Use.CONSTRUCT, at)
        return at

    def newobj_ex(self, at: int) -> int:
        kwargs = self.stack.pop()
        args = self.stack.pop()
        self.call(self.stack.pop(), args, Use.CONSTRUCT, at, kwargs)
        return at

    def inst(self, at: int) -> int:
        function, stop = self._named(at, "ascii")
        self.call(function, tuple(self.since_mark()), Use.CALL, at)
        return stop

    def obj(self, at: int) -> int:
        items = self.since_mark()
        self.call(items.pop(0), tuple(items), Use.CALL, at)
        return at

    def build(self, at: int) -> int:
        state = self.stack.pop()
        target = self.stack[-1]
        self.hold((state,))
        if isinstance(target, Call):
            target.state = state
            self._used(target.function, Use.CONSTRUCT, target.args)
        elif isinstance(target, Global):
            # BUILD on a class or module sets attributes of the real one.
            self._used(target, Use.CALL, state)
        if self._after_build is None:
            return at
        position = self._after_build(target, self.base + at)
        if position != self.base + at:
            if self.inside_frame(at):
                self.differ("raw data stand inside a frame", at)
            self.frame_end = None
            self.limit = 0
        return position - self.base

    # The rest

    def persid(self, at: int) -> int:
        text, stop = self._line_text(at, "ascii")
        self.persistent(text)
        return stop

    def binpersid(self, at: int) -> int:
        self.persistent(self.stack.pop())
        return at

    def persistent(self, value: Value) -> None:
        """Pushes what the loading program has by this id."""
        self.hold((value,))
        self.stack.append(Persistent(value) if self.keep(_PERSISTENT_COST) else OPAQUE)

    def next_buffer(self, at: int) -> int:
        self.note(Reason.UNSUPPORTED, "a buffer that is not in the stream", at)
        self.stack.append(OPAQUE)
        return at

    def readonly_buffer(self, at: int) -> int:
        self.stack[-1] = self.stack[-1]
        return at


def _resolved(function: Value) -> Value:
    """The class behind the persistent id that PyTorch's old format gives it, with its source code."""
    parts = function.id if isinstance(function, Persistent) else None
    if isinstance(parts, tuple) and len(parts) > 1 and parts[0] == "module":
        return parts[1]
    return function


def _is_time_zone(function: Value) -> bool:
    """True for what `zoneinfo` has a pickle of a time zone look up and call."""
    if not isinstance(function, Call) or not is_global(function.function, "builtins", "getattr"):
        return False
    args = function.args if isinstance(function.args, tuple) else ()
    return len(args) == 2 and is_global(args[0], "zoneinfo", "ZoneInfo") and args[1] == "_unpickle"
