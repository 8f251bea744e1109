"""Loops and macros of a template that feed themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from jinja2 import nodes

from aibom.formats._template_tree import key_of, passed, walk

Calls: TypeAlias = dict[str, list[str]]  # the macros that a macro calls, once for each call
Found: TypeAlias = tuple[str, str, int]  # what was found, what the template does, line

_MACRO_COUNT: Final = 256
_GROWING = frozenset({"append", "extend", "insert"})

# An argument made of these, of constants and of parameters gets no smaller with the data.
_STEADY = (nodes.BinExpr, nodes.UnaryExpr, nodes.Concat, nodes.Const)
_STEADY_FILTERS = frozenset({"int", "float", "abs", "round", "string", "lower", "upper", "trim"})


def within_loops(root: nodes.Node) -> Iterator[tuple[nodes.Node, tuple[nodes.For, ...]]]:
    """Every node below the root with the loops around it, outermost first."""
    todo: list[tuple[nodes.Node, tuple[nodes.For, ...]]] = [(root, ())]
    while todo:
        node, loops = todo.pop()
        yield node, loops
        inner = (*loops, node) if isinstance(node, nodes.For) else loops
        todo.extend((child, inner) for child in node.iter_child_nodes())


def unending(root: nodes.Node) -> Iterator[Found]:
    """What loops do to what they go through."""
    for node, loops in within_loops(root):
        if isinstance(node, nodes.Call):
            for loop in loops:
                yield from _fed(node, loop)
        elif loops and isinstance(node, nodes.Assign) and isinstance(node.node, nodes.Concat | nodes.Add):
            key = key_of(node.target)
            if key and [key_of(leaf) for leaf in walk(node.node)].count(key) > 1:
                yield "doubled text", f"doubles {key} in each round of a loop", node.lineno


def _fed(call: nodes.Call, loop: nodes.For) -> Iterator[Found]:
    own = key_of(loop.iter)
    if isinstance(call.node, nodes.Getattr) and call.node.attr in _GROWING:
        if own and key_of(call.node.node) == own:
            yield "growing list", f"goes through {own} and makes it longer", call.lineno
    elif loop.recursive and key_of(call.node) == "loop":
        passed_on = _names(leaf for each in call.args for leaf in walk(each))
        if not passed_on & _names(walk(loop.target)):
            yield "recursive loop", "goes through the same list inside of itself", call.lineno


def _names(found: Iterable[nodes.Node]) -> set[str]:
    return {node.name for node in found if isinstance(node, nodes.Name)}


def recursive(macros: dict[str, nodes.Macro]) -> set[str]:
    """Macros that call themselves, at once or through others."""
    calls = _calls(macros, steady=False)
    return {name for name in calls if name in _reached(calls, name)}


def doubling(macros: dict[str, nodes.Macro]) -> Iterator[Found]:
    """Macros that come back to themselves more than once with nothing that gets smaller.

    One that goes down into a tool's JSON schema calls itself for parts of its argument, which
    ends with the schema; one that only counts runs 2^n times.
    """
    calls = _calls(macros, steady=True)
    for name, targets in calls.items():
        if sum(name == target or name in _reached(calls, target) for target in targets) > 1:
            yield f"macro {name}", f"doubles the calls of macro {name}", macros[name].lineno


def _reached(calls: Calls, start: str) -> set[str]:
    reached: set[str] = set()
    todo = [start]
    while todo:
        fresh = set(calls.get(todo.pop(), ())) - reached
        reached |= fresh
        todo += fresh
    return reached


def _calls(macros: dict[str, nodes.Macro], *, steady: bool) -> Calls:
    first = dict(list(macros.items())[:_MACRO_COUNT])
    return {name: list(_called(macro, first, steady)) for name, macro in first.items()}


def _called(macro: nodes.Macro, macros: dict[str, nodes.Macro], steady: bool) -> Iterator[str]:
    """The macros that one calls, those in a loop twice; only those without going down if `steady`."""
    for node, loops in within_loops(macro):
        if not isinstance(node, nodes.Call) or key_of(node.node) not in macros:
            continue
        moving = {name for loop in loops for name in _names(walk(loop.target))}
        if not steady or all(_is_steady(each, moving) for each in passed(node)):
            yield from [key_of(node.node)] * (2 if loops else 1)


def _is_steady(argument: nodes.Node, moving: set[str]) -> bool:
    for node in walk(argument):
        if isinstance(node, nodes.Name):
            steady = node.name not in moving
        else:
            steady = isinstance(node, _STEADY)
            steady |= isinstance(node, nodes.Filter) and node.name in _STEADY_FILTERS
        if not steady:
            return False
    return True
