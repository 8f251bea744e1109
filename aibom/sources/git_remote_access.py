"""Whether and how a git repository may be reached: checked addresses, a token that stays with its host."""

from __future__ import annotations

import base64
import re
import socket
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.readers import git_config
from aibom.sources.git_checkout import contents
from aibom.sources.git_remote_program import Remote
from aibom.sources.git_remote_target import Typed
from aibom.sources.http import Secret
from aibom.sources.http_address import Address, parse
from aibom.sources.http_addresses import is_loopback
from aibom.sources.opening import Opening

TOKEN: Final = "AIBOM_GIT_TOKEN"  # noqa: S105 - its name
HOST: Final = "AIBOM_GIT_HOST"
PROXIES: Final = ("https_proxy", "HTTPS_PROXY", "http_proxy")


def remote_of(typed: Typed, opening: Opening) -> tuple[Remote, Secret | None]:
    """What git is told about the address, once it is one that may be connected to."""
    if typed.protocol == "file":
        _check_folder(typed)
        return Remote(url=typed.url, protocol="file"), None
    http = opening.http()
    if typed.protocol == "ssh":
        host = re.sub(r":[0-9]+\Z", "", typed.authority.rpartition("@")[2])
        return Remote(url=typed.url, protocol="ssh"), _secret(f"https://{host}/", opening)
    http.named(typed.url)
    address = parse(typed.url)
    settings = _pinned_addresses(address, opening)
    secret = _secret(typed.url, opening)
    if secret is not None:
        header = f"{secret.header}: {secret.value}"
        settings = (*settings, (f"http.{address.scheme}://{address.authority}/.extraHeader", header))
    return Remote(url=address.url, protocol=typed.protocol, settings=settings), secret


def _check_folder(typed: Typed) -> None:
    """The other end of file:// reads the configuration of the repository, so that may not ask for more."""
    folder = unquote(typed.path)
    inner = f"{folder}/.git" if Path(folder, ".git").exists() else folder
    data = contents(inner, "config", git_config.CONFIG_BYTES) if Path(inner).is_dir() else None
    if data is None:
        raise UnreadableError(Reason.MISSING, f"no git repository: {folder!a}")
    keys = git_config.parse(data)
    if any(
        key.startswith(("include", "extensions.partialclone")) or key.endswith(".promisor") for key in keys
    ):
        raise unsupported("the repository is a partial clone, or includes other configuration")


def _pinned_addresses(address: Address, opening: Opening) -> tuple[tuple[str, str], ...]:
    """The host's addresses, checked, and set for git: a second look at the name may give others."""
    found: list[str] = []
    try:
        told = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        found = sorted({str(each[4][0]) for each in told})
    except (OSError, UnicodeError):
        if not any(opening.environment.get(name) for name in PROXIES):  # a proxy looks the name up itself
            message = f"no address is known for the host {address.host}"
            raise UnreadableError(Reason.IO_ERROR, message) from None
    opening.http().check(address, found)
    if ":" in address.host or not found:
        return ()
    shown = ",".join(f"[{each}]" if ":" in each else each for each in found)
    return (("http.curloptResolve", f"{address.host}:{address.port}:{shown}"),)


def _secret(url: str, opening: Opening) -> Secret | None:
    """The token, if this is the host that it is for."""
    token, host = opening.environment.get(TOKEN, ""), opening.environment.get(HOST, "")
    if not token:
        return None
    if not host:
        raise malformed(f"{TOKEN} is set, and {HOST} does not say for which host it is")
    address = parse(url)
    if host.lower() != address.authority:
        return None
    if not token.isascii() or not token.isprintable() or " " in token:
        raise malformed(f"{TOKEN} holds what no token holds (blanks, line ends)")
    if address.scheme == "http" and not is_loopback(address.host):
        raise UnreadableError(
            Reason.DENIED, "the token would cross the network without TLS: type git+https://"
        )
    pair = token if ":" in token else f"x-access-token:{token}"
    return Secret(header="Authorization", value=f"Basic {base64.b64encode(pair.encode()).decode()}")
