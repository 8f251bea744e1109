"""One exchange: attempts, waits and redirects, until an answer is there that somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from aibom.domain.errors import Reason, UnreadableError, over_limit, truncated, unsupported
from aibom.sources.http_address import Address, follow
from aibom.sources.http_body import Incoming
from aibom.sources.http_connection import Connections, LinkError
from aibom.sources.http_quota import Host, Patience, Quota, Trouble, asked_wait

REDIRECT_COUNT: Final = 5

_AGAIN: Final = frozenset((429, 500, 502, 503, 504))
_REFUSED_UNDONE: Final = frozenset((429, 503))  # the host says that it did nothing
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_SAFE: Final = frozenset(("GET", "HEAD"))
_REPEATABLE: Final = frozenset(("GET", "HEAD", "PUT", "DELETE"))  # RFC 9110, 9.2.2
# What another origin gets of the headers. Everything else may be a credential.
_HARMLESS: Final = frozenset(
    ("accept", "accept-encoding", "content-type", "if-match", "if-none-match", "range", "user-agent")
)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked. `secret` is a header for the first origin alone."""

    method: str
    address: Address
    headers: Mapping[str, str] = field(repr=False)
    secret: tuple[str, str] | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)
    accepted: Collection[int] = (200,)

    @property
    def lane(self) -> str:
        """The Hub counts its API and its files apart: a wait for the one does not hold the other."""
        return "api" if self.address.target.startswith("/api/") else ""

    def sent(self) -> dict[str, str]:
        return {**self.headers, **(dict((self.secret,)) if self.secret else {})}

    def redirected(self, location: str) -> Request:
        address = follow(self.address, location)
        if address.origin == self.address.origin:
            return replace(self, address=address)
        if self.method not in _SAFE:
            raise unsupported("a redirect of what is sent to another host, which is refused")
        kept = {name: value for name, value in self.headers.items() if name.lower() in _HARMLESS}
        return replace(self, address=address, headers=kept, secret=None)


class Exchanges:
    """Runs exchanges. Safe between threads."""

    def __init__(self, connections: Connections, quota: Quota) -> None:
        self._connections, self._quota = connections, quota

    def close(self) -> None:
        self._connections.close()

    def run(self, request: Request, finish: Callable[[Incoming], _T]) -> _T:
        """What `finish` makes of the answer. Raises `UnreadableError`, with the host in front."""
        patience = Patience(self._quota)
        while True:
            try:
                return self._attempt(request, finish, patience)
            except Trouble as trouble:
                patience.after(trouble)

    def _attempt(self, request: Request, finish: Callable[[Incoming], _T], patience: Patience) -> _T:
        host = self._quota.host(request.address.authority)
        for _ in range(REDIRECT_COUNT + 1):
            host = self._quota.host(request.address.authority)
            patience.before(host, request.lane)
            try:
                with host.room:
                    found = self._hop(request, host, finish)
            except UnreadableError as error:
                raise _placed(error, host) from None
            if not isinstance(found, Request):
                return found
            request = found
        raise _placed(over_limit(f"more than {REDIRECT_COUNT} redirects"), host)

    def _hop(self, request: Request, host: Host, finish: Callable[[Incoming], _T]) -> _T | Request:
        host.count(requests=1)
        try:
            with self._connections.open(
                request.method, request.address, request.sent(), request.body
            ) as response:
                incoming = Incoming(
                    status=response.status,
                    headers={name.lower(): response.headers[name] for name in response.headers},
                    address=request.address,
                    host=host,
                    response=response,
                    is_bare=request.method == "HEAD",
                )
                host.heard(request.lane, incoming.headers)
                if incoming.status in request.accepted:
                    result = finish(incoming)
                    host.ended(well=True)
                    return result
                return self._unaccepted(request, incoming)
        except LinkError as error:
            repeatable = error.unsent or request.method in _REPEATABLE
            trouble = Trouble(host, error.message, reason=error.reason)
            raise trouble if repeatable else UnreadableError(error.reason, error.message) from None

    def _unaccepted(self, request: Request, incoming: Incoming) -> Request:
        with suppress(LinkError):  # the status says enough
            incoming.drain()
        status = incoming.status
        if status in _REDIRECTS and (request.method in _SAFE or status in (307, 308)):
            return request.redirected(incoming.headers.get("location", ""))
        if status in _AGAIN and (request.method in _REPEATABLE or status in _REFUSED_UNDONE):
            wait = asked_wait(incoming.headers) if status in _REFUSED_UNDONE else None
            if wait is not None:
                incoming.host.hold(request.lane, wait)
            raise Trouble(incoming.host, f"the host answers {status}", wait)
        incoming.host.ended(well=status < 500)
        raise refusal(status)


def refusal(status: int) -> UnreadableError:
    """The error for a status that nobody asked for."""
    message = f"the host answers {status}"
    if status in (401, 403):
        return UnreadableError(Reason.DENIED, message)
    if status in (404, 410):
        return UnreadableError(Reason.MISSING, message)
    if status == 412:
        return UnreadableError(Reason.CHANGED, f"{message}: another version than before")
    if status == 416:
        return truncated(f"{message}: the file is shorter than the range")
    if status in _REDIRECTS:
        return unsupported(f"{message}: a redirect that is not followed")
    return UnreadableError(Reason.IO_ERROR, message) if status >= 500 else unsupported(message)


def _placed(error: UnreadableError, host: Host) -> UnreadableError:
    return UnreadableError(error.reason, f"{host.authority}: {error.message}", error.offset)
