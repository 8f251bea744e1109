"""PyTorch's first checkpoints: a tar archive of `storages`, `tensors` and `pickle`.

Layout: torch/serialization.py, `legacy_load`; PyTorch still reads it and has no writer any more.
`storages` holds a count, then a pickle and the raw elements of each storage, then a pickle of
views; `tensors` a count, then a pickle and a binary shape of each tensor; `pickle` the object, with
numbers of tensors as persistent ids.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.facts import Facts, FileKind, Layout, Span
from aibom.domain.limits import TENSOR_RANK
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._torch import Storage, StorageId, Tensors, View, element
from aibom.readers.defects import Defects
from aibom.readers.pickle import run
from aibom.readers.pickle_imports import Collected, capabilities
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_paths import leaves
from aibom.readers.pickle_values import Global, Persistent, Sequence, Value, is_natural
from aibom.readers.ranges import Cursor
from aibom.readers.tar import Member, is_tar, walk

_PARTS: Final = ("storages", "tensors", "pickle")
_MEMBER_COUNT: Final = 16  # what torch wrote has four
_PADDING_BYTES: Final = 20 * 512
_PART_COUNT: Final = 10_000  # storages or tensors; models of that time had hundreds
_COUNT_BYTES: Final = 8
_SMALL_KEPT_BYTES: Final = KEPT_BYTES // 8


def recognise(probe: Probe) -> Match:
    """By content: a tar archive with the three members."""
    if not is_tar(probe.head):
        return Match.NO
    try:
        names = {member.name for member in islice(walk(probe.reader), _MEMBER_COUNT)}
    except UnreadableError:
        return Match.NO
    return Match.CONTENT if names.issuperset(_PARTS) else Match.NO


def read(probe: Probe) -> Facts:
    """The tensors at their places in `storages`, and all imports. Raises `UnreadableError`."""
    return _Checkpoint(probe).facts()


class _Checkpoint:
    """The three members in the order in which PyTorch reads them."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._defects = Defects()
        self._collected = Collected(self._defects)
        self._tensors = Tensors(probe.size, self._defects)
        self._members: dict[str, Member] = {}
        self._storages: dict[str, tuple[StorageId, Storage]] = {}
        self._views: dict[str, View] = {}
        self._covered: list[Span] = []
        self._position = 0
        self._parts = {
            "storages": self._read_storages,
            "tensors": self._read_tensors,
            "pickle": self._read_object,
            "sys": self._pickle,
        }

    def facts(self) -> Facts:
        failure = None
        position = 0
        for member in islice(walk(self._probe.reader), _MEMBER_COUNT):
            self._members.setdefault(member.name, member)
            self._cover(position, member.offset)
            position = member.offset + member.size
        self._cover(position, self._blank(position))
        # Each member on its own: what one hides must not keep the imports of the next from being seen.
        for name, part in self._parts.items():
            if name == "sys" and name not in self._members:
                continue  # PyTorch does not ask for it either
            try:
                part(self._open(name))
            except UnreadableError as error:
                self._defects.caught(name, error)
                failure = failure or error
        imports = self._collected.imports
        if failure is not None and not imports:
            raise failure
        return Facts(
            format="torch-tar",
            kind=FileKind.WEIGHTS,
            tensors=tuple(self._tensors.found),
            covered=tuple(sorted(self._covered, key=lambda span: span.start)),
            imports=imports,
            hazards=self._collected.hazards,
            nested=self._collected.nested,
            capabilities=capabilities(imports),
            indexed=True,
            defects=tuple(self._defects.found),
        )

    def _open(self, name: str) -> int:
        """The end of a member; the position becomes its start."""
        member = self._members.get(name)
        if member is None or not member.regular:
            raise malformed(f"no file {name!r} in the archive")
        self._position = member.offset
        return member.offset + member.size

    def _cover(self, start: int, end: int) -> None:
        if start < end:
            self._covered.append(Span(start=start, end=end))

    def _blank(self, start: int) -> int:
        """The end of the zeros at `start`, which pad an archive to its last record."""
        end = min(self._probe.size, start + _PADDING_BYTES)
        data = self._probe.reader.read_at(start, end - start)
        return start + len(data) - len(data.lstrip(b"\0"))

    def _pickle(self, end: int) -> Value:
        stream = run(self._probe.reader, self._position, end, kept=_SMALL_KEPT_BYTES)
        self._collected.add(stream)
        if stream.error is not None:
            raise stream.error
        self._cover(self._position, stream.stop)
        self._position = stream.stop
        return stream.root

    def _count(self, end: int) -> int:
        count = self._pickle(end)
        if not is_natural(count):
            raise malformed("a count that is no number", self._position)
        if count > _PART_COUNT:
            raise over_limit(f"{count} parts, at most {_PART_COUNT} are read", self._position)
        return count

    def _read_storages(self, end: int) -> None:
        for _ in range(self._count(end)):
            parts = self._pickle(end)
            if not isinstance(parts, tuple) or len(parts) != 3 or not isinstance(parts[2], Global):
                raise malformed("a storage without key and class", self._position)
            dtype, size = element(parts[2])
            count = Cursor(self._probe.reader, self._position, end).i64()
            start, length = self._position + _COUNT_BYTES, count * size
            if not 0 <= length <= end - start:
                raise malformed(f"a storage of {count} elements", self._position)
            wanted = StorageId(key=_key(parts[0]), dtype=dtype, size=size, count=count, shift=0)
            place = Storage(offset=start, length=length, stored=length, layout=Layout.RAW)
            self._storages[wanted.key] = (wanted, place)
            self._cover(self._position, start)
            self._position = start + length
        self._share(self._pickle(end))

    def _share(self, views: Value) -> None:
        """Storages that are views of others: (key, key of the other, offset, elements)."""
        for view in views.items if isinstance(views, Sequence) else ():
            if not isinstance(view, tuple) or len(view) != 4 or not is_natural(view[2]):
                raise malformed("a view of a storage that is none", self._position)
            known = self._storages.get(_key(view[1]))
            if known is None:
                raise malformed("a view of an unknown storage", self._position)
            wanted, place = known
            shifted = StorageId(
                key=wanted.key, dtype=wanted.dtype, size=wanted.size, count=wanted.count, shift=view[2]
            )
            self._storages[_key(view[0])] = (shifted, place)

    def _read_tensors(self, end: int) -> None:
        for _ in range(self._count(end)):
            parts = self._pickle(end)
            if not isinstance(parts, tuple) or len(parts) != 3 or _key(parts[1]) not in self._storages:
                raise malformed("a tensor without a storage", self._position)
            cursor = Cursor(self._probe.reader, self._position, end)
            rank = cursor.i32()
            cursor.skip(4)
            if not 0 <= rank <= TENSOR_RANK:
                raise malformed(f"a tensor of {rank} dimensions", self._position)
            shape, stride = (tuple(cursor.i64() for _ in range(rank)) for _ in range(2))
            offset = cursor.i64()
            if min(offset, *shape, *stride, 0) < 0:
                raise malformed("a negative size", self._position)
            storage, _ = self._storages[_key(parts[1])]
            self._views[_key(parts[0])] = View(storage=storage, offset=offset, shape=shape, stride=stride)
            self._cover(self._position, cursor.position)
            self._position = cursor.position

    def _read_object(self, end: int) -> None:
        stream = run(self._probe.reader, self._position, end)
        self._collected.add(stream)
        self._cover(self._position, stream.stop)
        if stream.error is not None:
            self._defects.caught("pickle", stream.error)
        if stream.cut:
            self._defects.add("too many values, some tensors may be missing", reason=Reason.LIMIT)
        for path, value in leaves(stream.root, lambda value: isinstance(value, Persistent)):
            if isinstance(value, Persistent) and _key(value.id) in self._views:
                self._tensors.place(path, self._views[_key(value.id)], self._find)

    def _find(self, wanted: StorageId) -> Storage | None:
        known = self._storages.get(wanted.key)
        return known[1] if known else None


def _key(value: Value) -> str:
    """Keys are numbers, written as such or as text."""
    return str(value) if isinstance(value, (int, str)) else ""


FORMAT: Final = Format(
    name="torch-tar",
    title="PyTorch checkpoint (tar)",
    kind=FileKind.WEIGHTS,
    suffixes=(),
    recognise=recognise,
    read=read,
    media_type="application/x-tar",
)
