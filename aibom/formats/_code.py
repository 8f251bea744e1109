"""Python source by its syntax tree: what it would start, open, load, change or hide. Never executed.

Source: docs.python.org/3/library/ast, PEP 263 (encodings).
"""

from __future__ import annotations

import ast
import codecs
import re
import threading
import warnings
from itertools import accumulate
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit
from aibom.domain.facts import Defect
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.text import visible
from aibom.formats._code_names import DOES, OBFUSCATION
from aibom.formats._code_rules import Found, examine, in_order
from aibom.formats._code_values import Values
from aibom.readers.hazards import Hazards

CODE_BYTES: Final = 2 * MIB
# A token costs up to 900 bytes while the tree is built; the largest model file has 27,000.
TOKEN_COUNT: Final = 50_000
LINE_COUNT: Final = 200_000

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_PLAIN_ENCODINGS: Final = frozenset({
    "utf-8", "utf_8", "ascii", "us-ascii", "iso8859-1", "iso8859-15", "cp1252", "cp1251", "koi8-r",
    "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "latin-1",
})  # fmt: skip
# Other strings and comments are one token, or none; what stands in an f-string is code.
_TOKEN = re.compile(
    rb'#[^\n]*+|(?:\b[rRbBuU]{1,2}|(?<!\w))(?:"""(?:[^"\\]|\\.|"(?!""))*+"""|'
    rb"'''(?:[^'\\]|\\.|'(?!''))*+'''|"
    rb'"(?:[^"\\\n]|\\.)*+"|'
    rb"'(?:[^'\\\n]|\\.)*+')|\w++|[^\s\w]",
    re.DOTALL,
)
# The parser warns of odd escapes, and Python's switch for warnings belongs to all threads.
_WARNINGS = threading.Lock()


def examine_python(source: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    """Adds a hazard for each thing that code of a model has no use for, with its line.

    The offset is that of the line, in bytes. Returns why the source could not be looked at, or not
    in the way that Python looks at it, if so. Raises nothing.
    """
    starts = list(accumulate((len(line) for line in source.splitlines(keepends=True)), initial=0))
    try:
        if len(source) > CODE_BYTES or len(starts) > LINE_COUNT:
            raise over_limit(f"{len(source)} bytes in {len(starts)} lines are too much to examine")
        text = _decoded(source, hazards)
        _check_tokens(source)
        tree = _parsed(text, starts)
    except UnreadableError as error:
        return (Defect(reason=error.reason, message=f"Python source: {error.message}", offset=error.offset),)
    order = in_order(tree)
    values = Values(tuple(node for node, _ in order))
    values.evaluate()
    # Of two alike the surer one is told.
    for found in sorted(examine(order, values), key=lambda found: -found.confidence):
        _report(found, hazards, starts)
    return ()


def _report(found: Found, hazards: Hazards, starts: list[int]) -> None:
    at = starts[min(found.line, len(starts)) - 1] if found.line > 0 else None
    when = " when it is imported" if found.is_at_once else ""
    message = f"{DOES[found.group]}{when}: {visible(found.what)} in line {found.line}"
    name = f"{found.group}: {visible(found.what)}"
    hazards.add(HazardKind.DANGEROUS_CODE, name, message, at, found.confidence)


def _decoded(source: bytes, hazards: Hazards) -> str:
    """The text as Python decodes it; an encoding that hides code is a hazard of its own."""
    name = "utf-8"
    lines = source[:4096].splitlines()[:2]
    for number, line in enumerate(lines):
        match = _COOKIE.match(line)
        if match and (number == 0 or re.match(rb"[ \t\f]*(?:#|\Z)", lines[0])):
            name = match[1].decode("ascii", "replace")
            break
    try:
        found = codecs.lookup(name).name
        if found not in _PLAIN_ENCODINGS:
            message = f"{DOES[OBFUSCATION]}: the file is encoded as {visible(found)}"
            hazards.add(HazardKind.DANGEROUS_CODE, f"{OBFUSCATION}: encoding {visible(found)}", message, 0)
        return source.removeprefix(codecs.BOM_UTF8).decode(name)
    except UnicodeDecodeError as error:
        raise malformed(f"not encoded as {visible(name)}", error.start) from None
    except (LookupError, ValueError, TypeError, AssertionError):
        raise malformed(f"encoding {visible(name[:40])} is unknown") from None


def _check_tokens(source: bytes) -> None:
    count = 0
    for match in _TOKEN.finditer(source):
        count += source[match.start()] != ord("#")
        if count > TOKEN_COUNT:
            raise over_limit(f"more than {TOKEN_COUNT} tokens", match.start())


def _parsed(text: str, starts: list[int]) -> ast.Module:
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        line = error.lineno or 0
        at = starts[min(line, len(starts)) - 1] if line > 0 else None
        raise malformed(f"line {line}: {visible(str(error.msg))[:200]}", at) from None
    except (RecursionError, MemoryError):
        raise over_limit("an expression or block is nested too deeply") from None
    except ValueError as error:  # a null byte, a lone surrogate, an integer of too many digits
        raise malformed(visible(str(error))[:200]) from None
