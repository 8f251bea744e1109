"""NumPy arrays of Python objects: a pickle behind the header. Format: `numpy.lib.format`."""

from __future__ import annotations

from aibom.domain.errors import Reason, UnreadableError
from aibom.formats.inside.part import UNKNOWN_BYTES, Part
from aibom.formats.inside.pickles import examine_streams
from aibom.formats.inside.walk import Walk
from aibom.readers import npy
from aibom.readers.ranges import Memory, Window


def begins(part: Part) -> bool:
    """True for NumPy's magic."""
    return part.head.startswith(npy.MAGIC)


def examine(walk: Walk, part: Part) -> bool:
    """The pickle of an array of objects, or what follows any other array."""
    try:
        header = npy.read_header(Memory(part.head))
    except UnreadableError as error:
        if error.reason is not Reason.TRUNCATED or len(part.head) == part.size:
            raise
        with walk.opened(part) as reader:
            header = npy.read_header(reader)
    end = header.start + header.length
    # What follows the array of a whole file is looked at as the rest of any other format.
    if not header.pickled and (part.depth == 0 or not end < part.size < UNKNOWN_BYTES):
        return False
    with walk.opened(part) as reader:
        if header.pickled:
            return examine_streams(walk, part, reader, header.start, certain=True)
        if end >= reader.size:
            return False
        return bool(walk.dispatch(part.stored(f"@{end}", Window(reader, end, reader.size - end), end)))
