"""The concrete syntax tree of JavaScript and TypeScript, within bounds.

The parser is tree-sitter's: it recovers from errors and reads what no single version of the language
allows. It is native code and not linear for every input, so what makes it deep or slow is refused first.
"""

from __future__ import annotations

import re
import time
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from aibom.domain.errors import over_limit

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Point, Tree

SOURCE_BYTES: Final = 1024 * 1024  # of code in one file; the tree takes 70 to 100 times that
NESTING: Final = 500  # brackets inside brackets
PARSE_SECONDS: Final = 4.0  # ordinary code of SOURCE_BYTES takes one
CODE_BYTES: Final = 4_096  # of one name or text
_CHUNK: Final = 1024  # copied for every look at the text of a node
# Each `<` may open type arguments, and the parser follows every reading of a run of them at once.
ANGLES: Final = 60
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"()[]{}"))
_STEPS: Final = bytes.maketrans(b"([{)]}", b"\2\2\2\0\0\0")  # one more than the change of depth
_ENDS: Final = bytes.maketrans(b">{}()", b";;;;;")
_WRAPPERS: Final = frozenset(
    (
        "parenthesized_expression",
        "await_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
    )
)


@cache
def _language(name: str) -> Language:
    # Loaded on first use: most targets hold no such code.
    import tree_sitter_javascript  # noqa: PLC0415
    import tree_sitter_typescript  # noqa: PLC0415
    from tree_sitter import Language  # noqa: PLC0415

    if name == "typescript":
        return Language(tree_sitter_typescript.language_typescript())
    if name == "tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_javascript.language())


def language_of(path: str) -> str:
    """The grammar for a path; the parts of Vue and Svelte may hold either language."""
    if path.endswith(".tsx"):
        return "tsx"
    return "typescript" if path.endswith((".ts", ".mts", ".cts", ".vue", ".svelte")) else "javascript"


def parse(data: bytes, language: str) -> Tree:
    """The syntax tree; errors are nodes of it. Raises limit."""
    from tree_sitter import Parser  # noqa: PLC0415

    if len(data) > SOURCE_BYTES:
        raise over_limit(f"{len(data)} bytes of code, more than {SOURCE_BYTES}")
    if _nesting(data) > NESTING:
        raise over_limit(f"brackets nested deeper than {NESTING}")
    if _angles(data) > ANGLES:
        raise over_limit(f"more than {ANGLES} angle brackets that are not closed")
    end = time.monotonic() + PARSE_SECONDS

    def chunk(offset: int, _: Point) -> bytes:
        return data[offset : offset + _CHUNK]

    try:
        # A parser that gave up goes on where it was: each text gets its own.
        return Parser(_language(language)).parse(chunk, progress_callback=lambda *_: time.monotonic() > end)
    except ValueError:
        raise over_limit(f"more than {PARSE_SECONDS:.0f} seconds of parsing") from None


def _nesting(data: bytes) -> int:
    """How deep brackets are nested; those in texts count as well, which only makes it larger."""
    steps = data.translate(_STEPS, _NO_BRACKETS)
    return max(accumulate(steps, lambda depth, step: max(0, depth + step - 1), initial=0))


def _angles(data: bytes) -> int:
    """How many `<` stand between two characters that end a list of types."""
    return max(part.count(b"<") for part in data.translate(_ENDS).split(b";"))


def code_of(node: Node) -> str:
    """The text of a node as it is written; nothing for one that is too long to be a name."""
    if node.end_byte - node.start_byte > CODE_BYTES:
        return ""
    return (node.text or b"").decode("utf-8", "replace")


def unwrapped(node: Node) -> Node:
    """The expression inside of brackets, `await`, and what TypeScript says about it."""
    for _ in range(NESTING):
        if node.type == "type_assertion":
            inner = node.named_children[-1:]
        elif node.type in _WRAPPERS:
            inner = [child for child in node.named_children[:2] if child.type != "comment"]
        else:
            return node
        if not inner:
            return node
        node = inner[0]
    return node


_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def literal(node: Node) -> str | None:
    """The value of a string or of a fragment of one; None when it is not text."""
    if node.type != "string":
        return _fragment(node)
    parts = [_fragment(child) for child in node.named_children[:100]]
    return None if None in parts else "".join(part or "" for part in parts)


def _fragment(node: Node) -> str | None:
    text = code_of(node)
    if not text:
        return None
    if node.type == "escape_sequence":
        return _escape(text[1:])
    return text if node.type == "string_fragment" and "\ufffd" not in text else None


def _escape(text: str) -> str | None:
    digits = text[1:].strip("{}")
    if text[:1] in ("u", "x") and digits:
        code = int(digits, 16) if re.fullmatch("[0-9a-fA-F]{1,6}", digits) else -1
        # Halves of pairs are no characters.
        return chr(code) if 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000 else None
    return _ESCAPES.get(text, text)


def key_of(node: Node) -> str | None:
    """The name of a property: plain, private, quoted, or a number."""
    if node.type == "string":
        return literal(node)
    if node.type == "computed_property_name":
        return literal(node.named_children[0]) if node.named_child_count else None
    return code_of(node)
