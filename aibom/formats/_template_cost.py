"""How long a template runs and how much it writes, as far as its constants tell.

A conversation of any length is no constant: a loop over messages counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jinja2 import nodes

from aibom.domain.hazard import HazardKind
from aibom.formats._template_recursion import Found, doubling, recursive, unending
from aibom.formats._template_tree import Tree, key_of, passed
from aibom.readers.hazards import Hazards

RANGE_COUNT: Final = 10_000
STEP_COUNT: Final = 1_000_000  # nodes that are evaluated
WRITTEN_CHARS: Final = 2_000_000  # a template of the largest size itself has half of it
_ROUND_COUNT: Final = 16

_WIDTH = re.compile(r"[%:][^%{}a-zA-Z]{0,8}?\d{7,}")  # "%1000000000d", "{:>1000000000}"
_SIZED = frozenset({"center", "ljust", "rjust", "zfill", "indent", "expandtabs", "slice", "batch"})
_KEPT = (nodes.Assign, nodes.AssignBlock, nodes.Macro)
_ENORMOUS = "asks for an enormous text"


def examine(tree: Tree, hazards: Hazards, offset: int | None) -> None:
    """Adds a hazard for each construct that is out of all proportion."""

    macros = {node.name: node for node in tree.ordered if isinstance(node, nodes.Macro)}
    for found, what, line in (*_oversized(tree), *unending(tree.root), *doubling(macros)):
        message = f"the chat template {what} in line {line}"
        hazards.add(HazardKind.ENDLESS_TEMPLATE, found, message, offset)
    if _steps(tree, macros) > STEP_COUNT:
        message = f"the chat template takes more than {STEP_COUNT} steps"
        hazards.add(HazardKind.ENDLESS_TEMPLATE, "nested loops", message, offset)
    if _written(tree) > WRITTEN_CHARS:
        message = f"the chat template writes more than {WRITTEN_CHARS} characters"
        hazards.add(HazardKind.ENDLESS_TEMPLATE, "repeated text", message, offset)


def _oversized(tree: Tree) -> Iterator[Found]:
    """What asks for very much at once."""
    for node in tree.ordered:
        for found, what in (*_called(tree, node), *_padded(tree, node)):
            yield found, what, node.lineno


def _called(tree: Tree, node: nodes.Node) -> Iterator[tuple[str, str]]:
    if isinstance(node, nodes.Pow) and _bits(tree, node) > WRITTEN_CHARS:
        yield "**", "raises to an enormous power"
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        if node.node.name == "range" and _rounds(tree, node) > RANGE_COUNT:
            yield "range", f"counts to more than {RANGE_COUNT}"
        elif node.node.name == "lipsum" and _largest(tree, passed(node)) > RANGE_COUNT:
            yield "lipsum", _ENORMOUS


def _padded(tree: Tree, node: nodes.Node) -> Iterator[tuple[str, str]]:
    name, pattern, arguments = _formatting(node)
    is_sized = name in _SIZED and _largest(tree, arguments) > WRITTEN_CHARS // 2
    if is_sized or (name == "format" and any(map(_WIDTH.search, tree.texts(pattern)))):
        yield name, _ENORMOUS


def _formatting(node: nodes.Node) -> tuple[str, nodes.Node | None, list[nodes.Expr]]:
    """The name, object and arguments of a filter, a method or the `%` of a text."""
    if isinstance(node, nodes.Filter):
        return node.name, node.node, passed(node)
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        return node.node.attr, node.node.node, passed(node)
    return ("format", node.left, []) if isinstance(node, nodes.Mod) else ("", None, [])


def _bits(tree: Tree, node: nodes.Pow) -> int:
    # A base that is an enormous power itself is unknown; it counts as 2.
    bases = [abs(option) for option in tree.options(node.left) if isinstance(option, int)]
    return _largest(tree, (node.right,)) * (max(bases, default=2).bit_length() - 1)


def _largest(tree: Tree, expressions: Iterable[nodes.Node]) -> int:
    numbers = (option for each in expressions for option in tree.options(each) if isinstance(option, int))
    return max(numbers, default=0)


def _rounds(tree: Tree, node: nodes.Node | None) -> int:
    """How often a loop over an expression runs; 1 when that depends on the conversation."""
    while isinstance(node, nodes.Filter) and node.name in ("list", "reverse"):
        node = node.node
    if isinstance(node, nodes.List | nodes.Tuple):
        return max(1, len(node.items))
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name == "range":
        return max(1, _range(tree, node.args[:3]))
    return max((len(option) for option in tree.options(node) if not isinstance(option, int)), default=1)


def _range(tree: Tree, arguments: list[nodes.Expr]) -> int:
    """The largest length of a range whose ends are known, with the step when that is."""
    ends = [[option for option in tree.options(each) if isinstance(option, int)] for each in arguments]
    if not ends or not all(ends[:2]):
        return 1
    first = [0] if len(ends) == 1 else ends[0]
    last = ends[0] if len(ends) == 1 else ends[1]
    step = min((abs(each) for each in ends[2] if each), default=1) if len(ends) == 3 else 1
    return max(abs(stop - start) for start in first for stop in last) // step


def _steps(tree: Tree, macros: dict[str, nodes.Macro]) -> int:
    """Nodes that are evaluated, with the bodies of loops and macros as often as they run."""
    # How often a macro comes back to itself depends on the tools: it counts once.
    of_macro = dict.fromkeys(macros.keys() - recursive(macros), 0)
    total = 0
    for _ in range(_ROUND_COUNT):
        known, steps = dict(of_macro), dict[int, int]()
        for node in tree.ordered:
            total = 1 + sum(steps[id(child)] for child in node.iter_child_nodes())
            if isinstance(node, nodes.For):
                total *= _rounds(tree, node.iter)
            elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
                total += of_macro.get(node.node.name, 0)
            elif isinstance(node, nodes.Macro):
                if node.name in of_macro:
                    of_macro[node.name] = min(total, STEP_COUNT + 1)
                total = 1
            steps[id(node)] = total = min(total, STEP_COUNT + 1)
        if total > STEP_COUNT or known == of_macro:
            break
    return total


def _written(tree: Tree) -> int:
    """The longest text that constants alone are multiplied to, in characters."""
    lengths: dict[str, int] = {}
    of: dict[int, int] = {}
    for node in tree.ordered:
        of[id(node)] = length = min(_length(tree, node, of, lengths), WRITTEN_CHARS + 1)
        if isinstance(node, nodes.Assign | nodes.AssignBlock):
            lengths[key_of(node.target)] = max(length, lengths.get(key_of(node.target), 0))
    return max(of.values(), default=0)


def _length(tree: Tree, node: nodes.Node, of: dict[int, int], lengths: dict[str, int]) -> int:
    if isinstance(node, nodes.Const):
        return len(node.value) if isinstance(node.value, str) else 0
    if isinstance(node, nodes.TemplateData):
        return len(node.data)
    if isinstance(node, nodes.Assign):
        return of[id(node.node)]
    if isinstance(node, nodes.Name | nodes.Getattr) and key_of(node) in lengths:
        return lengths[key_of(node)]
    # What is only kept is not written yet.
    children = [of[id(child)] for child in node.iter_child_nodes() if not isinstance(child, _KEPT)]
    if isinstance(node, nodes.Mul):
        return max(children) * max(1, _largest(tree, (node.left, node.right)))
    if isinstance(node, nodes.For):
        return sum(children) * _rounds(tree, node.iter)
    if isinstance(node, nodes.CondExpr | nodes.Getitem | nodes.Call | nodes.Compare):
        return max(children, default=0)
    return sum(children)
