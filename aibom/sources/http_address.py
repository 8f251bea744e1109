"""Addresses of remote files: parsed once, by us, so that nobody reads another host out of them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported

URL_CHARS: Final = 16_384  # signed addresses have some 2,000
HOST_CHARS: Final = 253  # RFC 1035, 2.3.4
PORTS: Final = {"https": 443, "http": 80}

_SAFE: Final = "/:?#[]@!$&'()*+,;=%~"  # RFC 3986: what has a meaning, or is quoted already
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a request goes. Only `authority` may be shown: the target may hold a signature."""

    scheme: str  # https or http
    host: str  # lower case and ASCII; an IPv6 address without brackets
    port: int
    target: str = field(repr=False)  # path and query as they are sent

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port; the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(url: str) -> Address:
    """The parts of an absolute address. Raises `UnreadableError`: malformed, unsupported (its scheme)."""
    if len(url) > URL_CHARS or not url.isprintable():
        raise malformed("an address that is too long or holds control characters")
    try:
        split = urlsplit(url)
        if split.scheme not in PORTS:
            raise unsupported("an address that is neither https:// nor http://")
        if "@" in split.netloc:
            raise malformed("an address with a user name or password in it")
        host, port = _host(split.hostname or ""), split.port
    except ValueError:  # its message repeats the address
        raise malformed("an address that cannot be parsed") from None
    query = f"?{split.query}" if split.query else ""
    return Address(
        scheme=split.scheme,
        host=host,
        port=PORTS[split.scheme] if port is None else port,
        target=quote((split.path or "/") + query, safe=_SAFE),
    )


def follow(base: Address, location: str) -> Address:
    """Where a redirect leads. Raises `UnreadableError`, also for a downgrade from https to http."""
    if not location or len(location) > URL_CHARS:
        raise UnreadableError(Reason.UNSUPPORTED, "a redirect that names no address")
    # Header values are bytes; http.client shows them as Latin-1.
    quoted = quote(location.encode("latin-1", "replace"), safe=_SAFE)
    try:
        url = urljoin(base.url, quoted)
    except ValueError:
        raise malformed("a redirect to an address that cannot be parsed") from None
    found = parse(url)
    if base.scheme == "https" and found.scheme != "https":
        raise unsupported("a redirect from https to http, which is refused")
    return found


def _host(name: str) -> str:
    """Raises ValueError unless it is a name or an address, in the form that comparisons use."""
    if ":" in name:
        return str(ipaddress.IPv6Address(name if "%" not in name else ""))
    if len(name) > HOST_CHARS:
        raise ValueError
    host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    if not _NAME.fullmatch(host):
        raise ValueError
    return host
