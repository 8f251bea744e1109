"""Where in the object that a pickle builds a value hangs: the path of keys that leads to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from aibom.domain.errors import over_limit
from aibom.readers.pickle_values import Blob, Call, Mapping, Sequence, Value, in_pairs

ROOT: Final = "."  # the path of the root itself
_DEPTH: Final = 128
_STEP_COUNT: Final = 1_500_000
_NAME_CHARS: Final = 16_000_000  # of all paths together

Step = tuple[str, Value]


def leaves(root: Value, is_leaf: Callable[[Value], bool]) -> Iterator[Step]:
    """Every leaf with its path, keys joined by "/", in the order of the stream.

    A leaf that several keys lead to comes several times; a container is entered once, so that
    neither cycles nor shared containers make the walk long. Raises limit when it gets too deep.
    """
    entered: set[int] = set()
    keys: list[str] = []
    steps, chars = _STEP_COUNT, _NAME_CHARS
    levels: list[Iterator[Step]] = [iter((("", root),))]
    while levels:
        step = next(levels[-1], None)
        if step is None:
            levels.pop()
            if keys:
                keys.pop()
            continue
        steps -= 1
        if steps < 0:
            raise over_limit(f"more than {_STEP_COUNT} values below the root")
        key, value = step
        if is_leaf(value):
            path = "/".join(filter(None, (*keys, key))) or ROOT
            chars -= len(path)
            if chars < 0:
                raise over_limit(f"names of more than {_NAME_CHARS} characters")
            yield path, value
        elif isinstance(value, (Call, Sequence, Mapping, tuple)) and id(value) not in entered:
            if len(levels) > _DEPTH:
                raise over_limit(f"objects nested deeper than {_DEPTH} levels")
            entered.add(id(value))
            keys.append(key)
            levels.append(children(value))


def children(value: Value) -> Iterator[Step]:
    """What hangs directly below a value, each under its key, index or attribute name."""
    if isinstance(value, Mapping):
        yield from _keyed(value.pairs())
    elif isinstance(value, (Sequence, tuple)):
        yield from ((str(index), item) for index, item in enumerate(value))
    elif isinstance(value, Call):
        yield from children(value.args)
        yield from children(value.kwargs)
        # Attributes stand beside the items; slots come second in a pair (PEP 307).
        states = value.state if isinstance(value.state, tuple) else (value.state,)
        for state in states:
            yield from children(state) if isinstance(state, Mapping) else (("", state),)
        yield from ((str(index), item) for index, item in enumerate(value.items or ()))
        yield from _keyed(in_pairs(value.pairs or []))


def _keyed(pairs: Iterator[tuple[Value, Value]]) -> Iterator[Step]:
    for key, value in pairs:
        if isinstance(key, str):
            yield key, value
        elif isinstance(key, Blob):
            yield f"@{key.offset}", value
        else:
            yield (str(key) if isinstance(key, int) and abs(key) < 2**64 else "?"), value
