"""What the environment of the user says about connections: proxies and certificates."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.sources.http_address import Address

_BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def tls_context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Verification of chain and name is on, whatever the environment says; only the bundle is the user's."""
    name = next((each for each in _BUNDLES if environment.get(each)), None)
    try:
        if name is None:
            context = ssl.create_default_context(cafile=_certifi())
        else:
            path = Path(environment[name])
            context = ssl.create_default_context(
                cafile=None if path.is_dir() else path, capath=path if path.is_dir() else None
            )
    except (OSError, ValueError):
        raise UnreadableError(Reason.IO_ERROR, f"the CA bundle that {name} names cannot be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _certifi() -> str | None:
    """The bundle of certifi; None, which is that of the system, where it is not installed."""
    try:
        import certifi  # noqa: PLC0415 - a distribution may leave it out
    except ImportError:
        return None
    return certifi.where()


class Proxies:
    """Which proxy a host is reached through: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, in either case."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        def value(name: str) -> str:
            return environment.get(name.lower()) or environment.get(name) or ""

        self._proxies = {"https": value("HTTPS_PROXY"), "http": value("HTTP_PROXY")}
        self._without = [each.strip().lower() for each in value("NO_PROXY").split(",") if each.strip()]

    def of(self, address: Address) -> str | None:
        """None: directly. This machine itself is never asked for through a proxy."""
        proxy = self._proxies[address.scheme]
        if not proxy or _is_here(address.host) or any(self._matches(each, address) for each in self._without):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    @staticmethod
    def _matches(pattern: str, address: Address) -> bool:
        host, _, port = pattern.rpartition(":")
        if port.isdecimal() and host.count(":") == 0 and host:
            if int(port) != address.port:
                return False
            pattern = host
        name = pattern.removeprefix("*").removeprefix(".").strip("[]")
        return pattern == "*" or address.host == name or address.host.endswith(f".{name}")


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def split_proxy(proxy: str) -> tuple[str, str | None]:
    """The address of the proxy, and its user and password."""
    try:
        split = urlsplit(proxy)
        host, port = split.hostname, split.port
    except ValueError:
        host, port, split = None, None, urlsplit("")
    if not host or split.scheme not in ("http", "https"):
        raise malformed("the proxy that the environment names is no http:// or https:// address")
    shown = f"[{host}]" if ":" in host else host
    bare = f"{split.scheme}://{shown}" + (f":{port}" if port is not None else "")
    if split.username is None:
        return bare, None
    return bare, f"{unquote(split.username)}:{unquote(split.password or '')}"
