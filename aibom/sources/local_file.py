"""One local file, reached without following a link and read without mapping it.

A mapped file that shrinks kills the process (SIGBUS), and a link that is swapped in after the
listing leads elsewhere. So every folder on the way is opened by itself with O_NOFOLLOW (`openat`),
and bytes are only ever copied out with `pread`.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.readers.ranges import check_inside

LINK_COUNT: Final = 40  # links on the way to one file, as in the Linux kernel
PART_COUNT: Final = 1_000  # names on that way, those in the links included

_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY
# O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOCTTY: a terminal must not adopt us.
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

_REASONS: Final = {
    errno.ENOENT: Reason.VANISHED,
    errno.ENOTDIR: Reason.VANISHED,
    errno.ESTALE: Reason.VANISHED,
    errno.EACCES: Reason.DENIED,
    errno.EPERM: Reason.DENIED,
    errno.ELOOP: Reason.CHANGED,  # O_NOFOLLOW met a link where none was listed
    errno.ENXIO: Reason.SPECIAL_FILE,  # a socket, or a device without a driver
    errno.ENODEV: Reason.SPECIAL_FILE,
    errno.EOPNOTSUPP: Reason.SPECIAL_FILE,
    errno.ENAMETOOLONG: Reason.LIMIT,
}

_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class LocalFile:
    """A `ByteReader` over one open file descriptor, which it owns and closes.

    With an etag, the file must be the very version that was listed. Leaving the `with` block
    without an error raises CHANGED when the file is not the one any more that was opened, so that
    no mixture of two versions passes for either of them.
    """

    __slots__ = ("_descriptor", "_opened", "_size")

    def __init__(self, descriptor: int, etag: str | None = None) -> None:
        self._descriptor = descriptor
        try:
            status = os.fstat(descriptor)
            _check_version(status, etag)
            self._opened, self._size = etag_of(status), status.st_size
        except (OSError, UnreadableError) as error:
            self.close()
            raise unreadable(error, "cannot be opened") from None

    @property
    def size(self) -> int:
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. Raises truncated outside of the file, CHANGED when it shrank."""
        check_inside(self._size, offset, length)
        piece = self._pread(offset, length)
        if len(piece) == length:
            return piece
        pieces = [piece]
        done = len(piece)
        while done < length:
            pieces.append(self._pread(offset + done, length - done))
            done += len(pieces[-1])
        return b"".join(pieces)

    def _pread(self, offset: int, length: int) -> bytes:
        try:
            piece = os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise unreadable(error, "cannot be read", offset) from None
        if length and not piece:
            raise _shrank(offset)
        return piece

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fills the front of the buffer, returns how much; 0 only at the end as it was listed."""
        room = min(len(buffer), self._size - offset)
        if offset < 0 or room <= 0:
            return 0
        try:
            count = os.preadv(self._descriptor, [buffer[:room]], offset)
        except OSError as error:
            raise unreadable(error, "cannot be read", offset) from None
        if count == 0:
            raise _shrank(offset)
        return count

    def unchanged(self) -> None:
        """Raises CHANGED when size, times, inode or device differ from when it was opened."""
        try:
            now = etag_of(os.fstat(self._descriptor))
        except OSError as error:
            raise unreadable(error, "cannot be read") from None
        if now != self._opened:
            raise UnreadableError(Reason.CHANGED, "the file changed while it was read")

    def close(self) -> None:
        """Closes the descriptor; a second call does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.unchanged()
        finally:
            self.close()


def _check_version(status: os.stat_result, etag: str | None) -> None:
    check_regular(status)
    if etag is not None and etag_of(status) != etag:
        raise UnreadableError(Reason.CHANGED, "not the version that was listed any more")


def _shrank(offset: int) -> UnreadableError:
    return UnreadableError(Reason.CHANGED, "the file became shorter while it was read", offset)


