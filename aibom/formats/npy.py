"""NumPy .npy: one array behind a small text header.

Format: numpy.lib.format. An array of Python objects is a pickle behind the header; its imports are
told, its objects are no tensor.
"""

from __future__ import annotations

from aibom.domain.errors import Reason, truncated
from aibom.domain.facts import Capability, Defect, Facts, FileKind, Span, Tensor
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._pickle import walk
from aibom.readers import npy
from aibom.readers.pickle_imports import capabilities


def recognise(probe: Probe) -> Match:
    """By the magic; a name alone is not conclusive."""
    if probe.head.startswith(npy.MAGIC):
        return Match.CONTENT
    return Match.NAME if probe.named(".npy") else Match.NO


def read(probe: Probe) -> Facts:
    """The one array, whose name is the empty string, or what its pickle imports. Raises `UnreadableError`."""
    header = npy.read_header(probe.reader)
    if header.pickled:
        return _objects(probe, header)
    left = probe.size - header.start - header.length
    defects: tuple[Defect, ...] = ()
    if left < 0:
        raise truncated(f"the array claims {header.length} bytes, {-left} more than there are", header.start)
    if left > 0:
        message = f"{left} bytes follow the array"
        defects = (Defect(reason=Reason.MALFORMED, message=message, offset=probe.size - left),)
    return Facts(
        format="npy",
        kind=FileKind.DATA,
        version=header.version,
        tensors=(_tensor(header),),
        covered=(Span(start=0, end=header.start),),
        indexed=True,
        defects=defects,
    )


def _objects(probe: Probe, header: npy.Header) -> Facts:
    """An array of Python objects: the streams behind the header."""
    walked = walk(probe.reader, header.start)
    return Facts(
        format="npy",
        kind=FileKind.DATA,
        version=header.version,
        covered=(Span(start=0, end=header.start), *walked.covered),
        imports=walked.imports,
        hazards=walked.hazards,
        nested=walked.nested,
        capabilities=capabilities(walked.imports) | {Capability.IMPORTS_CODE},
        indexed=True,
        defects=walked.defects,
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
