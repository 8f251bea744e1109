"""Files that are two things at once: an archive at the end, or something behind what a format explains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Facts, FileKind, Layout, Span
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import ByteReader
from aibom.formats.inside.archives import examine_archive, has_end_record
from aibom.formats.inside.part import Host, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.ranges import Window, at_hand
from aibom.readers.zip import Archive, survey
from aibom.readers.zip_records import AnomalyKind

PROBED_COUNT: Final = 20_000  # tensors of one file whose first bytes are looked at
_FRONT_BYTES: Final = 8
_ELSEWHERE: Final = (Layout.EXTERNAL, Layout.DEFLATED)
_PICKLED: Final = b"\x80\x04."
_FRONTS: Final = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04|\x7fELF|MZ.{3}\0|c[a-z_]{2,}")
LEFTOVER_COUNT: Final = 100  # ranges that no tensor explains, looked at
# The metadata of TensorFlow Lite is a zip archive behind the model; a llamafile is a program with one.
_USUAL: Final = ("tflite", "llamafile")
ONLY_TENSORS: Final = ("safetensors", "gguf", "npy", "onnx", "hdf5")


def examine_tail(walk: Walk, part: Part, facts: Facts | None) -> int | None:
    """Reports an archive at the end of a file that is something else, and walks through it.

    Returns where it starts, None when there is none.
    """
    reader = part.reader
    if reader is None or not has_end_record(reader):
        return None
    try:
        archive = survey(reader)
    except UnreadableError:
        # Four bytes by accident; a loader of archives could not read it either.
        return None
    exact = all(anomaly.kind is not AnomalyKind.SUFFIX for anomaly in archive.anomalies)
    if not archive.members or not (exact or _is_plain_weights(facts)):
        return None
    start = min(member.header_offset for member in archive.members)
    _report(walk, part, facts, start, exact=exact)
    _walk_through(walk, part, reader, archive, start)
    return start


def _is_plain_weights(facts: Facts | None) -> bool:
    """True where an archive followed by something else is no value that the format holds."""
    return facts is not None and facts.kind is FileKind.WEIGHTS and facts.format in ONLY_TENSORS


def _report(walk: Walk, part: Part, facts: Facts | None, start: int, *, exact: bool) -> None:
    if part.host is not Host.MODEL or (facts is not None and facts.format in _USUAL):
        return
    confidence = Confidence.HIGH if exact else Confidence.MEDIUM
    if facts is None or facts.unread:
        message = f"{start} bytes in front of the first member"
        walk.hazard(part, HazardKind.ARCHIVE_STRUCTURE, str(AnomalyKind.PREFIX), message, 0, confidence)
        return
    message = "a zip archive stands at the end of a file that is something else"
    walk.hazard(part, HazardKind.HIDDEN_PAYLOAD, "appended-zip", message, start, confidence)


def _walk_through(walk: Walk, part: Part, reader: ByteReader, archive: Archive, start: int) -> None:
    window = Window(reader, start, reader.size - start)
    # Its own offsets count from the start of the file or of the archive: the survey knows.
    inner = part.stored(f"@{start}", window, 0)
    examine_archive(walk, inner, reader, archive, appended=True)


def report_front(walk: Walk, part: Part, facts: Facts | None, found: str) -> None:
    """Reports weights that other loaders take for something else by the same first bytes."""
    if facts is None or facts.unread or facts.format not in ONLY_TENSORS:
        return
    if found not in ("", "array"):
        message = f"the file is {facts.format} and content of another kind ({found}) at once"
        walk.hazard(part, HazardKind.HIDDEN_PAYLOAD, f"leading-{found}", message, 0)


def examine_tensors(walk: Walk, part: Part, facts: Facts) -> None:
    """Examines tensors that begin like a file of another kind."""
    reader = part.reader
    if reader is None or facts.unread or facts.format not in ONLY_TENSORS:
        return
    for tensor in facts.tensors[:PROBED_COUNT]:
        inside = tensor.layout not in _ELSEWHERE and tensor.offset + tensor.length <= reader.size
        if not inside or tensor.length < len(_PICKLED) or tensor.offset + _FRONT_BYTES > reader.size:
            continue
        if not at_hand(reader, tensor.offset, _FRONT_BYTES):
            continue  # a request for each tensor of a remote file would be too much
        if not _FRONTS.match(reader.read_at(tensor.offset, _FRONT_BYTES)):
            continue
        window = Window(reader, tensor.offset, tensor.length)
        found = walk.dispatch(part.stored(f"@{tensor.offset}", window, tensor.offset))
        if found:
            message = f"the tensor {tensor.name[:80]!r} is content of another kind ({found})"
            walk.hazard(part, HazardKind.HIDDEN_PAYLOAD, f"tensor-{found}", message, tensor.offset)


def examine_rest(walk: Walk, part: Part, facts: Facts, told: int | None) -> None:
    """Examines what no tensor and no header explains, where a format claims to explain every byte.

    From `told` on everything is told already.
    """
    if part.reader is not None and has_rest(facts, part.reader.size):
        spans = islice(_unexplained(facts, part.reader.size), LEFTOVER_COUNT)
        _examine_spans(walk, part, (span for span in spans if told is None or span.end <= told))


def examine_slack(walk: Walk, part: Part, facts: Facts) -> None:
    """The same for what stands behind a tensor in its storage, in an archive."""
    if part.reader is None or facts.unread or not facts.indexed:
        return
    ends = {tensor.offset + tensor.length for tensor in facts.tensors}
    spans = (span for span in _unexplained(facts, part.reader.size) if span.start in ends)
    _examine_spans(walk, part, islice(spans, LEFTOVER_COUNT))


def _examine_spans(walk: Walk, part: Part, spans: Iterable[Span]) -> None:
    for span in spans:
        if part.reader is None:
            return
        window = Window(part.reader, span.start, span.end - span.start)
        found = walk.dispatch(part.stored(f"@{span.start}", window, span.start))
        if found:
            message = f"content of another kind ({found}) stands where the format has no bytes"
            walk.hazard(part, HazardKind.HIDDEN_PAYLOAD, f"hidden-{found}", message, span.start)


def has_rest(facts: Facts | None, size: int) -> bool:
    """True unless nothing is wrong and the last tensor or header reaches to the end."""
    if facts is None or facts.unread or not facts.indexed:
        return False
    if facts.defects:
        return True
    ends = [span.end for span in facts.covered[-1:]]
    ends += [tensor.offset + tensor.length for tensor in facts.tensors[-1:]]
    return max(ends, default=0) < size


def _unexplained(facts: Facts, size: int) -> Iterator[Span]:
    """The ranges between tensors and headers, in order."""
    known = [*facts.covered]
    known += [Span(start=each.offset, end=each.offset + each.length) for each in facts.tensors]
    position = 0
    for span in sorted(known, key=attrgetter("start")):
        if position < span.start:
            yield Span(start=position, end=min(span.start, size))
        position = max(position, span.end)
    if position < size:
        yield Span(start=position, end=size)
