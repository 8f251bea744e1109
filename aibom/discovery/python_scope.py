"""The names of one Python file: what is bound to them, where, and under which conditions."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeAlias

OPTION_COUNT: Final = 64  # values that one expression may have
_LOOKED_AT_COUNT: Final = 64  # assignments to one name, backwards from where it is used
END: Final = 1 << 60  # an order after everything: what a name is when the file has been run
EACH: Final = -1  # a step that goes through every item, as a loop does


class Arm(NamedTuple):
    """One arm of a branching statement. `arms` is 0 when it can be that none of them is taken."""

    branch: int
    number: int = 0
    arms: int = 0


Conditions: TypeAlias = tuple[Arm, ...]  # the arms that a place stands in, from the outermost inwards


@dataclass(frozen=True, slots=True)
class Import:
    """Something of another module by its dotted name; a relative one keeps its leading dots."""

    name: str


FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Bound: TypeAlias = ast.expr | ast.ClassDef | FunctionNode | Import


@dataclass(frozen=True, slots=True)
class Binding:
    """One assignment to a name. `steps` say which part of the value it gets: an index, or `EACH`."""

    value: Bound
    scope: Scope  # in which the value is evaluated
    order: int  # of the assignment among all of the file
    conditions: Conditions = ()
    steps: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Scope:
    """The names of one module, class, function or comprehension."""

    node: ast.AST
    parent: Scope | None = None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    annotations: dict[str, ast.expr] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    returns: list[Binding] = field(default_factory=list)
    globals: set[str] = field(default_factory=set)

    def bindings(self, name: str, order: int, conditions: Conditions) -> list[Binding]:
        """What the name may stand for at a place: the last value that is certain, and others after it.

        A name that is read before it is bound (in a loop, or by a function that runs later) may
        have any of its values.
        """
        found = self.names.get(name, [])
        before = bisect_left(found, order, key=lambda binding: binding.order)
        chosen: list[Binding] = []
        arms: set[Arm] = set()
        for binding in reversed(found[max(0, before - _LOOKED_AT_COUNT) : before]):
            if _exclusive(binding.conditions, conditions):
                continue
            chosen.append(binding)
            if len(chosen) == OPTION_COUNT or _certain(binding.conditions, conditions, arms):
                break
        return chosen[::-1] or found[:OPTION_COUNT]

    def owner(self) -> Scope | None:
        """The class that a method stands in."""
        return next((scope for scope in self.outwards() if isinstance(scope.node, ast.ClassDef)), None)

    def outwards(self) -> Iterator[Scope]:
        current: Scope | None = self
        while current is not None:
            yield current
            current = current.parent

    def seen(self) -> Iterator[Scope]:
        """The scopes whose names can be used here: those of a class are not seen in its functions."""
        for scope in self.outwards():
            if scope is self or not isinstance(scope.node, ast.ClassDef):
                yield scope


def _exclusive(one: Conditions, other: Conditions) -> bool:
    """True in two arms of the same branch."""
    for left, right in zip(one, other, strict=False):
        if left != right:
            return left.branch == right.branch
    return False


def _certain(conditions: Conditions, here: Conditions, arms: set[Arm]) -> bool:
    """True when what is assigned under the conditions holds here, alone or with the other `arms`."""
    outer = len(conditions) - 1
    if conditions == here[: outer + 1]:
        return True
    last = conditions[-1]
    if conditions[:outer] != here[:outer] or not last.arms:
        return False
    arms.add(last)
    return sum(arm.branch == last.branch for arm in arms) == last.arms


class Site(NamedTuple):
    """A call, and where it stands."""

    node: ast.Call
    scope: Scope
    order: int
    conditions: Conditions


def nowhere(module: str, wanted: str) -> Module | None:  # noqa: ARG001 - the signature of `Module.beside`
    return None


@dataclass(slots=True, eq=False)
class Module:
    """One parsed file: its scopes, its calls, and the defaults that its programs take."""

    top: Scope
    scopes: dict[ast.AST, Scope]  # by module, class, function, lambda and comprehension
    calls: list[Site] = field(default_factory=list)
    roots: set[str] = field(default_factory=set)  # first parts of the names of what is imported
    stars: list[str] = field(default_factory=list)  # modules whose names are all imported
    options: dict[str, list[Binding]] = field(default_factory=dict)  # of command lines: name -> defaults
    fields: dict[str, list[Binding]] = field(default_factory=dict)  # annotated ones of classes
    bound: set[str] = field(default_factory=set)  # names of anything but functions
    complete: bool = True  # False when a bound was reached: some names or calls are missing
    # A module that this one imports from, by its name, when it has another name in it.
    beside: Callable[[str, str], Module | None] = nowhere

    def dissolve(self) -> None:
        """Scopes and their names refer to each other: taken apart, their memory is free at once."""
        for scope in self.scopes.values():
            scope.names.clear()
            scope.returns.clear()


class Place(NamedTuple):
    """Where an expression is evaluated."""

    module: Module
    scope: Scope
    order: int = END
    conditions: Conditions = ()
    given: Mapping[str, Value] = {}  # arguments of the call that the function of the scope is looked at for
    depth: int = 0

    def deeper(self) -> Place:
        return self._replace(depth=self.depth + 1)


class Value(NamedTuple):
    """An expression and where it is evaluated; several values side by side when a loop makes them."""

    node: Bound | tuple[Value, ...]
    at: Place


class Follow(Protocol):
    """Finds what an expression stands for."""

    def __call__(self, node: ast.expr, at: Place) -> list[Value]: ...

    def spend(self, steps: int) -> None:
        """Counts work that was done otherwise."""
