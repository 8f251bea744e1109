"""Finds the names and calls of a parsed Python file, in one pass and without recursion."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from aibom.discovery.python_options import add_options
from aibom.discovery.python_scope import (
    EACH,
    Arm,
    Binding,
    Bound,
    Conditions,
    FunctionNode,
    Import,
    Module,
    Scope,
    Site,
)

BINDING_COUNT: Final = 100_000  # assignments kept of one file
CALL_COUNT: Final = 100_000  # calls kept of one file
_SELF: Final = frozenset(("self", "cls"))
# What needs no look, and values of fields that are no nodes.
_LEAVES: Final = frozenset(
    (ast.Name, ast.Constant, ast.Pass, ast.Break, ast.Continue, ast.Nonlocal, str, int, type(None))
)
# Fields that never hold what is looked for.
_SKIPPED: Final = frozenset(("ctx", "op", "ops", "type_comment", "type_params", "type_ignores"))

_Visit = TypeVar("_Visit", bound=Callable[..., None])
_VISITS: Final[dict[type[object], Callable[[Collector, Any], None]]] = {}


class _Assignment:
    """Waits behind its value, so that the name is bound after the value was looked at."""

    __slots__ = ("steps", "target", "value")

    def __init__(self, target: ast.expr, value: ast.expr, steps: tuple[int, ...] = ()) -> None:
        self.target, self.value, self.steps = target, value, steps


_Work: TypeAlias = ast.AST | _Assignment | None


def _visits(*types: type[object]) -> Callable[[_Visit], _Visit]:
    def register(visit: _Visit) -> _Visit:
        _VISITS.update(dict.fromkeys(types, visit))
        return visit

    return register


class Collector:
    """Fills a `Module`. Assignments and calls are numbered in the order in which they are evaluated."""

    def __init__(self, tree: ast.Module) -> None:
        top = Scope(tree)
        self.module = Module(top=top, scopes={tree: top})
        self._scope = top
        self._conditions: Conditions = ()
        self._order = 0
        self._stack: list[tuple[_Work, Scope, Conditions]] = [(tree, top, ())]
        self._bound = 0

    def run(self) -> Module:
        stack = self._stack
        while stack:
            node, self._scope, self._conditions = stack.pop()
            visit = _VISITS.get(type(node))
            if visit is not None:
                visit(self, node)
            elif isinstance(node, ast.AST):
                self._children(node)
        return self.module

    def _children(self, node: ast.AST) -> None:
        for name in reversed(node._fields):
            value = getattr(node, name, None) if name not in _SKIPPED else None
            if type(value) is list:
                self._then(value)
            elif type(value) not in _LEAVES:
                self._stack.append((value, self._scope, self._conditions))

    def _then(self, nodes: Sequence[Any], arm: Arm | None = None) -> None:
        """Puts nodes before everything that waits already."""
        conditions = self._conditions if arm is None else (*self._conditions, arm)
        self._within(nodes, self._scope, conditions)

    def _within(self, nodes: Sequence[_Work], scope: Scope, conditions: Conditions = ()) -> None:
        self._stack += [(node, scope, conditions) for node in reversed(nodes) if type(node) not in _LEAVES]

    def _next(self) -> int:
        self._order += 1
        return self._order

    def _bind(
        self, name: str, value: Bound, steps: tuple[int, ...] = (), *, scope: Scope | None = None
    ) -> None:
        """A name of this scope, or of another one, for a value that is evaluated in this one."""
        self._bound += 1
        if self._bound > BINDING_COUNT:
            self.module.complete = False
            return
        conditions = self._conditions
        if not isinstance(value, ast.FunctionDef | ast.AsyncFunctionDef):
            self.module.bound.add(name)
        if name in self._scope.globals:
            # Nobody knows when the function runs: before or after what the module assigns.
            scope, conditions = self.module.top, (*conditions, Arm(self._next()))
        binding = Binding(value, self._scope, self._next(), conditions, steps)
        (scope or self._scope).names.setdefault(name, []).append(binding)

    # Imports

    @_visits(ast.Import)
    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            self.module.roots.add(root)
            self._bind(alias.asname or root, Import(alias.name if alias.asname else root))

    @_visits(ast.ImportFrom)
    def _import_from(self, node: ast.ImportFrom) -> None:
        base = "." * node.level + (node.module or "")
        if not node.level:
            self.module.roots.add(base.partition(".")[0])
        for alias in node.names:
            if alias.name == "*":
                self.module.stars.append(base)
            else:
                separator = "" if base.endswith(".") else "."
                self._bind(alias.asname or alias.name, Import(f"{base}{separator}{alias.name}"))

    # Scopes

    def _enter(self, node: ast.AST) -> Scope:
        scope = Scope(node, self._scope)
        self.module.scopes[node] = scope
        return scope

    @_visits(ast.ClassDef)
    def _class(self, node: ast.ClassDef) -> None:
        self._bind(node.name, node)
        self._within(node.body, self._enter(node))
        self._then([*node.decorator_list, *node.bases, *node.keywords])

    @_visits(ast.FunctionDef, ast.AsyncFunctionDef)
    def _function(self, node: FunctionNode) -> None:
        self._bind(node.name, node)
        scope = self._enter(node)
        self._parameters(scope, node.args)
        self._within(node.body, scope)
        self._then([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])

    @_visits(ast.Lambda)
    def _lambda(self, node: ast.Lambda) -> None:
        scope = self._enter(node)
        self._parameters(scope, node.args)
        scope.returns.append(Binding(node.body, scope, self._next()))
        self._within([node.body], scope)
        self._then([*node.args.defaults, *node.args.kw_defaults])

    def _parameters(self, scope: Scope, args: ast.arguments) -> None:
        plain = [*args.posonlyargs, *args.args]
        scope.parameters = tuple(arg.arg for arg in (*plain, *args.kwonlyargs))
        scope.annotations.update(
            {arg.arg: arg.annotation for arg in (*plain, *args.kwonlyargs) if arg.annotation is not None}
        )
        for arg, default in (
            *zip(plain[::-1], args.defaults[::-1], strict=False),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ):
            if default is not None:
                scope.names[arg.arg] = [Binding(default, self._scope, self._next())]

    @_visits(ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        work: list[_Work] = []
        for each in node.generators:
            work += [each.iter, _Assignment(each.target, each.iter, (EACH,)), *each.ifs]
        work += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        # It runs where it stands: what is certain there is certain inside.
        self._within(work, self._enter(node), self._conditions)

    @_visits(ast.Return)
    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._scope.returns.append(Binding(node.value, self._scope, self._next(), self._conditions))
            self._then([node.value])

    @_visits(ast.Global)
    def _global(self, node: ast.Global) -> None:
        self._scope.globals.update(node.names)

    # Branches

    def _arms(self, bodies: Sequence[Sequence[_Work]], *, always: bool) -> None:
        """Arms that exclude each other. `always`: one of them is taken."""
        branch, arms = self._next(), len(bodies) if always else 0
        for number, body in reversed(list(enumerate(bodies))):
            self._then(body, Arm(branch, number, arms))

    @_visits(ast.If)
    def _if(self, node: ast.If) -> None:
        # A chain of `elif` is one branch of many arms, not one inside of the other.
        chain = list(_chain(node))
        other = chain[-1].orelse
        bodies: list[Sequence[_Work]] = [one.body for one in chain]
        self._arms([*bodies, other] if other else bodies, always=bool(other))
        self._then([one.test for one in chain])

    @_visits(ast.Match)
    def _match(self, node: ast.Match) -> None:
        last = node.cases[-1]
        always = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
        self._arms([[case.guard, *case.body] for case in node.cases], always=always)
        self._then([node.subject])

    @_visits(ast.Try, ast.TryStar)
    def _try(self, node: ast.Try) -> None:
        # A handler runs after a part of the body: they do not exclude each other.
        self._then(node.finalbody)
        for body in (node.orelse, *(handler.body for handler in node.handlers[::-1]), node.body):
            self._then(body, Arm(self._next()))

    @_visits(ast.While)
    def _while(self, node: ast.While) -> None:
        self._then([*node.body, *node.orelse], Arm(self._next()))
        self._then([node.test])

    @_visits(ast.For, ast.AsyncFor)
    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        target = _Assignment(node.target, node.iter, (EACH,))
        self._then([target, *node.body, *node.orelse], Arm(self._next()))
        self._then([node.iter])

    # Assignments

    @_visits(ast.Assign)
    def _plain(self, node: ast.Assign) -> None:
        self._then([node.value, *node.targets, *(_Assignment(each, node.value) for each in node.targets)])

    @_visits(ast.AnnAssign)
    def _annotated(self, node: ast.AnnAssign) -> None:
        target, owner = node.target, self._scope.owner()
        if isinstance(target, ast.Name):
            self._scope.annotations[target.id] = node.annotation
        elif isinstance(target, ast.Attribute) and owner is not None:
            owner.annotations.setdefault(target.attr, node.annotation)
        if node.value is not None:
            self._then([node.value, node.target, _Assignment(node.target, node.value)])

    @_visits(ast.AugAssign)
    def _augmented(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            read = ast.copy_location(ast.Name(node.target.id, ast.Load()), node)
            value = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
            self._then([node.value, _Assignment(node.target, value)])
        else:
            self._then([node.value, node.target])

    @_visits(ast.NamedExpr)
    def _named(self, node: ast.NamedExpr) -> None:
        self._then([node.value, _Assignment(node.target, node.value)])

    @_visits(ast.withitem)
    def _with(self, node: ast.withitem) -> None:
        target = None if node.optional_vars is None else _Assignment(node.optional_vars, node.context_expr)
        self._then([node.context_expr, target])

    @_visits(_Assignment)
    def _assign(self, node: _Assignment) -> None:
        value, work = node.value, [(node.target, node.steps)]
        while work:
            target, steps = work.pop()
            if isinstance(target, ast.Name):
                self._bind(target.id, value, steps)
                self._field(target.id)
            elif isinstance(target, ast.Tuple | ast.List):
                work += [(each, (*steps, at)) for at, each in enumerate(target.elts)]
            elif isinstance(target, ast.Attribute | ast.Subscript):
                self._part(target, value, steps)

    def _part(self, target: ast.Attribute | ast.Subscript, value: ast.expr, steps: tuple[int, ...]) -> None:
        """`self.name = ...`, `config.name = ...`, `config["name"] = ...`."""
        name = part_of(target)
        if name is None:
            return
        owner = self._scope.owner() if name.partition(".")[0] in _SELF else None
        self._bind(name.partition(".")[2] if owner else name, value, steps, scope=owner)

    def _field(self, name: str) -> None:
        """Remembers `name: type = default` of a class."""
        scope = self._scope
        if isinstance(scope.node, ast.ClassDef) and name in scope.annotations and name in scope.names:
            self.module.fields.setdefault(name, []).append(scope.names[name][-1])

    @_visits(ast.Call)
    def _call(self, node: ast.Call) -> None:
        if len(self.module.calls) == CALL_COUNT:
            self.module.complete = False
            return
        self.module.calls.append(Site(node, self._scope, self._next(), self._conditions))
        self._children(node)


def _chain(node: ast.If) -> Iterator[ast.If]:
    current: ast.If | None = node
    while current is not None:
        yield current
        other = current.orelse
        current = other[0] if len(other) == 1 and isinstance(other[0], ast.If) else None


def part_of(node: ast.Attribute | ast.Subscript) -> str | None:
    """A name for `config.name` and `config["name"]`, under which what is assigned to it is kept."""
    if not isinstance(node.value, ast.Name):
        return None
    if isinstance(node, ast.Attribute):
        return f"{node.value.id}.{node.attr}"
    key = node.slice.value if isinstance(node.slice, ast.Constant) else None
    return f"{node.value.id}[{key}]" if isinstance(key, str) else None


def collect(tree: ast.Module) -> Module:
    """The names and calls of a parsed file."""
    module = Collector(tree).run()
    add_options(module)
    return module
