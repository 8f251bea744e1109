"""Python source as a syntax tree, with bounds: nothing is imported, nothing is executed."""

from __future__ import annotations

import ast
import gc
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, over_limit
from aibom.domain.limits import KIB, MIB

SOURCE_BYTES: Final = 4 * MIB  # of one file of code; larger ones are data
# Signs between which names stand; a tree takes about 1.5 KB of memory for each. The densest file
# of the 23,000 most used ones has 116,000 of them.
SIGN_COUNT: Final = 120_000
_SIGNS: Final = (b"(", b",", b".", b"=", b"\n", b";", b"+", b"[", b"{")
_CUT_COUNT: Final = 20  # places where a file that is too long may be cut
_CUT_BYTES: Final = 64 * KIB  # before each of them in which a statement has to start
_STATEMENT = re.compile(rb"\n(?=[A-Za-z_@])")
_VERSION: Final = f"{sys.version_info[0]}.{sys.version_info[1]}"


def parse(data: bytes) -> ast.Module:
    """The syntax tree. Raises malformed (with the line in the message) or limit."""
    if len(data) > SOURCE_BYTES:
        raise over_limit(f"{len(data)} bytes of code, more than {SOURCE_BYTES}")
    if sign_count(data) > SIGN_COUNT:
        raise over_limit(f"code with more than {SIGN_COUNT} signs")
    try:
        with warnings.catch_warnings(), no_collection():
            # The parser warns about invalid escapes of old code.
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except SyntaxError as error:
        raise _refused(error) from None
    except (RecursionError, MemoryError):
        raise over_limit("the code is nested too deeply") from None
    except ValueError as error:
        raise malformed(f"not Python: {error}") from None


def _refused(error: SyntaxError) -> UnreadableError:
    where = f"line {error.lineno}: " if error.lineno else ""
    if error.msg.startswith("too many"):
        return over_limit(f"{where}{error.msg}")
    return malformed(f"not Python {_VERSION}: {where}{error.msg}")


def sign_count(data: bytes) -> int:
    """How many signs between names there are: what a syntax tree of the code is measured by."""
    return sum(map(data.count, _SIGNS))


def head(data: bytes) -> bytes:
    """As many whole top-level statements from the start as the bounds allow; all of it as a rule."""
    signs = sign_count(data)
    if len(data) <= SOURCE_BYTES and signs <= SIGN_COUNT:
        return data
    end = min(SOURCE_BYTES, len(data) * SIGN_COUNT // signs)
    for _ in range(_CUT_COUNT):
        lines = [match.start() for match in _STATEMENT.finditer(data, max(0, end - _CUT_BYTES), end)]
        if lines and sign_count(data[: lines[-1]]) <= SIGN_COUNT:
            return data[: lines[-1] + 1]
        end = end * 9 // 10
    return b""


@contextmanager
def no_collection() -> Iterator[None]:
    """Without the garbage collector: it would go through a growing tree again and again."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
