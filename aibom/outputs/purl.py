"""Package URLs and versions: what is wrong with one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Names that a registry may point to other bytes tomorrow.
MOVING: Final = frozenset(
    {"main", "master", "latest", "head", "dev", "develop", "trunk", "nightly", "stable"}
)

_SHAPE = re.compile(r"pkg:[A-Za-z][A-Za-z0-9.+-]*/[!-~]+\Z")

# What nearly every package URL looks like; the library takes 25 microseconds for each.
_PLAIN = re.compile(
    r"pkg:(?!cpan/|huggingface/)[a-z][a-z0-9.+-]*/(?:[\w~-][\w.~-]*/)*[\w~-][\w.~-]*(?:@[\w.~+-]+)?\Z",
    re.ASCII,
)


def is_moving(version: str) -> bool:
    """True for a branch or alias that is commonly moved."""
    return version.lower().removeprefix("refs/heads/") in MOVING


@lru_cache(maxsize=1024)
def problem(purl: str) -> str | None:
    """Why the text is not a package URL (purl-spec), None when it is one.

    `pkg:huggingface` needs a namespace.
    """
    if _PLAIN.match(purl):
        return None
    if not _SHAPE.match(purl):
        return "not of the form pkg:type/name in printable ASCII"
    from packageurl import PackageURL  # noqa: PLC0415 - 30 ms

    try:
        parsed = PackageURL.from_string(purl)
    except ValueError as error:
        return str(error)
    if parsed.type == "huggingface" and not parsed.namespace:
        return "a huggingface package URL needs a namespace"
    return None
