"""Programs: a hazard under the name of weights and inside of models, none in their place."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import pytest

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from tests.formats.inside.build import ELF, PLAIN, hazards, look, seen, tarred, zipped

NATIVE = HazardKind.NATIVE_CODE
PE = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(64) + b"PE\0\0" + bytes(99)
MACHO = b"\xcf\xfa\xed\xfe\x0c\0\0\x01" + bytes(60)
FAT = b"\xca\xfe\xba\xbe\0\0\0\x02" + bytes(60)
APE = b"MZqFpD='\n\n" + bytes(200)
CLASS = b"\xca\xfe\xba\xbe\0\0\0\x3d" + bytes(60)


@pytest.mark.parametrize(
    ("data", "found"), [(ELF, "elf"), (PE, "pe"), (MACHO, "macho"), (FAT, "macho"), (APE, "ape")]
)
@pytest.mark.parametrize(
    "name", ["model.bin", "m.gguf", "m.safetensors", "m.pt", "m.llamafile", "config.json"]
)
def test_a_program_under_the_name_of_weights_or_of_a_document_is_a_hazard(
    data: bytes, found: str, name: str
) -> None:
    inside = seen(data, name)
    assert (hazards(inside), inside.may_run, inside.container) == ({(NATIVE, found)}, True, False)


@pytest.mark.parametrize(
    "name", ["libx.so", "libx.so.1.2", "a.exe", "b.dll", "c.dylib", "llama-server", "a.o"]
)
@pytest.mark.parametrize("data", [ELF, PE, MACHO, APE])
def test_a_program_that_is_named_like_one_says_nothing(name: str, data: bytes) -> None:
    assert look(data, name) is None


def test_a_real_program_under_the_name_of_weights_is_one() -> None:
    program = Path(sys.executable).resolve().read_bytes()[:100_000]
    found = {found for _, found in hazards(look(program, "pytorch_model.bin"))}
    assert found & {"elf", "macho", "pe"}
    assert look(program, "python3") is None


@pytest.mark.parametrize(
    "data", [CLASS, b"MZ" + bytes(200), b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce" + bytes(9)]
)
def test_what_only_begins_like_a_program_is_none(data: bytes) -> None:
    assert hazards(look(data, "model.bin")) == set()


def test_a_script_under_the_name_of_weights_is_a_hazard() -> None:
    script = b"#!/bin/sh\necho never\n"
    assert hazards(look(script, "model.gguf")) == {(NATIVE, "script")}
    assert look(script, "install.sh") is None
    assert look(script, "README.md") is None


def test_a_tensorrt_engine_is_native_code() -> None:
    (hazard,) = seen(b"ftrt" + bytes(99), "model.engine").hazards
    assert (hazard.found, hazard.confidence) == ("tensorrt-engine", Confidence.MEDIUM)


def test_a_program_inside_of_a_model_is_a_hazard() -> None:
    assert hazards(look(zipped({"a/data.pkl": PLAIN, "a/libx.so": ELF}))) == {(NATIVE, "elf")}
    assert hazards(look(tarred({"libx.so": ELF}), "a.nemo")) == {(NATIVE, "elf")}
    assert hazards(look(zipped({"deep/model.pt": zipped({"libx.so": ELF})}), "all.zip")) == {(NATIVE, "elf")}


def test_a_program_inside_of_other_archives_is_in_its_place() -> None:
    assert hazards(look(zipped({"libx.so": ELF}), "a.whl")) == set()
    assert hazards(look(zipped({"bin/llama": ELF}), "release.zip")) == set()
    assert hazards(look(zipped({"weights.bin": ELF}), "release.zip")) == {(NATIVE, "elf")}
