"""What constant expressions of a template come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from jinja2 import nodes

from aibom.formats._constants import (
    ITEM_COUNT,
    LITERAL_CHARS,
    Options,
    applied,
    combined,
    computed,
    concatenated,
    cut,
    kept,
    listed,
    picked,
)

Known: TypeAlias = Callable[[nodes.Node | None], Options]

_SAME: Final = frozenset({"string", "safe", "e", "escape", "list", "forceescape", "default", "d"})


def fold(node: nodes.Node, known: Known, bound: dict[str, Options]) -> Options:
    """The options of one node, given those of its children and of the variables."""
    if isinstance(node, nodes.Const):
        return kept((node.value,) if isinstance(node.value, str | int) else (), LITERAL_CHARS)
    if isinstance(node, nodes.TemplateData):
        return kept((node.data,))
    if isinstance(node, nodes.Name):
        return bound.get(node.name, ())
    if isinstance(node, nodes.Getattr):
        return bound.get(f"{node.node.name}.{node.attr}", ()) if isinstance(node.node, nodes.Name) else ()
    if isinstance(node, nodes.And | nodes.Or):
        return kept((*known(node.left), *known(node.right)))
    if isinstance(node, nodes.BinExpr):
        operator = node.operator or ""
        return combined(lambda sides: computed(operator, *sides), known(node.left), known(node.right))
    if isinstance(node, nodes.Filter | nodes.Call):
        return _called(node, known, bound)
    return _written(node, known)


def _written(node: nodes.Node, known: Known) -> Options:
    """Texts and lists that are written out piece by piece, and what is picked from them."""
    if isinstance(node, nodes.Tuple | nodes.List):
        return combined(listed, *map(known, node.items[: ITEM_COUNT + 1]))
    if isinstance(node, nodes.Concat | nodes.Output):
        return combined(concatenated, *map(known, node.nodes[: ITEM_COUNT + 1]))
    if isinstance(node, nodes.AssignBlock | nodes.Macro):
        return combined(concatenated, *map(known, node.body[: ITEM_COUNT + 1]))
    if isinstance(node, nodes.CondExpr):
        return kept((*known(node.expr1), *known(node.expr2)))
    if isinstance(node, nodes.Neg):
        return kept(-option for option in known(node.node) if isinstance(option, int))
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return cut(known(node.node), known(node.arg.start), known(node.arg.stop), known(node.arg.step))
    if isinstance(node, nodes.Getitem):
        return combined(picked, known(node.node), known(node.arg))
    return ()


def _called(node: nodes.Filter | nodes.Call, known: Known, bound: dict[str, Options]) -> Options:
    """A filter, a method of a text, or a macro by its name."""
    arguments = [known(each) for each in (*node.args, *(keyword.value for keyword in node.kwargs))]
    if isinstance(node, nodes.Filter):
        name, own = node.name, known(node.node)
        if name in _SAME:
            return own
    elif isinstance(node.node, nodes.Getattr):
        name, own = node.node.attr, known(node.node.node)
        if name == "join" and arguments:
            own, arguments = arguments[0], [own]
    else:
        return bound.get(f"{node.node.name}()", ()) if isinstance(node.node, nodes.Name) else ()
    return combined(lambda parts: applied(name, parts[0], parts[1:]), own, *arguments)
