"""The pickle opcodes that move values: stack, marks, memo, containers."""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle_literals import Literals
from aibom.readers.pickle_values import OPAQUE, Blob, Call, Global, Mapping, Memo, Sequence, Value

_STACK_COUNT: Final = 200_000

# Bytes that CPython takes for each; what is inside was counted when it was made.
_ITEM_COST: Final = 9  # with the room that lists grow ahead
_TUPLE_COST: Final = 56
_CONTAINER_COST: Final = 112

# What the memo may be the last to hold; containers beyond the budget are not made at all.
_HELD: Final = frozenset((str, bytes, int, float, Blob))


class Containers(Literals):
    """A pop from an empty stack is an IndexError, as in Lib/pickle.py, and means just that."""

    __slots__ = ("below", "called", "marked", "memo")

    def __init__(self, reader: ByteReader, start: int, end: int | None) -> None:
        super().__init__(reader, start, end)
        self.marked: list[list[Value]] = []  # the stacks below each MARK
        self.below = 0  # values and marks on them
        self.memo = Memo()
        self.called: set[Global] = set()  # also those that the stream changes

    def refilled(self) -> None:
        super().refilled()
        height = len(self.stack) + self.below
        if height > _STACK_COUNT:
            raise over_limit(f"the stack holds {height} values", self.op)
        self.memo.check(self.op)

    # The stack

    def mark(self) -> None:
        self.marked.append(self.stack)
        self.below += len(self.stack) + 1
        self.stack = []

    def since_mark(self) -> list[Value]:
        # The list changes hands: nothing is copied, however long it is.
        items = self.stack
        self.stack = self.marked.pop()
        self.below -= len(self.stack) + 1
        return items

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()

    def pop_mark(self) -> None:
        self.since_mark()

    def dup(self) -> None:
        self.stack.append(self.stack[-1])

    # The memo

    def _memorable(self) -> Value:
        top = self.stack[-1]
        return OPAQUE if self.room < 0 and type(top) in _HELD else top

    def memoize(self) -> None:
        # `_memorable` and `put`, written out.
        top = self.stack[-1]
        if self.room < 0 and type(top) in _HELD:
            top = OPAQUE
        memo = self.memo
        if memo.sparse:
            memo.put(len(memo), top)
        else:
            memo.dense.append(top)

    def put(self) -> None:
        self.memo.put(self._index(), self._memorable())

    def binput(self) -> None:
        self.memo.put(self.byte(), self._memorable())

    def long_binput(self) -> None:
        self.memo.put(self.number(4), self._memorable())

    def get(self) -> None:
        self.stack.append(self.memo.get(self._index(), self.op))

    def binget(self) -> None:
        # Written out, as is `memoize`: half of the opcodes of a list of records are these two.
        at = self.at
        if at < self.filled:
            self.at = at + 1
            index = self.window[at]
        else:
            index = self.byte()
        dense = self.memo.dense
        self.stack.append(dense[index] if index < len(dense) else self.memo.get(index, self.op))

    def long_binget(self) -> None:
        self.stack.append(self.memo.get(self.number(4), self.op))

    def _index(self) -> int:
        try:
            index = int(self.line() or b"")
        except ValueError:
            raise malformed("a memo index that is no number", self.op) from None
        if not 0 <= index < 2**63:
            raise malformed("a memo index out of range", self.op)
        return index

    # Containers

    def _tuple(self, items: list[Value]) -> None:
        kept = self.keep(_TUPLE_COST + 8 * len(items))
        self.stack.append(tuple(items) if kept else OPAQUE)

    def tuple_mark(self) -> None:
        self._tuple(self.since_mark())

    def tuple1(self) -> None:
        self._tuple([self.stack.pop()])

    def tuple2(self) -> None:
        last = self.stack.pop()
        self._tuple([self.stack.pop(), last])

    def tuple3(self) -> None:
        last, middle = self.stack.pop(), self.stack.pop()
        self._tuple([self.stack.pop(), middle, last])

    def _sequence(self, kind: str, items: list[Value]) -> None:
        kept = self.keep(_CONTAINER_COST + _ITEM_COST * len(items))
        self.stack.append(Sequence(kind, items) if kept else OPAQUE)

    def empty_list(self) -> None:
        self._sequence("list", [])

    def list_mark(self) -> None:
        self._sequence("list", self.since_mark())

    def empty_set(self) -> None:
        self._sequence("set", [])

    def frozenset_mark(self) -> None:
        self._sequence("frozenset", self.since_mark())

    def empty_dict(self) -> None:
        self.stack.append(Mapping() if self.keep(_CONTAINER_COST) else OPAQUE)

    def dict_mark(self) -> None:
        items = self.since_mark()
        self.empty_dict()
        self._set_items(items)

    def append(self) -> None:
        value = self.stack.pop()
        self._add_items([value])

    def add_mark(self) -> None:
        self._add_items(self.since_mark())

    def _add_items(self, items: list[Value]) -> None:
        target = self.stack[-1]
        if isinstance(target, Sequence):
            if self.keep(_ITEM_COST * len(items)):
                target.items.extend(items)
            else:
                target.cut = True
        elif isinstance(target, Call) and self.keep(_ITEM_COST * len(items)):
            if target.items is None:
                target.items = items
            else:
                target.items.extend(items)
        elif isinstance(target, Global):
            # The list itself is changed in the loading program, `sys.path` for one.
            self.called.add(target)

    def set_item(self) -> None:
        value = self.stack.pop()
        key = self.stack.pop()
        self._set_items([key, value])

    def set_mark(self) -> None:
        self._set_items(self.since_mark())

    def _set_items(self, flat: list[Value]) -> None:
        target = self.stack[-1]
        if len(flat) % 2:
            raise malformed("a key without a value", self.op)
        if isinstance(target, Mapping):
            if self.keep(_ITEM_COST * len(flat)):
                target.flat.extend(flat)
            else:
                target.cut = True
        elif isinstance(target, Call) and self.keep(_ITEM_COST * len(flat)):
            if target.pairs is None:
                target.pairs = flat
            else:
                target.pairs.extend(flat)
        elif isinstance(target, Global):
            self.called.add(target)
