"""`aibom trust`: what a trust root makes one rely on, and the newest one of a public instance."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from aibom.domain.errors import malformed
from aibom.readers.json import Json, members, parse, text
from aibom.trust.description import described
from aibom.trust.trust_root import Instance, TrustRoot
from aibom.trust.trust_update import fetch_trust_root, repository

Line = tuple[str, str]
_LOGS: Final = (("transparency log", "tlogs"), ("certificate log", "ctlogs"))
_AUTHORITIES: Final = (
    ("certificate authority", "certificateAuthorities"),
    ("timestamp authority", "timestampAuthorities"),
)


def update(instance: Instance, state: Path | None = None) -> TrustRoot:
    """The root that a public instance gives today, over the network. Raises `UnreadableError`.

    What was seen is kept below `state`, apart for each instance.
    """
    return fetch_trust_root(repository(instance), state / instance if state is not None else None)


def show(root: TrustRoot) -> list[Line]:
    """Pairs of a name and a text: SHA-256 of the file, authorities, logs, and when each of them is valid."""
    document = members(parse(root.document))
    lines = [("sha256", root.sha256)]
    for name, key in _AUTHORITIES:
        for each in _objects(document.get(key)):
            lines += _authority(name, each)
    for name, key in _LOGS:
        lines += [(name, _log(each)) for each in _objects(document.get(key))]
    return lines


def _authority(name: str, authority: dict[str, Json]) -> Iterator[Line]:
    subject = members(authority.get("subject"))
    told = [text(authority.get("uri")), text(subject.get("organization")), text(subject.get("commonName"))]
    yield name, _joined(*told, _span(authority.get("validFor")))
    chain = members(authority.get("certChain")).get("certificates")
    ders = [_bytes(each.get("rawBytes")) for each in _objects(chain)]
    for certificate in described(ders):
        yield "its certificate", certificate


def _log(log: dict[str, Json]) -> str:
    key = members(log.get("publicKey"))
    identifier = _bytes(members(log.get("logId")).get("keyId")).hex()
    return _joined(
        text(log.get("baseUrl")), identifier, text(key.get("keyDetails")), _span(key.get("validFor"))
    )


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)


def _span(valid: Json) -> str:
    start, end = (text(members(valid).get(key)) for key in ("start", "end"))
    return " ".join(f"{word} {time}" for word, time in (("from", start), ("to", end)) if time)


def _objects(value: Json) -> list[dict[str, Json]]:
    return [members(each) for each in value] if isinstance(value, list) else []


def _bytes(value: Json) -> bytes:
    try:
        return base64.b64decode(text(value) or "", validate=True)
    except binascii.Error:
        raise malformed("the trust root holds bytes that are not base64") from None
