"""Names of keys on tokens: `pkcs11:` URIs (RFC 7512), read strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import KIB

PIN_VARIABLE: Final = "AIBOM_PKCS11_PIN"
URI_CHARS: Final = 4 * KIB
TOKEN_ATTRIBUTES: Final = ("token", "manufacturer", "serial", "model")  # what a URI says about the token
_SCHEME: Final = "pkcs11:"
_PATH: Final = (*TOKEN_ATTRIBUTES, "object", "id", "type")
_QUERY: Final = ("module-path",)
_PIN: Final = ("pin-value", "pin-source")
# RFC 7512, section 2.3: pk11-pchar and pk11-qchar.
_PATH_VALUE: Final = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})+")
_QUERY_VALUE: Final = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=/?|-]|%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUri:
    """One private key, as a `pkcs11:` URI names it (RFC 7512)."""

    token: Mapping[str, str]  # attributes that the token has to have
    label: str | None = None  # CKA_LABEL
    id: bytes | None = None  # CKA_ID
    module: str | None = None  # path of the shared library


def is_pkcs11(text: str) -> bool:
    """Whether this names a key on a token, and not a file."""
    return text[: len(_SCHEME)].lower() == _SCHEME


def read_uri(uri: str) -> KeyUri:
    """The key that a URI names, by label, id or both.

    Raises UnreadableError (malformed, unsupported, limit), without any of the values: one of them could
    be a PIN. Attributes that would not be heeded are refused, for the key could be another one.
    """
    if len(uri) > URI_CHARS:
        raise over_limit(f"pkcs11: URI of {len(uri)} characters, at most {URI_CHARS} are read")
    if not is_pkcs11(uri):
        raise malformed("not a pkcs11: URI")
    path, _, query = uri[len(_SCHEME) :].partition("?")
    found = _attributes(path.split(";"), _PATH, _PATH_VALUE)
    module = _attributes(query.split("&"), _QUERY, _QUERY_VALUE).get("module-path")
    if found.get("type", b"private") != b"private":
        raise unsupported("pkcs11: URI: signing takes a key of `type=private`")
    if not found.keys() & {"object", "id"}:
        raise malformed("pkcs11: URI: name the key by `object=LABEL` or `id=%01`")
    return KeyUri(
        token={name: _text(name, found[name]) for name in TOKEN_ATTRIBUTES if name in found},
        label=_text("object", found["object"]) if "object" in found else None,
        id=found.get("id"),
        module=_text("module-path", module) if module else None,
    )


def _attributes(parts: Sequence[str], names: Sequence[str], value_form: re.Pattern[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in parts if parts != [""] else ():
        name, _, value = part.partition("=")
        if name in _PIN:
            raise unsupported(f"pkcs11: URI: a PIN is taken from the variable {PIN_VARIABLE} only")
        if name not in names:
            raise unsupported(f"pkcs11: URI: an attribute other than {', '.join((*_PATH, *_QUERY))}")
        if name in found:
            raise malformed(f"pkcs11: URI: `{name}` stands there twice")
        if not value_form.fullmatch(value):
            raise malformed(f"pkcs11: URI: `{name}` is empty or not percent-encoded (RFC 7512)")
        found[name] = unquote_to_bytes(value)
    return found


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise malformed(f"pkcs11: URI: `{name}` is not UTF-8") from None
    if not text.isprintable():
        raise malformed(f"pkcs11: URI: `{name}` has control characters")
    return text
