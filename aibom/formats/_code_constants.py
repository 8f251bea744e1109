"""Constants of Python source, and what its decoders and conversions make of them."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
from collections.abc import Callable
from typing import Final

from aibom.formats._constants import LITERAL_CHARS, Options, Value, applied, kept, listed


def constant(node: ast.Constant) -> Options:
    """The value of a literal."""
    value = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
    return kept((value,), LITERAL_CHARS) if isinstance(value, str | int) else ()


def negated(parts: tuple[Value, ...]) -> Value | None:
    """A number with the other sign."""
    return -parts[0] if isinstance(parts[0], int) else None


def characters(parts: tuple[Value, ...]) -> Value | None:
    """The text of some code points."""
    items = parts[0] if len(parts) == 1 and isinstance(parts[0], tuple) else parts
    codes = [item for item in items if isinstance(item, int) and 0 <= item < 0x110000]
    return "".join(map(chr, codes)) if len(codes) == len(items) else None


def _same(parts: tuple[Value, ...]) -> Value | None:
    """What `str`, `bytes` and `list` make of a value, as far as names go."""
    value = parts[0]
    if isinstance(value, tuple) and value and all(isinstance(item, int) for item in value):
        return characters((value,))
    return value


def _code_point(parts: tuple[Value, ...]) -> Value | None:
    return ord(parts[0]) if isinstance(parts[0], str) and len(parts[0]) == 1 else None


def _reversed(parts: tuple[Value, ...]) -> Value | None:
    return applied("reverse", parts[0], ())


def _path(parts: tuple[Value, ...]) -> Value | None:
    return applied("join", listed(parts) or (), ("/",))


def _undoing(decode: Callable[[bytes], bytes]) -> Callable[[tuple[Value, ...]], Value | None]:
    """The decoder as an operation on texts, whose code points stand for bytes."""

    def undone(parts: tuple[Value, ...]) -> Value | None:
        try:
            text = parts[0].encode("latin-1") if isinstance(parts[0], str) else b""
            return decode(text).decode("latin-1") or None
        except ValueError:
            return None

    return undone


def _decoded(parts: tuple[Value, ...]) -> Value | None:
    """What `codecs.decode` gives; an encoding of characters changes nothing here."""
    if not isinstance(parts[0], str):
        return None
    kind = str(parts[1]).replace("_", "").replace("-", "") if len(parts) > 1 else ""
    if kind in ("rot13", "rot"):
        return codecs.decode(parts[0], "rot13")
    decode = {"hex": binascii.unhexlify, "base64": base64.b64decode}.get(kind)
    return _undoing(decode)(parts) if decode else parts[0]


# Functions by what they make of constants.
CONVERSIONS: Final[dict[str, Callable[[tuple[Value, ...]], Value | None]]] = {
    **dict.fromkeys(
        (
            "builtins.str", "builtins.bytes", "builtins.bytearray", "builtins.list", "builtins.tuple",
            "os.fspath", "os.path.expanduser", "os.path.expandvars", "pathlib.Path", "pathlib.PosixPath",
            "pathlib.PurePath",
        ),
        _same,
    ),
    "builtins.chr": characters,
    "builtins.ord": _code_point,
    "builtins.reversed": _reversed,
    "os.path.join": _path,
    "codecs.decode": _decoded,
    **dict.fromkeys(
        ("base64.b64decode", "base64.standard_b64decode", "base64.decodebytes", "binascii.a2b_base64"),
        _undoing(base64.b64decode),
    ),
    "base64.urlsafe_b64decode": _undoing(base64.urlsafe_b64decode),
    "base64.b32decode": _undoing(base64.b32decode),
    "base64.b16decode": _undoing(base64.b16decode),
    "base64.a85decode": _undoing(base64.a85decode),
    "base64.b85decode": _undoing(base64.b85decode),
    **dict.fromkeys(
        ("binascii.unhexlify", "binascii.a2b_hex", "builtins.bytes.fromhex", "builtins.bytearray.fromhex"),
        _undoing(binascii.unhexlify),
    ),
}  # fmt: skip
