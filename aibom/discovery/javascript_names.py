"""Names of a JavaScript or TypeScript program: where they are bound, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from aibom.discovery.javascript_tree import code_of, key_of

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_PATTERN_DEPTH: Final = 16
# Types of nodes that have names of their own.
FUNCTIONS: Final = frozenset(
    ("function_declaration", "function_expression", "generator_function", "generator_function_declaration",
     "arrow_function", "method_definition")
)  # fmt: skip
CLASSES: Final = frozenset(("class_declaration", "class", "abstract_class_declaration"))
BLOCKS: Final = frozenset(
    ("statement_block", "if_statement", "for_statement", "for_in_statement", "while_statement",
     "do_statement", "switch_statement", "try_statement")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One assignment to a name. `keys` lead from the value to what the name gets."""

    value: Node | None
    scope: Scope  # in which the value is evaluated
    position: int
    certain: bool = True  # False inside of a branch or a loop: others may stand instead
    keys: tuple[str, ...] = ()
    default: Node | None = None
    item: bool = False  # the name is one of the items of the value
    source: str | None = None  # module that the name is imported from, by `keys`
    annotation: Node | None = None

    def step(self, *keys: str, default: Node | None = None) -> Binding:
        """The same assignment, one level deeper in a pattern."""
        annotation = None if self.keys or keys else self.annotation
        return replace(self, keys=(*self.keys, *keys), default=default or self.default, annotation=annotation)


@dataclass(slots=True)
class Scope:
    """The names of a module, class, function or block."""

    kind: str  # module, class, function, block
    path: str  # of the file
    parent: Scope | None = None
    depth: int = 0
    body: int = 0  # node id of the body of a function: no scope of its own
    names: dict[str, list[Binding]] = field(default_factory=dict)
    returns: list[Node] = field(default_factory=list)

    def bindings(self, name: str, position: int) -> list[Binding]:
        """What the name may stand for at a place: the last certain value and what follows."""
        found = self.names.get(name, [])
        chosen: list[Binding] = []
        for binding in reversed(found):
            if binding.position > position:
                continue
            chosen.append(binding)
            if binding.certain:
                break
        return chosen[::-1] or found

    def outwards(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def nearest(self, *kinds: str) -> Scope | None:
        return next((scope for scope in self.outwards() if scope.kind in kinds), None)


@dataclass(slots=True)
class Module:
    """One parsed file."""

    top: Scope
    tree: Tree  # kept: the nodes below point into it
    scopes: dict[int, Scope] = field(default_factory=dict)  # of functions and classes, by node id
    calls: list[tuple[Node, Scope]] = field(default_factory=list)
    passed_on: list[str] = field(default_factory=list)  # modules of `export * from`
    cut: str = ""  # what was too much of the file


def bound(pattern: Node, base: Binding, level: int = 0) -> Iterator[tuple[str, Binding]]:
    """Every name of a pattern with what it gets: plain, `{a, b: c = 1}`, `[d]`."""
    if pattern.type == "identifier":
        yield code_of(pattern), base
    elif pattern.type == "shorthand_property_identifier_pattern":
        yield code_of(pattern), base.step(code_of(pattern))
    elif level < _PATTERN_DEPTH:
        for inner, binding in _parts(pattern, base):
            yield from bound(inner, binding, level + 1)


def _parts(pattern: Node, base: Binding) -> Iterator[tuple[Node, Binding]]:
    if pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        left, right = pattern.child_by_field_name("left"), pattern.child_by_field_name("right")
        if left is not None:
            yield left, base.step(default=right)
    elif pattern.type == "pair_pattern":
        key, value = pattern.child_by_field_name("key"), pattern.child_by_field_name("value")
        name = key_of(key) if key is not None else None
        if value is not None and name is not None:
            yield value, base.step(name)
    elif pattern.type in ("object_pattern", "rest_pattern"):
        yield from ((child, base) for child in pattern.named_children)
    elif pattern.type == "array_pattern":
        yield from ((child, base.step(str(number))) for number, child in _placed(pattern))


def _placed(pattern: Node) -> Iterator[tuple[int, Node]]:
    """The parts of `[a, , b]` with their positions."""
    number = 0
    for child in pattern.children:
        if child.type == ",":
            number += 1
        elif child.is_named:
            yield number, child
