"""NumPy .npz: a zip archive of .npy members, one array each.

Format: numpy.lib.npyio `savez` and `savez_compressed`. An array takes the name of its member
without `.npy`; a member that is no array is a defect, since nothing in the format has a use for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.facts import Capability, Facts, FileKind, Layout, Span, Tensor
from aibom.domain.limits import TENSOR_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._pickle import walk
from aibom.readers import npy
from aibom.readers.defects import Defects
from aibom.readers.pickle_imports import Collected, capabilities
from aibom.readers.ranges import Memory, Window
from aibom.readers.zip import STORED, Archive, Member, is_zip, member_names, read_archive
from aibom.readers.zip_members import inflate_head, open_member

_SUFFIX = ".npy"
_NAME_COUNT = 1_000  # looked at to recognise an archive
_HEAD_BYTES = 512  # holds nearly every array header


def recognise(probe: Probe) -> Match:
    """By content when all members are named like arrays; some arrays or the file name say less."""
    named = Match.NAME if probe.named(".npz") else Match.NO
    if not is_zip(probe.head):
        return named
    try:
        names = member_names(probe.reader, _NAME_COUNT)
    except UnreadableError:
        return named
    arrays = sum(name.endswith(_SUFFIX) for name in names)
    if arrays and arrays == len(names):
        return Match.CONTENT
    return Match.NAME if arrays else named


def read(probe: Probe) -> Facts:
    """The arrays of all members that can be read. Raises `UnreadableError` for the archive itself."""
    archive = read_archive(probe.reader)
    if len(archive.members) > TENSOR_COUNT:
        raise over_limit(f"{len(archive.members)} members, at most {TENSOR_COUNT} are read")
    defects = Defects()
    defects.extend(archive.defects)
    collected = Collected(defects)
    tensors: list[Tensor] = []
    covered = list(archive.covered)
    able = set()
    for member, header in _arrays(probe, archive, defects):
        if header.pickled:
            able.add(Capability.IMPORTS_CODE)
            covered += _objects(probe, member, header, collected)
            continue
        tensor = _tensor(member, header)
        if tensor is None:
            message = f"{capped(member.name, 80)!r}: the member does not hold {header.length} bytes of array"
            defects.add(message, member.offset)
            continue
        tensors.append(tensor)
        if member.method == STORED:
            covered.append(Span(start=member.offset, end=tensor.offset))
    if any(member.encrypted for member in archive.members):
        able.add(Capability.ENCRYPTED)
    return Facts(
        format="npz",
        kind=FileKind.WEIGHTS,
        tensors=tuple(tensors),
        covered=tuple(sorted(covered, key=lambda span: span.start)),
        imports=collected.imports,
        hazards=collected.hazards,
        nested=collected.nested,
        capabilities=capabilities(collected.imports) | able,
        indexed=True,
        defects=tuple(defects.found),
    )


def _arrays(probe: Probe, archive: Archive, defects: Defects) -> Iterator[tuple[Member, npy.Header]]:
    for member in archive.members:
        if not member.name.endswith(_SUFFIX):
            defects.add(f"member {capped(member.name, 80)!r} is no array", member.offset)
            continue
        try:
            yield member, _header(probe, member)
        except UnreadableError as error:
            defects.caught(capped(member.name, 80), error, member.offset)


def _header(probe: Probe, member: Member) -> npy.Header:
    if member.method == STORED and not member.encrypted:
        return npy.read_header(Window(probe.reader, member.offset, member.compressed))
    head = inflate_head(probe.reader, member, _HEAD_BYTES)
    try:
        return npy.read_header(Memory(head))
    except UnreadableError as error:
        if error.reason is not Reason.TRUNCATED or len(head) < _HEAD_BYTES:
            raise
    return npy.read_header(Memory(inflate_head(probe.reader, member, npy.HEADER_BYTES + _HEAD_BYTES)))


def _objects(probe: Probe, member: Member, header: npy.Header, collected: Collected) -> Iterator[Span]:
    """Walks the pickle of an array of Python objects, and tells what it covers."""
    name = repr(capped(member.name, 80))
    end = member.offset + member.compressed
    try:
        if member.method == STORED:
            walked = walk(Window(probe.reader, 0, end), member.offset + header.start)
            collected.add(walked, where=name)
            yield Span(start=member.offset, end=member.offset + header.start)
            yield from walked.covered
        else:
            collected.add(walk(open_member(probe.reader, member), header.start), member.offset, name)
            yield Span(start=member.offset, end=end)
    except UnreadableError as error:
        collected.defects.caught(name, error, member.offset)


def _tensor(member: Member, header: npy.Header) -> Tensor | None:
    """The array, unless the member is shorter or longer than its header says."""
    if member.size != header.start + header.length:
        return None
    stored = member.method == STORED
    if stored and member.compressed != member.size:
        return None
    # A deflated array that is also swapped or transposed has no digest either way: say the latter.
    plain = stored or header.layout is not Layout.RAW
    return Tensor(
        name=capped(member.name.removesuffix(_SUFFIX)),
        dtype=header.dtype,
        shape=header.shape,
        offset=member.offset + (header.start if stored else 0),
        length=header.length if stored else member.compressed,
        layout=header.layout if plain else Layout.DEFLATED,
        skip=0 if stored else header.start,
    )


FORMAT = Format(
    name="npz",
    title="NumPy archive",
    kind=FileKind.WEIGHTS,
    suffixes=(".npz",),
    recognise=recognise,
    read=read,
    media_type="application/x-npz",
)
