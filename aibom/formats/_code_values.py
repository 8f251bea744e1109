"""What the expressions of a module are: constants, and dotted names of what they import.

Without regard to order and scope: a name can be everything that is ever given to it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from aibom.formats._code_constants import CONVERSIONS, characters, constant, negated
from aibom.formats._code_names import BUILTINS, canonical
from aibom.formats._constants import (
    ITEM_COUNT,
    OPTION_COUNT,
    Options,
    applied,
    combined,
    computed,
    concatenated,
    cut,
    elements,
    listed,
    picked,
)

_ROUND_COUNT: Final = 4  # of passing values on from variable to variable
_PATH_CHARS: Final = 200
_NAMESPACES: Final = frozenset({"builtins.globals", "builtins.locals", "builtins.vars"})
_GETTERS: Final = ("operator.attrgetter", "operator.methodcaller")
_OPERATORS: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Mult: "*", ast.Mod: "%", ast.Sub: "-", ast.BitXor: "^", ast.Pow: "**",
    ast.FloorDiv: "//", ast.Div: "/",
}  # fmt: skip


@dataclass(slots=True)
class Values:
    """What each node can be: `texts` as constants, `paths` as dotted names."""

    ordered: tuple[ast.AST, ...]  # children before parents
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, Options] = field(default_factory=dict)
    redefined: set[str] = field(default_factory=set)  # names of Python that the module gives away
    _paths: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _options: dict[int, Options] = field(default_factory=dict)
    _stars: tuple[str, ...] = ()

    def paths(self, node: ast.AST | None) -> tuple[str, ...]:
        """The dotted names of modules, functions and classes that an expression can be."""
        return self._paths.get(id(node), ())

    def options(self, node: ast.AST | None) -> Options:
        """The constants that an expression can be; empty when it is unknown."""
        return self._options.get(id(node), ())

    def texts(self, node: ast.AST | None) -> tuple[str, ...]:
        return tuple(option for option in self.options(node) if isinstance(option, str))

    def uses(self, path: str) -> bool:
        """True when something in the module is this dotted name."""
        return any(path in found for found in self._paths.values())

    def evaluate(self) -> None:
        """Passes imports and constants on through assignments, loops and defaults."""
        for node in self.ordered:
            self._declare(node)
        bindings = [each for node in self.ordered for each in _bindings(node)]
        resolvers, folders = self._resolvers(), self._folders()
        active = [node for node in self.ordered if type(node) in resolvers or type(node) in folders]
        for _ in range(_ROUND_COUNT):
            for node in active:
                paths = resolvers.get(type(node), _nothing)(node)
                options = folders.get(type(node), _nothing)(node)
                # Most nodes are neither; an entry for each would double the memory.
                if options:
                    self._options[id(node)] = options
                if paths:
                    self._paths[id(node)] = tuple(dict.fromkeys(map(canonical, paths)))[:OPTION_COUNT]
            if not sum(self._bind(*each) for each in bindings):
                return

    def _declare(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported = alias.name if alias.asname else alias.name.partition(".")[0]
                self._name(alias.asname or imported, imported)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                self._name(alias.asname or alias.name, f"{node.module}.{alias.name}")
            if node.names[0].name == "*" and len(self._stars) < OPTION_COUNT:
                self._stars += (canonical(node.module),)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.redefined.add(node.name)
        elif isinstance(node, ast.arg):
            self.redefined.add(node.arg)

    def _name(self, name: str, path: str) -> bool:
        path = canonical(path)
        found = self.names.get(name, ())
        if path in found or len(found) == OPTION_COUNT or len(path) > _PATH_CHARS:
            return False
        self.names[name] = (*found, path)
        return True

    def _bind(self, name: str, value: ast.AST, is_element: bool) -> bool:
        """True when the name can now be more than before."""
        found = elements(self.options(value)) if is_element else self.options(value)
        before = self.constants.get(name, ())
        self.constants[name] = after = tuple(dict.fromkeys((*before, *found)))[:OPTION_COUNT]
        grown = [self._name(name, path) for path in self.paths(value) if not is_element]
        return any(grown) or len(after) > len(before)

    def _resolvers(self) -> dict[type[ast.AST], Callable[[Any], tuple[str, ...]]]:
        """What tells the dotted names of an expression, by its kind."""
        return {
            ast.Name: lambda node: self._named(node.id),
            ast.Attribute: lambda node: self._joined(self.paths(node.value), (node.attr,)),
            ast.Call: self._called,
            ast.Subscript: self._subscripted,
            ast.IfExp: lambda node: (*self.paths(node.body), *self.paths(node.orelse)),
            ast.BoolOp: lambda node: tuple(path for value in node.values for path in self.paths(value)),
            ast.NamedExpr: lambda node: self.paths(node.value),
            ast.Await: lambda node: self.paths(node.value),
        }

    def _folders(self) -> dict[type[ast.AST], Callable[[Any], Options]]:
        """What tells the constants that an expression can be, by its kind."""
        return {
            ast.Constant: constant,
            ast.Name: lambda node: self.constants.get(node.id, ()),
            ast.BinOp: self._operated,
            ast.UnaryOp: lambda node: combined(negated, self.options(node.operand)),
            ast.List: lambda node: combined(listed, *map(self.options, node.elts[: ITEM_COUNT + 1])),
            ast.Tuple: lambda node: combined(listed, *map(self.options, node.elts[: ITEM_COUNT + 1])),
            ast.JoinedStr: lambda node: combined(
                concatenated, *map(self.options, node.values[: ITEM_COUNT + 1])
            ),
            ast.FormattedValue: lambda node: self.options(node.value),
            ast.NamedExpr: lambda node: self.options(node.value),
            ast.Starred: lambda node: self.options(node.value),
            ast.Subscript: self._picked,
            ast.ListComp: self._comprehended,
            ast.GeneratorExp: self._comprehended,
            ast.Call: self._computed,
        }

    def _named(self, name: str) -> tuple[str, ...]:
        found = self.names.get(name, ())
        if name in BUILTINS:
            found += (f"builtins.{name}" if name != "__builtins__" else "builtins",)
        if self._stars:
            found += tuple(f"{module}.{name}" for module in self._stars)
        return found

    @staticmethod
    def _joined(owners: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
        if not owners or not names:
            return ()
        paths = (f"{owner}.{name}" for owner in owners for name in names)
        return tuple(path for path in paths if len(path) <= _PATH_CHARS)

    def _called(self, node: ast.Call) -> tuple[str, ...]:
        """What Python's ways to get at a thing by its name give."""
        owners = self.paths(node.args[0]) if node.args else ()
        names = [self.texts(each) for each in node.args[:2]] + [(), ()]
        found: tuple[str, ...] = ()
        for function in self.paths(node.func):
            if function == "builtins.getattr":
                found += self._joined(owners, names[1])
            elif function == "builtins.__import__":
                found += tuple(name.partition(".")[0] for name in names[0])
            elif function == "importlib.import_module":
                found += names[0]
            elif function == "builtins.vars" and owners:
                found += self._joined(owners, ("__dict__",))
            elif function in _NAMESPACES:
                found += (function,)
            elif function in _GETTERS:  # attrgetter("system")(os)
                found += tuple(f"{function}:{name}" for name in names[0])
            elif function.startswith(_GETTERS):
                found += self._joined(owners, (function.partition(":")[2],))
        return found

    def _subscripted(self, node: ast.Subscript) -> tuple[str, ...]:
        """Members of modules by name: `os.__dict__["system"]`, `sys.modules["os"]`, `globals()["os"]`."""
        keys = self.texts(node.slice)
        found: tuple[str, ...] = ()
        for owner in self.paths(node.value):
            if owner.endswith(".__dict__") or owner == "builtins":
                found += self._joined((owner.removesuffix(".__dict__"),), keys)
            elif owner == "sys.modules":
                found += keys
            elif owner in _NAMESPACES:
                found += tuple(path for key in keys for path in self._named(key))
        return found

    def _operated(self, node: ast.BinOp) -> Options:
        operator = _OPERATORS.get(type(node.op), "")
        left, right = self.options(node.left), self.options(node.right)
        return combined(lambda sides: computed(operator, *sides), left, right) if left and right else ()

    def _picked(self, node: ast.Subscript) -> Options:
        own, key = self.options(node.value), node.slice
        if isinstance(key, ast.Slice):
            return cut(own, self.options(key.lower), self.options(key.upper), self.options(key.step))
        return combined(picked, own, self.options(key))

    def _comprehended(self, node: ast.ListComp | ast.GeneratorExp) -> Options:
        """`chr(x) for x in [...]`, the one that spells names."""
        is_chr = isinstance(node.elt, ast.Call) and "builtins.chr" in self.paths(node.elt.func)
        return combined(characters, self.options(node.generators[0].iter)) if is_chr else ()

    def _computed(self, node: ast.Call) -> Options:
        """What Python's own conversions and decoders give, and the methods of texts."""
        arguments = [self.options(each) for each in node.args]
        if arguments and "builtins.map" in self.paths(node.func):
            is_chr = "builtins.chr" in self.paths(node.args[0])
            return combined(characters, *arguments[1:2]) if is_chr else ()
        for function in self.paths(node.func) if arguments else ():
            convert = CONVERSIONS.get(function)
            if convert is not None:
                return combined(convert, *arguments)
        return self._method(node.func, arguments) if isinstance(node.func, ast.Attribute) else ()

    def _method(self, function: ast.Attribute, arguments: list[Options]) -> Options:
        name, own = function.attr, self.options(function.value)
        if name in ("encode", "decode"):
            return own
        if name == "join" and arguments:
            own, arguments = arguments[0], [own]
        return combined(lambda parts: applied(name, parts[0], parts[1:]), own, *arguments)


def _nothing(_: ast.AST) -> tuple[()]:
    return ()


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST, bool]]:
    """What gives a value to a name: name, expression, and whether the name gets its elements."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _assigned(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
        yield from _assigned(node.target, node.value)
    elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
        yield node.target.id, node.iter, True
    elif isinstance(node, ast.arguments):
        names = (*node.posonlyargs, *node.args)
        for name, default in zip(names[len(names) - len(node.defaults) :], node.defaults, strict=False):
            yield name.arg, default, False
        for name, value in zip(node.kwonlyargs, node.kw_defaults, strict=False):
            if value is not None:
                yield name.arg, value, False


def _assigned(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST, bool]]:
    if isinstance(target, ast.Name):
        yield target.id, value, False
    elif isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        for part, item in zip(target.elts, value.elts, strict=False):
            yield from _assigned(part, item)
