"""Calls that hand one of their arguments through: defaults, casts, choices."""

from __future__ import annotations

import ast
from typing import Final

from aibom.discovery.python_containers import last_name, members
from aibom.discovery.python_scope import Follow, Place, Value

# Fields of dataclasses and pydantic, parameters of typer and FastAPI: the default comes first or by name.
_FIELDS: Final = frozenset(
    ("field", "Field", "attrib", "ib", "Option", "Argument", "Query", "Param", "Form", "Body")
)
_DEFAULTS: Final = frozenset(("default", "default_factory", "value", "fallback"))
_SECOND: Final = frozenset(("getenv", "env", "config", "get_env", "text_input", "text_area", "input"))
_CHOICES: Final = frozenset(("choice", "choices", "selectbox", "radio", "suggest_categorical"))
_COPIES: Final = frozenset(("copy", "deepcopy"))


def _keyword(node: ast.Call, names: frozenset[str]) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg in names), None)


def default_of(node: ast.Call) -> ast.expr | None:
    """The default of `get(name, default)`; `get` of web clients takes an address and has none."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and "/" in str(first.value)[:256]:
        return None
    return node.args[1] if len(node.args) > 1 else _keyword(node, _DEFAULTS)


def passed(node: ast.Call) -> ast.expr | None:
    """The argument that the call gives back as it is, or None."""
    name, args = last_name(node.func), node.args
    if name in _FIELDS:
        default = _keyword(node, _DEFAULTS) or (args[0] if args else None)
        return default.body if isinstance(default, ast.Lambda) else default
    if name in _SECOND:
        return default_of(node)
    if name == "cast" and len(args) > 1:
        return args[1]
    if name == "getattr" and len(args) > 2:
        return args[2]
    if name in _COPIES:
        return args[0] if args else getattr(node.func, "value", None)
    return None


def choices(node: ast.Call, at: Place, follow: Follow) -> list[Value]:
    """What one item of a list in the code can be, and what `getattr` can find."""
    name, args = last_name(node.func), node.args
    if name == "getattr" and len(args) > 1:
        key = args[1]
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            made = ast.copy_location(ast.Attribute(args[0], key.value, ast.Load()), node)
            return [value for value in follow(made, at.deeper()) if value.node is not made]
    if name in _CHOICES:
        given = _keyword(node, frozenset(("options", "choices"))) or (args[-1] if args else None)
        values = follow(given, at.deeper()) if given is not None else []
        return [item for value in values for item in members(value, follow)]
    return []
