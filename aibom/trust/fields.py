"""The JSON of signed documents, read strictly: every value that is not what it has to be is told by name.

Readers of scanned files drop what they cannot use. What a signature covers is different: a value
that two programs could read in two ways must not reach a verdict.
"""

from __future__ import annotations

import base64
import binascii
import json as standard_json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import STRING_CHARS
from aibom.readers import json
from aibom.readers.json import Json

_HEX: Final = re.compile(r"[0-9a-f]+")
_INT64: Final = re.compile(r"-?[0-9]{1,19}")


class Fields:
    """One object of a signed document. `null` counts as absent, as in the JSON form of protobuf.

    Every method raises UnreadableError that names the value by its path, `predicate.resources[3].name`.
    """

    __slots__ = ("_members", "where")

    def __init__(self, value: Json, where: str = "") -> None:
        if not isinstance(value, dict):
            raise malformed(f"{where or 'the document'} is not a JSON object")
        self._members = value
        self.where = where

    def path(self, key: str) -> str:
        """How messages name the member."""
        return f"{self.where}.{key}" if self.where else key

    def has(self, key: str) -> bool:
        """Whether the member is there and not null."""
        return self._members.get(key) is not None

    def only(self, known: Iterable[str]) -> None:
        """Raises unsupported for a member that a later version may have added, or an alias of a known one."""
        unknown = sorted(self._members.keys() - set(known))
        if unknown:
            raise unsupported(f"unknown member {self.path(unknown[0][:80])!r}")

    def document(self) -> Json:
        """The object itself."""
        return self._members

    def value(self, key: str) -> Json:
        """The member, which has to be there."""
        value = self._members.get(key)
        if value is None:
            raise malformed(f"{self.path(key)} is missing")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A string of at most `STRING_CHARS` characters that UTF-8 can carry."""
        if default is not None and not self.has(key):
            return default
        return checked_text(self.value(key), self.path(key))

    def texts(self, key: str, limit: int) -> tuple[str, ...]:
        """A list of strings; absent is empty."""
        return tuple(checked_text(item, f"{self.path(key)}[]") for item in self._list(key, limit))

    def all_texts(self) -> tuple[tuple[str, str], ...]:
        """Every member, all of them strings, sorted by name."""
        return tuple(sorted((checked_text(key, self.where), self.text(key)) for key in self._members))

    def one_of(self, key: str, choices: Sequence[str]) -> str:
        """A string that is one of a few."""
        value = self.text(key)
        if value not in choices:
            raise malformed(f"{self.path(key)} is {value[:40]!r}, not one of {', '.join(choices)}")
        return value

    def flag(self, key: str) -> bool:
        """A boolean."""
        value = self.value(key)
        if not isinstance(value, bool):
            raise malformed(f"{self.path(key)} is neither true nor false")
        return value

    def section(self, key: str) -> Fields:
        """An object, which has to be there."""
        return Fields(self.value(key), self.path(key))

    def optional(self, key: str) -> Fields:
        """An object; absent is empty."""
        return self.section(key) if self.has(key) else Fields({}, self.path(key))

    def sections(self, key: str, limit: int) -> tuple[Fields, ...]:
        """A list of objects; absent is empty."""
        path = self.path(key)
        return tuple(Fields(item, f"{path}[{index}]") for index, item in enumerate(self._list(key, limit)))

    def _list(self, key: str, limit: int) -> list[Json]:
        value = self._members.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise malformed(f"{self.path(key)} is not a list")
        if len(value) > limit:
            raise over_limit(f"{self.path(key)} has {len(value)} entries, at most {limit} are read")
        return value

    def int64(self, key: str) -> int | None:
        """A number that protobuf writes as text; None when absent."""
        value = self._members.get(key)
        if value is None:
            return None
        number = int(value) if isinstance(value, str) and _INT64.fullmatch(value) else value
        if type(number) is not int or not 0 <= number < 2**63:
            raise malformed(f"{self.path(key)} is not a number from 0 to 2^63 - 1")
        return number

    def base64(self, key: str) -> bytes:
        """Bytes in the standard alphabet of RFC 4648, padded, in the one canonical form, not empty."""
        value = self.value(key)
        if not isinstance(value, str) or not value:
            raise malformed(f"{self.path(key)} is not base64 text")
        try:
            # Strict mode refuses other alphabets, white space and what follows the padding.
            data = binascii.a2b_base64(value.encode("ascii"), strict_mode=True)
        except (binascii.Error, UnicodeEncodeError):
            raise malformed(f"{self.path(key)} is not standard base64 with padding") from None
        # Bits that fall off the end would let several texts stand for the same bytes.
        if base64.b64encode(data[-(len(data) % 3 or 3) :]) != value[-4:].encode("ascii"):
            raise malformed(f"{self.path(key)} is not canonical base64")
        return data

    def digest(self, key: str, algorithm: str) -> str:
        """A digest in lower-case hexadecimal, of the length of its algorithm."""
        return checked_digest(self.text(key), algorithm, self.path(key))

    def digests(self, key: str) -> tuple[tuple[str, str], ...]:
        """A DigestSet of in-toto as pairs of algorithm and value, sorted; absent is empty."""
        return self.optional(key).digest_set()

    def digest_set(self) -> tuple[tuple[str, str], ...]:
        """Every member as a digest; those of algorithms that are not known keep their text."""
        return tuple(sorted(map(self._digest, self._members)))

    def _digest(self, algorithm: str) -> tuple[str, str]:
        known = checked_text(algorithm, self.where) in HEX_CHARS
        return algorithm, self.digest(algorithm, algorithm) if known else self.text(algorithm)


def checked_text(value: Json, where: str) -> str:
    """The value as a string that can be stored and shown; raises malformed or limit."""
    if not isinstance(value, str):
        raise malformed(f"{where} is not text")
    if len(value) > STRING_CHARS:
        raise over_limit(f"{where} has {len(value)} characters, at most {STRING_CHARS} are read")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise malformed(f"{where} holds half a surrogate pair") from None
    return value


def checked_digest(value: str, algorithm: str, where: str) -> str:
    """The hexadecimal digest; raises malformed when it is truncated or in upper case."""
    if len(value) != HEX_CHARS[algorithm] or not _HEX.fullmatch(value):
        raise malformed(f"{where} is not a {algorithm} digest of {HEX_CHARS[algorithm]} lower-case digits")
    return value


def parse(data: bytes, limit: int, values: int) -> Fields:
    """The document; raises malformed (also for duplicate keys) or limit. `limit` is in bytes."""
    if len(data) > limit:
        raise over_limit(f"document of {len(data)} bytes, at most {limit} are read")
    return Fields(json.parse(data, values=values))


def canonical(document: Json) -> bytes:
    """The document as UTF-8 JSON: keys sorted, no white space; equal documents give equal bytes."""
    try:
        text = standard_json.dumps(
            document, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
        return text.encode()
    except ValueError as error:  # NaN, infinity, half a surrogate pair
        raise malformed(f"not a value of JSON: {str(error)[:80]}") from None
