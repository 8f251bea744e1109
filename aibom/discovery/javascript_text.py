"""The texts that an expression in JavaScript or TypeScript can be."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

from aibom.discovery.javascript_members import OPTION_COUNT, Value, arguments
from aibom.discovery.javascript_tree import code_of, literal
from aibom.discovery.javascript_values import Values

if TYPE_CHECKING:
    from tree_sitter import Node

_TEXT_CHARS: Final = 2_048
_PARTS: Final = 64  # of one concatenation
_SAME: Final = frozenset(("trim", "toString", "toLowerCase", "normalize"))
_JOINS: Final = frozenset(("join", "resolve"))
# Folders that are known to the program only; a path below one of them is told from there.
_HERE: Final = frozenset(
    ("__dirname", "process.cwd()", "import.meta.dirname", "import.meta.url", "Deno.cwd()")
)


def texts(values: Values, found: list[Value], depth: int = 0) -> list[str]:
    """Every text among the values, in order of the source; nothing for those that are not known."""
    all_ = [text for value in found for text in _text(values, value, depth + 1)]
    return list(dict.fromkeys(all_))[:OPTION_COUNT]


def _text(values: Values, value: Value, depth: int) -> list[str]:
    if value.node is None or values.spent(depth):
        return []
    node = value.node
    if node.type == "string":
        text = literal(node)
        return [text] if text is not None and len(text) <= _TEXT_CHARS else []
    if node.type == "template_string":
        return _joined([_part(values, value, child, depth) for child in node.named_children[:_PARTS]])
    if node.type == "binary_expression":
        return _joined([_of(values, value, child, depth) for child in _added(node)])
    if node.type in ("call_expression", "new_expression"):
        return _called(values, value, node, depth)
    return []


def _of(values: Values, value: Value, node: Node, depth: int) -> list[str]:
    if code_of(node) in _HERE:
        return ["."]
    return texts(values, values.follow(replace(value, node=node), depth + 1), depth + 1)


def _part(values: Values, value: Value, node: Node, depth: int) -> list[str]:
    if node.type != "template_substitution":
        text = literal(node)
        return [text] if text is not None else []
    inner = node.named_children[:1]
    if inner and inner[0].type == "number":
        return [code_of(inner[0])]
    return _of(values, value, inner[0], depth) if inner else []


def _added(node: Node) -> list[Node]:
    """The parts of `a + b + c`; nothing for other operators."""
    parts: list[Node] = []
    while node.type == "binary_expression" and len(parts) < _PARTS:
        operator, right = node.child_by_field_name("operator"), node.child_by_field_name("right")
        left = node.child_by_field_name("left")
        if operator is None or operator.type != "+" or left is None or right is None:
            return []
        parts.append(right)
        node = left
    return [node, *reversed(parts)] if len(parts) < _PARTS else []


def _joined(parts: list[list[str]]) -> list[str]:
    """Every combination; nothing when one part is unknown."""
    combinations = 1
    for options in parts:
        combinations *= len(options)
    if not 0 < combinations <= OPTION_COUNT or sum(len(options[0]) for options in parts) > _TEXT_CHARS:
        return []
    return ["".join(options) for options in product(*parts)]


def _called(values: Values, value: Value, node: Node, depth: int) -> list[str]:
    """Calls that give a text back: `String(x)`, `x.trim()`, `path.join(...)`, `new URL(x, here)`."""
    callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    given = arguments(node)
    if callee is None:
        return []
    if callee.type == "identifier" and code_of(callee) in ("String", "URL", "fileURLToPath") and given:
        return _of(values, value, given[0], depth)
    if callee.type in ("identifier", "member_expression") and (
        origin := values.origin(replace(value, node=node), depth)
    ):
        verb = origin.path.removesuffix("()").rpartition(".")[2]
        if origin.module in ("path", "node:path", "path/posix") and verb in _JOINS:
            whole = _joined([part for each in given for part in (_of(values, value, each, depth), ["/"])])
            return [posixpath.normpath(text) for text in whole]
        if origin.module in ("url", "node:url") and verb == "fileURLToPath" and given:
            return _of(values, value, given[0], depth)
    owner, name = callee.child_by_field_name("object"), callee.child_by_field_name("property")
    if owner is None or name is None:
        return []
    if code_of(name) in _SAME:
        return _of(values, value, owner, depth)
    # Schemas of settings: `z.string().default("name")`.
    return _of(values, value, given[0], depth) if code_of(name) == "default" and given else []