def etag_of(status: os.stat_result) -> str:
    """The identity of one version of one file: device, inode, size, mtime and ctime."""
    # Every file comes through here, and an f-string takes three times as long.
    return "%x-%x-%x-%x-%x" % (  # noqa: UP031
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip


def check_regular(status: os.stat_result) -> None:
    """Raises SPECIAL_FILE for devices, sockets and FIFOs, CHANGED for a folder or link."""
    if stat.S_ISREG(status.st_mode):
        return
    kind = stat.S_IFMT(status.st_mode)
    reason = Reason.CHANGED if kind in (stat.S_IFDIR, stat.S_IFLNK) else Reason.SPECIAL_FILE
    raise UnreadableError(reason, f"{_KINDS.get(kind, 'a special file')}, not a regular file")


def unreadable(error: OSError | UnreadableError, doing: str, offset: int | None = None) -> UnreadableError:
    """The system's error as ours. Its text holds no path: that may be absolute."""
    if isinstance(error, UnreadableError):
        return error
    reason = _REASONS.get(error.errno or 0, Reason.IO_ERROR)
    return UnreadableError(reason, f"{doing}: {(error.strerror or 'unknown error').lower()}", offset)


def real_path(path: Path) -> str:
    """The absolute path without links. Raises OSError, also for more links than the system follows,
    of which `os.path.realpath` alone would overflow the stack."""
    path.stat()
    return os.path.realpath(path, strict=True)


@contextmanager
def folder_beneath(base: str, path: str) -> Iterator[int]:
    """A descriptor of the folder `path` below `base`, reached through no link. Raises OSError."""
    descriptor = os.open(base, _FOLDER)
    try:
        for part in path.split("/") if path else ():
            outer, descriptor = descriptor, os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(outer)
        yield descriptor
    finally:
        os.close(descriptor)


def open_beneath(base: str, path: str) -> int:
    """A descriptor of the file `path` below `base`, reached through no link. Raises OSError."""
    folder, _, name = path.rpartition("/")
    with folder_beneath(base, folder) as descriptor:
        return open_in(descriptor, name)


def open_in(folder: int, name: str | bytes) -> int:
    """A descriptor of a file in an open folder. Raises OSError, also when the file is a link."""
    return os.open(name, _FILE, dir_fd=folder)


def resolve_beneath(base: str, path: str) -> str:
    """Where `path` below `base` leads when its links are followed, again below `base`.

    `base` is an absolute path without links. Nothing outside of it is ever touched, so a link to a
    slow or watched place has no effect. Raises OSError, or `UnreadableError` with OUTSIDE_TARGET or
    LINK_LOOP.
    """
    home = [part for part in base.split("/") if part]
    at, todo, links, left = list(home), path.split("/")[::-1], 0, PART_COUNT
    while todo:
        part = todo.pop()
        left -= 1
        if left < 0:
            raise over_limit(f"more than {PART_COUNT} names on the way that a link leads")
        if part in ("", "."):
            continue
        if part == "..":
            del at[-1:]
            continue
        at.append(part)
        if len(at) <= len(home):
            # Above the base only the way back down to it is allowed.
            if part != home[len(at) - 1]:
                raise _outside()
        elif (link := _link(at)) is not None:
            links += 1
            if links > LINK_COUNT:
                raise UnreadableError(Reason.LINK_LOOP, f"more than {LINK_COUNT} links lead to each other")
            at = [] if link.startswith("/") else at[:-1]
            todo += link.split("/")[::-1]
    if len(at) < len(home):
        raise _outside()
    return "/".join(at[len(home) :])


def _link(parts: list[str]) -> str | None:
    """What a link says, None for anything else that exists."""
    try:
        return os.readlink("/" + "/".join(parts))  # noqa: PTH115 - a Path would cost more than the look
    except OSError as error:
        if error.errno == errno.EINVAL:
            return None
        raise


def _outside() -> UnreadableError:
    return UnreadableError(Reason.OUTSIDE_TARGET, "a link that leads out of the target")
