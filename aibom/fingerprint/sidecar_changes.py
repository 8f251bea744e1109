"""What changed between two sidecars: rows added and removed, changed under one identity, labels flipped.

Blocks that both hold are left out by their digests alone. Of the others the rows are read, and those that
both hold cancel each other, so a row that only moved is no change.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import over_limit, unsupported
from aibom.domain.evidence import RowChanges
from aibom.fingerprint.row_blocks import DIGEST_BYTES
from aibom.fingerprint.sidecar import ENTRY, Sidecar

TOLD_COUNT: Final = 10_000  # rows of each kind that are told by number
HELD_COUNT: Final = 250_000  # rows that are held at a time; more are compared in several passes


@dataclass(slots=True)
class _Row:
    number: int
    digest: bytes
    key: bytes
    token: bytes  # what pairs rows of both sides: the identity, else the key


def compare(old: Sidecar, new: Sidecar) -> RowChanges:
    """The changes from `old` to `new`. Raises `UnreadableError` for sidecars that cannot be compared."""
    if old.shape != new.shape:
        raise unsupported("the sidecars hold digests of different kinds")
    if old.list == new.list:
        return RowChanges()
    before = old.digests_read + new.digests_read
    mine, theirs = _differing(old, new)
    count = sum(ENTRY.unpack(entry)[0] for _, entry in (*mine, *theirs))
    passes = -(-count // HELD_COUNT) or 1
    if passes > 256:
        raise over_limit(f"{count} rows differ or moved, at most {256 * HELD_COUNT} are compared")
    total = _Total()
    for part in range(passes):
        share = range(256 * part // passes, 256 * (part + 1) // passes)
        total.add(*_cancelled(list(_rows(old, mine, share)), list(_rows(new, theirs, share))))
    return total.changes(old.digests_read + new.digests_read - before)


def _differing(old: Sidecar, new: Sidecar) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """Blocks of each side that the other one does not hold as often, with the numbers of their first rows."""
    mine, theirs = _entries(old), _entries(new)
    counts = Counter(mine)
    counts.subtract(theirs)
    return _only(mine, {entry: count for entry, count in counts.items() if count > 0}), _only(
        theirs, {entry: -count for entry, count in counts.items() if count < 0}
    )


def _entries(side: Sidecar) -> list[bytes]:
    return [side.list[at : at + ENTRY.size] for at in range(0, len(side.list), ENTRY.size)]


def _only(entries: list[bytes], left: dict[bytes, int]) -> list[tuple[int, bytes]]:
    found, first = [], 0
    for entry in entries:
        if left.get(entry, 0) > 0:
            left[entry] -= 1
            found.append((first, entry))
        first += int.from_bytes(entry[:4], "little")
    return found


def _rows(side: Sidecar, blocks: list[tuple[int, bytes]], share: range) -> Iterator[_Row]:
    """The rows of some blocks whose token begins with a byte of the share."""
    for first, entry in blocks:
        block = side.read(first, entry)
        tokens = block.identities or block.keys or block.rows
        for at, byte in enumerate(tokens[::DIGEST_BYTES]):
            if byte in share:
                cut = slice(at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES)
                yield _Row(first + at, block.rows[cut], block.keys[cut], tokens[cut])


def _cancelled(old: list[_Row], new: list[_Row]) -> tuple[list[_Row], list[_Row]]:
    """The rows that the other side does not have as often."""
    counts = Counter(row.digest for row in old)
    counts.subtract(row.digest for row in new)
    left_old = {digest: count for digest, count in counts.items() if count > 0}
    left_new = {digest: -count for digest, count in counts.items() if count < 0}
    return _taken(old, left_old), _taken(new, left_new)


def _taken(rows: list[_Row], left: dict[bytes, int]) -> list[_Row]:
    found = []
    for row in rows:
        if left.get(row.digest, 0) > 0:
            left[row.digest] -= 1
            found.append(row)
    return found


class _Total:
    """Counts all changes, and keeps the first numbers of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._singles: dict[str, list[int]] = {"added": [], "removed": []}
        self._pairs: dict[str, list[tuple[int, int]]] = {"changed": [], "flipped": []}

    def add(self, old: list[_Row], new: list[_Row]) -> None:
        """Pairs rows that share a token; the others came or went."""
        waiting: dict[bytes, list[_Row]] = defaultdict(list)
        for row in old:
            waiting[row.token].append(row)
        for row in new:
            former = _partner(waiting.get(row.token, []), row)
            if former is None:
                self._single("added", row)
            else:
                self._pair("flipped" if row.key and row.key == former.key else "changed", former, row)
        for rows in waiting.values():
            for row in rows:
                self._single("removed", row)

    def _single(self, kind: str, row: _Row) -> None:
        self.counts[kind] += 1
        if len(self._singles[kind]) < TOLD_COUNT:
            self._singles[kind].append(row.number)

    def _pair(self, kind: str, former: _Row, row: _Row) -> None:
        self.counts[kind] += 1
        if len(self._pairs[kind]) < TOLD_COUNT:
            self._pairs[kind].append((former.number, row.number))

    def changes(self, digests_read: int) -> RowChanges:
        return RowChanges(
            added=tuple(sorted(self._singles["added"])),
            removed=tuple(sorted(self._singles["removed"])),
            changed=tuple(sorted(self._pairs["changed"])),
            flipped=tuple(sorted(self._pairs["flipped"])),
            added_count=self.counts["added"],
            removed_count=self.counts["removed"],
            changed_count=self.counts["changed"],
            flipped_count=self.counts["flipped"],
            moved=not self.counts,
            digests_read=digests_read,
        )


def _partner(rows: list[_Row], row: _Row) -> _Row | None:
    """The row to pair with, rather one that differs in its labels only."""
    if not rows:
        return None
    at = next((at for at, former in enumerate(rows) if former.key == row.key), 0)
    return rows.pop(at)
