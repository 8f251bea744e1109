"""The values that a document is made of: shown text, properties, web addresses."""

from __future__ import annotations

import re
from typing import Final, TypeAlias
from urllib.parse import quote

from aibom.domain.limits import STRING_CHARS
from aibom.domain.text import capped, visible

Json: TypeAlias = dict[str, object]

# The characters of RFC 3986, so that quoting leaves what is already quoted alone.
_URL_SAFE: Final = ":/?#[]@!$&'()*+,;=%-._~"
_USERINFO = re.compile(r"(?<=://)[^/?#@\s]*@")
_URL = re.compile(
    r"(?:https?|git|ssh|oci|s3)://[A-Za-z0-9._-]+(?::[0-9]{1,5})?"
    r"(?:/(?:[A-Za-z0-9._~:@!$&'()*+,;=/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:[?](?:[A-Za-z0-9._~:@!$&'()*+,;=/?-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~:@!$&'()*+,;=/?-]|%[0-9A-Fa-f]{2})*)?\Z"
)
_URL_CHARS: Final = 2_048


def shown(text: str, limit: int = STRING_CHARS) -> str:
    """Text of a scanned place, without invisible characters and no longer than a fact may be."""
    return capped(visible(text), limit)


def title(text: str) -> str:
    """A name, which must not be empty."""
    return shown(text) or "(unnamed)"


def prop(name: str, value: str) -> Json:
    """One entry of `properties`."""
    return {"name": name, "value": value}


def present(**values: object) -> Json:
    """The object without its empty members; `_` in a key stands for `-`."""
    return {
        key.replace("_", "-"): value
        for key, value in values.items()
        if value is not None and value not in ("", [], {}, ())
    }


def without_credentials(text: str) -> str:
    """The text without the user and password of any web address in it."""
    return _USERINFO.sub("", text)


def url(text: str) -> str | None:
    """The absolute web address in a text, None when it is none. Credentials in it are left out."""
    if len(text) > _URL_CHARS:
        return None
    address = without_credentials(quote(text.strip(), safe=_URL_SAFE, errors="replace"))
    return address if _URL.match(address) else None
