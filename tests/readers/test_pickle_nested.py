"""Literals that may be files of their own are found as they stand, and what is too large is told."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import lzma
import pickle
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason
from aibom.domain.facts import Nested
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.readers import pickle_literals
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_nested import BASE64, LATIN_1, begins_file, encoding_of
from aibom.readers.ranges import Memory

INNER = b"\x80\x04\x8c\x02os\x8c\x06system\x93."
TEXT = b"cos\nsystem\n(S'true'\ntR."


def walk(data: bytes) -> Stream:
    return run(Memory(data))


def undone(data: bytes, nested: Nested) -> bytes:
    plain = data[nested.offset : nested.offset + nested.length]
    if nested.encoding == BASE64:
        return base64.b64decode(plain, b"-_" if b"-" in plain or b"_" in plain else None)
    return plain.decode().encode("latin-1") if nested.encoding == LATIN_1 else plain


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("data.pkl", INNER)
    return file.getvalue()


FILES = {
    "protocol 2": b"\x80\x02cos\nsystem\n.",
    "protocol 4": INNER,
    "two marks": b"\x80\x02\x80\x02cos\nsystem\n.",
    "text": TEXT,
    "list": b"(lp0\nI1\na.",
    "instance": b"(ios\nsystem\n.",
    "text first": b"(S'true'\nios\nsystem\n.",
    "zip": zipped(),
    "gzip": gzip.compress(INNER, mtime=0),
    "zlib": zlib.compress(INNER),
    "zlib 9": zlib.compress(INNER, 9),
    "bzip2": bz2.compress(INNER),
    "xz": lzma.compress(INNER),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("padding", [0, 100_000])
def test_bytes_that_begin_like_a_file_are_nested(name: str, protocol: int, padding: int) -> None:
    inner = FILES[name] + bytes(padding)
    data = pickle.dumps({"weights": inner, "other": b"nothing of interest"}, protocol)
    stream = walk(data)
    assert [undone(data, nested) for nested in stream.nested] == [inner]
    assert stream.defects == ()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@pytest.mark.parametrize("kind", [str, bytes])
def test_base64_of_them_is_nested(name: str, encode: object, kind: type) -> None:
    inner = FILES[name] + b"padding to be long enough"
    coded = encode(inner)  # type: ignore[operator]
    data = pickle.dumps([coded if kind is bytes else coded.decode(), "something else"])
    stream = walk(data)
    assert [(undone(data, nested), nested.encoding) for nested in stream.nested] == [(inner, BASE64)]


@pytest.mark.parametrize("name", ["protocol 2", "protocol 4"])
def test_bytes_of_old_protocols_are_text_of_latin_1(name: str) -> None:
    inner = FILES[name] + bytes(range(256))
    data = pickle.dumps(inner, 2)
    stream = walk(data)
    assert [(undone(data, nested), nested.encoding) for nested in stream.nested] == [(inner, LATIN_1)]


@pytest.mark.parametrize(
    "literal", [b"S'\\x80\\x04N.'\n", b"V\\u0080\\u0004N.\n", b"S'\\x63os\\nsystem\\n'\n"]
)
def test_what_is_written_with_escapes_cannot_be_looked_at_and_is_a_gap(literal: bytes) -> None:
    stream = walk(literal + b".")
    assert [defect.reason for defect in stream.defects] == [Reason.NOT_READ]


@pytest.mark.parametrize("opcode", [b"S'%b'\n", b"V%b\n"])
def test_lines_without_escapes_are_nested(opcode: bytes) -> None:
    data = opcode % INNER.replace(b"\n", b"") + b"."
    assert [undone(data, nested) for nested in walk(data).nested] == [INNER]


ORDINARY = (
    "a", "checkpoint", "gelu", "user-1234567890-abcdef", "HalfTensor.weight", "KeyError", "Year", "(x, y)",
    "PK", "xlm-roberta-base", "x" * 40, "Bert", "cuda:0", "eJ", "https://example.org/model", "c" * 64,
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "(see below)", "Qwen2ForCausalLM",
    "/tmp/a/b/c/d/e/f/g",
)  # fmt: skip


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_nested(text: str) -> None:
    for protocol in range(6):
        stream = walk(pickle.dumps([text, text.encode(), text * 20], protocol))
        assert (stream.nested, stream.defects) == ((), ())


@given(st.binary(max_size=300))
def test_no_head_is_too_odd(head: bytes) -> None:
    begins_file(head)
    encoding_of(head)


@pytest.mark.parametrize(
    "loader",
    [
        "torch.storage\n_load_from_bytes",
        "pickle\nloads",
        "_pickle\nloads",
        "dill._dill\nloads",
        "joblib\nload",
    ],
)
def test_what_a_loader_is_given_is_nested_whatever_it_begins_with(loader: str) -> None:
    inner = b"N0K\x010cos\nsystem\n."
    for wrapped in (b"%b", b"c_io\nBytesIO\n%b\x85R"):
        data = f"c{loader}\n".encode() + wrapped % (b"C%c%b" % (len(inner), inner)) + b"\x85R."
        stream = walk(data)
        assert [undone(data, nested) for nested in stream.nested] == [inner]
        assert stream.defects == ()


@pytest.mark.parametrize("args", [b"N\x85", b")", b"cm\nf\n)R\x85", b"N", b"Pid\n\x85", b"C\1N\x85"])
def test_a_loader_of_something_unknown_is_a_gap(args: bytes) -> None:
    stream = walk(b"ctorch.storage\n_load_from_bytes\n" + args + b"R.")
    assert [defect.reason for defect in stream.defects] == [Reason.NOT_READ]


def test_more_literals_than_anybody_needs_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_literals, "NESTED_COUNT", 10)
    stream = walk(pickle.dumps([INNER + bytes((index,)) for index in range(12)]))
    assert len(stream.nested) == 10
    assert [defect.reason for defect in stream.defects] == [Reason.LIMIT] * 2


@pytest.mark.parametrize("opcode", [b"\x8b%b", b"L%b"])
def test_a_number_of_more_than_a_mebibyte_is_a_bomb(opcode: bytes) -> None:
    size = MIB + 1
    body = size.to_bytes(4, "little") + b"\1" * size if opcode[:1] == b"\x8b" else b"1" * size + b"L\n"
    stream = walk(opcode % body + b".")
    assert stream.error is None
    assert [(h.kind, h.found) for h in stream.hazards] == [(HazardKind.DECOMPRESSION_BOMB, "huge-integer")]
    assert walk(b"\x8b" + (MIB).to_bytes(4, "little") + bytes(MIB) + b".").hazards == ()
