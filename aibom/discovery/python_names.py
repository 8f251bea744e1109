"""The full name of what is called in Python code: `transformers.AutoModel.from_pretrained`."""

from __future__ import annotations

import ast
import re
from typing import Final

from aibom.discovery.python_follow import DEPTH, Follower
from aibom.discovery.python_scope import Import, Place, Value

_NAME_COUNT: Final = 8  # names that one expression may have
_NAME_CHARS: Final = 256
_BASES: Final = 4  # classes that one class is made of
# Wrappers of type annotations, and methods of clients that give back a client.
_ANNOTATIONS: Final = frozenset(("Optional", "Annotated", "Union", "ClassVar", "Final", "InitVar"))
_SAME_OBJECT = re.compile(
    r"\.(?:with_options\(\)|with_raw_response|with_streaming_response|__a?enter__\(\)|aio)(?=\.)"
)


class Names:
    """Full names, through imports, aliases, instances, annotations and base classes."""

    def __init__(self, follow: Follower) -> None:
        self._follow = follow

    def of(self, node: ast.expr, at: Place) -> tuple[str, ...]:
        """Every name that the expression may have; calls in it are written as `()`."""
        names = [name for name in self._names(node, at) if len(name) <= _NAME_CHARS]
        return tuple(dict.fromkeys(_SAME_OBJECT.sub("", name) for name in names))

    def of_value(self, value: Value) -> tuple[str, ...]:
        """The names of something that was followed already."""
        return tuple(name for name in self._name(value) if len(name) <= _NAME_CHARS)

    def _names(self, node: ast.expr, at: Place) -> list[str]:
        if at.depth > DEPTH:
            return []
        found = [name for value in self._follow(node, at) for name in self._name(value)]
        if isinstance(node, ast.Name | ast.Attribute):
            found += self._annotated(node, at)
        return found[:_NAME_COUNT]

    def _name(self, value: Value) -> list[str]:
        node, at = value
        inner = at.deeper()
        match node:
            case Import(name=name):
                return [name]
            case ast.ClassDef(name=name, bases=bases):
                place = inner._replace(order=at.order)
                return [*(each for base in bases[:_BASES] for each in self._names(base, place)), name]
            case ast.Name():
                return [*self._annotated(node, inner), *self._starred(node.id, at)]
            case ast.Attribute(attr=attr):
                return [f"{owner}.{attr}" for owner in self._names(node.value, inner)]
            case ast.Call(func=func):
                return [f"{name}()" for name in self._names(func, inner)]
            case ast.Subscript(value=owner):
                return [f"{name}[]" for name in self._names(owner, inner)]
        return []

    def _starred(self, name: str, at: Place) -> list[str]:
        """A name that nothing is bound to can come from any `from module import *`."""
        if name in at.scope.parameters:
            return [name]
        return [*(f"{module}.{name}" for module in at.module.stars[:_NAME_COUNT]), name]

    def _annotated(self, node: ast.expr, at: Place) -> list[str]:
        """Parameters, variables and attributes of `self` are told by their annotation."""
        if isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            owner = at.scope.owner() if own else None
            scopes, name = [owner] if owner is not None else [], node.attr
        else:
            scopes, name = list(at.scope.seen()), getattr(node, "id", "")
        for scope in scopes:
            if name in scope.annotations:
                return [f"{each}()" for each in self._annotation(scope.annotations[name], at.deeper())]
        return []

    def _annotation(self, node: ast.expr, at: Place) -> list[str]:
        match node:
            case ast.Constant(value=str() as text) if at.depth < DEPTH and len(text) <= _NAME_CHARS:
                return self._annotation(_expression(text), at.deeper())
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return [*self._annotation(left, at), *self._annotation(right, at)] if at.depth < DEPTH else []
            case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name), slice=inner) if (
                name in _ANNOTATIONS
            ):
                parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
                return [each for part in parts[:_BASES] for each in self._annotation(part, at.deeper())]
            case ast.Name() | ast.Attribute():
                return self._names(node, at)
        return []


def _expression(text: str) -> ast.expr:
    """An annotation that is written as a text."""
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Constant(None)
