"""Values under a declared schema, from the text of a CSV cell and from JSON.

Times are ISO 8601 (or a number of units), decimals and integers are plain digits, bytes are base64.
What would lose a digit is refused: a declared type is a promise, and a rounded value another one.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final, cast

from aibom.domain.dataset import ABSENT, Kind, Type, Unit
from aibom.domain.errors import malformed, over_limit, unsupported

DIGIT_COUNT: Final = 4_300  # of one number; turning more into an integer takes quadratic time

Convert = Callable[[object], object]

_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z")
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?\Z")
_DECIMAL: Final = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?\Z")
_NAMED_FLOAT: Final = re.compile(r"(?i)[+-]?(?:nan|inf|infinity)\Z")
_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?")
_STAMP: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](.*))?\Z")
_ZONE: Final = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})\Z")
_TRUTH: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WIDTHS: Final = {Kind.FLOAT16: "<e", Kind.FLOAT32: "<f", Kind.FLOAT64: "<d"}
_EPOCH: Final = date(1970, 1, 1).toordinal()


class NumberText(str):
    """A number of JSON as it is written, kept where a float would lose digits."""

    __slots__ = ()


def digits(text: str) -> int:
    """An integer in decimal. Raises limit beyond DIGIT_COUNT."""
    if len(text) > DIGIT_COUNT:
        raise over_limit(f"a number of more than {DIGIT_COUNT} digits")
    return int(text)


def number(text: str) -> float:
    """The nearest float64. Raises malformed when only infinity is near."""
    value = float(text)
    if not math.isfinite(value):
        raise malformed(f"{text[:40]} is beyond any float64")
    return value


def converter(kind: Type, *, textual: bool) -> Convert:
    """From JSON, or from a cell when `textual`, to values of a type. Raises what the values raise."""
    inner = _converter(kind, textual=textual)

    def convert(value: object) -> object:
        if value is None or value is ABSENT:
            return None
        return inner(value)

    return convert


def _converter(kind: Type, *, textual: bool) -> Convert:
    if kind.kind in (Kind.LIST, Kind.MAP, Kind.STRUCT):
        if textual:
            raise unsupported(f"a cell cannot hold a {kind.kind}")
        return _nested(kind)
    return {
        Kind.NULL: _null,
        Kind.BOOL: _truth,
        Kind.INT: _integer,
        Kind.STRING: _string,
        Kind.BYTES: _bytes,
        Kind.DATE: _date,
        Kind.DECIMAL: lambda value: _fraction(_written(value), kind.scale),
        Kind.TIME: lambda value: _counted(value, kind, _time),
        Kind.DURATION: lambda value: _counted(value, kind, _no_text),
        Kind.TIMESTAMP: lambda value: _counted(value, kind, _timestamp),
    }.get(kind.kind) or _float_of(kind.kind)


def _nested(kind: Type) -> Convert:
    parts = [converter(field.type, textual=False) for field in kind.fields]
    names = [field.name for field in kind.fields]

    def items(value: object) -> object:
        return [parts[0](item) for item in _list(value)]

    def pairs(value: object) -> object:
        found = list(value.items()) if isinstance(value, dict) else list(map(_list, _list(value)))
        if any(len(pair) != 2 for pair in found):
            raise malformed("a map is written as an object or as pairs")
        return [(parts[0](key), parts[1](item)) for key, item in found]

    def members(value: object) -> object:
        if not isinstance(value, dict):
            raise malformed("an object is expected")
        if not value.keys() <= set(names):
            raise malformed(f"the schema has no field {min(value.keys() - set(names))[:80]!r}")
        return {name: part(value.get(name)) for name, part in zip(names, parts, strict=True)}

    return {Kind.LIST: items, Kind.MAP: pairs, Kind.STRUCT: members}[kind.kind]


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise malformed("an array is expected")
    return value


def _null(value: object) -> object:
    raise malformed(f"{_shown(value)} in a column of nulls")


def _shown(value: object) -> str:
    return repr(value)[:40] if isinstance(value, str | int | float | bool) else f"a {type(value).__name__}"


def _truth(value: object) -> bool:
    found = value if isinstance(value, bool) else _TRUTH.get(value) if isinstance(value, str) else None
    if found is None:
        raise malformed(f"{_shown(value)} is not a truth value")
    return found


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return digits(value)
    raise malformed(f"{_shown(value)} is not an integer")


def _float_of(kind: Kind) -> Convert:
    pack = struct.Struct(_WIDTHS[kind])

    def convert(value: object) -> object:
        found = _float(value)
        try:
            pack.pack(found)
        except OverflowError:
            raise malformed(f"{_shown(value)} is beyond any {kind}") from None
        return found

    return convert


def _float(value: object) -> float:
    if isinstance(value, str):
        if _FLOAT.match(value):
            return number(value)
        if _NAMED_FLOAT.match(value) and not isinstance(value, NumberText):
            return float(value)
    elif type(value) is float and math.isfinite(value):
        return value
    elif type(value) is int and abs(value) <= 1 << 53:
        return float(value)
    raise malformed(f"{_shown(value)} is not a number that a float holds")


def _string(value: object) -> str:
    if type(value) is str:
        return value
    raise malformed(f"{_shown(value)} is not a string")


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(_string(value), validate=True)
    except (binascii.Error, ValueError):
        raise malformed(f"{_shown(value)} is not base64") from None


def _written(value: object) -> str:
    if type(value) is int or isinstance(value, str):
        return str(value)
    raise malformed(f"{_shown(value)} is not a decimal as it was written")


def _fraction(written: str, scale: int) -> int:
    """The number of units of 10^-scale; every digit must find a place."""
    match = _DECIMAL.match(written)
    if match is None or len(written) > DIGIT_COUNT:
        raise malformed(f"{written[:40]!r} is not a decimal of at most {DIGIT_COUNT} digits")
    sign, front, back, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    shift = scale - len(back) + exponent
    found = digits(sign + front + back)
    if shift > DIGIT_COUNT or (shift < -DIGIT_COUNT and found):
        raise over_limit(f"a number of more than {DIGIT_COUNT} digits")
    if shift >= 0 or not found:
        return found * _power(max(0, shift))
    quotient, rest = divmod(found, _power(-shift))
    if rest:
        raise malformed(f"{written[:40]!r} has more than {scale} decimal places")
    return quotient


def _power(exponent: int) -> int:
    found: int = 10**exponent
    return found


def _date(value: object) -> int:
    if type(value) is int:
        return value
    try:
        return date.fromisoformat(_string(value)).toordinal() - _EPOCH
    except ValueError:
        raise malformed(f"{_shown(value)} is not a date") from None


def _counted(value: object, kind: Type, parse: Callable[[str, Type], int]) -> int:
    if type(value) is int:
        return value
    written = _string(value)
    return digits(written) if _INTEGER.match(written) else parse(written, kind)


def _no_text(written: str, kind: Type) -> int:
    raise malformed(f"{written[:40]!r} is not a number of {kind.unit}")


def _time(written: str, kind: Type) -> int:
    seconds, fraction, rest = _clock(written)
    if rest:
        raise malformed(f"{written[:40]!r} is not a time")
    return _in_units(seconds, fraction, cast("Unit", kind.unit), written)


def _clock(written: str) -> tuple[int, str, str]:
    """Seconds, decimal places, and what follows."""
    match = _TIME.match(written)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
        raise malformed(f"{written[:40]!r} is not a time")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]), match[4] or "", written[match.end() :]


def _in_units(seconds: int, fraction: str, unit: Unit, written: str) -> int:
    kept, lost = fraction[: unit.digits], fraction[unit.digits :]
    if lost.strip("0"):
        raise malformed(f"{written[:40]!r} is finer than {unit}")
    return seconds * _power(unit.digits) + int(kept.ljust(unit.digits, "0") or 0)


def _timestamp(written: str, kind: Type) -> int:
    match = _STAMP.match(written)
    if match is None:
        raise malformed(f"{written[:40]!r} is not a timestamp")
    days = _date(match[1])
    seconds, fraction, zone = _clock(match[2]) if match[2] else (0, "", "")
    if bool(zone) is not (kind.zone is not None) or (zone and not _ZONE.match(zone)):
        wanted = "without" if kind.zone is None else "with"
        raise malformed(f"{written[:40]!r} is not a timestamp {wanted} a zone")
    return _in_units(days * 86_400 + seconds - _offset(zone), fraction, cast("Unit", kind.unit), written)


def _offset(zone: str) -> int:
    """Seconds that a zone is ahead of UTC."""
    if zone in ("", "Z"):
        return 0
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 23 or minutes > 59:
        raise malformed(f"{zone} is not a zone")
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
