"""Items of lists, tuples, sets and dicts that are written in the code."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final, TypeAlias

from aibom.discovery.python_scope import EACH, OPTION_COUNT, Follow, Place, Value

_NESTED: Final = 8  # containers that are made of containers
_ITEM_COUNT: Final = 1_000  # of a dict; a larger one is data, not a list of names
# Calls that hand on the items of their first argument.
_SAME_ITEMS: Final = frozenset(
    ("list", "tuple", "set", "frozenset", "sorted", "reversed", "iter", "tqdm", "sample", "unique", "cycle")
)
_Display: TypeAlias = ast.List | ast.Tuple | ast.Set
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


def last_name(node: ast.expr) -> str:
    """The last part of a dotted name; empty for other expressions."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def step(value: Value, index: int, follow: Follow) -> list[Value]:
    """The part of a value that one name of several on the left of an assignment gets."""
    if index == EACH:
        return members(value, follow)
    if isinstance(value.node, tuple):
        return [value.node[index]] if index < len(value.node) else []
    if isinstance(value.node, ast.List | ast.Tuple):
        elements = value.node.elts
        known = index < len(elements) and not any(isinstance(each, ast.Starred) for each in elements[:index])
        return follow(elements[index], value.at.deeper()) if known else []
    # What a call made stays an object that a call made.
    return [value] if isinstance(value.node, ast.Call) else []


def members(value: Value, follow: Follow, nested: int = 0) -> list[Value]:
    """What a loop over the value goes through."""
    node, at = value
    if nested > _NESTED:
        return []
    if isinstance(node, tuple):
        return list(node)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return _elements(node, at, follow, nested)
    if isinstance(node, ast.Dict):
        keys = [key for key in node.keys[:OPTION_COUNT] if key is not None]
        return [found for key in keys for found in follow(key, at.deeper())]
    if isinstance(node, ast.Call):
        return _made(node, at, follow, nested)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [item for each in (node.left, node.right) for item in _all(each, at, follow, nested)]
    if isinstance(node, _COMPREHENSIONS):
        return follow(node.elt, _inside(node, at))
    return _enumeration(node, at, follow) if isinstance(node, ast.ClassDef) else []


def _all(node: ast.expr, at: Place, follow: Follow, nested: int) -> list[Value]:
    return [item for value in follow(node, at.deeper()) for item in members(value, follow, nested + 1)]


def _elements(node: _Display, at: Place, follow: Follow, nested: int) -> list[Value]:
    found: list[Value] = []
    for each in node.elts[:OPTION_COUNT]:
        if isinstance(each, ast.Starred):
            found += _all(each.value, at, follow, nested)
        else:
            found += follow(each, at.deeper())
    return found


def _inside(node: ast.AST, at: Place) -> Place:
    return at._replace(scope=at.module.scopes[node], depth=at.depth + 1)


def _enumeration(node: ast.ClassDef, at: Place, follow: Follow) -> list[Value]:
    scope = at.module.scopes[node]
    values = [bindings[-1].value for name, bindings in scope.names.items() if not name.startswith("_")]
    constants = [value for value in values if isinstance(value, ast.Constant)]
    return [found for each in constants[:OPTION_COUNT] for found in follow(each, at._replace(scope=scope))]


def _made(node: ast.Call, at: Place, follow: Follow, nested: int) -> list[Value]:
    """`MODELS.items()`, `enumerate(...)`, `zip(...)`, `sorted(...)`."""
    name = last_name(node.func)
    if isinstance(node.func, ast.Attribute) and name in ("keys", "values", "items") and not node.args:
        return _view(name, node.func.value, at, follow)
    if name == "enumerate" and node.args:
        count = Value(ast.Constant(value=None), at)
        return [Value((count, item), at) for item in _all(node.args[0], at, follow, nested)]
    if name == "zip":
        columns = [_all(each, at, follow, nested) for each in node.args]
        return [Value(row, at) for row in zip(*columns, strict=False)]
    if name in _SAME_ITEMS and node.args:
        return _all(node.args[0], at, follow, nested)
    return []


def _view(name: str, node: ast.expr, at: Place, follow: Follow) -> list[Value]:
    found: list[Value] = []
    for value in follow(node, at.deeper()):
        for key, item in items(value, follow):
            if name == "items":
                found.append(Value((key, item), at))
            else:
                found += follow_value(key if name == "keys" else item, follow)
    return found[:OPTION_COUNT]


def follow_value(value: Value, follow: Follow) -> list[Value]:
    """What the value stands for, when it is an expression at all."""
    return follow(value.node, value.at.deeper()) if isinstance(value.node, ast.expr) else [value]


def items(value: Value, follow: Follow, nested: int = 0) -> list[tuple[Value, Value]]:
    """Keys and values of a dict: a display, `dict(...)`, `a | b`, with what `**` adds."""
    node, at = value
    found: list[tuple[Value, Value]] = []
    pairs: list[tuple[ast.expr | None, ast.expr]]
    if nested > _NESTED:
        return found
    if isinstance(node, ast.Dict):
        pairs = list(zip(node.keys, node.values, strict=True)) if len(node.keys) <= _ITEM_COUNT else []
    elif isinstance(node, ast.Call) and last_name(node.func) == "dict":
        named = [(None if each.arg is None else ast.Constant(each.arg), each.value) for each in node.keywords]
        pairs = [*((None, each) for each in node.args), *named]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        pairs = [(None, node.left), (None, node.right)]
    else:
        return found
    follow.spend(len(pairs) // 4)
    for key, each in pairs:
        if key is not None:
            found.append((Value(key, at), Value(each, at)))
        else:
            for inner in follow(each, at.deeper()):
                found += items(inner, follow, nested + 1)
    return found


def picked(value: Value, key: ast.expr, at: Place, follow: Follow) -> list[Value]:
    """What `value[key]` may be: the item of that key, or any item when the key is not known."""
    node = value.node
    if isinstance(key, ast.Slice):
        return [value]
    if isinstance(node, ast.DictComp):
        return follow(node.value, _inside(node, value.at))
    wanted = _keys(key, at, follow)
    if isinstance(node, ast.List | ast.Tuple | tuple):
        found = members(value, follow)
        return [found[index] for index in _indexes(wanted, len(found))] if wanted else found
    pairs = items(value, follow)
    # The types belong to it: `1` and `True` are the same key of a dict, but nobody means that.
    constants = [
        (type(name.node.value), name.node.value) for name, _ in pairs if isinstance(name.node, ast.Constant)
    ]
    if wanted and len(constants) == len(pairs):
        looked_for = [(type(each), each) for each in wanted]
        pairs = [pair for pair, name in zip(pairs, constants, strict=True) if name in looked_for]
    return [found for _, each in pairs[:OPTION_COUNT] for found in follow_value(each, follow)]


def _keys(key: ast.expr, at: Place, follow: Follow) -> list[object]:
    if (
        isinstance(key, ast.UnaryOp)
        and isinstance(key.op, ast.USub)
        and isinstance(key.operand, ast.Constant)
    ):
        # From behind: `NAMES[-1]`.
        return [-key.operand.value] if isinstance(key.operand.value, int) else []
    return [each.node.value for each in follow(key, at.deeper()) if isinstance(each.node, ast.Constant)]


def _indexes(wanted: Sequence[object], count: int) -> list[int]:
    return [each for each in wanted if isinstance(each, int) and -count <= each < count]
