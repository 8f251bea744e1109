"""network-address: a model file carries an address of the network."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from aibom.domain.file import File
from aibom.domain.finding import Finding, Severity
from aibom.domain.report import Report
from aibom.policy.rule import Rule, Violation
from aibom.policy.rules._text_search import FOUND_COUNT, stated_texts

_VIOLATION = Violation(
    rule="network-address",
    severity=Severity.LOW,
    remedy="check that the address is meant to be there",
)
# The host of an address, behind user and password where there are any.
_URL = re.compile(
    r"(?<![A-Za-z0-9+.-])(?i:https?|ftps?|wss?|tcp|udp|ssh|sftp|git|smb|ldaps?|redis|mongodb|postgres|mysql)://"
    r"(?:[^\s/@?#\"'<>]{0,256}+@)?(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}+)"
)
_IPV4 = re.compile(r"(?<![0-9A-Za-z.-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9A-Za-z.-])")
# Where models, papers and licences live; a subdomain counts as its domain.
_USUAL: Final = frozenset((
    "apache.org", "arxiv.org", "creativecommons.org", "doi.org", "github.com", "gitlab.com", "gnu.org",
    "huggingface.co", "hf.co", "json-schema.org", "mit-license.org", "mlcommons.org", "openrail.org",
    "opensource.org", "schema.org", "spdx.org", "w3.org", "wikipedia.org", "zenodo.org",
    "example.com", "example.org", "example.net",
))  # fmt: skip


def check(report: Report) -> Iterator[Finding]:
    for file in report.files:
        hosts: dict[str, str] = {}
        for place, host in _hosts(file):
            if len(hosts) < FOUND_COUNT:
                hosts.setdefault(host, place)
        for host, place in hosts.items():
            yield _VIOLATION.at(file.path, f"{place[:80]!r} names the host {host[:253]}", found=host)


def _hosts(file: File) -> Iterator[tuple[str, str]]:
    for place, text in stated_texts(file):
        for match in _URL.finditer(text):
            host = match[1].strip("[].").lower()
            if host and not _is_usual(host):
                yield place, host
        for match in _IPV4.finditer(text):
            if _is_address(match[0]):
                yield place, match[0]


def _is_usual(host: str) -> bool:
    parts = host.split(".")
    return any(".".join(parts[start:]) in _USUAL for start in range(max(0, len(parts) - 3), len(parts)))


def _is_address(text: str) -> bool:
    """False for what is no address, and for those of no other machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_loopback)


RULE = Rule(
    id=_VIOLATION.rule,
    title="A model file carries an address of the network",
    severity=_VIOLATION.severity,
    why=(
        "Addresses in the metadata of weights show where a model came from, and sometimes where it "
        "reports to."
    ),
    remedy=_VIOLATION.remedy,
    check=check,
    atlas=("AML.T0025",),
    cwe=(200,),
    optional=True,
)
