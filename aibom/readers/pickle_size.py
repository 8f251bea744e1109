"""How large an object of a pickle becomes for whoever follows each of its references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aibom.readers.pickle_values import Mapping, Sequence, Skipped, Value

MOST: Final = 10**18  # sizes beyond it are not told apart


def largest(roots: Iterable[Value]) -> int:
    """The most values that one root unfolds to when shared containers count each time; cycles count once.

    Each container is entered once, so that the time is that of the references, not of the size.
    """
    sizes: dict[int, int] = {}
    for root in roots:
        if id(root) not in sizes:
            _measure(root, sizes)
    return max(sizes.values(), default=0)


def _measure(root: Value, sizes: dict[int, int]) -> None:
    open_: list[tuple[Value, list[Value]]] = [(root, _inner(root))]
    # A container in progress counts as one value, which cuts cycles.
    sizes[id(root)] = 1
    while open_:
        value, left = open_[-1]
        while left and id(left[-1]) in sizes:
            left.pop()
        if left:
            inner = left.pop()
            sizes[id(inner)] = 1
            open_.append((inner, _inner(inner)))
        else:
            sizes[id(value)] = _size(value, sizes)
            open_.pop()


def _inner(value: Value) -> list[Value]:
    # What a call returns is one object, however often it is referred to.
    return [item for item in _items(value) if isinstance(item, (tuple, Sequence, Mapping))]


def _items(value: Value) -> Iterable[Value]:
    return value if isinstance(value, (tuple, Sequence, Mapping)) else ()


def _size(value: Value, sizes: dict[int, int]) -> int:
    return min(MOST, 1 + sum(_weight(item, sizes) for item in _items(value)))


def _weight(item: Value, sizes: dict[int, int]) -> int:
    return item.size if isinstance(item, Skipped) else sizes.get(id(item), 1)
