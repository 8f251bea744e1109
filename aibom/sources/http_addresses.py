"""Which IP addresses may be connected to: what a server names must not lead into the user's network."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable
from enum import Enum
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.http_address import Address, parse

_Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(Enum):
    """What kind of network an address belongs to."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    CLOSED = "link-local, metadata or multicast"  # never a file server, often a door to credentials


def _networks(text: str) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(each) for each in text.split())


# IANA registries of special-purpose addresses, and the metadata services of clouds that lie elsewhere.
_CLOSED: Final = _networks(
    "0.0.0.0/8 169.254.0.0/16 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32 100.100.100.200/32 192.0.0.192/32 "
    "::/128 fe80::/10 fec0::/10 ff00::/8 fd00:ec2::/64 fd20:ce::254/128 fd00:42::42/128"
)
_LOOPBACK: Final = _networks("127.0.0.0/8 ::1/128")
_PRIVATE: Final = _networks(
    "10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 "
    "198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 2001::/23 2001:db8::/32 3fff::/20"
)
_GLOBAL_6: Final = ipaddress.ip_network("2000::/3")  # everything else of IPv6 is not public
# An IPv4 address that is written in an IPv6 one: mapped, translated (RFC 2765, 6052), compatible, 6to4.
_EMBEDDED: Final = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),
    (ipaddress.IPv6Network("::/96"), 0),
    (ipaddress.IPv6Network("2002::/16"), 80),
)


def reach_of(address: str) -> Reach:
    """The network of an address. Raises ValueError for what is none."""
    ip = plain(address)
    for networks, reach in ((_CLOSED, Reach.CLOSED), (_LOOPBACK, Reach.LOOPBACK), (_PRIVATE, Reach.PRIVATE)):
        if any(ip in network for network in networks):
            return reach
    return Reach.PUBLIC if ip.version == 4 or ip in _GLOBAL_6 else Reach.PRIVATE


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine, which a credential reaches without TLS."""
    try:
        return reach_of(host) is Reach.LOOPBACK
    except ValueError:
        return host == "localhost"


def plain(address: str) -> _Ip:
    """The address itself, or the IPv4 address that is written in it."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address) or int(ip) <= 1:  # `::` and `::1`
        return ip
    for network, shift in _EMBEDDED:
        if ip in network:
            return ipaddress.IPv4Address(int(ip) >> shift & 0xFFFFFFFF)
    return ip


class Permissions:
    """What the user said about hosts: which were named, which are allowed. Safe between threads."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(_canonical(each) for each in allowed)
        self._named: set[tuple[str, int]] = set()
        self._typed: set[tuple[str, int]] = set()  # with http:// in front

    def name(self, address: Address) -> None:
        self._named.add((address.host, address.port))
        if address.scheme == "http":
            self._typed.add((address.host, address.port))

    def check(self, host: str, port: int, found: Iterable[str], *, is_plain: bool) -> None:
        """Raises `UnreadableError` (denied) unless every address that was found may be connected to."""
        known = (host, port) in self._named or self._allows(host, port)
        reaches = set()
        for address in found:
            reach = reach_of(address)
            reaches.add(reach)
            closed = reach is Reach.CLOSED and not self._allows(str(plain(address)), port)
            if closed or (reach is not Reach.PUBLIC and not known):
                raise _denied(f"the host has a {reach.value} address, which is refused unless it is allowed")
        if is_plain and (host, port) not in self._typed and not (known and reaches == {Reach.LOOPBACK}):
            raise _denied("http:// without TLS is refused unless the user typed it")

    def _allows(self, host: str, port: int) -> bool:
        return (host, None) in self._allowed or (host, port) in self._allowed


def _canonical(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, an IPv6 address or one in brackets. Raises `UnreadableError` (malformed)."""
    bare = text.count(":") > 1 and "[" not in text
    address = parse(f"https://[{text}]" if bare else f"https://{text}")
    explicit = not bare and text.rpartition("]")[2].rpartition(":")[1] == ":"
    return address.host, address.port if explicit else None


def _denied(message: str) -> UnreadableError:
    return UnreadableError(Reason.DENIED, message)
