"""insecure-download: a model, dataset or service is reached without transport security."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, reference_rule

# Names that only the network at hand resolves (RFC 6762, RFC 8375, ICANN 2024, Kubernetes).
_PRIVATE: Final = (".local", ".home.arpa", ".internal", ".svc")


def _tell(reference: Reference) -> Told | None:
    if Flag.HTTP not in reference.flags or reference.target is None:
        return None
    host = _host(reference.target.location)
    if _is_loopback(host):
        return None
    service = reference.kind is ComponentKind.SERVICE
    return Told(
        message=f"{name_of(reference)} is {'reached' if service else 'fetched'} over plain HTTP",
        remedy="use https" if service else "",
        confidence=Confidence.MEDIUM if _is_private(host) else Confidence.HIGH,
    )


def _host(location: str) -> str:
    """The host in small letters; empty when the address is none."""
    try:
        return (urlsplit(location).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_private(host: str) -> bool:
    try:
        return ip_address(host).is_private
    except ValueError:
        return host.endswith(_PRIVATE) or "." not in host


RULE = reference_rule(
    "insecure-download",
    title="A model, dataset or service is reached without transport security",
    severity=Severity.HIGH,
    why="Anybody on the way can put other bytes in its place, and read what is sent.",
    remedy="use https, and check the SHA-256 of what was fetched",
    tell=_tell,
    atlas=("AML.T0010.003", "AML.T0010.002"),
    cwe=(319, 494),
)
