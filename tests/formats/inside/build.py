"""Archives and pickles for the tests of what is inside a file. Payloads are bytes that nobody loads."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Facts
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.formats import identify
from aibom.formats.inside import Inside, examine
from tests.hostile import probe_of

Files = dict[str, bytes]

EVIL = b"\x80\x02cposix\nsystem\nX\x05\x00\x00\x00never\x85R."
EVIL_0 = b"cposix\nsystem\n(S'never'\ntR."
PLAIN = b"\x80\x02}X\x01\x00\x00\x00aK\x01s."
CENTRAL, END = b"PK\x01\x02", b"PK\x05\x06"
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


def facts_of(data: bytes, name: str) -> Facts | None:
    """What the format reader says, as in a scan."""
    probe = probe_of(data, name)
    found, _ = identify(probe)
    if found is None:
        return None
    unread = Facts(format=found.name, kind=found.kind, unread=True)
    try:
        return found.read(probe) if found.read else unread
    except UnreadableError:
        return unread


def look(data: bytes, name: str = "model.pt") -> Inside | None:
    """What is inside of some bytes, as in a scan."""
    return examine(probe_of(data, name), facts_of(data, name))


def seen(data: bytes, name: str = "model.pt") -> Inside:
    """The same, for bytes of which there must be something to say."""
    inside = look(data, name)
    assert inside is not None
    return inside


def imported(inside: Inside | None) -> list[tuple[str, str]]:
    """Where and what."""
    return [(item.inside, item.name) for item in inside.imports] if inside else []


def hazards(inside: Inside | None) -> set[tuple[HazardKind, str]]:
    return {(hazard.kind, hazard.found) for hazard in inside.hazards} if inside else set()


def reasons(inside: Inside | None) -> list[str]:
    return [str(defect.reason) for defect in inside.defects] if inside else []


def zipped(files: Files | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return target.getvalue()


def tarred(files: Files | Iterable[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


def replaced(data: bytes, old: bytes, new: bytes, which: int = 0) -> bytes:
    """`data` with one occurrence of `old` changed; -1 is the last one."""
    places = [at for at in range(len(data)) if data.startswith(old, at)]
    at = places[which]
    return data[:at] + new + data[at + len(old) :]


def deflated(data: bytes, zeros: int) -> bytes:
    """Raw deflate of `data` and `zeros` bytes of zero, a multiple of 8 MiB: quick, because it repeats."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    front = stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)
    piece = stream.compress(bytes(8 * MIB)) + stream.flush(zlib.Z_FULL_FLUSH)
    return front + piece * (zeros // (8 * MIB)) + stream.flush()


def claiming(size: int, compressed: bytes, name: bytes = b"z") -> bytes:
    """A zip archive whose only member claims to inflate to `size` bytes, without a checksum."""
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, 0, len(compressed), size, len(name), 0)
    central = struct.pack(
        "<4s6H3I5H2I", CENTRAL, 20, 20, 0, 8, 0, 33, 0, len(compressed), size, len(name), 0, 0, 0, 0, 0, 0
    )
    start = len(local) + len(name) + len(compressed)
    end = struct.pack("<4s4H2IH", END, 0, 0, 1, 1, len(central) + len(name), start, 0)
    return local + name + compressed + central + name + end


def without_last_member(data: bytes) -> bytes:
    """An archive whose directory has forgotten its last member."""
    start, end = data.index(CENTRAL), data.rindex(END)
    last = data.rindex(CENTRAL)
    count = data.count(CENTRAL, start) - 1
    return (
        data[:last]
        + struct.pack("<4s4H2IH", END, 0, 0, count, count, last - start, start, 0)
        + data[end + 22 :]
    )
