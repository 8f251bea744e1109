"""The fast road through a pickle: long runs of plain values are skipped by a regular expression.

What is skipped are literals, and lists, dicts and tuples of literals, that are made inside of the run
and refer to nothing but literals outside of it. They import, call and change nothing; on the stack
a `Skipped` stands for each, so that everything else is walked exactly. Whenever the content of a
skipped value, or a memo entry that was made in one, could matter, the walk gives up with
`SkippedError`, and the stream is walked again without skipping.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.facts import Use
from aibom.domain.limits import HEADER_READ_BYTES, KIB, MIB, PICKLE_OPCODE_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.pickle import Machine, Stream, told
from aibom.readers.pickle_calls import AfterBuild
from aibom.readers.pickle_literals import KEPT_BYTES
from aibom.readers.pickle_values import Mapping, Sequence, Skipped, SkippedError, Value

_UNIT: Final = 16  # values that are skipped at once, and so many in a row make a try worth it
_WORTH_BYTES: Final = 4 * MIB  # a shorter stream is walked before the expression is compiled
_MOST_BYTES: Final = HEADER_READ_BYTES // 2  # a second walk must not exceed what may be read
_FIRST_BYTES: Final = 8 * KIB  # the first unit of a run is no longer
_CREDIT_BYTES: Final = 1 * MIB  # what tries may look at in vain, ahead of what was skipped or read
_CREDIT_RATIO: Final = 4
_DEPTH: Final = 2  # containers inside of containers
_TEXT_BYTES: Final = 48  # longer text is walked
_REACHED: Final = 256  # memo entries that BINGET reaches

_NUMBER: Final = rb"N|\x88|\x89|\)|K.|M..|J.{4}|G.{8}|\x8a(?:%b)" % b"|".join(
    rb"\x%02x.{%d}" % (length, length) for length in range(1, 9)
)
# ASCII without control characters, and not what `pickle_nested` may take for a file: those with a
# control character in front are none anyway.
_TEXT: Final = (
    rb"\x8c(?!.(?:BZh|x\^|\(+[SVci]|gA[I-X]|UEsD|H4sI|[/_]Td6|e[AFJN]|Qlpo|[YK]))(?:%b)\x94?+"
    % b"|".join(rb"%b[ -~]{%d}" % (re.escape(bytes((length,))), length) for length in range(_TEXT_BYTES))
)
NUMBERS: Final = re.compile(rb"(?:%b){%d}" % (_NUMBER, _UNIT), re.DOTALL)


def skim(reader: ByteReader, start: int, after_build: AfterBuild | None = None) -> Stream | None:
    """What `run` tells about a long stream, but for literals in its root; None: walk it exactly."""
    if not _WORTH_BYTES <= reader.size - start <= _MOST_BYTES:
        return None
    try:
        return told(Skimmer(reader, start, None, KEPT_BYTES, after_build), PICKLE_OPCODE_COUNT)
    except SkippedError:
        return None


def plain_values(indexes: bytes) -> re.Pattern[bytes]:
    """Matches `_UNIT` values in a row; of the memo it takes nothing but the entries of these indexes."""
    get = rb"h[%b]" % re.escape(indexes) if indexes else rb"(?!)"
    key = rb"(?:%b|%b)" % (get, _TEXT)
    literal = rb"%b|%b|%b" % (get, _TEXT, _NUMBER)
    value = rb"(?:%b)" % literal
    for _ in range(_DEPTH):
        # Filled by a batch or with one item; empty only where the next opcode cannot fill it.
        # Possessive throughout: no run is tried twice, and nothing is kept to go back to.
        listed = rb"\]\x94?+(?:\(%b*+e|%ba|(?=[eutas]|%b))" % (value, value, get)
        paired = rb"\}\x94?+(?:\((?:%b%b)*+u|%b%bs|(?=[eutas]))" % (key, value, key, value)
        value = rb"(?:%b|%b|%b|\(%b*+t\x94?+)" % (literal, listed, paired, value)
    # Names and arguments that are about to be used are left to be seen.
    used = rb"(?:%b){0,2}(?:[\x93bRQ]|[\x85-\x87]\x94?+[R\x81])" % literal
    return re.compile(rb"(?:%b){%d}(?!%b)" % (value, _UNIT, used), re.DOTALL)


class Skimmer(Machine):
    """A machine that skips, and takes care that nobody sees what it has skipped."""

    __slots__ = ("_credit", "_known", "_values", "skipped")

    def __init__(
        self, reader: ByteReader, start: int, end: int | None, room: int, after_build: AfterBuild | None
    ) -> None:
        super().__init__(reader, start, end, room, after_build)
        self._credit = _CREDIT_BYTES
        self._known: int | None = None  # memo entries before the first that was skipped
        self._values: re.Pattern[bytes] | None = None
        self.skipped = 0  # values

    def slid(self, position: int) -> None:
        super().slid(position)
        self._credit = min(self._credit + self.filled, _CREDIT_BYTES)

    # Skipping

    def mark(self, at: int) -> int:
        target = self.stack[-1] if self.stack else None
        at = super().mark(at)
        # Long lists and dicts are written in batches: this is not the first one.
        return self._skip(at) if isinstance(target, (Sequence, Mapping)) and len(target) >= _UNIT else at

    def set_mark(self, at: int) -> int:
        at = super().set_mark(at)
        return self._skip(at) if len(self.stack) >= _UNIT else at

    def add_mark(self, at: int) -> int:
        at = super().add_mark(at)
        return self._skip(at) if len(self.stack) >= _UNIT else at

    def _skip(self, at: int) -> int:
        """The place behind the plain values at `at`, as many as stand in the window and in the frame."""
        match, window, limit = self._pattern().match, self.window, min(self.limit, at + _FIRST_BYTES)
        if limit - at < _UNIT or self._credit < 0:
            return at
        start, count, longest = at, 0, 0
        while unit := match(window, at, limit):
            longest = max(longest, unit.end() - at)
            at, limit = unit.end(), self.limit
            count += _UNIT
        if count:
            self._push(Skipped(longest), count)
            self._credit += _CREDIT_RATIO * (at - start)
        else:
            self._credit -= limit - at
        return at

    def _push(self, value: Skipped, count: int) -> None:
        self.stack += [value] * count
        self.skipped += count
        self.joined += count
        if self._known is None and self._values is not None:
            self._known = len(self.memo)

    def _pattern(self) -> re.Pattern[bytes]:
        """Numbers leave the memo alone. Values add to it, beyond the entries that they may take."""
        if self._values is None and len(self.memo) >= _REACHED and not self.sparse:
            reached = enumerate(self.memo[:_REACHED])
            self._values = plain_values(bytes(index for index, value in reached if _is_literal(value)))
        return self._values or NUMBERS

    # The memo, of which the end is not known any more

    def entry(self, index: int, at: int) -> Value:
        if self._known is not None and index >= self._known:
            raise SkippedError
        return super().entry(index, at)

    def remember(self, index: int, value: Value) -> None:
        if self._values is not None and index < _REACHED:
            raise SkippedError
        super().remember(index, value)

    # Whoever looks at a value

    def name(self, value: Value, at: int) -> str | None:
        _look(value)
        return super().name(value, at)

    def call(self, function: Value, args: Value, use: Use, at: int, kwargs: Value = None) -> None:
        _look(function, args, kwargs, *(args if isinstance(args, tuple) else ()))
        super().call(function, args, use, at, kwargs)

    def target(self, items: list[Value], at: int) -> Value:
        target = super().target(items, at)
        _look(target)
        return target

    def build(self, at: int) -> int:
        state = self.stack[-1]
        _look(*self.stack[-2:], *(state if isinstance(state, tuple) else ()))
        return super().build(at)

    def persistent(self, value: Value) -> None:
        _look(value, *(value if isinstance(value, tuple) else ()))
        super().persistent(value)

    def measure(self, root: Value) -> None:
        known = len(self.hazards.found)
        super().measure(root)
        # Skipped values count for more than they are.
        if len(self.hazards.found) > known:
            raise SkippedError


def _look(*values: Value) -> None:
    if any(isinstance(value, Skipped) for value in values):
        raise SkippedError


def _is_literal(value: Value) -> bool:
    return value is None or isinstance(value, (str, bool, int, float))


Skimmer.handlers = tuple(getattr(Skimmer, each.__name__, each) for each in Machine.handlers)
