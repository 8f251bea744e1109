"""Pickles under any name, in literals of others, behind array headers; and what only looks like one."""

from __future__ import annotations

import base64
import io
import pickle
import pickletools
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.limits import MIB
from aibom.formats.inside.pickles import OPCODES
from tests.formats.inside.build import EVIL, EVIL_0, PLAIN, facts_of, imported, look, reasons, seen, zipped
from tests.hostile import FIXTURES


def holding(*literals: bytes, code: bytes = b"B") -> bytes:
    """A pickle that imports nothing, and has some literals."""
    return b"\x80\x03(" + b"".join(code + struct.pack("<I", len(each)) + each for each in literals) + b"t."


@pytest.mark.parametrize("name", ["notes.txt", "README", "config.json", "data.csv", "model.onnx"])
@pytest.mark.parametrize(
    "data", [EVIL, EVIL_0, b"\x80\x02" + EVIL, EVIL_0.replace(b"S'never'", b"V" + b"x" * 9_000)]
)
def test_a_pickle_is_found_under_any_name(name: str, data: bytes) -> None:
    inside, facts = look(data, name), facts_of(data, name)
    found = [*(inside.imports if inside else ()), *(facts.imports if facts else ())]
    assert {item.name for item in found} == {"posix.system"}


def test_the_opcodes_are_those_of_python() -> None:
    assert {*OPCODES} == {ord(opcode.code) for opcode in pickletools.opcodes}


def test_a_pickle_that_its_reader_has_followed_is_not_walked_again() -> None:
    assert look(EVIL, "model.pkl") is None


@pytest.mark.parametrize(
    "text",
    [
        b"class Foo:\n    x = 1\n",
        b"cat\ndog\nemu\n",
        b"The quick brown fox\n" * 9,
        b"N.\n",
        b"()\n",
        b"I1\nI2\n",
    ],
)
def test_text_is_no_pickle(text: bytes) -> None:
    inside = look(text, "words.txt")
    assert inside is None or inside.imports == ()


@settings(deadline=None, max_examples=200)
@given(st.binary(min_size=1, max_size=700))
def test_numbers_behind_the_mark_of_a_protocol_raise_no_alarm(data: bytes) -> None:
    inside = look(b"\x80\x02" + data, "weights.f32")
    assert inside is None or all(item.module.isprintable() for item in inside.imports)


@pytest.mark.parametrize(
    ("literal", "where"),
    [
        (EVIL, ""),
        (zipped({"a/data.pkl": EVIL}), "!a/data.pkl"),
        (zlib.compress(EVIL), "!zlib"),
        (base64.b64encode(EVIL), ""),
        (base64.urlsafe_b64encode(EVIL), ""),
        (base64.encodebytes(EVIL * 3), ""),
        (base64.b64encode(zlib.compress(EVIL)), "!zlib"),
    ],
)
def test_files_in_the_literals_of_a_pickle_are_followed(literal: bytes, where: str) -> None:
    data = holding(b"x", literal)
    inside = seen(data, "model.pkl")
    assert set(imported(inside)) == {(f"@{data.index(literal)}{where}", "posix.system")}
    assert inside.may_run
    assert not inside.container
    nested = seen(zipped({"data.pkl": data}), "a.zip")
    assert set(imported(nested)) == {(f"data.pkl!@{data.index(literal)}{where}", "posix.system")}


def test_bytes_of_python_2_are_followed() -> None:
    text = EVIL.decode("latin-1").encode()
    assert imported(seen(holding(text, code=b"X"), "a.pkl")) == [("@8", "posix.system")]


def test_pickles_in_pickles_end_at_a_limit() -> None:
    data = EVIL
    for _ in range(8):
        data = holding(data)
    inside = seen(data, "a.pkl")
    assert (reasons(inside), inside.may_run) == (["limit"], True)


def test_a_literal_that_is_too_long_to_decode_is_a_limit() -> None:
    inside = seen(holding(base64.b64encode(EVIL + bytes(9 * MIB))), "a.pkl")
    assert (reasons(inside), inside.may_run) == (["limit"], True)


def test_checkpoints_of_pytorch_in_literals_raise_no_alarm() -> None:
    """The storages behind their streams are no trailing garbage: `torch.storage._load_from_bytes`."""
    legacy = (FIXTURES / "torch/legacy.pt").read_bytes()
    inside = seen(holding(legacy), "model.pkl")
    assert {where for where, _ in imported(inside)} == {"@8"}
    assert (inside.hazards, inside.defects) == ((), ())


@pytest.mark.parametrize("method", [0, 8])
def test_arrays_of_objects_are_walked_behind_their_header(method: int) -> None:
    file = io.BytesIO()
    np.save(file, np.array([{1}, EVIL], object))
    inside = seen(zipped({"a.npy": file.getvalue()}, method), "a.npz")
    assert ("a.npy", "numpy.ndarray") in imported(inside)
    assert any(where.startswith("a.npy!@") and name == "posix.system" for where, name in imported(inside))
    top = seen(file.getvalue(), "a.npy")
    assert top.container
    assert ("", "numpy.ndarray") in imported(top)


@pytest.mark.parametrize("descr", ["'O'", "'<O8'", "'object'", "[('a', '<i4'), ('b', '|O')]", "('|O', (2,))"])
def test_objects_are_found_however_the_header_spells_them(descr: str) -> None:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}\n".encode()
    data = b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + EVIL
    assert imported(seen(data, "a.npy")) == [("", "posix.system")]
    assert imported(seen(zipped({"x": data}, 8), "a.bin")) == [("x", "posix.system")]


def test_what_follows_an_array_in_an_archive_is_examined() -> None:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    assert look(zipped({"a.npy": file.getvalue()}), "a.npz").imports == ()  # type: ignore[union-attr]
    inside = seen(zipped({"a.npy": file.getvalue() + EVIL}, 8), "a.npz")
    assert imported(inside) == [("a.npy!@152", "posix.system")]


def test_a_header_that_cannot_be_read_is_a_defect_and_may_run() -> None:
    inside = seen(zipped({"a.npy": b"\x93NUMPY\x01\0\x05\0{1:2}"}), "a.npz")
    assert (reasons(inside), inside.may_run) == (["malformed"], True)


def test_a_member_named_like_a_pickle_that_is_broken_is_a_defect() -> None:
    inside = seen(zipped({"a/data.pkl": EVIL[:9]}))
    assert (reasons(inside), inside.may_run) == (["truncated"], True)


def test_a_plain_pickle_is_no_alarm_but_may_run() -> None:
    inside = seen(zipped({"a": PLAIN, "b": pickle.dumps([1.5, "x"], 4)}), "a.zip")
    assert (inside.imports, inside.hazards, inside.defects, inside.may_run) == ((), (), (), True)
