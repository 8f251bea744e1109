"""Whether the name in a certificate is the name that one expects."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.trust.pattern import Pattern

IDENTITY_CHARS: Final = 2_048

# Names that nobody can hold (RFC 2606, RFC 6761). A pattern that lets one of them in expects nobody.
STRANGERS: Final = (
    "",
    "x",
    "Stranger",
    "stranger.invalid",
    "stranger@mail.stranger.invalid",
    "https://stranger.invalid",
    "https://stranger.invalid/stranger/stranger/.github/workflows/stranger.yml@refs/heads/stranger",
    "spiffe://stranger.invalid/stranger",
)


def matches(found: str, expected: str, *, pattern: bool) -> bool:
    """Whether `found` is the expected name: the same code points, or a match of the whole text.

    Nothing is folded or normalised. Raises what `check_expected` raises.
    """
    check_expected(expected, pattern=pattern)
    return _compiled(expected).matches(found) if pattern else found == expected


def check_expected(expected: str, *, pattern: bool) -> None:
    """Refuses an expectation that names nobody in particular: empty, or a pattern such as `.*`.

    Raises UnreadableError (malformed, unsupported, limit): it is a mistake of the caller, not of a
    signature.
    """
    if not expected:
        raise malformed("an identity has to be expected, and it is empty")
    if len(expected) > IDENTITY_CHARS:
        raise over_limit(f"expected identity of {len(expected)} characters, at most {IDENTITY_CHARS}")
    if pattern:
        _compiled(expected)


@lru_cache(maxsize=64)
def _compiled(expected: str) -> Pattern:
    compiled = Pattern(expected)
    for stranger in STRANGERS:
        if compiled.matches(stranger):
            raise malformed(f"the pattern lets anybody in, for example {stranger!r}: name whom you expect")
    return compiled
