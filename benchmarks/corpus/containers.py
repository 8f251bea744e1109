"""Zip and tar files put together record by record, so that any field can lie."""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

JANUARY_1980 = 1 << 5 | 1  # the date field of zip files
CLOCK = struct.pack("<HH", 0, JANUARY_1980)


@dataclass(slots=True, kw_only=True)
class Member:
    """One member of a zip file. What is None is told truly."""

    name: str
    data: bytes = b""
    central_name: str | None = None
    deflated: bool = False
    method: int | None = None
    local_flags: int = 0
    central_flags: int | None = None
    crc: int | None = None
    size: int | None = None  # claimed, inflated
    stored_size: int | None = None  # claimed, as stored
    extra: bytes = b""
    central_extra: bytes = b""
    attributes: int = 0  # the upper half holds the mode of Unix
    at: int | None = None  # claimed place of the local header
    hidden: bool = False  # no entry in the central directory
    ghost: bool = False  # nothing but an entry in the central directory
    stored: bytes = field(init=False)

    def __post_init__(self) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.stored = packer.compress(self.data) + packer.flush() if self.deflated else self.data

    def fields(self, flags: int) -> bytes:
        """The fields that both records share, from the flags on."""
        method = self.method if self.method is not None else 8 * self.deflated
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        size = len(self.data) if self.size is None else self.size
        stored = len(self.stored) if self.stored_size is None else self.stored_size
        return struct.pack("<HH", flags, method) + CLOCK + struct.pack("<III", crc, stored, size)

    def local(self) -> bytes:
        title = self.name.encode()
        lengths = struct.pack("<HH", len(title), len(self.extra))
        return b"PK\3\4\x14\0" + self.fields(self.local_flags) + lengths + title + self.extra + self.stored

    def central(self, offset: int) -> bytes:
        title = (self.name if self.central_name is None else self.central_name).encode()
        flags = self.local_flags if self.central_flags is None else self.central_flags
        lengths = struct.pack("<HHHHHI", len(title), len(self.central_extra), 0, 0, 0, self.attributes)
        place = struct.pack("<I", offset if self.at is None else self.at)
        return b"PK\1\2\x14\3\x14\0" + self.fields(flags) + lengths + place + title + self.central_extra


def zip_file(
    members: Iterable[Member], *, comment: bytes = b"", count: int | None = None, shift: int = 0
) -> bytes:
    """A whole zip file. `count` is a claim; `shift` is added to every offset."""
    body, directory, listed = b"", b"", 0
    for member in members:
        offset = len(body) + shift
        body += b"" if member.ghost else member.local()
        if not member.hidden:
            directory += member.central(offset)
            listed += 1
    told = listed if count is None else count
    end = struct.pack("<HHHHIIH", 0, 0, told, told, len(directory), len(body) + shift, len(comment))
    return body + directory + b"PK\5\6" + end + comment


def simple_zip(members: dict[str, bytes], *, deflated: bool = False) -> bytes:
    return zip_file(Member(name=name, data=data, deflated=deflated) for name, data in members.items())


def tar_member(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def tar_file(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.TarFile(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def simple_tar(members: dict[str, bytes]) -> bytes:
    return tar_file(tar_member(name, data) for name, data in members.items())
