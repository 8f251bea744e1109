"""Names of artifacts in OCI registries: `oci://host[:port]/repository[:tag][@sha256:...]`.

Grammar: OCI distribution specification 1.1, "Pulling manifests". What is typed is checked before
anything is asked for, so that no part of it can become another path, host or header.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, unsupported

TARGET_CHARS: Final = 1_024
REPOSITORY_CHARS: Final = 255
_HOST: Final = re.compile(
    r"(?:[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*|\[[0-9a-fA-F:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII
)
_REPOSITORY: Final = re.compile(
    r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*"
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# Docker Hub answers under another name than the one that everybody writes.
_HUB: Final = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_HUB_HOST: Final = "registry-1.docker.io"
_SHAPE: Final = "type oci://host/repository:tag or oci://host/repository@sha256:..."


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One artifact. `host` has the port; `digest` is the pin, and wins over the tag."""

    host: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def location(self) -> str:
        return f"{self.host}/{self.repository}"

    @property
    def reference(self) -> str:
        """What the registry is asked for."""
        return self.digest or self.tag or "latest"

    @property
    def origin(self) -> str:
        """Scheme, host and port. Plain HTTP is spoken with the loopback address only."""
        host = _HUB_HOST if self.host == "docker.io" else self.host
        return f"{'http' if is_loopback(host) else 'https'}://{host}"

    @property
    def url(self) -> str:
        """What the addresses of manifests and blobs begin with."""
        return f"{self.origin}/v2/{self.repository}"


def is_digest(text: str) -> bool:
    """True for a digest that this version can compare bytes with."""
    return _DIGEST.fullmatch(text) is not None


def is_loopback(host: str) -> bool:
    """Whether a host, with or without port, is this machine."""
    bare = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return bare.lower() == "localhost"


def parse(target: str) -> Name:
    """What the user typed. Raises malformed, with what to type instead; unsupported for another digest."""
    if len(target) > TARGET_CHARS:
        raise malformed(f"the target is longer than {TARGET_CHARS} characters: {_SHAPE}")
    host, _, rest = target.partition("://")[2].partition("/")
    if "@" in host:
        raise malformed("the target holds no user or password: they come from ~/.docker/config.json")
    if _HOST.fullmatch(host) is None:
        raise malformed(f"the target names no host of a registry: {_SHAPE}")
    path, at, digest = rest.partition("@")
    repository, colon, tag = path.partition(":")
    _check(repository, tag if colon else None, digest if at else None)
    host = host.lower()
    if host in _HUB:
        host, repository = "docker.io", repository if "/" in repository else f"library/{repository}"
    return Name(host=host, repository=repository, tag=tag or None, digest=digest or None)


def _check(repository: str, tag: str | None, digest: str | None) -> None:
    if len(repository) > REPOSITORY_CHARS or _REPOSITORY.fullmatch(repository) is None:
        raise malformed(f"the name of the repository has lower-case letters, digits, `.`, `_`, `-`: {_SHAPE}")
    if tag is not None and _TAG.fullmatch(tag) is None:
        raise malformed(f"the tag is none (letters, digits, `.`, `_`, `-`, at most 128): {_SHAPE}")
    if digest is not None and not is_digest(digest):
        raise _no_digest(digest)


def _no_digest(digest: str) -> UnreadableError:
    algorithm = re.match(r"([a-z0-9+._-]{1,32}):", digest)
    if algorithm is not None and algorithm[1] not in ("sha256", "sha512"):
        return unsupported(f"digests of {algorithm[1]} are not supported: {_SHAPE}")
    return malformed(f"a digest is `sha256:` and 64 hexadecimal digits in lower case: {_SHAPE}")
