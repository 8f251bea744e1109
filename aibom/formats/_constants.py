"""What operations on constants come to, so that a name cannot hide in pieces: bounded folding.

Bytes are taken for texts of the same code points, so that encoding and decoding changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice, product
from typing import Final, TypeAlias

Scalar: TypeAlias = str | int
Value: TypeAlias = Scalar | tuple[Scalar, ...]
Options: TypeAlias = tuple[Value, ...]  # what an expression can be; empty: unknown

OPTION_COUNT: Final = 8
TEXT_CHARS: Final = 256  # of a text that is put together; names are short
LITERAL_CHARS: Final = 4_096  # of one that names can be cut out of
ITEM_COUNT: Final = 128
_INTEGER: Final = 2**63

_PLAIN_FIELD = re.compile(r"%[scd]|\{(\d?)\}")
_TEXT_METHODS = frozenset({
    "lower", "upper", "strip", "lstrip", "rstrip", "title", "capitalize", "swapcase", "casefold",
    "removeprefix", "removesuffix", "split", "rsplit", "splitlines",
})  # fmt: skip


def kept(found: Iterable[Value | None], limit: int = TEXT_CHARS) -> Options:
    """The first options of a bearable size; texts up to `limit` characters."""
    options: list[Value] = []
    for value in found:
        if value is None:
            continue
        if isinstance(value, int):
            fits = not isinstance(value, bool) and abs(value) < _INTEGER
        else:
            fits = len(value) <= (limit if isinstance(value, str) else ITEM_COUNT)
        if fits:
            options.append(value)
    return tuple(dict.fromkeys(options))[:OPTION_COUNT]


def combined(operate: Callable[[tuple[Value, ...]], Value | None], *parts: Options) -> Options:
    """The outcome for every choice of operands; unknown when one of them is."""
    if not all(parts):
        return ()
    return kept(operate(chosen) for chosen in islice(product(*parts), OPTION_COUNT))


def elements(options: Options) -> Options:
    """What a loop over one of the options gives, one after the other."""
    return kept(item for option in options if not isinstance(option, int) for item in option[:OPTION_COUNT])


def listed(items: tuple[Value, ...]) -> Value | None:
    """A list, but none of lists: shared ones could grow exponentially."""
    flat = tuple(item for item in items if not isinstance(item, tuple))
    return flat if len(flat) == len(items) <= ITEM_COUNT else None


def concatenated(items: tuple[Value, ...]) -> Value | None:
    """All items as one text."""
    if len(items) > ITEM_COUNT or any(isinstance(item, tuple) for item in items):
        return None
    return "".join(str(item) for item in items)


def computed(operator: str, left: Value, right: Value) -> Value | None:
    """The outcome of one operator, spelt as in Python and Jinja."""
    if isinstance(left, int) and isinstance(right, int):
        return _arithmetic(operator, left, right)
    if operator == "*":
        return _repeated(right, left) if isinstance(left, int) else _repeated(left, right)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left + right if operator == "+" else None
    if not isinstance(left, str):
        return None
    if operator == "%":
        return formatted(left, right if isinstance(right, tuple) else (right,))
    separator = {"+": "", "/": "/"}.get(operator)  # the second joins paths
    return left + separator + right if isinstance(right, str) and separator is not None else None


def _repeated(value: Value, times: Value) -> Value | None:
    if isinstance(value, int) or not isinstance(times, int):
        return None
    return value * times if 0 <= times * len(value) <= TEXT_CHARS else None


def _arithmetic(operator: str, left: int, right: int) -> Value | None:
    if operator == "**":
        return left**right if right >= 0 and left.bit_length() * right < 64 else None
    if operator in ("//", "%"):
        return None if right == 0 else left // right if operator == "//" else left % right
    return {"+": left + right, "-": left - right, "*": left * right, "^": left ^ right}.get(operator)


def formatted(pattern: str, values: tuple[Scalar, ...]) -> Value | None:
    """`%s`, `%c`, `%d` and `{}` without widths, which could ask for gigabytes."""
    used = iter(values)

    def replaced(match: re.Match[str]) -> str:
        value = values[int(match[1])] if match[1] else next(used)
        return chr(value) if match[0] == "%c" and isinstance(value, int) else str(value)

    try:
        return _PLAIN_FIELD.sub(replaced, pattern)
    except (IndexError, StopIteration, ValueError, OverflowError):
        return None


def cut(options: Options, start: Options, stop: Options, step: Options) -> Options:
    """The options between two places, where those are known."""
    ends = [next((end for end in each if isinstance(end, int) and end), None) for each in (start, stop, step)]
    return kept(option[slice(*ends)] for option in options if not isinstance(option, int))


def picked(pair: tuple[Value, ...]) -> Value | None:
    """One character or item."""
    holder, index = pair
    if isinstance(holder, int) or not isinstance(index, int) or not -len(holder) <= index < len(holder):
        return None
    return holder[index]


def applied(name: str, own: Value, arguments: tuple[Value, ...]) -> Value | None:
    """A filter of Jinja or a method of Python, where both do the same to a text."""
    if isinstance(own, int):
        return None
    texts = tuple(each for each in arguments if isinstance(each, str))
    if name == "join":
        return concatenated(_between(texts[0] if texts else "", tuple(own)))
    if name in ("first", "last"):
        return own[0 if name == "first" else -1] if own else None
    if name == "reverse":
        return own[::-1]
    return _rewritten(name, own, texts, arguments) if isinstance(own, str) else None


def _rewritten(name: str, own: str, texts: tuple[str, ...], arguments: tuple[Value, ...]) -> Value | None:
    if name == "replace" and len(texts) == 2:
        fits = (len(own) + 1) * (len(texts[1]) + 1) <= TEXT_CHARS * TEXT_CHARS
        return own.replace(*texts) if fits else None
    if name == "format":
        return formatted(own, tuple(each for each in arguments if not isinstance(each, tuple)))
    if name == "trim":
        return own.strip(*texts[:1])
    return _method(name, own, texts) if name in _TEXT_METHODS else None


def _method(name: str, own: str, arguments: tuple[str, ...]) -> Value | None:
    try:
        found = getattr(own, name)(*arguments[:1])
    except (TypeError, ValueError):
        return None
    return tuple(found[: ITEM_COUNT + 1]) if isinstance(found, list) else found


def _between(separator: str, items: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    found: list[Scalar] = []
    for item in items[: ITEM_COUNT // 2]:
        found += (separator, item)
    return tuple(found[1:])
