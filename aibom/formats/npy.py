"""NumPy .npy: one array behind a small text header.

Format: numpy.lib.format. An array of Python objects is a pickle behind the header; it is told, and
not read.
"""

from __future__ import annotations

from aibom.domain.errors import Reason, truncated
from aibom.domain.facts import Capability, Defect, Facts, FileKind, Span, Tensor
from aibom.domain.protocols import Format, Match, Probe
from aibom.readers import npy


def recognise(probe: Probe) -> Match:
    """By the magic; a name alone is not conclusive."""
    if probe.head.startswith(npy.MAGIC):
        return Match.CONTENT
    return Match.NAME if probe.named(".npy") else Match.NO


def read(probe: Probe) -> Facts:
    """The one array, whose name is the empty string. Raises `UnreadableError`."""
    header = npy.read_header(probe.reader)
    left = probe.size - header.start - header.length
    defects: tuple[Defect, ...] = ()
    if header.pickled:
        rest = f"{probe.size - header.start} bytes of pickled Python objects are not read"
        defects = (Defect(reason=Reason.NOT_READ, message=rest, offset=header.start),)
    elif left < 0:
        raise truncated(f"the array claims {header.length} bytes, {-left} more than there are", header.start)
    elif left > 0:
        message = f"{left} bytes follow the array"
        defects = (Defect(reason=Reason.MALFORMED, message=message, offset=probe.size - left),)
    return Facts(
        format="npy",
        kind=FileKind.DATA,
        version=header.version,
        tensors=() if header.pickled else (_tensor(header),),
        covered=(Span(start=0, end=header.start),),
        capabilities=frozenset({Capability.IMPORTS_CODE} if header.pickled else ()),
        indexed=not header.pickled,
        defects=defects,
    )


def _tensor(header: npy.Header) -> Tensor:
    return Tensor(
        name="",
        dtype=header.dtype,
        shape=header.shape,
        offset=header.start,
        length=header.length,
        layout=header.layout,
    )


FORMAT = Format(
    name="npy",
    title="NumPy array",
    kind=FileKind.DATA,
    suffixes=(".npy",),
    recognise=recognise,
    read=read,
    media_type="application/x-npy",
)
