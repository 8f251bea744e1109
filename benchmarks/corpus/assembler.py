"""Pickle streams put together opcode by opcode.

Nothing here imports, builds or calls what a stream names: the names are strings among other bytes,
and the one command that they ask for is `echo inert`.
"""

from __future__ import annotations

import pickle as op
import struct

COMMAND = "echo inert"
SOURCE = "print('inert')"
PATH = "/tmp/inert"
ADDRESS = "http://127.0.0.1:9/inert"


class Code(bytes):
    """Opcodes that leave one value on the stack."""

    __slots__ = ()


Value = (
    Code | None | bool | int | float | str | bytes | tuple["Value", ...] | list["Value"] | dict[str, "Value"]
)


def text(value: str, protocol: int = 2) -> Code:
    if protocol == 0:
        return Code(op.UNICODE + value.encode("raw-unicode-escape") + b"\n")
    data = value.encode("utf-8", "surrogatepass")
    if protocol >= 4 and len(data) < 256:
        return Code(op.SHORT_BINUNICODE + bytes([len(data)]) + data)
    return Code(op.BINUNICODE + struct.pack("<I", len(data)) + data)


def blob(value: bytes) -> Code:
    """Bytes, as protocol 3 and later write them."""
    if len(value) < 256:
        return Code(op.SHORT_BINBYTES + bytes([len(value)]) + value)
    return Code(op.BINBYTES + struct.pack("<I", len(value)) + value)


def number(value: int, protocol: int = 2) -> Code:
    if protocol == 0:
        return Code(b"I%d\n" % value)
    return Code(op.BININT + struct.pack("<i", value))


def constant(value: bool | None, protocol: int = 2) -> Code:
    if value is None:
        return Code(op.NONE)
    if protocol < 2:
        return Code(b"I01\n" if value else b"I00\n")
    return Code(op.NEWTRUE if value else op.NEWFALSE)


def group(values: tuple[Value, ...], protocol: int = 2) -> Code:
    """A tuple."""
    parts = b"".join(push(value, protocol) for value in values)
    if protocol >= 2 and len(values) <= 3:
        return Code(parts + (op.EMPTY_TUPLE, op.TUPLE1, op.TUPLE2, op.TUPLE3)[len(values)])
    return Code(op.MARK + parts + op.TUPLE)


def push(value: Value, protocol: int = 2) -> Code:
    """Whatever leaves `value` on the stack."""
    match value:
        case Code():
            return value
        case None | bool():
            return constant(value, protocol)
        case int():
            return number(value, protocol)
        case float():
            return Code(op.BINFLOAT + struct.pack(">d", value))
        case str():
            return text(value, protocol)
        case bytes():
            return blob(value)
        case tuple():
            return group(value, protocol)
        case list():
            empty = op.EMPTY_LIST if protocol else op.MARK + op.LIST
            return Code(empty + b"".join(push(each, protocol) + op.APPEND for each in value))
        case dict():
            pairs = (push(k, protocol) + push(v, protocol) + op.SETITEM for k, v in value.items())
            return Code((op.EMPTY_DICT if protocol else op.MARK + op.DICT) + b"".join(pairs))


def name(module: str, qualname: str, protocol: int = 2) -> Code:
    """The global itself."""
    if protocol >= 4:
        return Code(text(module, protocol) + text(qualname, protocol) + op.STACK_GLOBAL)
    return Code(op.GLOBAL + f"{module}\n{qualname}\n".encode())


def call(module: str, qualname: str, args: tuple[Value, ...], protocol: int = 2) -> Code:
    return Code(name(module, qualname, protocol) + group(args, protocol) + op.REDUCE)


def call_by_inst(module: str, qualname: str, args: tuple[Value, ...], protocol: int = 2) -> Code:
    pushed = b"".join(push(arg, protocol) for arg in args)
    return Code(op.MARK + pushed + op.INST + f"{module}\n{qualname}\n".encode())


def call_by_obj(module: str, qualname: str, args: tuple[Value, ...], protocol: int = 2) -> Code:
    pushed = b"".join(push(arg, protocol) for arg in args)
    return Code(op.MARK + name(module, qualname, protocol) + pushed + op.OBJ)


def frame(body: bytes, length: int | None = None) -> bytes:
    """`body` behind a FRAME opcode, which may lie about its length."""
    return op.FRAME + struct.pack("<Q", len(body) if length is None else length) + body


def header(protocol: int) -> bytes:
    return op.PROTO + bytes([protocol]) if protocol >= 2 else b""


def stream(body: bytes, protocol: int = 2) -> bytes:
    """A whole pickle, in a frame where its protocol has frames."""
    whole = body + op.STOP
    return header(protocol) + (frame(whole) if protocol >= 4 else whole)


def shell(protocol: int = 2) -> Code:
    """The payload of most files: os.system, called with a command that does no harm."""
    return call("os", "system", (COMMAND,), protocol)


def payload(protocol: int = 2) -> bytes:
    return stream(shell(protocol), protocol)
