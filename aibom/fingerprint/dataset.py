"""The fingerprint of a dataset, in one pass over batches of its rows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aibom.domain.dataset import (
    ColumnDigest,
    DatasetFingerprint,
    LineBatch,
    RowBatch,
    RowBlock,
    RowForm,
    Schema,
)
from aibom.domain.errors import over_limit
from aibom.domain.evidence import SALT_BYTES
from aibom.domain.limits import COLUMN_COUNT
from aibom.fingerprint.multiset import Multiset
from aibom.fingerprint.row_blocks import DIGEST_BYTES, Blocks, Root
from aibom.fingerprint.rows import (
    Buffer,
    column,
    joined,
    name_cell,
    row_digests,
    schema_digest,
    sort_key,
)

_COLUMN_TAG: Final = b"aibom:column:v1\0"
_KEY_TAG: Final = b"aibom:row-key:v1\0"
_ABSENT: Final = b"\0"  # what stands for a value that is not there in the digest of its column


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to compute besides the row digests. Raises ValueError for a salt that could be guessed.

    `labels` are the columns that a key leaves out; `identity` those that name a row. Without
    labels there is no key.
    """

    labels: frozenset[str] = frozenset()
    identity: frozenset[str] = frozenset()
    salt: bytes | None = None  # of at least 16 random bytes, kept by the owner
    multiset: bool = True
    columns: bool = True

    def __post_init__(self) -> None:
        if self.salt is not None and len(self.salt) < SALT_BYTES:
            raise ValueError(f"a salt of {len(self.salt)} bytes, at least {SALT_BYTES} are needed")


