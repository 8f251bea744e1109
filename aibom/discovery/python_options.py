"""Defaults that the command line of a Python program has: argparse, absl and click."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

from aibom.discovery.python_scope import Binding, Module, Scope, Site

_ABSL: Final = frozenset(("DEFINE_string", "DEFINE_enum", "DEFINE_bool", "DEFINE_boolean"))
_CLICK: Final = frozenset(("option", "argument"))


def add_options(module: Module) -> None:
    """Notes the default of every option, and gives it to the parameters that click fills."""
    for site in module.calls:
        if isinstance(site.node.func, ast.Attribute):
            _option(site, site.node.func.attr, module)
    for node, scope in module.scopes.items():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and scope.parent is not None:
            _click(node, scope, scope.parent)


def _option(site: Site, called: str, module: Module) -> None:
    node, defaults = site.node, list[tuple[str | None, ast.expr | None]]()
    if called == "add_argument":
        name = _text(_keyword(node, "dest")) or _destination(_texts(node.args))
        defaults = [(name, _keyword(node, "default"))]
    elif called == "set_defaults":
        defaults = [(keyword.arg, keyword.value) for keyword in node.keywords]
    elif called in _ABSL and len(node.args) > 1:
        defaults = [(_text(node.args[0]), node.args[1])]
    for name, default in defaults:
        if name and default is not None:
            module.options.setdefault(name, []).append(Binding(default, site.scope, site.order))


def _click(node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope, outer: Scope) -> None:
    for decorator in node.decorator_list:
        if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
            continue
        default, flags = _keyword(decorator, "default"), _texts(decorator.args)
        name = next((flag for flag in flags if flag.isidentifier()), None) or _destination(flags)
        if decorator.func.attr in _CLICK and name in scope.parameters and default is not None:
            scope.names.setdefault(name, []).insert(0, Binding(default, outer, 0))


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _texts(nodes: Sequence[ast.expr]) -> list[str]:
    return [text for text in map(_text, nodes) if text is not None]


def _destination(flags: Sequence[str]) -> str | None:
    """The attribute that argparse and click make of `--model-name`: the first long flag."""
    long = [flag for flag in flags if flag.startswith("--")] or flags
    return long[0].partition("/")[0].lstrip("-").replace("-", "_") if long else None
