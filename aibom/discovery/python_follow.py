"""What expression a name, an attribute or a call of Python code stands for.

Assignments are followed, nothing is executed. A name that has several possible values has all of
them, up to `OPTION_COUNT`; what depends on the outside world stands for itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import Final

from aibom.discovery.python_collect import part_of
from aibom.discovery.python_containers import follow_value, items, last_name, picked, step
from aibom.discovery.python_passing import choices, default_of, passed
from aibom.discovery.python_scope import (
    END,
    OPTION_COUNT,
    Binding,
    Bound,
    FunctionNode,
    Import,
    Module,
    Place,
    Scope,
    Value,
)

DEPTH: Final = 24  # names that stand for names that ...
STEP_COUNT: Final = 2_000  # of following one expression: values can share parts
FILE_STEP_COUNT: Final = 200_000  # of following all expressions of a file
_BASES: Final = 4  # classes that one class is made of
_DOTTED = re.compile(r"(\.*)(.*)\Z", re.DOTALL)
_SELF: Final = frozenset(("self", "cls"))
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_PROPERTIES: Final = frozenset(("property", "cached_property", "computed_field"))
# Methods that turn a command line into an object: its attributes are the options.
_PARSES: Final = frozenset(
    ("parse_args", "parse_known_args", "parse_intermixed_args", "parse_args_into_dataclasses", "parse", "cli")
)


class Follower:
    """Follows expressions of one file, and of those beside it, with a bound on the work."""

    def __init__(self) -> None:
        self.total = 0
        self._steps = 0
        self.beside = True  # False: what is imported from a module beside this one is not looked up

    def __call__(self, node: ast.expr, at: Place) -> list[Value]:
        """What the expression may stand for; itself when nothing is known about it."""
        self._steps += 1
        if at.depth > DEPTH or self._steps > STEP_COUNT or self.total > FILE_STEP_COUNT:
            return []
        return self._followed(node, at)[:OPTION_COUNT]

    def spend(self, steps: int) -> None:
        self._steps += steps

    def begin(self) -> None:
        """A new question: the bound on the work for one expression starts again."""
        self.total += self._steps
        self._steps = 0

    @property
    def exhausted(self) -> bool:
        return self.total > FILE_STEP_COUNT

    def _followed(self, node: ast.expr, at: Place) -> list[Value]:
        match node:
            case ast.Name():
                return self._name(node, at)
            case ast.Attribute():
                return self._attribute(node, at)
            case ast.Subscript():
                return self._subscript(node, at)
            case ast.Call():
                return self._call(node, at)
            case ast.IfExp(body=body, orelse=other):
                return self._each((body, other), at)
            case ast.BoolOp(op=ast.Or(), values=values):
                return self._each(values, at)
            case ast.BoolOp(values=values):
                return self(values[-1], at.deeper())
            case ast.NamedExpr(value=value) | ast.Await(value=value):
                return self(value, at.deeper())
        return [Value(node, at)]

    def _each(self, nodes: Iterable[ast.expr], at: Place) -> list[Value]:
        return [value for node in nodes for value in self(node, at.deeper())]

    # Names

    def _name(self, node: ast.Name, at: Place) -> list[Value]:
        return self._looked_up(node.id, at) or [Value(node, at)]

    def _looked_up(self, name: str, at: Place) -> list[Value]:
        """What is bound to the name where it is seen first, from the innermost scope outwards."""
        order, conditions = at.order, at.conditions
        for scope in at.scope.seen():
            bindings = scope.bindings(name, order, conditions)
            if name in at.given and name in scope.parameters and _unchanged(bindings, scope):
                return follow_value(at.given[name], self)
            if bindings or name in scope.parameters:
                return self._bound(bindings, at)
            if not isinstance(scope.node, _COMPREHENSIONS):
                # A name of an outer scope has its last value by the time a function runs.
                order, conditions = END, ()
        for module in at.module.stars:
            found = self._imported(f"{module}.{name}", at) if self.beside else []
            if found:
                return found
        return []

    def _bound(self, bindings: Iterable[Binding], at: Place) -> list[Value]:
        found: list[Value] = []
        for binding in bindings if at.depth <= DEPTH else ():
            given = at.given if binding.scope is at.scope else {}
            place = Place(at.module, binding.scope, binding.order, binding.conditions, given, at.depth + 1)
            values = self._of(binding.value, place)
            for each in binding.steps:
                values = [part for value in values for part in step(value, each, self)][:OPTION_COUNT]
            found += values
        return found

    def _of(self, bound: Bound, at: Place) -> list[Value]:
        if isinstance(bound, ast.expr):
            return self(bound, at)
        if isinstance(bound, Import):
            found = self._imported(bound.name, at) if self.beside else []
            return found or [Value(bound, at)]
        return [Value(bound, at)]

    def _imported(self, name: str, at: Place) -> list[Value]:
        """What a name is in a module beside this one."""
        match = _DOTTED.match(name)
        assert match is not None
        module, _, last = match[2].rpartition(".")
        return self._exported(at.module.beside(match[1] + module, last), last, at)

    def _exported(self, module: Module | None, name: str, at: Place) -> list[Value]:
        if module is None:
            return []
        bindings = module.top.bindings(name, END, ())
        return self._bound(bindings, Place(module, module.top, depth=at.depth + 1))

    # Attributes and items

    def _attribute(self, node: ast.Attribute, at: Place) -> list[Value]:
        found = self._part(node, at)
        if not found and isinstance(node.value, ast.Name) and node.value.id in _SELF:
            owner = at.scope.owner()
            found = self._of_class(owner, node.attr, at) if owner is not None else []
        elif not found:
            owners = self(node.value, at.deeper())
            found = [value for each in owners for value in self._member(each, node.attr)]
        return found or [Value(node, at)]

    def _part(self, node: ast.Attribute | ast.Subscript, at: Place) -> list[Value]:
        """What was assigned to `config.name` or `config["name"]` itself."""
        name = part_of(node)
        return self._looked_up(name, at) if name is not None else []

    def _member(self, owner: Value, attr: str) -> list[Value]:
        node, at = owner
        match node:
            case Import(name=name):
                return self._of_module(name, attr, at) if self.beside else []
            case ast.ClassDef():
                return self._of_class(at.module.scopes.get(node), attr, at)
            case ast.Call():
                return self._of_object(node, attr, at)
            case ast.Constant() if attr == "value":
                return [owner]  # a member of an enumeration
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._option(attr, at)
        return []

    def _of_module(self, name: str, attr: str, at: Place) -> list[Value]:
        found = self._exported(at.module.beside(name, attr), attr, at)
        if not found and at.module.beside(f"{name}.{attr}", "") is not None:
            return [Value(Import(f"{name}.{attr}"), at)]
        return found

    def _option(self, attr: str, at: Place) -> list[Value]:
        """The default of an option of the program, for an object that nothing else is known about."""
        fields = at.module.fields.get(attr, [])
        return self._bound(at.module.options.get(attr) or (fields if len(fields) == 1 else []), at)

    def _of_object(self, node: ast.Call, attr: str, at: Place) -> list[Value]:
        """An attribute of what a call makes: what the call was given, or what its class says."""
        found: list[Value] = []
        for made in self(node.func, at.deeper()):
            if isinstance(made.node, ast.ClassDef):
                found += self._of_class(made.at.module.scopes.get(made.node), attr, made.at)
        name = last_name(node.func)
        if name in _PARSES:
            return found or self._option(attr, at)
        given = next((keyword.value for keyword in node.keywords if keyword.arg == attr), None)
        return self(given, at.deeper()) if given is not None and name[:1].isupper() else found

    def _of_class(self, scope: Scope | None, attr: str, at: Place) -> list[Value]:
        if scope is None or not isinstance(scope.node, ast.ClassDef) or at.depth > DEPTH:
            return []
        place = Place(at.module, scope, depth=at.depth + 1)
        found: list[Value] = []
        for value in self._bound(scope.names.get(attr, [])[:OPTION_COUNT], place):
            found += self._returned(value, {}) if _is_property(value.node) else [value]
        if found:
            return found
        bases = self._each(scope.node.bases[:_BASES], place)
        classes = [base for base in bases if isinstance(base.node, ast.ClassDef)]
        return [
            value
            for base in classes
            for value in self._of_class(base.at.module.scopes.get(base.node), attr, base.at)  # type: ignore[arg-type]
        ]

    def _subscript(self, node: ast.Subscript, at: Place) -> list[Value]:
        found = self._part(node, at)
        if not found:
            for container in self(node.value, at.deeper()):
                found += picked(container, node.slice, at, self)
        return found or [Value(node, at)]

    # Calls

    def _call(self, node: ast.Call, at: Place) -> list[Value]:
        found = self._got(node, at)
        through = passed(node)
        if through is not None:
            found += self(through, at.deeper())
        found += choices(node, at, self)
        return found or self._result(node, at) or [Value(node, at)]

    def _got(self, node: ast.Call, at: Place) -> list[Value]:
        """`MODELS.get(key, default)`, `os.environ.get(name, default)`."""
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("get", "pop", "setdefault"):
            return []
        found: list[Value] = []
        for container in self(node.func.value, at.deeper()) if node.args else ():
            if items(container, self):
                found += picked(container, node.args[0], at, self)
        default = default_of(node)
        return found if default is None else [*found, *self(default, at.deeper())]

    def _result(self, node: ast.Call, at: Place) -> list[Value]:
        """What a function of the code returns, for these arguments."""
        if not isinstance(node.func, ast.Name | ast.Attribute):
            return []
        found: list[Value] = []
        for called in self(node.func, at.deeper()):
            if isinstance(called.node, _FUNCTIONS):
                found += self._returned(called, _arguments(called.node, node, at))
        return found

    def _returned(self, function: Value, given: dict[str, Value]) -> list[Value]:
        scope = function.at.module.scopes.get(function.node)  # type: ignore[arg-type]
        if scope is None:
            return []
        place = Place(function.at.module, scope, given=given, depth=function.at.depth + 1)
        return self._bound(scope.returns[:OPTION_COUNT], place)


def _unchanged(bindings: Iterable[Binding], scope: Scope) -> bool:
    """True when a parameter is what the call gave: defaults are evaluated outside of the function."""
    return all(binding.scope is not scope for binding in bindings)


def _is_property(node: object) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        last_name(decorator) in _PROPERTIES for decorator in node.decorator_list
    )


def _arguments(function: FunctionNode | ast.Lambda, call: ast.Call, at: Place) -> dict[str, Value]:
    """What a call gives to the parameters of a function, by their names."""
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
    if isinstance(call.func, ast.Attribute) and names[:1] and names[0] in _SELF:
        names = names[1:]
    given = {name: Value(arg, at.deeper()) for name, arg in zip(names, call.args, strict=False)}
    given |= {each.arg: Value(each.value, at.deeper()) for each in call.keywords if each.arg is not None}
    return given
