"""Connections: to checked addresses, with TLS that is always verified, under one deadline.

Imported when the first request is made: urllib3 and ssl take 100 ms.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import make_headers

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http_address import Address
from aibom.sources.http_addresses import Permissions
from aibom.sources.http_environment import Proxies, split_proxy, tls_context
from aibom.sources.http_pace import PACE, SILENCE_SECONDS, PacedSocket, PacedTlsSocket, silence
from aibom.sources.http_quota import AT_ONCE_COUNT

CONNECT_SECONDS: Final = 10.0  # all addresses of a host together
ADDRESS_COUNT: Final = 4  # of a host that are tried
HOST_COUNT: Final = 64  # with open connections

# Retries, redirects and bodies are ours.
_NOTHING_BY_ITSELF: Final = {
    "retries": urllib3.Retry(False, redirect=False),  # noqa: FBT003 - not the same as none
    "redirect": False,
    "preload_content": False,
    "decode_content": False,
}


Dial = Callable[[str, int, str], socket.socket]  # host, port, scheme


class _Plain(HTTPConnection):
    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self.host, self.port, "http")


class _Tls(HTTPSConnection):
    def __init__(self, *args: Any, dial: Dial, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial

    def _new_conn(self) -> socket.socket:
        return self._dial(self.host, self.port, "https")


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class LinkError(Exception):
    """No answer, or not all of it. `unsent`: the request never reached the host."""

    def __init__(self, message: str, reason: Reason = Reason.IO_ERROR, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.message, self.reason, self.unsent = message, reason, unsent


class _NotReachedError(OSError):
    """No connection."""


class Connections:
    """The open connections of a run, one pool per origin, directly or through the proxy of the user."""

    def __init__(
        self, permissions: Permissions, environment: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        silence()
        self._permissions, self._now = permissions, now
        self._proxies, self._environment = Proxies(environment), environment
        self._lock = threading.Lock()
        self._managers: dict[tuple[str | None, str], urllib3.PoolManager] = {}
        self._checked: set[tuple[str, str, int]] = set()

    def close(self) -> None:
        """Closes what is idle."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    @contextmanager
    def open(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """An answer whose headers are there. Raises `LinkError`, and `UnreadableError` for refusals."""
        PACE.begin(self._now, len(body))
        response: urllib3.BaseHTTPResponse | None = None
        try:
            with translated():
                response = self._ask(method, address, headers, body)
            yield response
        finally:
            if response is not None:
                response.close()  # what was read to its end is back in the pool already
            PACE.end()

    def _ask(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes
    ) -> urllib3.BaseHTTPResponse:
        proxy = self._proxies.of(address)
        manager = self._manager(proxy, address.scheme)
        asked: dict[str, Any] = {"body": body or None, "headers": headers, **_NOTHING_BY_ITSELF}
        if proxy is not None:
            self._check_behind_proxy(address)
            return manager.urlopen(method, address.url, **asked)
        # Not through the manager, which would parse the address again, and tidy its path.
        pool = manager.connection_from_host(address.host, address.port, address.scheme)
        return pool.urlopen(method, address.target, **asked)

    def _manager(self, proxy: str | None, scheme: str) -> urllib3.PoolManager:
        with self._lock:
            if (proxy, scheme) not in self._managers:
                self._managers[proxy, scheme] = self._made(proxy, scheme)
            return self._managers[proxy, scheme]

    def _made(self, proxy: str | None, scheme: str) -> urllib3.PoolManager:
        # It takes 30 ms, which plain HTTP does without.
        context = self._verifying() if scheme == "https" or proxy is not None else None
        common: dict[str, Any] = {
            "num_pools": HOST_COUNT,
            "maxsize": AT_ONCE_COUNT,
            "ssl_context": context,
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
        }
        if proxy is None:
            manager, dial = urllib3.PoolManager(**common), self._dial
        else:
            bare, secret = split_proxy(proxy)
            own = make_headers(proxy_basic_auth=secret) if secret else None
            manager = urllib3.ProxyManager(bare, proxy_headers=own, proxy_ssl_context=context, **common)
            dial = _dial_proxy
        manager.pool_classes_by_scheme = {
            "http": partial(_PlainPool, dial=dial),  # type: ignore[dict-item]
            "https": partial(_TlsPool, dial=dial),  # type: ignore[dict-item]
        }
        return manager

    def _verifying(self) -> ssl.SSLContext:
        context = tls_context(self._environment)
        context.sslsocket_class = PacedTlsSocket
        return context

    def _dial(self, host: str, port: int, scheme: str) -> socket.socket:
        found = _resolve(host, port)
        self._permissions.check(host, port, (str(each[4][0]) for each in found), is_plain=scheme == "http")
        return _connect(found)

    def _check_behind_proxy(self, address: Address) -> None:
        """The proxy resolves the name; what we would have refused ourselves is refused all the same."""
        if address.origin in self._checked:
            return
        try:
            found = [str(each[4][0]) for each in _resolve(address.host, address.port)]
        except socket.gaierror:
            found = []  # behind a proxy names of the outside often have no address
        self._permissions.check(address.host, address.port, found, is_plain=address.scheme == "http")
        self._checked.add(address.origin)


_Found = tuple[Any, Any, int, str, Any]


def _resolve(host: str, port: int) -> Sequence[_Found]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _dial_proxy(host: str, port: int, scheme: str) -> socket.socket:  # noqa: ARG001 - see `Dial`
    """The user named the proxy: wherever it is, it may be connected to."""
    return _connect(_resolve(host, port))


def _connect(found: Sequence[_Found]) -> socket.socket:
    """The first address that answers. What is returned is connected to one of exactly these."""
    seconds = CONNECT_SECONDS / max(1, min(len(found), ADDRESS_COUNT))
    for family, kind, protocol, _, address in found[:ADDRESS_COUNT]:
        made = PacedSocket(family, kind, protocol)
        try:
            made.settimeout(seconds)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.connect(address)
        except OSError:
            made.close()
        else:
            made.settimeout(CONNECT_SECONDS)
            return made
    raise _NotReachedError


@contextmanager
def translated() -> Iterator[None]:
    """What the network does, as a `LinkError`. The messages of the causes hold addresses: none is kept."""
    try:
        yield
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        PACE.drop()
        raise _translated(error) from None


def _translated(error: BaseException) -> LinkError | UnreadableError:
    causes = list(_causes(error))

    def was(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in causes)

    if was(ssl.SSLCertVerificationError):
        return UnreadableError(Reason.DENIED, "the certificate of the host is not valid for it")
    if was(urllib3.exceptions.ProxyError):
        return LinkError("the proxy refuses or does not answer", unsent=True)
    if any(isinstance(each, socket.gaierror) and each.errno == socket.EAI_NONAME for each in causes):
        return UnreadableError(Reason.IO_ERROR, "the host has no address")
    if was(_NotReachedError, socket.gaierror):
        return LinkError("no connection", unsent=True)
    if was(http.client.IncompleteRead, urllib3.exceptions.IncompleteRead):
        return LinkError("the answer ended early", Reason.TRUNCATED)
    return LinkError("the host is too slow" if was(TimeoutError) else "the connection broke")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of: urllib3 keeps causes as arguments, too."""
    pending, seen = [error], 0
    while pending and seen < 16:
        each = pending.pop()
        seen += 1
        yield each
        related = (each.__cause__, each.__context__, *each.args)
        pending += [part for part in related if isinstance(part, BaseException)]
