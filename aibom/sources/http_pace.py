"""The pace of an exchange: one deadline and one bound for everything that its sockets do."""

from __future__ import annotations

import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, Final

from aibom.domain.limits import KIB

SILENCE_SECONDS: Final = 30.0
EXCHANGE_SECONDS: Final = 60.0  # until all headers are there, and for a body in addition to its rate
LEAST_BYTES_PER_SECOND: Final = 16 * KIB
HEAD_BYTES: Final = 64 * KIB  # of all headers of an answer
FRAMING_BYTES: Final = 64 * KIB  # of chunk sizes and the like around a piece of a body

_LOGGERS: Final = ("connection", "connectionpool", "poolmanager", "response", "util.retry")


class _Pace(threading.local):
    """The deadline of the exchange that this thread is in, and what may still come.

    http.client reads without a bound where a peer states a negative length, or sends headers and
    trailers for ever: it gets no more bytes than were granted.
    """

    now: Callable[[], float]
    deadline = 0.0
    granted = 0
    busy = False
    used: socket.socket | None = None  # last

    def begin(self, now: Callable[[], float], sending: int) -> None:
        """An exchange begins, which sends a body of this many bytes."""
        self.now, self.granted, self.busy, self.used = now, HEAD_BYTES, True, None
        self.deadline = now() + EXCHANGE_SECONDS + sending / LEAST_BYTES_PER_SECOND

    def end(self) -> None:
        self.busy, self.used = False, None

    def drop(self) -> None:
        """Closes the socket at once: what broke may hold on to it in some cycle of references."""
        if self.used is not None and (descriptor := self.used.detach()) >= 0:
            os.close(descriptor)

    def grant(self, count: int) -> None:
        """A piece of this many bytes may come, and as much again for its framing."""
        self.granted = 2 * count + FRAMING_BYTES

    def received(self, count: int) -> None:
        """Bytes of the body came, which earns the rest more time."""
        self.deadline += count / LEAST_BYTES_PER_SECOND

    def took(self, count: int) -> int:
        self.granted -= count
        if self.granted < 0:
            raise ConnectionError
        return count

    def left(self, using: socket.socket) -> float:
        """Seconds that the next operation on this socket may take. Raises TimeoutError when none are left."""
        self.used = using
        seconds = min(SILENCE_SECONDS, self.deadline - self.now())
        if seconds <= 0:
            raise TimeoutError
        return seconds


PACE: Final = _Pace()


class _Silence(logging.Filter):
    """Drops what urllib3 logs about our exchanges: it holds whole addresses, signatures included."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - all of them
        return not PACE.busy


_SILENCE: Final = _Silence()


def silence() -> None:
    """From here on nothing of our exchanges is logged; a filter that is there already is not added."""
    for name in _LOGGERS:
        logging.getLogger(f"urllib3.{name}").addFilter(_SILENCE)


class PacedSocket(socket.socket):
    """Each operation ends at the deadline: a peer that drips single bytes does not start it anew."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(PACE.left(self))
        return PACE.took(super().recv_into(*args, **kwargs))

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(max(PACE.left(self), PACE.deadline - PACE.now()))  # of the whole body
        super().sendall(*args, **kwargs)


class PacedTlsSocket(ssl.SSLSocket):
    """The same over TLS; the handshake has the time that is left for the connection."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(PACE.left(self))
        return PACE.took(super().recv_into(*args, **kwargs))

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(PACE.left(self))
        return super().send(*args, **kwargs)
