"""The pickle opcodes that move values: stack, marks, memo, containers."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable
from types import NoneType
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.facts import Use
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import PICKLE_MEMO_COUNT, PICKLE_STACK_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle_literals import Literals
from aibom.readers.pickle_values import OPAQUE, Blob, Call, FrozenSet, Global, Mapping, Sequence, Set, Value

_CUT_STACK_COUNT: Final = 50_000  # the same once the budget of kept values is spent
_SPARSE_COUNT: Final = 200_000  # memo entries out of order; no pickler writes many
_INDEX_COUNT: Final = 1 << 24  # C makes room for every index below the one that is put
_LOOK_COUNT: Final = 20_000_000  # values that are looked at for globals among them
_LOOK_DEPTH: Final = 4  # tuples in tuples

# Bytes that CPython takes for each; what is inside was counted when it was made.
_ITEM_COST: Final = 9  # with the room that lists grow ahead
_TUPLE_COST: Final = 56
_CONTAINER_COST: Final = 112

# What the memo may be the last to hold; containers beyond the budget are not made at all.
_HELD: Final = frozenset((str, bytes, int, float, tuple, Blob))
_ATOMS: Final = frozenset((str, bytes, int, float, bool, NoneType, Blob, Global))
_FLAT_COUNT: Final = 3
_SHARED: Final = frozenset((tuple, Sequence, Set, FrozenSet, Mapping))
_MEMOIZE: Final = 0x94
_WORD: Final = struct.Struct("<I").unpack_from


class Containers(Literals):
    """A pop from an empty stack is an IndexError, as in Lib/pickle.py, and means just that."""

    __slots__ = ("_looks", "forgotten", "imported", "joined", "marked", "memo", "shared", "sparse")

    def __init__(self, reader: ByteReader, start: int, end: int | None, room: int) -> None:
        super().__init__(reader, start, end, room)
        self.marked: list[list[Value]] = []  # the stacks below each MARK
        self.memo: list[Value] = []  # entries that come in order take little room
        self.sparse: dict[int, Value] = {}  # the others
        self.forgotten: deque[tuple[int, Value]] = deque(maxlen=2)  # the last that the memo does not hold
        self.joined = 0  # opcodes that were done together with the one before
        self.shared = 0  # times that a container was taken from the memo or doubled
        self.imported = False  # True: there are globals that a container may hold
        self._looks = _LOOK_COUNT

    def slid(self, position: int) -> None:
        super().slid(position)
        height = len(self.stack) + len(self.marked) + sum(map(len, self.marked))
        if height > (PICKLE_STACK_COUNT if self.room >= 0 else _CUT_STACK_COUNT):
            raise over_limit(f"the stack holds {height} values", position)
        count = len(self.memo) + len(self.sparse)
        if count > PICKLE_MEMO_COUNT or len(self.sparse) > _SPARSE_COUNT:
            raise over_limit(f"the memo holds {count} entries", position)

    # The stack

    def mark(self, at: int) -> int:
        self.marked.append(self.stack)
        self.stack = []
        return at

    def since_mark(self) -> list[Value]:
        # The list changes hands: nothing is copied, however long it is.
        items = self.stack
        self.stack = self.marked.pop()
        return items

    def pop(self, at: int) -> int:
        if self.stack:
            self.stack.pop()
        else:
            self.since_mark()
        return at

    def pop_mark(self, at: int) -> int:
        self.since_mark()
        return at

    def dup(self, at: int) -> int:
        self._share(self.stack[-1])
        return at

    def _share(self, value: Value) -> None:
        self.shared += type(value) in _SHARED
        self.stack.append(value)

    # The memo

    def memoize(self, at: int) -> int:
        top = self.stack[-1]
        if self.room >= 0 and not self.sparse:
            self.memo.append(top)
        else:
            self.remember(len(self.memo) + len(self.sparse), top)
        return at

    def pushed(self, value: Value, at: int) -> int:
        """Pushes what nearly always is memoized next, and then does that as well."""
        self.stack.append(value)
        if at >= self.limit or self.window[at] != _MEMOIZE or self.sparse:
            return at
        if self.room < 0 and isinstance(value, str):
            self.forgotten.append((len(self.memo), value))
            value = OPAQUE
        self.memo.append(value)
        self.joined += 1
        return at + 1

    def remember(self, index: int, value: Value) -> None:
        """PUT and its binary forms; an index that exists is overwritten."""
        if self.room < 0 and type(value) in _HELD:
            if isinstance(value, str):
                self.forgotten.append((index, value))
            value = OPAQUE
        self._put(index, value)

    def _put(self, index: int, value: Value) -> None:
        if index > _INDEX_COUNT:
            message = f"a memo entry numbered {index}, for which the loader makes room"
            self.hazards.add(HazardKind.DECOMPRESSION_BOMB, "huge-memo", message, self.base)
        if index < len(self.memo):
            self.memo[index] = value
        elif index == len(self.memo) and index not in self.sparse:
            self.memo.append(value)
        else:
            self.sparse[index] = value

    def recall(self) -> None:
        """Puts the last two texts back that were forgotten: they were names, and may be again."""
        for index, value in self.forgotten:
            self._put(index, value)
        self.forgotten.clear()

    def put(self, at: int) -> int:
        index, stop = self._index(at)
        self.remember(index, self.stack[-1])
        return stop

    def binput(self, at: int) -> int:
        self._put_next(self.window[at])
        return at + 1

    def long_binput(self, at: int) -> int:
        self._put_next(_WORD(self.window, at)[0])
        return at + 4

    def _put_next(self, index: int) -> None:
        # Nearly always the entry behind the last one.
        if index == len(self.memo) and self.room >= 0 and not self.sparse:
            self.memo.append(self.stack[-1])
        else:
            self.remember(index, self.stack[-1])

    def get(self, at: int) -> int:
        index, stop = self._index(at)
        self._share(self.entry(index, at))
        return stop

    def binget(self, at: int) -> int:
        # `_share` and `entry`, written out: a third of the opcodes of a list of records are these.
        memo, index = self.memo, self.window[at]
        value = memo[index] if index < len(memo) else self.entry(index, at)
        if type(value) is not str and type(value) in _SHARED:
            self.shared += 1
        self.stack.append(value)
        return at + 1

    def long_binget(self, at: int) -> int:
        self._share(self.entry(_WORD(self.window, at)[0], at))
        return at + 4

    def entry(self, index: int, at: int) -> Value:
        """What GET and its binary forms find; raises malformed when nothing was put there."""
        if index < len(self.memo):
            return self.memo[index]
        if index not in self.sparse:
            raise malformed(f"memo entry {index} was never put", self.base + at - 1)
        return self.sparse[index]

    def _index(self, at: int) -> tuple[int, int]:
        line, stop = self.line(at)
        try:
            index = int(line or b"")
        except ValueError:
            raise malformed("a memo index that is no number", self.base + at) from None
        if not 0 <= index < 2**63:
            raise malformed("a memo index out of range", self.base + at)
        return index, stop

    # Containers

    def _tuple(self, items: tuple[Value, ...]) -> None:
        self.room -= _TUPLE_COST + 8 * len(items)
        self.stack.append(items if self.room >= 0 else self._flat(items))

    def _flat(self, items: tuple[Value, ...]) -> Value:
        # Beyond the budget the arguments of a call are still told, but nothing below them.
        self.hold(items)
        if len(items) > _FLAT_COUNT:
            return OPAQUE
        return tuple(item if type(item) in _ATOMS else OPAQUE for item in items)

    def tuple_mark(self, at: int) -> int:
        self._tuple(tuple(self.since_mark()))
        return at

    def tuple1(self, at: int) -> int:
        self._tuple((self.stack.pop(),))
        return at

    def tuple2(self, at: int) -> int:
        last = self.stack.pop()
        self._tuple((self.stack.pop(), last))
        return at

    def tuple3(self, at: int) -> int:
        last, middle = self.stack.pop(), self.stack.pop()
        self._tuple((self.stack.pop(), middle, last))
        return at

    def _container(self, value: Sequence | Mapping) -> None:
        self.room -= _CONTAINER_COST + _ITEM_COST * len(value)
        self.stack.append(value if self.room >= 0 else OPAQUE)

    def empty_list(self, at: int) -> int:
        self.room -= _CONTAINER_COST
        return self.pushed(Sequence() if self.room >= 0 else OPAQUE, at)

    def hold(self, items: Iterable[Value], depth: int = _LOOK_DEPTH) -> None:
        """Marks every global among the items as kept, also those in tuples."""
        if not self.imported:
            return
        for item in items:
            self._looks -= 1
            if type(item) is Global:
                item.kept = True
            elif type(item) is tuple:
                if depth and self._looks > 0:
                    self.hold(item, depth - 1)
                else:
                    self.all_kept()

    def all_kept(self) -> None:
        """Called when the looks are used up: anything may be held by then."""

    def list_mark(self, at: int) -> int:
        items = self.since_mark()
        self.hold(items)
        self._container(Sequence(items))
        return at

    def empty_set(self, at: int) -> int:
        self._container(Set())
        return at

    def frozenset_mark(self, at: int) -> int:
        items = self.since_mark()
        self.hold(items)
        self._container(FrozenSet(items))
        return at

    def empty_dict(self, at: int) -> int:
        self.room -= _CONTAINER_COST
        return self.pushed(Mapping() if self.room >= 0 else OPAQUE, at)

    def dict_mark(self, at: int) -> int:
        flat = self.since_mark()
        self._container(Mapping())
        self._set_items(flat, at)
        return at

    def append(self, at: int) -> int:
        value = self.stack.pop()
        self._add_items([value], at)
        return at

    def add_mark(self, at: int) -> int:
        # What is usual, written out; anything else as ever.
        items = self.stack
        self.stack = stack = self.marked.pop()
        target = stack[-1] if stack else None
        if type(target) is Sequence:
            self.hold(items)
            self.room -= _ITEM_COST * len(items)
            if self.room >= 0:
                target.extend(items)
        elif target is OPAQUE:
            self.hold(items)
        else:
            self._add_items(items, at)
        return at

    def _add_items(self, items: list[Value], at: int) -> None:
        self.hold(items)
        target = self.target(items, at)
        if isinstance(target, Sequence):
            if self.keep(_ITEM_COST * len(items)):
                target.extend(items)
        elif isinstance(target, Call) and self.keep(_ITEM_COST * len(items)):
            target.items = target.items or []
            target.items.extend(items)
        elif isinstance(target, Global) and items:
            self.change(target)

    def set_item(self, at: int) -> int:
        value = self.stack.pop()
        key = self.stack.pop()
        self._set_items([key, value], at)
        return at

    def set_mark(self, at: int) -> int:
        flat = self.stack
        self.stack = stack = self.marked.pop()
        target = stack[-1] if stack and not len(flat) & 1 else None
        if type(target) is Mapping:
            self.hold(flat)
            self.room -= _ITEM_COST * len(flat)
            if self.room >= 0:
                target.extend(flat)
        elif target is OPAQUE:
            self.hold(flat)
        else:
            self._set_items(flat, at)
        return at

    def _set_items(self, flat: list[Value], at: int) -> None:
        self.hold(flat)
        target = self.target(flat, at)
        if len(flat) % 2:
            raise malformed("a key without a value", self.base + at - 1)
        if isinstance(target, Mapping):
            if self.keep(_ITEM_COST * len(flat)):
                target.extend(flat)
        elif isinstance(target, Call) and self.keep(_ITEM_COST * len(flat)):
            target.pairs = target.pairs or []
            target.pairs.extend(flat)
        elif isinstance(target, Global) and flat:
            self.change(target)

    def target(self, items: list[Value], at: int) -> Value:
        """What is to be filled: the top of the stack."""
        if self.stack or items:
            return self.stack[-1]
        # With nothing to add, C does not even look whether there is a target.
        self.differ("nothing is added to nothing", at)
        return None

    def change(self, target: Global) -> None:
        """The object itself is changed in the loading program, `sys.path` for one."""
        target.use = Use.CALL
