"""The texts that an expression of Python code can stand for, and what else a loader asks about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Final

from aibom.discovery.python_containers import items, last_name, members
from aibom.discovery.python_follow import DEPTH, Follower
from aibom.discovery.python_names import Names
from aibom.discovery.python_scope import OPTION_COUNT, Place, Value
from aibom.discovery.targets import PathText

_TEXT_CHARS: Final = 2_048
_PART_COUNT: Final = 64  # pieces that one text is put together from
# Calls whose result reads like their first argument.
_SAME_TEXT: Final = frozenset(
    ("str", "os.fspath", "os.path.expanduser", "os.path.abspath", "os.path.realpath", "os.path.normpath")
)
_JOINS: Final = frozenset(
    (
        "os.path.join",
        "posixpath.join",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
        "pathlib.PurePosixPath",
    )
)
_METHODS: Final[dict[str, Callable[[str], str]]] = {
    "strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip, "lower": str.lower, "upper": str.upper,
    # Not `str`: a path stays a path.
    **dict.fromkeys(("expanduser", "resolve", "absolute", "as_posix"), lambda text: text),
}  # fmt: skip
_TWO: Final[dict[str, Callable[[str, str], str]]] = {
    "removeprefix": str.removeprefix, "removesuffix": str.removesuffix, "rstrip": str.rstrip,
    "lstrip": str.lstrip, "strip": str.strip,
}  # fmt: skip
_TEXT_TYPES: Final = frozenset(("str()", "pathlib.Path()", "os.PathLike()", "typing.Any()", "object()"))
_TEXT_CALLS: Final = frozenset(("input", "os.getenv", "os.environ.get", "getpass.getpass"))
_TEXT_METHODS: Final = frozenset(("format", "join", "joinpath", "getenv", "replace", *_METHODS, *_TWO))
_HOLE = re.compile(r"\{(\w*)\}")
_PERCENT = re.compile(r"%[sd]")
_OPENERS: Final = frozenset(
    ("open", "io.open", "gzip.open", "bz2.open", "lzma.open", "fsspec.open", "smart_open.open")
)


class Values:
    """Answers questions about the expressions of one file."""

    def __init__(self) -> None:
        self.follow = Follower()
        self._names = Names(self.follow)

    def names(self, node: ast.expr, at: Place, *, beside: bool = False) -> tuple[str, ...]:
        """Full names. `beside`: objects that are made in modules beside this one are looked up there."""
        self.follow.begin()
        self.follow.beside = beside
        try:
            return self._names.of(node, at)
        finally:
            self.follow.beside = True

    def names_of(self, value: Value) -> tuple[str, ...]:
        """Full names of what a value is, when it was followed already."""
        self.follow.begin()
        return self._names.of_value(value)

    def texts(self, value: Value | None) -> tuple[str, ...]:
        """Every text that the value can be, in order of the source; empty when unknown."""
        if value is None:
            return ()
        self.follow.begin()
        return tuple(dict.fromkeys(self._of(value)))[:OPTION_COUNT]

    def values(self, value: Value | None) -> list[Value]:
        """What the value stands for; unknown things stand for themselves."""
        self.follow.begin()
        if value is None or not isinstance(value.node, ast.expr):
            return [] if value is None else [value]
        return self.follow(value.node, value.at)

    def members(self, value: Value | None) -> list[Value]:
        """The items of a list, tuple or set."""
        return [item for each in self.values(value) for item in members(each, self.follow)]

    def truth(self, value: Value | None) -> bool | None:
        """True or False when the value is just that; None when it is absent or unknown."""
        found = {
            each.node.value if isinstance(each.node, ast.Constant) else None for each in self.values(value)
        }
        truth = found.pop() if len(found) == 1 else None
        return truth if isinstance(truth, bool) else None

    def mapping(self, value: Value) -> dict[str, Value]:
        """The items of a dict under keys that are texts; empty when it is unknown."""
        pairs = [pair for each in self.values(value)[:1] for pair in items(each, self.follow)]
        named = [(key.node.value, item) for key, item in pairs if isinstance(key.node, ast.Constant)]
        return {name: item for name, item in named if isinstance(name, str)}

    def built(self, value: Value) -> bool:
        """True when the value is an object that a call made, or is annotated as one, and no text."""
        found = self.values(value)
        return any(map(self._is_object, found)) and not self.texts(value)

    def _is_object(self, value: Value) -> bool:
        if isinstance(value.node, ast.Name | ast.Attribute):
            types = [name for name in self._names.of(value.node, value.at) if name.endswith("()")]
            return bool(types) and not _TEXT_TYPES.intersection(types)
        return isinstance(value.node, ast.Call) and not self._makes_text(value.node, value.at)

    def _makes_text(self, node: ast.Call, at: Place) -> bool:
        """True for a call whose result is a text, whatever it is."""
        if last_name(node.func) in _TEXT_METHODS:
            return True
        return not (_JOINS | _SAME_TEXT | _TEXT_CALLS).isdisjoint(self._names.of(node.func, at))

    def opened(self, value: Value | None) -> tuple[str, ...]:
        """The paths of a file object: `open(path)`, `Path(path).open()`, or a name for one."""
        found: list[str] = []
        for each in self.values(value):
            if not isinstance(each.node, ast.Call):
                continue
            names = self.names(each.node.func, each.at)
            if _OPENERS.intersection(names) and each.node.args:
                found += self.texts(Value(each.node.args[0], each.at))
            elif isinstance(each.node.func, ast.Attribute) and each.node.func.attr == "open":
                found += self.texts(Value(each.node.func.value, each.at))
        return tuple(dict.fromkeys(found))

    # Texts

    def _of(self, value: Value) -> list[str]:
        if not isinstance(value.node, ast.expr):
            return []
        return self._texts(value.node, value.at)

    def _texts(self, node: ast.expr, at: Place) -> list[str]:
        found = [text for value in self.follow(node, at) for text in self._text(value)]
        return [text for text in found if len(text) <= _TEXT_CHARS][:OPTION_COUNT]

    def _text(self, value: Value) -> list[str]:
        """The texts of something that stands for itself."""
        node, at = value[0], value.at.deeper()
        if at.depth > DEPTH:
            return []
        match node:
            case ast.Constant(value=str() as text):
                return [text]
            case ast.JoinedStr(values=parts):
                return self._joined([self._part(part, at) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined([self._texts(left, at), self._texts(right, at)])
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return _paths(self._texts(left, at), self._texts(right, at))
            case ast.BinOp(left=left, op=ast.Mod(), right=right):
                return self._percent(left, right, at)
            case ast.Call():
                return self._called(node, at)
        return []

    def _part(self, node: ast.expr, at: Place) -> list[str]:
        """One piece of an f-string; numbers are written as they are."""
        if isinstance(node, ast.FormattedValue):
            if node.format_spec is not None or node.conversion not in (-1, ord("s")):
                return []
            node = node.value
        texts = []
        for value in self.follow(node, at):
            number = value.node.value if isinstance(value.node, ast.Constant) else None
            texts += [str(number)] if type(number) in (int, float) else self._text(value)
        return texts

    def _joined(self, parts: Sequence[Sequence[str]]) -> list[str]:
        """Every combination; nothing when one part is unknown or there are too many."""
        combinations = 1
        for options in parts[: _PART_COUNT + 1]:
            combinations *= len(options)
        if not 0 < combinations <= OPTION_COUNT or len(parts) > _PART_COUNT:
            return []
        return ["".join(options) for options in product(*parts)]

    def _percent(self, left: ast.expr, right: ast.expr, at: Place) -> list[str]:
        values = right.elts if isinstance(right, ast.Tuple) else [right]
        found: list[str] = []
        for text in self._texts(left, at):
            pieces = _PERCENT.split(text)
            if len(pieces) == len(values) + 1 and "%" not in "".join(pieces):
                found += self._woven(pieces, values, at)
        return found

    def _woven(self, pieces: Sequence[str], values: Iterable[ast.expr], at: Place) -> list[str]:
        parts: list[list[str]] = [[pieces[0]]]
        for piece, value in zip(pieces[1:], values, strict=True):
            parts += [self._part(value, at), [piece]]
        return self._joined(parts)

    # Calls that make a text

    def _called(self, node: ast.Call, at: Place) -> list[str]:
        names = set(self._names.of(node.func, at))
        if names & _JOINS:
            return self._path(node.args, at)
        if names & _SAME_TEXT:
            return self._texts(node.args[0], at) if node.args else []
        return self._method(node, node.func, at) if isinstance(node.func, ast.Attribute) else []

    def _path(self, nodes: Sequence[ast.expr], at: Place) -> list[str]:
        if not nodes or len(nodes) > _PART_COUNT:
            return []
        found: Sequence[str] = [PathText(text) for text in self._texts(nodes[0], at)]
        for node in nodes[1:]:
            found = _paths(found, self._texts(node, at))
        return list(found)

    def _method(self, node: ast.Call, func: ast.Attribute, at: Place) -> list[str]:
        match func.attr:
            case "format":
                return self._format(node, func.value, at)
            case "join":
                return self._join(node, func.value, at)
            case "joinpath":
                return self._path([func.value, *node.args], at)
            case "replace" if len(node.args) == 2:
                old, new = (self._texts(arg, at) for arg in node.args)
                return [
                    t.replace(old[0], new[0])
                    for t in self._texts(func.value, at)
                    if len(old) == len(new) == 1 and old[0]
                ]
            case name if name in _TWO and len(node.args) == 1:
                cut = self._texts(node.args[0], at)
                return [_TWO[name](text, cut[0]) for text in self._texts(func.value, at) if len(cut) == 1]
            case name if name in _METHODS:
                return [_METHODS[name](text) for text in self._texts(func.value, at)]
        return []

    def _format(self, node: ast.Call, template: ast.expr, at: Place) -> list[str]:
        named: dict[str, ast.expr] = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        numbered = {str(number): arg for number, arg in enumerate(node.args)}
        found: list[str] = []
        for text in self._texts(template, at):
            pieces = _HOLE.split(text)
            holes = [hole or str(number) for number, hole in enumerate(pieces[1::2])]
            values = [value for hole in holes if (value := numbered.get(hole) or named.get(hole)) is not None]
            if len(values) == len(holes) and not set("".join(pieces[::2])) & {"{", "}"}:
                found += self._woven(pieces[::2], values, at)
        return found

    def _join(self, node: ast.Call, separator: ast.expr, at: Place) -> list[str]:
        found = self.follow(node.args[0], at) if node.args else []
        given = found[0].node if len(found) == 1 else None
        if not isinstance(given, ast.List | ast.Tuple):
            return []
        at = found[0].at.deeper()
        parts: list[list[str]] = []
        for each in given.elts[: _PART_COUNT + 1]:
            parts += [self._texts(separator, at), self._texts(each, at)]
        return self._joined(parts[1:])


def _paths(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Every folder with every name in it; a name that starts at the root stands alone."""
    if len(left) * len(right) > OPTION_COUNT:
        return []
    pairs = [(folder.rstrip("/"), name) for folder in left for name in right]
    return [PathText(name if name.startswith("/") else f"{folder}/{name}") for folder, name in pairs]
