"""A remote file of which only the header is fetched says the same as the whole one, for two requests."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from aibom.domain.facts import Facts
from aibom.domain.limits import PROBE_BYTES
from aibom.domain.protocols import ByteReader, Probe
from aibom.formats import identify
from aibom.formats.inside import examine
from aibom.readers.ranges import Budgeted, Memory
from aibom.readers.zip import read_archive
from aibom.sources.remote_file import RemoteFile

COUNT = 300
STORAGES = 200  # as many as the first 39 KiB describe, without a memo


def safetensors(size: int = 3_000_000) -> bytes:
    step = size // COUNT
    header = {
        f"layer.{number}.weight": {
            "dtype": "U8", "shape": [step], "data_offsets": [number * step, (number + 1) * step],
        }
        for number in range(COUNT)
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(range(256)) * (step * COUNT // 256 + 1)


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def pickled_state(count: int, size: int = 4_000) -> bytes:
    """What `torch.save` writes of a dictionary of byte tensors; nothing here ever loads it."""
    length = b"J" + struct.pack("<i", size)
    out = b"\x80\x02}("
    for number in range(count):
        storage = _text("storage") + b"ctorch\nByteStorage\n" + _text(str(number)) + _text("cpu") + length
        shape = b"(" + length + b"t(K\x01t\x89ccollections\nOrderedDict\n)R"
        out += _text(f"layer.{number}") + b"ctorch._utils\n_rebuild_tensor_v2\n(("
        out += storage + b"tQK\x00" + shape + b"tR"
    return out + b"u."


class Far:
    """A file at the other end of a slow line."""

    def __init__(self, data: bytes, name: str) -> None:
        self.fetched: list[int] = []

        def fetch(start: int, length: int) -> bytes:
            self.fetched.append(length)
            return data[start : start + length]

        self.reader = RemoteFile(fetch, len(data), name=name, whole=False)


def looked(reader: ByteReader, name: str) -> tuple[Facts, tuple[object, ...]]:
    head = reader.read_at(0, min(PROBE_BYTES, reader.size))
    probe = Probe(name=name, head=head, reader=Budgeted(reader))
    found, _ = identify(probe)
    assert found is not None
    assert found.read is not None
    facts = found.read(probe)
    inside = examine(probe, facts)
    return facts, (*inside.imports, *inside.hazards, *inside.defects) if inside else ()


def stored_zip(*, descriptor: bool) -> bytes:
    """As `torch.save` lays it out: stored members, their sizes behind the data or in front of them."""
    out = io.BytesIO()
    target: io.BytesIO | Unseekable = Unseekable(out) if descriptor else out
    with zipfile.ZipFile(target, "w") as archive:  # type: ignore[arg-type]
        archive.writestr("archive/data.pkl", pickled_state(STORAGES))
        for number in range(STORAGES):
            archive.writestr(f"archive/data/{number}", bytes(4_000))
        archive.writestr("archive/version", b"3\n")
    return out.getvalue()


class Unseekable:
    """A stream: zipfile writes sizes and checksums behind the data then."""

    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        return self._out.write(data)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("descriptor", [False, True], ids=["sizes-in-front", "sizes-behind"])
def test_a_torch_file_says_the_same_for_two_requests(descriptor: bool) -> None:
    data = stored_zip(descriptor=descriptor)
    far = Far(data, "pytorch_model.bin")
    facts, inside = looked(far.reader, "pytorch_model.bin")
    assert (facts, inside) == looked(Memory(data), "pytorch_model.bin")
    assert len(facts.tensors) == STORAGES
    assert len(far.fetched) <= 2
    assert sum(far.fetched) <= 110_000


def test_a_safetensors_file_says_the_same_for_two_requests() -> None:
    data = safetensors()
    far = Far(data, "model.safetensors")
    facts, _ = looked(far.reader, "model.safetensors")
    assert facts == looked(Memory(data), "model.safetensors")[0]
    assert len(far.fetched) <= 2
    assert sum(far.fetched) <= 110_000


def test_a_storage_that_cannot_end_where_the_next_one_begins_is_looked_at() -> None:
    """A hole of more than an extra field between two members: nobody could tell where the data begin."""
    data = stored_zip(descriptor=False)
    archive = read_archive(Memory(data))
    at = next(member for member in archive.members if member.name == "archive/data/150").header_offset
    hole = bytes(70_000)
    moved = data[:at] + hole + data[at:]
    # Every offset behind the hole counts from 70,000 bytes later.
    view = bytearray(moved)
    position = moved.rindex(b"PK\x05\x06")
    (start,) = struct.unpack_from("<I", moved, position + 16)
    struct.pack_into("<I", view, position + 16, start + len(hole))
    entry = start + len(hole)
    while view[entry : entry + 4] == b"PK\x01\x02":
        name, extra, comment = struct.unpack_from("<HHH", view, entry + 28)
        (offset,) = struct.unpack_from("<I", view, entry + 42)
        if offset >= at:
            struct.pack_into("<I", view, entry + 42, offset + len(hole))
        entry += 46 + name + extra + comment
    far = Far(bytes(view), "pytorch_model.bin")
    members = {member.name: member for member in read_archive(Budgeted(far.reader)).members}
    assert not members["archive/data/149"].distant
    assert members["archive/data/150"].distant
    whole = {member.name: member.offset for member in read_archive(Memory(bytes(view))).members}
    assert {name: member.offset for name, member in members.items()} == whole


def test_a_local_file_has_nothing_that_is_far() -> None:
    assert not any(member.distant for member in read_archive(Memory(stored_zip(descriptor=True))).members)
