"""Trust roots of sigstore: which authorities, logs and clocks a keyless signature has to lead to.

A root comes from bytes that somebody named, or from those that the library `sigstore` carries. It never
comes from a cache of the user, and nothing here refreshes it. Format: github.com/sigstore/protobuf-specs,
`TrustedRoot` and `ClientTrustConfig`.
"""

from __future__ import annotations

import hashlib
import json
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.text import capped, visible
from aibom.readers.json import Json, members, parse, text

if TYPE_CHECKING:
    from sigstore.models import TrustedRoot

TRUST_ROOT_BYTES: Final = 1 << 20  # those of the public instances have 7 KB
TRUST_ROOT_VALUES: Final = 20_000
MEDIA_TYPE_CHARS: Final = 100  # of one that is not known, as it is shown

ROOT_TYPE: Final = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
CONFIG_TYPE: Final = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"

Instance = Literal["production", "staging"]
# Folders of the embedded documents: the quoted addresses of the repositories that they came from.
_FOLDERS: Final = {
    "production": "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev",
    "staging": "https%3A%2F%2Ftuf-repo-cdn.sigstage.dev",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRoot:
    """A trusted root that the library accepts. `sha256` is that of the file as it was given."""

    document: bytes  # the trusted root alone, as JSON
    sha256: str
    logs: frozenset[str]  # identifiers of the transparency logs, base64

    def parsed(self) -> TrustedRoot:
        """The same as the library has it: a new object, about a millisecond."""
        from sigstore.models import TrustedRoot  # noqa: PLC0415 - 600 ms
        from sigstore_models.trustroot import v1  # noqa: PLC0415

        return TrustedRoot(v1.TrustedRoot.from_json(self.document))


def read_trust_root(data: bytes) -> TrustRoot:
    """The root in a trusted root document or in a client trust configuration.

    Raises UnreadableError: limit, malformed, or unsupported for a media type that is not known.
    """
    given = _object(data)
    inside = given.get("mediaType") == CONFIG_TYPE
    root = members(given.get("trustedRoot")) if inside else given
    media_type = text(root.get("mediaType"))
    if media_type != ROOT_TYPE:
        shown = capped(visible(str(media_type)), MEDIA_TYPE_CHARS)
        raise unsupported(f"trust root of media type {shown}, read are {ROOT_TYPE} and {CONFIG_TYPE}")
    document = json.dumps(root).encode() if inside else data
    found = TrustRoot(document=document, sha256=hashlib.sha256(data).hexdigest(), logs=_logs(root))
    if not found.logs or not root.get("ctlogs"):
        raise malformed("the trust root names no transparency log or no certificate log")
    _check(found)
    return found


def embedded(instance: Instance) -> TrustRoot:
    """The root of a public instance as the installed version of `sigstore` carries it."""
    return read_trust_root(embedded_file(instance, "trusted_root.json"))


def embedded_config(instance: Instance) -> bytes:
    """The client trust configuration of a public instance: its root, and where its services are."""
    config = {
        "mediaType": CONFIG_TYPE,
        "trustedRoot": parse(embedded_file(instance, "trusted_root.json")),
        "signingConfig": parse(embedded_file(instance, "signing_config.v0.2.json")),
    }
    return json.dumps(config).encode()


def embedded_file(instance: Instance, name: str) -> bytes:
    """A document of a public instance that `sigstore` carries. Raises UnreadableError (unsupported)."""
    try:
        data = pkgutil.get_data("sigstore", f"_store/{_FOLDERS[instance]}/{name}")
    except OSError:
        data = None
    if data is None:
        raise unsupported(f"the installed version of sigstore carries no {name} of {instance}; name one")
    return data


def _object(data: bytes) -> dict[str, Json]:
    if len(data) > TRUST_ROOT_BYTES:
        raise over_limit(f"trust root of {len(data)} bytes, at most {TRUST_ROOT_BYTES} are read")
    document = parse(data, values=TRUST_ROOT_VALUES)
    if not isinstance(document, dict):
        raise malformed("a trust root is a JSON object")
    return document


def _logs(root: dict[str, Json]) -> frozenset[str]:
    logs = root.get("tlogs")
    named = [members(members(log).get("logId")) for log in (logs if isinstance(logs, list) else ())]
    return frozenset(key for log in named if (key := text(log.get("keyId"))))


def _check(root: TrustRoot) -> None:
    """The library takes it, and it names at least one authority."""
    from sigstore.errors import Error  # noqa: PLC0415 - 600 ms
    from sigstore.verify import Verifier  # noqa: PLC0415

    try:
        parsed = root.parsed()
        Verifier(trusted_root=parsed)
        parsed.get_timestamp_authorities()
    except (Error, ValueError, TypeError) as error:
        raise malformed(f"the trust root cannot be used ({type(error).__name__})") from None
