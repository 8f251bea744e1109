"""An expression of a policy in the Common Expression Language: true, false, or nobody can tell.

The language is that of cel.dev; the library is the optional extra `cel`. It gives errors back as
non-empty texts, so that nothing but a boolean counts here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

EXPRESSION_CHARS: Final = 1_024
# The library bounds how often an expression iterates (10,000), and not how much it makes: a `map` can
# double something, and forty of them fill every memory.
MAP_COUNT: Final = 1
INSTALL: Final = "expressions need the extra cel: pip install 'aibom[cel]'"

_MAP: Final = re.compile(r"\bmap\b")
_PLACE: Final = re.compile(
    r"<input>:(-?[0-9]+):(-?[0-9]+): ([^\n]*?)(?: \(in container ''\))?$", re.MULTILINE
)
_UNKNOWN: Final = re.compile(r"undeclared reference to '([^']*)'")
_FAILURES: Final = (RuntimeError, ValueError, TypeError, ArithmeticError, LookupError)
_ANYTHING: Final = ("BOOL", "DYN")


class ExpressionError(ValueError):
    """The text is no expression that can be judged by; the words say why, and where in it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression."""

    text: str
    _program: Any  # the library has no types

    @classmethod
    def compile(cls, text: str, names: Collection[str]) -> Expression:
        """The expression over variables such as `component.name`, of which it may use no others.

        Raises `ExpressionError`: too long, no expression, an unknown name, never a truth, no library.
        """
        if len(text) > EXPRESSION_CHARS:
            raise ExpressionError(f"the expression is longer than {EXPRESSION_CHARS:,} characters")
        if len(_MAP.findall(text)) > MAP_COUNT:
            raise ExpressionError(f"the expression uses map more than {_times(MAP_COUNT)}")
        checking, running = _environments(tuple(names))
        try:
            checking.compile(text)
            program = running.compile(text)
        except _FAILURES as error:
            raise ExpressionError(_told(str(error), names)) from None
        kind = program.return_type().name()
        if kind not in _ANYTHING:
            raise ExpressionError(f"the expression is a {kind}, and has to be true or false")
        return cls(text, program)

    def evaluate(self, values: Mapping[str, Mapping[str, object]]) -> bool | None:
        """Its value for the members of each variable; None for errors, other values, and spent budgets."""
        try:
            found = self._program.eval(data=dict(values))
            value = found.value() if found.type().name() == "BOOL" else None
        except _FAILURES:
            return None
        return value if isinstance(value, bool) else None


@lru_cache(maxsize=4)
def _environments(names: tuple[str, ...]) -> tuple[Any, Any]:
    """One that knows every name, and one that tells a member that is not there from one that is."""
    try:
        from cel_expr_python import cel  # noqa: PLC0415 - optional
    except ImportError:
        raise ExpressionError(INSTALL) from None
    whole = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    roots = {name.partition(".")[0]: whole for name in names}
    return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN)), cel.NewEnv(variables=roots)


def _told(error: str, names: Collection[str]) -> str:
    """The first complaint, with its line and column in the expression."""
    found = _PLACE.search(error)
    if found is None:
        return f"not an expression: {error.partition(chr(10))[0]}"
    line, column, words = found.groups()
    unknown = _UNKNOWN.search(words)
    near = get_close_matches(unknown[1], names, n=1) if unknown else []
    hint = f", did you mean {near[0]!r}?" if near else ""
    place = f" at {line}:{column} of the expression" if int(line) > 0 else ""
    return f"{words}{hint}{place}" if not hint else f"{words}{place}{hint}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