class Encoded(Protocol):
    """Rows of one batch, encoded."""

    @property
    def rows(self) -> Iterable[Buffer]: ...

    @property
    def names(self) -> Collection[str]:
        """The columns; none of lines."""
        ...

    def without(self, names: frozenset[str]) -> Iterable[Buffer]:
        """The encodings of the rows without some columns."""
        ...

    def only(self, names: frozenset[str]) -> Iterable[Buffer]:
        """The encodings of the rows with some columns only."""
        ...

    def values(self) -> Iterable[tuple[str, Buffer]]:
        """The encoded values of each column, joined."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRows:
    """One block with what a private sidecar keeps of it: digests of 32 bytes each, joined."""

    block: RowBlock
    rows: bytes
    keys: bytes = b""  # of the rows without their labels
    identities: bytes = b""


Sink = Callable[[BlockRows], object]


class _Lines:
    """Lines are their own encoding, and have no columns."""

    def __init__(self, batch: LineBatch) -> None:
        self.rows: Sequence[bytes] = batch.lines
        self.names: tuple[str, ...] = ()

    def without(self, names: frozenset[str]) -> Sequence[bytes]:
        return self.only(names)

    def only(self, names: frozenset[str]) -> Sequence[bytes]:
        raise ValueError(f"lines have no columns such as {min(names)!r}")

    def values(self) -> Iterable[tuple[str, Buffer]]:
        return ()


class _Rows:
    """The plain encoding, column by column."""

    def __init__(self, batch: RowBatch) -> None:
        self.names, self._count = batch.names, batch.rows
        pairs = zip(batch.types, batch.columns, strict=True)
        self._columns = [column(kind, values) for kind, values in pairs]
        self.rows = joined(self.names, self._columns, self._count)

    def without(self, names: frozenset[str]) -> list[bytes]:
        return self.only(frozenset(self.names) - names)

    def only(self, names: frozenset[str]) -> list[bytes]:
        kept = [at for at, name in enumerate(self.names) if name in names]
        return joined([self.names[at] for at in kept], [self._columns[at] for at in kept], self._count)

    def values(self) -> Iterable[tuple[str, Buffer]]:
        for name, values in zip(self.names, self._columns, strict=True):
            absent = b"" in values
            yield name, b"".join([value or _ABSENT for value in values] if absent else values)


def encode(batch: RowBatch | LineBatch) -> Encoded:
    """The plain encoding of a batch."""
    return _Lines(batch) if isinstance(batch, LineBatch) else _Rows(batch)


class _Columns:
    """A digest per column, for columns that may appear and be missing at any row."""

    def __init__(self, salt: bytes | None) -> None:
        self._salt = salt
        self._states: dict[str, hmac.HMAC | hashlib._Hash] = {}
        self._seen: dict[str, int] = {}  # rows that each state has taken in

    def add(self, values: Iterable[tuple[str, Buffer]], before: int, rows: int) -> None:
        for name, data in values:
            state = self._states.get(name) or self._open(name)
            _skip(state, before - self._seen[name])
            state.update(data)
            self._seen[name] = before + rows

    def _open(self, name: str) -> hmac.HMAC | hashlib._Hash:
        if len(self._states) >= COLUMN_COUNT:
            raise over_limit(f"more than {COLUMN_COUNT} columns")
        head = _COLUMN_TAG + name_cell(name)
        state = hashlib.sha256(head) if self._salt is None else hmac.new(self._salt, head, "sha256")
        self._states[name], self._seen[name] = state, 0
        return state

    def digests(self, rows: int) -> tuple[ColumnDigest, ...]:
        for name, state in self._states.items():
            _skip(state, rows - self._seen[name])
            self._seen[name] = rows
        names = sorted(self._states, key=sort_key)
        return tuple(ColumnDigest(name=name, digest=self._states[name].hexdigest()) for name in names)


def _skip(state: hmac.HMAC | hashlib._Hash, rows: int) -> None:
    for at in range(0, rows, 65_536):
        state.update(_ABSENT * min(65_536, rows - at))


class DatasetPass:
    """Takes batches in and gives the fingerprint; holds one block of digests and no rows."""

    def __init__(self, form: RowForm, wanted: Wanted, sink: Sink | None = None) -> None:
        if form is RowForm.LINES and (wanted.labels or wanted.identity):
            raise ValueError("lines have no columns")
        self._form, self._wanted, self._sink = form, wanted, sink
        self._blocks, self._root = Blocks(), Root()
        self._multiset = Multiset() if wanted.multiset else None
        self._columns = _Columns(wanted.salt) if wanted.columns else None
        self._key = hashlib.sha256(_KEY_TAG) if wanted.labels else None
        # Digests of keys and identities that wait for the block of their rows to end.
        self._keys, self._identities = bytearray(), bytearray()
        self.rows = self._bytes = 0

    def feed(self, batch: Encoded) -> None:
        """The next rows, encoded. Raises `UnreadableError` for too many columns."""
        wanted = self._wanted
        rows = batch.rows if isinstance(batch.rows, Sequence) else list(batch.rows)
        digests = row_digests(rows, wanted.salt)
        if self._key is not None:
            keys = b"".join(row_digests(batch.without(wanted.labels), wanted.salt))
            self._key.update(keys)
            self._keys += keys if self._sink else b""
        if wanted.identity and self._sink:
            self._identities += b"".join(row_digests(batch.only(wanted.identity), wanted.salt))
        if self._multiset is not None:
            self._multiset.add(digests)
        if self._columns is not None:
            self._columns.add(batch.values(), self.rows, len(rows))
        self.rows += len(rows)
        self._bytes += sum(map(len, rows))
        self._close(self._blocks.feed(b"".join(digests)))

    def _close(self, blocks: Iterable[tuple[RowBlock, bytes]]) -> None:
        for block, digests in blocks:
            self._root.add(block)
            if self._sink is None:
                continue
            length = block.rows * DIGEST_BYTES
            keys, identities = bytes(self._keys[:length]), bytes(self._identities[:length])
            del self._keys[:length], self._identities[:length]
            self._sink(BlockRows(block=block, rows=digests, keys=keys, identities=identities))

    def finish(self, schema: Schema | None = None) -> DatasetFingerprint:
        """The fingerprint of all rows, under the schema that they have; nothing may be fed afterwards."""
        self._close(self._blocks.finish())
        return DatasetFingerprint(
            form=self._form,
            keyed=self._wanted.salt is not None,
            rows=self.rows,
            bytes=self._bytes,
            blocks=self._root.blocks,
            root=self._root.hexdigest(),
            multiset=self._multiset.hexdigest() if self._multiset else None,
            schema=schema_digest(schema) if schema else None,
            key=self._key.hexdigest() if self._key else None,
            columns=self._columns.digests(self.rows) if self._columns else (),
        )


def fingerprint_rows(
    batches: Iterable[RowBatch | LineBatch],
    *,
    form: RowForm = RowForm.TYPED,
    schema: Schema | None = None,
    wanted: Wanted | None = None,
    sink: Sink | None = None,
) -> DatasetFingerprint:
    """The fingerprint of rows that a plain reader gives. Raises what the reader raises."""
    if form is RowForm.LINES and schema:
        raise ValueError("lines have no columns")
    whole = DatasetPass(form, wanted or Wanted(), sink)
    for batch in batches:
        whole.feed(encode(batch))
    return whole.finish(schema)
