"""HTTP for sources: ranges that are checked, bodies that are bounded, credentials that stay with their host.

One `Http` serves a whole run, all sources and threads.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aibom import __version__
from aibom.domain.errors import malformed
from aibom.domain.limits import MIB
from aibom.sources.http_address import Address, parse
from aibom.sources.http_addresses import Permissions
from aibom.sources.http_quota import Quota

if TYPE_CHECKING:  # urllib3 and ssl take 100 ms
    from aibom.sources.http_body import Incoming
    from aibom.sources.http_exchange import Exchanges, Request

ANSWER_BYTES: Final = 1 * MIB  # of an answer that is told no other bound
USER_AGENT: Final = f"aibom/{__version__}"

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, 5.6.2
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A header for one origin (scheme, host and port); a redirect to another origin does not get it."""

    header: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. Names of headers are in lower case; `url` is the last one after redirects."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes of a remote file from `start` on; `total` is the size of the whole, `version` a strong ETag."""

    data: bytes = field(repr=False)
    start: int
    total: int
    version: str  # "" when the host states none
    url: str = field(repr=False)  # the last one after redirects; may hold a signature, so never shown


class Http:
    """Exchanges with remote hosts. All methods raise only `UnreadableError`, whose text holds no secret.

    Reasons: denied (401, 403, a refused address or certificate), missing (404, 410), changed (412, or
    another ETag or size than before), truncated (416, a body that ends early), limit (a body or a count
    of redirects over its bound), malformed (an address or a range that is none), unsupported (another
    status, a redirect that is refused), io-error (not reached, too slow, 429 and 5xx after the last
    attempt).
    """

    def __init__(
        self,
        *,
        allowed: Collection[str] = (),
        environment: Mapping[str, str] | None = None,
        pause: Callable[[float], object] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`allowed` are further hosts (`host` or `host:port`) that may have a private address; a
        link-local or metadata address must stand there itself.

        `environment` may name proxies and the CA bundle. `pause` and `now` are in seconds.
        """
        self._permissions = Permissions(allowed)
        self._environment = dict(environment or {})
        self._quota = Quota(pause, now)
        self._lock = threading.Lock()
        self._made: Exchanges | None = None

    def named(self, url: str) -> None:
        """The user named the host and port of this address: it may have a private address, and on
        loopback speak plain HTTP; anywhere when the address begins with http://. Every other host must
        have a public address and speak TLS.
        """
        self._permissions.name(parse(url))

    def check(self, address: Address, found: Iterable[str]) -> None:
        """Raises `UnreadableError` (denied) unless every address that a name leads to may be connected to."""
        self._permissions.check(address.host, address.port, found, is_plain=address.scheme == "http")

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Requests that were sent and bytes of bodies that came, by `host` or `host:port`."""
        return self._quota.counts()

    def get(
        self,
        url: str,
        *,
        most: int = ANSWER_BYTES,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        accepted: Collection[int] = (200,),
    ) -> Answer:
        """The whole body, of at most `most` bytes after decompression."""
        return self._answer(_request("GET", url, headers, secret, accepted), most)

    def head(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        accepted: Collection[int] = (200,),
    ) -> Answer:
        """The headers alone."""
        return self._answer(_request("HEAD", url, headers, secret, accepted), 0)

    def send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        most: int = ANSWER_BYTES,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        accepted: Collection[int] = (200, 201, 202, 204),
    ) -> Answer:
        """Sends a body: POST, PUT, PATCH, DELETE. Of the redirects only 307 and 308 are followed, and only
        to the same origin: a body may be as secret as a header. POST and PATCH are sent once, unless the
        host certainly did not act on them.
        """
        return self._answer(_request(method, url, headers, secret, accepted, body), most)

    def part(
        self,
        url: str,
        start: int,
        length: int,
        *,
        headers: Mapping[str, str] | None = None,
        secret: Secret | None = None,
        version: str = "",
        total: int | None = None,
    ) -> Part:
        """Exactly these bytes by a range request (RFC 9110, 14); with `start` < 0 the last `length` bytes.

        206 and `Content-Range` are checked. A 200 is cut at the end of the range, and refused when the
        range does not begin in its first 8 MiB. With a `version`, another one is `changed` (`If-Match`
        where the host honours it, and compared in any case); with a `total`, another size is, too.
        """
        if length < 1:
            raise malformed("an empty range")
        from aibom.sources.http_range import Wanted, receive, strong  # noqa: PLC0415 - see above

        wanted = Wanted(start=start, length=length, total=total, version=strong(version))
        sent = {**(headers or {}), "Range": wanted.header}
        if wanted.version:
            sent["If-Match"] = wanted.version

        def finish(incoming: Incoming) -> Part:
            data, found = receive(wanted, incoming)
            return Part(
                data=data,
                start=found.start,
                total=found.total,
                version=strong(incoming.headers.get("etag", "")),
                url=incoming.address.url,
            )

        return self._exchanges().run(_request("GET", url, sent, secret, (200, 206)), finish)

    def close(self) -> None:
        """Closes idle connections. Later exchanges open new ones."""
        with self._lock:
            if self._made is not None:
                self._made.close()

    def _answer(self, request: Request, most: int) -> Answer:
        from aibom.sources.http_body import whole  # noqa: PLC0415 - see above

        def finish(incoming: Incoming) -> Answer:
            return Answer(
                status=incoming.status,
                headers=incoming.headers,
                body=whole(incoming, most),
                url=incoming.address.url,
            )

        return self._exchanges().run(request, finish)

    def _exchanges(self) -> Exchanges:
        from aibom.sources.http_connection import Connections  # noqa: PLC0415 - see above
        from aibom.sources.http_exchange import Exchanges  # noqa: PLC0415

        with self._lock:
            if self._made is None:
                connections = Connections(self._permissions, self._environment, self._quota.now)
                self._made = Exchanges(connections, self._quota)
            return self._made


def _request(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    secret: Secret | None,
    accepted: Collection[int],
    body: bytes = b"",
) -> Request:
    from aibom.sources.http_exchange import Request  # noqa: PLC0415 - see above

    sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **(headers or {})}
    for name, value in (*sent.items(), *([(secret.header, secret.value)] if secret else [])):
        if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            raise malformed("a header that cannot be sent")
    return Request(
        method=method,
        address=parse(url),
        headers=sent,
        secret=(secret.header, secret.value) if secret else None,
        body=body,
        accepted=frozenset(accepted),
    )
