"""The bytes of one pickle stream in order, through a window, with frames as CPython sees them.

The C unpickler takes FRAME as a hint; the Python one refuses what crosses a frame's end. The walk
goes on as the C one does, and where the two would part a defect says so (PEP 3154, "Framing").
"""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import Reason, truncated
from aibom.domain.facts import Defect
from aibom.domain.limits import KIB
from aibom.domain.protocols import ByteReader

_FIRST_WINDOW_BYTES: Final = 1 * KIB  # then each is twice as long, so that small streams stay cheap
_WINDOW_BYTES: Final = 64 * KIB
_DEFECT_COUNT: Final = 50
LINE_BYTES: Final = 2 * KIB  # longest line that is decoded


class Input:
    """A window over `start` to `end` of a reader. Errors and defects carry absolute offsets."""

    __slots__ = (
        "_ahead",
        "at",
        "base",
        "defects",
        "end",
        "filled",
        "frame_end",
        "op_at",
        "reader",
        "start",
        "window",
    )

    def __init__(self, reader: ByteReader, start: int, end: int | None) -> None:
        self.reader = reader
        self.end = reader.size if end is None else min(end, reader.size)
        self.start = self.base = start
        self.window = b""
        self._ahead = _FIRST_WINDOW_BYTES
        self.at = self.op_at = 0  # next byte and current opcode, in the window
        self.filled = 0  # what of the window may be taken without a look at the frame
        self.frame_end: int | None = None
        self.defects: list[Defect] = []

    @property
    def position(self) -> int:
        """The absolute offset of the next byte."""
        return self.base + self.at

    @property
    def op(self) -> int:
        """The absolute offset of the current opcode."""
        return self.base + self.op_at

    def note(self, reason: Reason, message: str) -> None:
        """Records a defect at the current opcode."""
        if len(self.defects) < _DEFECT_COUNT:
            self.defects.append(Defect(reason=reason, message=message, offset=self.op))

    def byte(self) -> int:
        """The next byte."""
        at = self.at
        if at >= self.filled:
            self.fill(1)
            at = self.at
        self.at = at + 1
        return self.window[at]

    def take(self, length: int) -> bytes:
        """The next `length` bytes, few; raises truncated when there are fewer."""
        at = self.at
        if at + length > self.filled:
            self.fill(length)
            at = self.at
        self.at = stop = at + length
        return self.window[at:stop]

    def fill(self, length: int) -> None:
        """Makes the window hold the next `length` bytes."""
        position = self._leave_frame(length)
        if self.at + length > len(self.window):
            self.window = self.reader.read_at(position, min(max(length, self._ahead), self.end - position))
            self._ahead = min(2 * self._ahead, _WINDOW_BYTES)
            self._rebase(position)
            self.refilled()
        self._bound()

    def refilled(self) -> None:
        """Called once per window: the place for budgets that would be too dear per opcode."""

    def skip(self, length: int) -> None:
        """Moves on without reading; raises truncated beyond the end."""
        position = self._leave_frame(length)
        if self.at + length <= len(self.window):
            self.at += length
            self._bound()
        else:
            self.seek(position + length)

    def seek(self, position: int) -> None:
        """Goes on at an absolute offset, out of any frame."""
        self._rebase(position)
        self.filled, self.window, self.frame_end = 0, b"", None
        self._ahead = _FIRST_WINDOW_BYTES

    def _rebase(self, position: int) -> None:
        self.op_at -= position - self.base
        self.base, self.at = position, 0

    def line_length(self) -> int:
        """Bytes up to the next newline; raises truncated when there is none."""
        # A frame that ends inside of the line is noticed when the line is taken.
        found = self.window.find(b"\n", self.at)
        if found >= 0:
            return found - self.at
        at = position = self.position
        while at < self.end:
            piece = self.reader.read_at(at, min(_WINDOW_BYTES, self.end - at))
            found = piece.find(b"\n")
            if found >= 0:
                return at + found - position
            at += len(piece)
        raise truncated("a line without an end", position)

    def line(self) -> bytes | None:
        """The next line without its newline; None when it is longer than any sane one."""
        length = self.line_length()
        if length <= LINE_BYTES:
            return self.take(length + 1)[:-1]
        self.skip(length + 1)
        return None

    def enter_frame(self) -> None:
        """FRAME: eight bytes of length, then that many bytes of opcodes."""
        length = int.from_bytes(self.take(8), "little")
        position = self.position
        if self.frame_end is not None and position < self.frame_end:
            self.note(Reason.MALFORMED, "a frame begins inside another")
        self.frame_end = position + length
        if self.frame_end > self.end:
            self.note(Reason.TRUNCATED, f"a frame claims {length} bytes, {self.end - position} are left")
            # C stops here, Python does not: what follows is looked at in any case.
            self.frame_end = None
        self._bound()

    def inside_frame(self) -> bool:
        """True when the current frame has bytes left."""
        return self.frame_end is not None and self.position < self.frame_end

    def _leave_frame(self, length: int) -> int:
        position = self.position
        if length > self.end - position:
            raise truncated(f"{length} bytes expected, {max(0, self.end - position)} left", position)
        if self.frame_end is not None and position + length > self.frame_end:
            if position < self.frame_end:
                self.note(Reason.MALFORMED, "an opcode crosses the end of its frame")
            self.frame_end = None
        return position

    def _bound(self) -> None:
        self.filled = len(self.window)
        if self.frame_end is not None:
            self.filled = max(self.at, min(self.filled, self.frame_end - self.base))
