"""Unread formats: each is recognised by what it really begins with, and by nothing less."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.protocols import Match, Probe
from aibom.formats.unread import FORMATS, SIGNATURES, table
from tests.hostile import probe_of

PAGE = Path(__file__).parents[2] / "docs/formats/unread.md"
BY_NAME = {fmt.name: fmt for fmt in FORMATS}


def told(data: bytes, name: str) -> tuple[Match, str | None]:
    """The surest match and the first format that gives it, as the registry would find it."""
    matches = [(fmt.recognise(probe_of(data, name)), fmt.name) for fmt in FORMATS]
    best = max(match for match, _ in matches)
    return best, next(name for match, name in matches if match is best) if best else None


# The front of real files of each format, under a name that says nothing.
CONTENTS = {
    "executorch": b"\x38\0\0\0ET12eh00",
    "executorch-data": bytes.fromhex("44000000465430314648303128000000"),
    "ort": b"\x18\0\0\0ORTM",
    "tensorrt": b"ftrt" + bytes(20),
    "ocdbt": bytes.fromhex("0cdb3a2a") + bytes(20),
    "mxnet": struct.pack("<QQQ", 0x112, 0, 1),
    "ncnn": b"7767517\n75 83\nInput            data  0 1 data\n",
    "rknn": struct.pack("<4s4xQ", b"RKNN", 6),
    "ggml": struct.pack("<II", 0x67676A74, 3),  # 'ggjt'
    "r-serialized": b"X\n" + struct.pack(">III", 3, 0x040300, 0x030500),
    "zstd": bytes.fromhex("28b52ffd"),
    "lz4": struct.pack("<I", 0x184D2204),
    "7z": b"7z\xbc\xaf\x27\x1c\0\x04",
    "rar": b"Rar!\x1a\x07\x01\0",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_magic_bytes_are_enough_under_any_name(name: str) -> None:
    assert told(CONTENTS[name], "pytorch_model.bin") == (Match.CONTENT, name)


@pytest.mark.parametrize(
    ("data", "file", "name"),
    [
        (struct.pack("<II56x", 1, 2) + bytes.fromhex("efbeadde"), "weight.bin", "coreml-weights"),
        (bytes(40) + struct.pack("<Q", 0xDB4775248B80FB57), "model.ckpt-1.index", "tf-checkpoint-index"),
        (b'model_checkpoint_path: "model.ckpt-1"\n', "checkpoint", "tf-checkpoint-state"),
        (b"MZqFpD='\n", "llava.llamafile", "llamafile"),
        (bytes(257) + b"ustar\0", "model.nemo", "nemo"),
        (b"\x1f\x8b\x08", "model.nemo", "nemo"),
        (b"PK\x03\x04", "densenet.mar", "mar"),
        (bytes.fromhex("28b52ffd"), "train-00001.jsonl.zst", "compressed-data"),
        (bytes.fromhex("28b52ffd"), "model.safetensors.zst", "zstd"),
    ],
)
def test_bytes_that_others_have_too_need_the_name(data: bytes, file: str, name: str) -> None:
    assert told(data, file) == (Match.CONTENT, name)
    match, other = told(data, "notes")
    assert match is Match.NO or other == "zstd"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Net.PTE", "executorch"), ("a.trt", "tensorrt"),
        ("variables.data-00000-of-00001", "tf-checkpoint"), ("flax_model.msgpack", "flax-msgpack"),
        ("manifest.ocdbt", "ocdbt"), ("_CHECKPOINT_METADATA", "orbax"), (".zarray", "zarr"),
        ("inference.pdiparams", "paddle"), ("resnet-0000.params", "mxnet"), ("a.ncnn.bin", "ncnn"),
        ("a.rknn", "rknn"), ("a.mnn", "mnn"), ("a.caffemodel", "caffe"),
        ("a.rds", "r-serialized"), ("a.t7", "torch7"), ("a.spacy", "spacy"),
        ("a.lz4", "lz4"), ("a.llamafile", "llamafile"),
    ],
)  # fmt: skip
def test_a_name_is_enough_where_nothing_else_is_called_so(file: str, name: str) -> None:
    assert told(b"?" * 300, file) == (Match.NAME, name)


@pytest.mark.parametrize(
    ("data", "file"),
    [
        (b"<project/>", "pom.xml"),
        (b"IxFI" + bytes(50), "vectors.index"),
        (b"#!/bin/sh", "checkpoint"),
        (bytes(300), "weight.bin"),
        (b"learning_rate = 1", "default.params"),
        (b"MZ\x90\0", "setup.exe"),
        (b"PK\x03\x04", "archive.zip"),
        (b"\x1f\x8b\x08", "archive.tar.gz"),
        (b"tree of life", "notes.txt"),
        (b"CBM", "short"),
        (b"", "empty"),
    ],
)
def test_files_of_other_kinds_are_left_alone(data: bytes, file: str) -> None:
    assert told(data, file) == (Match.NO, None)


def test_every_signature_has_a_test_of_its_own_content() -> None:
    with_content = {s.name for s in SIGNATURES if (s.magics or s.text or s.tail) and s.content_suffices}
    assert with_content == CONTENTS.keys()


def test_every_magic_is_tried() -> None:
    for signature in SIGNATURES:
        for at, magic in signature.magics:
            data = b"?" * at + magic
            file = signature.names[0].replace("*", "a").replace("?", "0") if signature.names else "a"
            recognise = BY_NAME[signature.name].recognise
            assert recognise(probe_of(data, file)) is Match.CONTENT, signature.name
            assert recognise(probe_of(data[:-1], "a")) is Match.NO, signature.name


def test_a_format_has_one_name_no_reader_and_only_endings_that_promise_it() -> None:
    assert len(BY_NAME) == len(FORMATS)
    assert all(fmt.read is None for fmt in FORMATS)
    assert BY_NAME["coreml-weights"].suffixes == ()
    assert BY_NAME["tf-checkpoint"].suffixes == ()
    assert BY_NAME["r-serialized"].suffixes == (".rds", ".rda", ".rdata")
    assert BY_NAME["spacy"].kind is FileKind.DATA


def test_formats_that_are_read_are_not_taken(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", np.zeros(3))
    for fixture in (Path(__file__).parents[2] / "fixtures").rglob("*.safetensors"):
        assert told(fixture.read_bytes(), fixture.name) == (Match.NO, None)
    assert told((tmp_path / "a.npz").read_bytes(), "a.npz") == (Match.NO, None)


class Broken:
    """A reader whose file shrank between listing and reading."""

    size = 100

    def read_at(self, offset: int, length: int) -> bytes:
        raise UnreadableError(Reason.TRUNCATED, "gone", offset)

    def read_into(self, offset: int, buffer: memoryview) -> int:
        return 0


@given(st.binary(max_size=300), st.text(max_size=30))
def test_recognition_never_raises(data: bytes, name: str) -> None:
    for fmt in FORMATS:
        fmt.recognise(probe_of(data, name))
        fmt.recognise(Probe(name="a.index", head=data, reader=Broken()))


def test_the_page_lists_what_the_code_recognises() -> None:
    rows = re.findall(r"^\| (.+?) \| (`.+?`) \| (\w+) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    assert rows == table()
