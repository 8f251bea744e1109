"""Files that are two things at once."""

from __future__ import annotations

import gzip
import io
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from tests.formats.inside.build import ELF, EVIL, EVIL_0, facts_of, hazards, imported, look, seen, zipped
from tests.hostile import FIXTURES

HIDDEN = HazardKind.HIDDEN_PAYLOAD
ZIP = zipped({"a/data.pkl": EVIL})
WEIGHTS = {
    "model.safetensors": save({"w": np.zeros(3, np.float32)}),
    "model.gguf": (FIXTURES / "gguf/vocabulary.gguf").read_bytes(),
    "model.npy": (FIXTURES / "npy/matrix.npy").read_bytes(),
    "model.h5": (FIXTURES / "hdf5/old.h5").read_bytes(),
    "model.pkl": (FIXTURES / "pickle/protocol4.pkl").read_bytes(),
    "model.pt": (FIXTURES / "torch/legacy.pt").read_bytes(),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_an_archive_behind_weights_is_told_and_walked(name: str) -> None:
    inside = seen(WEIGHTS[name] + ZIP, name)
    assert (HIDDEN, "appended-zip") in hazards(inside)
    assert (f"@{len(WEIGHTS[name])}!a/data.pkl", "posix.system") in imported(inside)
    (item,) = [item for item in inside.imports if item.name == "posix.system"]
    assert (WEIGHTS[name] + ZIP)[item.offset :].startswith(b"cposix")


@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf", "model.npy"])
@pytest.mark.parametrize(
    ("payload", "found"),
    [(EVIL, "pickle"), (EVIL_0, "pickle"), (gzip.compress(EVIL, mtime=0), "compressed"), (ELF, "program")],
)
def test_anything_that_runs_behind_weights_is_told(name: str, payload: bytes, found: str) -> None:
    assert (HIDDEN, f"hidden-{found}") in hazards(look(WEIGHTS[name] + payload, name))


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_alone_say_nothing(name: str) -> None:
    assert look(WEIGHTS[name], name) is None


def test_an_archive_in_the_last_tensor_is_told_though_every_byte_is_explained() -> None:
    data = save({"w": np.frombuffer(ZIP, np.uint8)})
    assert hazards(look(data, "a.safetensors")) == {(HIDDEN, "appended-zip"), (HIDDEN, "tensor-zip")}
    (hazard,) = seen(save({"w": np.frombuffer(ZIP + b"!", np.uint8)}), "a.safetensors").hazards[:1]
    assert (hazard.found, hazard.confidence) == ("appended-zip", Confidence.MEDIUM)


def test_an_archive_behind_garbage_has_a_prefix() -> None:
    inside = seen(b"\0garbage" + ZIP)
    assert hazards(inside) == {(HazardKind.ARCHIVE_STRUCTURE, "prefix")}
    assert imported(inside) == [("@8!a/data.pkl", "posix.system")]


def test_the_archive_at_the_end_of_a_tensorflow_lite_model_is_usual() -> None:
    data = struct.pack("<I", 16) + b"TFL3" + bytes(64) + zipped({"labels.txt": b"cat\n"})
    assert hazards(look(data, "model.tflite")) == set()


@pytest.mark.parametrize("name", ["model.safetensors", "weights.bin"])
def test_a_stream_that_goes_on_far_behind_the_head_is_found(name: str) -> None:
    """The first bytes are a string opcode and its length, as the length of a header can be."""
    for length in (9_000, 900_000):
        data = b"T" + struct.pack("<I", length) + bytes(length) + EVIL_0
        assert imported(look(data, name)) == [("", "posix.system")]
        assert imported(look(gzip.compress(data, mtime=0), name)) == [("gzip", "posix.system")]


def test_a_pickle_in_front_of_hdf5_is_told() -> None:
    data = EVIL.ljust(512, b"\0") + (FIXTURES / "hdf5/old.h5").read_bytes()
    facts = facts_of(data, "model.h5")
    assert facts is not None
    assert facts.format == "hdf5"
    inside = look(data, "model.h5")
    assert imported(inside) == [("", "posix.system")]
    assert hazards(inside) == {(HIDDEN, "leading-pickle")}


def test_a_pickle_that_holds_an_archive_as_a_value_is_no_polyglot() -> None:
    """Keras models are pickled as the bytes of their archive."""
    zipped_model = zipped({"config.json": b"{}"})
    data = b"\x80\x03B" + struct.pack("<I", len(zipped_model)) + zipped_model + b"."
    assert hazards(look(data, "model.pkl")) == set()


def test_a_table_with_an_archive_in_a_column_is_no_polyglot() -> None:
    file = io.BytesIO()
    pq.write_table(pa.table({"doc": [zipped({"a.xml": b"x"})]}), file, compression="none")
    assert hazards(look(file.getvalue(), "docs.parquet")) == set()
