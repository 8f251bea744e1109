"""The bytes of one pickle stream in order, through a window, with frames as CPython sees them.

The C unpickler takes FRAME as a hint; the Python one refuses what crosses a frame's end. The walk
goes on as the C one does, and where the two would part a hazard says so (PEP 3154, "Framing").

Opcodes get their place in the window and give back that of the next one. They may look a few bytes
ahead without asking: the window ends with `_AHEAD_BYTES` more than it claims, or with zeros.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import Reason, truncated
from aibom.domain.facts import Defect
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader
from aibom.readers.hazards import Hazards

_FIRST_WINDOW_BYTES: Final = 1 * KIB  # then each is twice as long, so that small streams stay cheap
_WINDOW_BYTES: Final = 72 * KIB  # holds a frame, which the pickler ends beyond 64 KiB
_AHEAD_BYTES: Final = 8  # the longest operand of a fixed length
_DEFECT_COUNT: Final = 50
LINE_BYTES: Final = 2 * KIB  # longest line that is decoded


class Input:
    """A window over `start` to `end` of a reader. Errors and defects carry absolute offsets."""

    __slots__ = (
        "base",
        "defects",
        "end",
        "filled",
        "frame_end",
        "hazards",
        "limit",
        "next_bytes",
        "reader",
        "start",
        "suspected",
        "window",
    )

    def __init__(self, reader: ByteReader, start: int, end: int | None) -> None:
        self.reader = reader
        self.end = reader.size if end is None else min(end, reader.size)
        self.start = self.base = start  # absolute offset of the window
        self.window = b""
        self.filled = 0  # bytes of the window that are of the stream
        self.limit = 0  # opcodes in front of it need no look at the window or at the frame
        self.frame_end: int | None = None
        self.next_bytes = _FIRST_WINDOW_BYTES
        self.defects: list[Defect] = []
        self.hazards = Hazards()
        self.suspected: set[str] = set()

    def note(self, reason: Reason, message: str, at: int) -> None:
        """Records a defect of the opcode whose operand is at `at`."""
        if len(self.defects) < _DEFECT_COUNT:
            self.defects.append(Defect(reason=reason, message=message, offset=self.base + at - 1))

    def suspect(self, found: str, message: str, at: int) -> None:
        """Records that the opcode whose operand is at `at` is written to deceive; each thing once."""
        if found not in self.suspected:
            self.suspected.add(found)
            self.hazards.add(HazardKind.PICKLE_STRUCTURE, found, message, self.base + at - 1)

    def differ(self, message: str, at: int) -> None:
        """Records that CPython's two unpicklers part here."""
        self.suspect("unpicklers-differ", f"{message}: loaders differ in what they make of it", at)

    def advance(self, at: int) -> int:
        """Prepares for the opcode at `at`: its place in the window, which may have become another."""
        position = self.base + at
        if self.frame_end is not None and position >= self.frame_end:
            if position > self.frame_end:
                self.differ("an opcode crosses the end of its frame", at)
            self.frame_end = None
        if position >= self.end:
            raise truncated(f"{max(1, position - self.end)} bytes expected, 0 left", self.end)
        if at + _AHEAD_BYTES >= self.filled and self.base + self.filled < self.end:
            self._slide(position)
            at = 0
        self.limit = max(at + 1, self.filled - _AHEAD_BYTES)
        if self.frame_end is not None:
            self.limit = min(self.limit, self.frame_end - self.base)
        return at

    def _slide(self, position: int) -> None:
        self.base = position
        self.window = self.reader.read_at(position, min(self.next_bytes, self.end - position))
        self.filled = len(self.window)
        if position + self.filled == self.end:
            self.window += bytes(_AHEAD_BYTES + 1)
        self.next_bytes = min(2 * self.next_bytes, _WINDOW_BYTES)
        self.slid(position)

    def slid(self, position: int) -> None:
        """Called once per window: the place for budgets that would be too dear per opcode."""

    def check(self, at: int, length: int) -> None:
        """Raises truncated unless `length` bytes follow."""
        left = self.end - self.base - at
        if length > left:
            raise truncated(f"{length} bytes expected, {max(0, left)} left", self.base + at)

    def taken(self, at: int, length: int) -> bytes:
        """The `length` bytes at `at`, few; raises truncated when there are fewer."""
        if at + length <= self.filled:
            return self.window[at : at + length]
        self.check(at, length)
        return self.reader.read_at(self.base + at, length)

    def line_end(self, at: int) -> int:
        """Where the newline is, in the window or beyond; raises truncated when there is none."""
        found = self.window.find(b"\n", at, self.filled)
        if found >= 0:
            return found
        position = self.base + max(at, self.filled)
        while position < self.end:
            piece = self.reader.read_at(position, min(_WINDOW_BYTES, self.end - position))
            found = piece.find(b"\n")
            if found >= 0:
                return position + found - self.base
            position += len(piece)
        raise truncated("a line without an end", self.base + at)

    def line(self, at: int) -> tuple[bytes | None, int]:
        """The line at `at` without its newline, None when longer than any sane one; and what follows."""
        stop = self.line_end(at)
        return (self.taken(at, stop - at) if stop - at <= LINE_BYTES else None), stop + 1

    def enter_frame(self, at: int) -> int:
        """FRAME: eight bytes of length, then that many bytes of opcodes."""
        length = int.from_bytes(self.window[at : at + 8], "little")
        start = self.base + at + 8
        if self.frame_end is not None and start < self.frame_end:
            self.differ("a frame begins inside another", at)
        self.frame_end = start + length
        if self.frame_end > self.end:
            self.differ(f"a frame claims {length} bytes, {max(0, self.end - start)} are left", at)
            # C stops here, Python does not: what follows is looked at in any case.
            self.frame_end = None
        elif self.frame_end > self.base + self.filled:
            self.filled = at + 8  # the next window begins with the frame
        self.limit = 0
        return at + 8

    def inside_frame(self, at: int) -> bool:
        """True when the current frame has bytes at and behind `at`."""
        return self.frame_end is not None and self.base + at < self.frame_end
