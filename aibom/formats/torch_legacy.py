"""PyTorch checkpoints without an archive: `torch.save` from 0.2 to 1.5, and on request until today.

Layout: torch/serialization.py `_legacy_save`: five pickles (magic number, protocol version, system,
the object, the keys of its storages), then each storage as a count of elements in eight bytes and
its elements. Everything is little-endian, whatever the system says (`THPStorage_writeFileRaw`).
"""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, truncated
from aibom.domain.facts import Facts, FileKind, Layout, Span
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._pickle import trailing
from aibom.formats._torch import Storage, StorageId, Tensors, storage_ids
from aibom.readers.defects import Defects
from aibom.readers.pickle import Stream, run
from aibom.readers.pickle_imports import Collected, capabilities
from aibom.readers.pickle_values import Sequence, Value
from aibom.readers.ranges import Cursor, Memory

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_MAGIC_BYTES: Final = 64  # more than its pickle takes in any protocol
_PROTOCOL: Final = 1001
_COUNT_BYTES: Final = 8


def recognise(probe: Probe) -> Match:
    """By content: the first pickle is the magic number."""
    if probe.head[:1] not in (b"\x80", b"L", b"I"):
        return Match.NO
    return Match.CONTENT if run(Memory(probe.head[:_MAGIC_BYTES])).root == _MAGIC else Match.NO


def read(probe: Probe) -> Facts:
    """The tensors at their places in the storages, and all imports. Raises `UnreadableError`."""
    return _Checkpoint(probe).facts()


class _Checkpoint:
    """The pickles in order, then the storages."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._defects = Defects()
        self._collected = Collected(self._defects)
        self._tensors = Tensors(probe.size, self._defects)
        self._covered: list[Span] = []
        self._position = 0

    def facts(self) -> Facts:
        error = self._walk()
        imports = self._collected.imports
        if error is not None and not imports:
            raise error
        return Facts(
            format="torch-legacy",
            kind=FileKind.WEIGHTS,
            version=str(_PROTOCOL),
            tensors=tuple(self._tensors.found),
            covered=tuple(self._covered),
            imports=imports,
            hazards=self._collected.hazards,
            nested=self._collected.nested,
            capabilities=capabilities(imports),
            indexed=True,
            defects=tuple(self._defects.found),
        )

    def _walk(self) -> UnreadableError | None:
        """Every part in order; the first that fails ends it, what was found stays."""
        try:
            if self._pickle("magic number").root != _MAGIC:
                raise malformed("no magic number", 0)
            if self._pickle("protocol version").root != _PROTOCOL:
                raise malformed(f"the protocol version is not {_PROTOCOL}", self._position)
            self._pickle("system")
            root = self._pickle("object").root
            keys = _keys(self._pickle("storage keys").root, self._position)
            storages = self._storages(root, keys)
        except UnreadableError as error:
            self._defects.caught("the checkpoint cannot be followed to its end", error)
            return error
        self._tensors.collect(root, lambda wanted: storages.get(wanted.key))
        if self._position < self._probe.size:
            left = self._probe.size - self._position
            self._defects.add(f"{left} bytes follow the last storage", self._position)
            for stream in trailing(self._probe.reader, self._position):
                self._collected.add(stream)
        return None

    def _pickle(self, what: str) -> Stream:
        stream = run(self._probe.reader, self._position)
        self._collected.add(stream)
        self._cover(stream.stop)
        if stream.error is not None:
            raise stream.error
        if stream.cut:
            self._defects.add(f"{what}: too many values, some tensors may be missing", reason=Reason.LIMIT)
        return stream

    def _cover(self, end: int) -> None:
        self._covered.append(Span(start=self._position, end=end))
        self._position = end

    def _storages(self, root: Value, keys: list[str]) -> dict[str, Storage]:
        known: dict[str, StorageId] = {found.key: found for found in storage_ids(root)}
        found: dict[str, Storage] = {}
        for key in keys:
            if key not in known:
                raise malformed(f"storage {key[:40]!r} has no place in the object", self._position)
            found[key] = self._storage(known[key])
        return found

    def _storage(self, described: StorageId) -> Storage:
        start = self._position
        count = Cursor(self._probe.reader, start).i64()
        if count != described.count:
            raise malformed(f"a storage of {described.count} elements claims {count}", start)
        length = count * described.size
        self._cover(start + _COUNT_BYTES)
        if length > self._probe.size - self._position:
            raise truncated(f"a storage of {length} bytes", self._position)
        self._position += length
        return Storage(offset=start + _COUNT_BYTES, length=length, stored=length, layout=Layout.RAW)


def _keys(value: Value, offset: int) -> list[str]:
    if not isinstance(value, Sequence):
        raise malformed("the storage keys are no list", offset)
    keys = [str(item) for item in value if isinstance(item, (str, int))]
    if len(set(keys)) != len(value):
        raise malformed("a storage key is doubled or no string", offset)
    return keys


FORMAT: Final = Format(
    name="torch-legacy",
    title="PyTorch checkpoint (legacy)",
    kind=FileKind.WEIGHTS,
    suffixes=(),
    recognise=recognise,
    read=read,
)
