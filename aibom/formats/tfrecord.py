"""TFRecord: records of any bytes, each behind its length and a checksum of the length.

Only the frames at the front are looked at; how many records there are, only a walk through the whole file
could tell. Format: tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details".
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, truncated
from aibom.domain.facts import Defect, Facts, FileKind
from aibom.domain.protocols import ByteReader, Format, Match, Probe

RECORD_COUNT: Final = 16  # frames that are checked
_HEAD_BYTES: Final = 12  # length and its checksum
_FOOT_BYTES: Final = 4
_COMPRESSED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_SUFFIXES: Final = (".tfrecord", ".tfrecords")
_SHARD: Final = "*.tfrecord-?????-of-?????"


def recognise(probe: Probe) -> Match:
    """By name, and by the first frame: the logs of TensorBoard are framed in the same way."""
    name = probe.name.lower()
    if "tfrec" in name and _is_frame(probe.head[:_HEAD_BYTES]):
        return Match.CONTENT
    return Match.NAME if name.endswith(_SUFFIXES) or fnmatchcase(name, _SHARD) else Match.NO


def read(probe: Probe) -> Facts:
    """Whether the first records are whole. Raises `UnreadableError` when the first one is not."""
    position, defects = 0, []
    for record in range(RECORD_COUNT):
        if position == probe.size:
            break
        try:
            position = _next(probe.reader, position)
        except UnreadableError as error:
            if not record:
                raise
            defects.append(Defect(reason=error.reason, message=error.message, offset=error.offset))
            break
    return Facts(format="tfrecord", kind=FileKind.DATA, defects=tuple(defects))


def _next(reader: ByteReader, position: int) -> int:
    """The offset behind the record that begins here."""
    left = reader.size - position
    if left < _HEAD_BYTES:
        raise truncated(f"{left} bytes where a record begins", position)
    head = reader.read_at(position, _HEAD_BYTES)
    if not _is_frame(head):
        if position == 0 and head.startswith(_COMPRESSED):
            raise UnreadableError(Reason.UNSUPPORTED, "compressed records", 0)
        raise malformed("the checksum of the length is wrong", position)
    length = int.from_bytes(head[:8], "little")
    if length > left - _HEAD_BYTES - _FOOT_BYTES:
        raise truncated(f"a record of {length} bytes, {left - _HEAD_BYTES} are left", position)
    return position + _HEAD_BYTES + length + _FOOT_BYTES


def _is_frame(head: bytes) -> bool:
    """True when the checksum of a length is right."""
    # Its tables take a while to build, and few scans need them.
    from aibom.readers.row_tfrecord import masked_crc  # noqa: PLC0415

    return len(head) == _HEAD_BYTES and masked_crc(head[:8]) == int.from_bytes(head[8:], "little")


FORMAT = Format(
    name="tfrecord",
    title="TFRecord",
    kind=FileKind.DATA,
    suffixes=_SUFFIXES,
    recognise=recognise,
    read=read,
)
