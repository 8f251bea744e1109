"""Waiting and counting per host: all threads of a run share one quota, one wait and one bound."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from aibom.domain.errors import Reason, UnreadableError

ATTEMPT_COUNT: Final = 5
WAIT_SECONDS: Final = 600.0  # of all waits of one exchange; a window of the Hub's quota has 300
BACKOFF_SECONDS: Final = 0.5  # before the second attempt; doubles with each further one
AT_ONCE_COUNT: Final = 16  # exchanges with one host
LOST_COUNT: Final = 8  # exchanges in a row after which a host gets one attempt and no patience

_HEADER_CHARS: Final = 1_024


class Host:
    """What is shared between all exchanges with one host and port."""

    __slots__ = ("_lock", "_now", "authority", "bytes", "lost", "requests", "room", "until")

    def __init__(self, authority: str, now: Callable[[], float]) -> None:
        self.authority = authority
        self.room = threading.BoundedSemaphore(AT_ONCE_COUNT)
        self.requests = self.bytes = self.lost = 0
        self.until: dict[str, float] = {}
        self._lock, self._now = threading.Lock(), now

    def count(self, *, requests: int = 0, received: int = 0) -> None:
        with self._lock:
            self.requests += requests
            self.bytes += received

    def hold(self, lane: str, seconds: float) -> None:
        """Nobody asks in this lane again before these seconds are over."""
        with self._lock:
            self.until[lane] = max(self.until.get(lane, 0.0), self._now() + seconds)

    def left(self, lane: str) -> float:
        """Seconds to wait; 0 or less when there is nothing to wait for."""
        return self.until.get(lane, 0.0) - self._now()

    def heard(self, lane: str, headers: Mapping[str, str]) -> None:
        """Takes note of an exhausted quota."""
        seconds = exhausted(headers.get("ratelimit", ""))
        if seconds:
            self.hold(lane, seconds)

    def ended(self, *, well: bool) -> None:
        with self._lock:
            self.lost = 0 if well else self.lost + 1


class Quota:
    """The hosts of one run."""

    def __init__(self, pause: Callable[[float], object], now: Callable[[], float]) -> None:
        self.pause, self.now = pause, now
        self._hosts: dict[str, Host] = {}
        self._lock = threading.Lock()

    def host(self, authority: str) -> Host:
        with self._lock:
            if authority not in self._hosts:
                self._hosts[authority] = Host(authority, self.now)
            return self._hosts[authority]

    def counts(self) -> dict[str, tuple[int, int]]:
        with self._lock:
            return {name: (host.requests, host.bytes) for name, host in self._hosts.items() if host.requests}


class Trouble(Exception):  # noqa: N818 - not yet an error
    """An attempt failed in a way that the next one may not."""

    def __init__(
        self, host: Host, message: str, wait: float | None = None, reason: Reason = Reason.IO_ERROR
    ) -> None:
        super().__init__(message)
        self.host, self.message, self.wait, self.reason = host, message, wait, reason

    def final(self) -> UnreadableError:
        return UnreadableError(self.reason, f"{self.host.authority}: {self.message}")


class Patience:
    """The attempts and waits of one exchange."""

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._attempts = 1
        self._left = WAIT_SECONDS

    def before(self, host: Host, lane: str) -> None:
        """Waits until the host wants to be asked again. Raises `UnreadableError` (io-error)."""
        seconds = host.left(lane)
        if seconds > 0:
            self._wait(host, seconds if host.lost < LOST_COUNT else math.inf)

    def after(self, trouble: Trouble) -> None:
        """Waits before the next attempt. Raises the error when there is none."""
        host = trouble.host
        if self._attempts >= ATTEMPT_COUNT or host.lost >= LOST_COUNT:
            host.ended(well=False)
            raise trouble.final() from None
        if trouble.wait is None:
            # Jitter, so that threads that failed together do not come back together.
            jitter = random.uniform(0.5, 1.0)  # noqa: S311 - not a secret
            self._wait(host, BACKOFF_SECONDS * 2 ** (self._attempts - 1) * jitter)
        self._attempts += 1

    def _wait(self, host: Host, seconds: float) -> None:
        if seconds > self._left:
            host.ended(well=False)
            message = f"{host.authority}: the host wants to be asked again later than we wait"
            raise UnreadableError(Reason.IO_ERROR, message)
        self._left -= seconds
        self._quota.pause(seconds)


def exhausted(header: str) -> float:
    """Seconds until a quota is filled again, or 0 while something is left of every quota.

    `RateLimit` of draft-ietf-httpapi-ratelimit-headers: `"api";r=0;t=123`; unknown parameters are skipped.
    """
    seconds = 0.0
    for item in header[:_HEADER_CHARS].split(","):
        pairs = dict(pair.strip().partition("=")[::2] for pair in item.split(";")[1:])
        if pairs.get("r") == "0":
            seconds = max(seconds, _seconds(pairs.get("t", "")) or 0.0)
    return seconds


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that the host asks to wait: `Retry-After` (RFC 9110, 10.2.3), else `RateLimit`."""
    text = headers.get("retry-after", "").strip()
    if (seconds := _seconds(text)) is not None:
        return seconds
    try:
        later = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, later.total_seconds())
    except (TypeError, ValueError, OverflowError):
        return exhausted(headers.get("ratelimit", "")) or None


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else None
