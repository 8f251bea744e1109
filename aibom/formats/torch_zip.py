"""PyTorch's zip archives: `torch.save` since 1.6, and TorchScript.

Layout: torch/serialization.py `_save`, caffe2/serialize/inline_container.cc. Every record lies
below the folder of the first one. `data.pkl` describes the tensors, `data/<key>` are the storages;
TorchScript adds `code/` and `constants.pkl` with its storages in `constants/`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Layout, Span, Statement
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._pickle import trailing
from aibom.formats._torch import Find, Storage, StorageId, Tensors, storage_ids
from aibom.readers.defects import Defects
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_imports import Collected, capabilities
from aibom.readers.pickle_values import Call, Global, Value
from aibom.readers.ranges import Window
from aibom.readers.zip import STORED, Archive, Member, is_zip, member_names, read_archive
from aibom.readers.zip_members import open_member

_NAME_COUNT: Final = 20_000  # looked at to recognise an archive
_NOTE_BYTES: Final = 64  # version and byteorder
# Each pickle and the folder of its storages; traced inputs are described, but their storages left empty.
_PICKLES: Final = {"data.pkl": "data", "constants.pkl": "constants", "traced_inputs.pkl": None}
_RECORDS: Final = (
    "version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id",
    ".data/version", "bytecode.pkl", "mobile_debug_handles.pkl",
)  # fmt: skip


def _names(probe: Probe) -> frozenset[str]:
    """The first names in the archive, below the folder of the first one."""
    if not is_zip(probe.head):
        return frozenset()
    try:
        names = member_names(probe.reader, _NAME_COUNT)
    except UnreadableError:
        return frozenset()
    folder = _folder(names[0]) if names else ""
    return frozenset(name.removeprefix(folder) for name in names if name.startswith(folder))


def _folder(name: str) -> str:
    return name[: name.find("/") + 1]


def _is_script(names: frozenset[str]) -> bool:
    return "constants.pkl" in names or any(name.startswith("code/") for name in names)


def _recognise_saved(probe: Probe) -> Match:
    """By content: an archive with `data.pkl` and no code."""
    names = _names(probe)
    return Match.CONTENT if "data.pkl" in names and not _is_script(names) else Match.NO


def _recognise_script(probe: Probe) -> Match:
    """By content: an archive with `constants.pkl` or `code/`, and `data.pkl` or the older `model.json`."""
    names = _names(probe)
    described = "data.pkl" in names or "model.json" in names
    return Match.CONTENT if described and _is_script(names) else Match.NO


def read(probe: Probe) -> Facts:
    """The tensors and imports of all pickles in the archive. Raises `UnreadableError`."""
    archive = read_archive(probe.reader)
    if not archive.members:
        raise malformed("an archive without members", 0)
    return _Container(probe, archive).facts()


class _Container:
    """One archive: which member is what, and what has been found wrong so far."""

    def __init__(self, probe: Probe, archive: Archive) -> None:
        self._probe = probe
        self._archive = archive
        self._folder = _folder(archive.members[0].name)
        self._defects = Defects()
        self._defects.extend(archive.defects)
        self._collected = Collected(self._defects)
        self._tensors = Tensors(probe.size, self._defects)
        self._roots: dict[str, str] = {}
        self._reached: set[int] = set()  # offsets of storages that a pickle names
        names = frozenset(member.name.removeprefix(self._folder) for member in archive.members)
        self._script = _is_script(names)

    def facts(self) -> Facts:
        if self._find("data.pkl") is None:
            raise UnreadableError(Reason.UNSUPPORTED, "no data.pkl in the archive")
        layout = self._layout()
        for name, storages in _PICKLES.items():
            member = self._find(name)
            if member is not None and (self._script or name == "data.pkl"):
                self._pickle(name, member, self._storages(storages, layout) if storages else None)
        imports = self._collected.imports
        code = {Capability.EMBEDS_CODE} if self._script else set()
        return Facts(
            format="torchscript" if self._script else "torch-zip",
            kind=FileKind.WEIGHTS,
            version=self._note("version") or None,
            tensors=tuple(self._tensors.found),
            covered=tuple(sorted(self._covered(), key=lambda span: span.start)),
            statements=tuple(self._statements()),
            imports=imports,
            hazards=self._collected.hazards,
            nested=self._collected.nested,
            capabilities=capabilities(imports) | code,
            indexed=True,
            defects=tuple(self._defects.found),
        )

    def _find(self, name: str) -> Member | None:
        return self._archive.find(self._folder + name)

    def _note(self, name: str) -> str:
        """The text of a record such as `version`; empty when it is missing or unreadable."""
        member = self._find(name)
        if member is None:
            return ""
        try:
            reader = open_member(self._probe.reader, member, _NOTE_BYTES)
            return capped(reader.read_at(0, min(reader.size, _NOTE_BYTES)).decode("ascii").strip())
        except (UnreadableError, UnicodeDecodeError):
            self._defects.add(f"{name} cannot be read", member.offset)
            return ""

    def _layout(self) -> Layout:
        order = self._note("byteorder")
        if order not in ("", "little", "big"):
            self._defects.add("byteorder is neither little nor big")
        return Layout.BIG_ENDIAN if order == "big" else Layout.RAW

    def _pickle(self, name: str, member: Member, find: Find | None) -> None:
        try:
            stream = self._run(name, member)
        except UnreadableError as error:
            self._defects.caught(name, error)
            return
        at = None if member.method == STORED else member.offset
        if stream.error:
            self._defects.caught(name, stream.error, at)
        if find is None:
            return
        if stream.cut:
            self._defects.add(f"{name}: too many values, some tensors may be missing", at, Reason.LIMIT)
        self._tensors.collect(stream.root, find, "" if name == "data.pkl" else "constants/")
        self._reach(stream.root, find)
        root = _class_name(stream.root)
        if self._script and root:
            self._roots.setdefault(name, root)

    def _reach(self, root: Value, find: Find) -> None:
        try:
            found = [find(wanted) for wanted in storage_ids(root)]
        except UnreadableError:
            return  # told already, where the tensors were collected
        self._reached |= {storage.offset for storage in found if storage is not None}

    def _run(self, name: str, member: Member) -> Stream:
        if member.method == STORED and not member.encrypted:
            start, at = member.offset, None
            reader: ByteReader = Window(self._probe.reader, 0, start + member.compressed)
        else:
            # Offsets in an inflated member are none in the file.
            start, at = 0, member.offset
            reader = open_member(self._probe.reader, member)
        stream = run(reader, start)
        self._collected.add(stream, at, name)
        if stream.error is None and stream.stop != reader.size:
            self._defects.add(f"{reader.size - stream.stop} bytes behind the pickle", member.offset)
            for further in trailing(reader, stream.stop):
                self._collected.add(further, at, name)
        return stream

    def _storages(self, folder: str, layout: Layout) -> Find:
        def find(wanted: StorageId) -> Storage | None:
            member = self._find(f"{folder}/{wanted.key}")
            if member is None:
                return None
            stored = member.method == STORED and not member.encrypted
            return Storage(
                offset=member.offset,
                length=member.compressed if stored else member.size,
                stored=member.compressed,
                layout=layout if stored else Layout.CHUNKED,
            )

        return find

    def _covered(self) -> Iterator[Span]:
        """Everything but storages. Of those, one that a pickle names and no tensor lies in is some
        other kind of tensor (sparse, a bare storage); one that nothing names stays unexplained.
        """
        used = sorted(tensor.offset for tensor in self._tensors.found)
        yield from self._archive.covered
        code = f"{self._folder}code/"
        names = {self._folder + name for name in (*_RECORDS, *_PICKLES)}
        for member in self._archive.members:
            own = member.name in names or (self._script and member.name.startswith(code))
            if own or (member.offset in self._reached and not _lies_in(used, member)):
                yield Span(start=member.offset, end=member.offset + member.compressed)

    def _statements(self) -> Iterator[Statement]:
        root = self._roots.get("data.pkl")
        if root:
            yield Statement(attribute=Attribute.ARCHITECTURE, value=root, pointer="data.pkl")


def _lies_in(offsets: list[int], member: Member) -> bool:
    """True when one of the sorted offsets is in the data of the member."""
    at = bisect_left(offsets, member.offset)
    return at < len(offsets) and offsets[at] < member.offset + max(1, member.compressed)


def _class_name(root: Value) -> str | None:
    """The class of the root object, when it is one that the archive defines itself."""
    made = root.function if isinstance(root, Call) else None
    if isinstance(made, Global) and made.module.split(".")[0] == "__torch__":
        return capped(made.qualname, 256)
    return None


def _format(name: str, title: str, suffixes: tuple[str, ...], recognise: Callable[[Probe], Match]) -> Format:
    return Format(
        name=name,
        title=title,
        kind=FileKind.WEIGHTS,
        suffixes=suffixes,
        recognise=recognise,
        read=read,
        media_type="application/zip",
    )


TORCHSCRIPT: Final = _format("torchscript", "TorchScript", (".ptl",), _recognise_script)
FORMAT: Final = _format("torch-zip", "PyTorch checkpoint (zip)", (".pt", ".pth"), _recognise_saved)
FORMATS: Final = (TORCHSCRIPT, FORMAT)
