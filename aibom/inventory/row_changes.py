"""What changed in the rows of a dataset, in one clause."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from aibom.domain.dataset import DatasetFingerprint
from aibom.domain.evidence import DatasetRows, RowChanges

_TOLD: Final = 8  # rows of each kind


def told_rows(changes: RowChanges, old: DatasetRows, new: DatasetRows) -> str:
    """Which rows changed and how, counted from 1; those that are gone by their old numbers."""
    clauses = list(_clauses(changes, _places(old), _places(new)))
    if clauses:
        return "; ".join(clauses)
    if changes.moved:
        return f"the same {new.fingerprint.rows:,} rows stand in another order"
    return "other bytes, the same rows"


def _clauses(changes: RowChanges, old: Callable[[int], str], new: Callable[[int], str]) -> Iterator[str]:
    behind = [at for _, at in changes.flipped]
    yield from _clause(changes.flipped_count, "label flipped", "labels flipped", map(new, behind))
    behind = [at for _, at in changes.changed]
    yield from _clause(changes.changed_count, "row changed", "rows changed", map(new, behind))
    yield from _clause(changes.added_count, "row added", "rows added", map(new, changes.added))
    yield from _clause(changes.removed_count, "row removed", "rows removed", map(old, changes.removed))


def _clause(count: int, one: str, many: str, places: Iterable[str]) -> Iterator[str]:
    if count:
        shown = list(islice(places, _TOLD))
        more = f" and {count - len(shown):,} more" if count > len(shown) else ""
        word, rows = (one, "row") if count == 1 else (many, "rows")
        yield f"{count:,} {word}: {rows} {', '.join(shown)}{more}"


def _places(rows: DatasetRows) -> Callable[[int], str]:
    """A row by its number, with its file where there are several."""
    if len(rows.files) < 2:
        return lambda number: f"{number + 1:,}"

    def place(number: int) -> str:
        path, inside = rows.place(number)
        return f"{path} {inside + 1:,}"

    return place


def told_roots(old: DatasetFingerprint, new: DatasetFingerprint) -> str | None:
    """What two fingerprints tell without the digests of rows; None when they cannot be compared."""
    if (old.form, old.keyed) != (new.form, new.keyed):
        return None
    if old.root == new.root:
        return "other bytes, the same rows"
    if old.multiset is not None and old.multiset == new.multiset:
        return f"the same {new.rows:,} rows stand in another order"
    if old.key is not None and old.key == new.key:
        return "only labels differ"
    if old.schema != new.schema:
        return f"other columns or types, {old.rows:,} rows to {new.rows:,}"
    return f"other rows, {old.rows:,} to {new.rows:,}"
