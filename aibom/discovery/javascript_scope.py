"""The names of a JavaScript or TypeScript program and what is assigned to them.

The tree is walked with a cursor, never by recursion: it can be as deep as the file is long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from aibom.discovery.javascript_imports import imports, passed_on, renamed, whole
from aibom.discovery.javascript_names import BLOCKS, CLASSES, FUNCTIONS, Binding, Module, Scope, bound
from aibom.discovery.javascript_tree import code_of, key_of, unwrapped
from aibom.domain.text import capped

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

DEPTH: Final = 1_500  # of the syntax tree; what is deeper is not looked at
CALL_COUNT: Final = 50_000  # calls looked at in one file
BINDING_COUNT: Final = 100_000
NAME_BINDING_COUNT: Final = 64  # assignments to one name; later ones are not looked at
_NAME_CHARS: Final = 200
_EACH: Final = frozenset(("map", "forEach", "flatMap", "filter", "some", "every"))


class Collector:
    """Fills a `Module` while the tree is walked."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.module = Module(top=Scope(kind="module", path=path, depth=-1), tree=tree)
        self._scope = self.module.top
        self._given: dict[int, tuple[Node, bool]] = {}  # function -> what it is called with
        self._count = 0

    def walk(self) -> Module:
        cursor = self.module.tree.walk()
        depth = 0
        while True:
            if (node := cursor.node) is not None and node.is_named:
                self._enter(node, depth)
            if depth >= DEPTH:
                if node is not None and node.child_count:
                    self.module.cut = self.module.cut or f"code nested deeper than {DEPTH}"
            elif cursor.goto_first_child():
                depth += 1
                continue
            while True:
                self._leave(depth)
                if cursor.goto_next_sibling():
                    break
                if not cursor.goto_parent():
                    return self.module
                depth -= 1

    def _enter(self, node: Node, depth: int) -> None:
        if (visit := _VISITS.get(node.type)) is not None:
            visit(self, node)
        if node.type in FUNCTIONS:
            self._function(node, depth)
        elif node.type in CLASSES:
            self._open("class", node, depth)
        elif node.type in BLOCKS and node.id != self._scope.body:
            self._open("block", node, depth)
            if node.type == "for_in_statement":
                self._each(node)

    def _open(self, kind: str, node: Node, depth: int) -> Scope:
        self._scope = Scope(kind=kind, path=self._scope.path, parent=self._scope, depth=depth)
        if kind != "block":
            self.module.scopes[node.id] = self._scope
        return self._scope

    def _leave(self, depth: int) -> None:
        while self._scope.depth >= depth and self._scope.parent is not None:
            self._scope = self._scope.parent

    # Names

    def _bind(self, name: str, binding: Binding, scope: Scope | None = None) -> None:
        self._count += 1
        if self._count > BINDING_COUNT:
            self.module.cut = f"more than {BINDING_COUNT} assignments"
            return
        bindings = (scope or self._scope).names.setdefault(capped(name, _NAME_CHARS), [])
        if len(bindings) < NAME_BINDING_COUNT:
            bindings.append(binding)

    def _value(self, value: Node | None, at: Node, **more: object) -> Binding:
        return Binding(value=value, scope=self._scope, position=at.start_byte, **more)  # type: ignore[arg-type]

    def _all(self, pattern: Node, base: Binding, scope: Scope | None = None) -> None:
        for name, binding in bound(pattern, base):
            self._bind(name, binding, scope)

    def _function(self, node: Node, depth: int) -> None:
        name = node.child_by_field_name("name")
        if name is not None and node.type != "method_definition":
            self._bind(code_of(name), self._value(node, node))
        elif name is not None and (owner := self._scope.nearest("class")) is not None:
            self._bind(f"this.{code_of(name)}", self._value(node, node), owner)
        scope = self._open("function", node, depth)
        body = node.child_by_field_name("body")
        if body is not None:
            scope.body = body.id
            if body.type != "statement_block":
                scope.returns.append(body)
        self._parameters(node)

    def _parameters(self, node: Node) -> None:
        outer, item = self._given.pop(node.id, (None, False))
        single = node.child_by_field_name("parameter")
        many = node.child_by_field_name("parameters")
        for number, child in enumerate(
            [single] if single is not None else many.named_children if many else []
        ):
            pattern = child.child_by_field_name("pattern") or child
            base = self._value(
                outer if number == 0 else None,
                child,
                item=item and number == 0,
                default=child.child_by_field_name("value"),
                annotation=child.child_by_field_name("type"),
            )
            self._all(pattern, base)
            # `constructor(private client: Client)` declares a field.
            owner = self._scope.nearest("class")
            if (
                owner is not None
                and child.named_children[:1]
                and child.named_children[0].type == "accessibility_modifier"
            ):
                self._bind(f"this.{code_of(pattern)}", base, owner)

    def _each(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and right is not None:
            self._all(left, self._value(right, node, item=True))

    # Statements

    def declaration(self, node: Node) -> None:
        hoisted = self._scope.nearest("function", "module") if node.type == "variable_declaration" else None
        for child in node.named_children:
            name = child.child_by_field_name("name") if child.type == "variable_declarator" else None
            if name is None:
                continue
            value, kind = child.child_by_field_name("value"), child.child_by_field_name("type")
            if value is None and kind is None:
                (hoisted or self._scope).names.setdefault(code_of(name), [])
                continue
            certain = hoisted is None or hoisted is self._scope
            self._all(name, self._value(value, child, certain=certain, annotation=kind), hoisted)

    def assignment(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if left.type == "identifier":
            owner = self._owner(code_of(left))
            certain = owner is self._scope and node.type == "assignment_expression"
            self._bind(code_of(left), self._value(right, node, certain=certain), owner)
        elif left.type == "member_expression":
            self._member(left, self._value(right, node, certain=False))
        else:
            self._all(left, self._value(right, node, certain=False))

    def _member(self, left: Node, binding: Binding) -> None:
        place = code_of(left)
        if place.startswith("this."):
            self._bind(place, binding, self._scope.nearest("class") or self.module.top)
        elif place.startswith(("module.exports", "exports.")):
            self._bind(
                place.removeprefix("module.") if place.count(".") > 1 else place, binding, self.module.top
            )
        elif place.count(".") == 1:
            self._bind(place, binding, self._owner(place.partition(".")[0]))

    def _owner(self, name: str) -> Scope:
        return next((scope for scope in self._scope.outwards() if name in scope.names), self.module.top)

    def member(self, node: Node) -> None:
        """A field of a class."""
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        owner = self._scope.nearest("class")
        if name is not None and owner is not None:
            kind = node.child_by_field_name("type")
            value = self._value(node.child_by_field_name("value"), node, certain=False, annotation=kind)
            self._bind(f"this.{key_of(name)}", value, owner)

    def named(self, node: Node) -> None:
        """A class or an enumeration by its name."""
        name = node.child_by_field_name("name")
        if name is not None:
            self._bind(code_of(name), self._value(node, node))

    def returned(self, node: Node) -> None:
        function = self._scope.nearest("function")
        if function is not None and node.named_children:
            function.returns.append(node.named_children[0])

    def call(self, node: Node) -> None:
        if len(self.module.calls) == CALL_COUNT:
            self.module.cut = f"more than {CALL_COUNT} calls"
            return
        self.module.calls.append((node, self._scope))
        callee, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if callee is None or given is None or callee.type != "member_expression" or not given.named_children:
            return
        owner, verb = callee.child_by_field_name("object"), callee.child_by_field_name("property")
        if owner is not None and verb is not None and code_of(verb) in (*_EACH, "then"):
            self._given[unwrapped(given.named_children[0]).id] = owner, code_of(verb) != "then"

    # Modules

    def imported(self, node: Node) -> None:
        for local, source, keys in imports(node):
            self._import(local, source, keys)

    def exported(self, node: Node) -> None:
        """What other files can import: renamed, passed on, or the default."""
        value = node.child_by_field_name("value")
        if value is not None:
            self._bind("default", self._value(value, node))
        for local, source, keys in passed_on(node):
            self._import(local, source, keys)
        for alias, name in renamed(node):
            self._bind(alias, self._value(name, name), self.module.top)
        if (module := whole(node)) is not None:
            self.module.passed_on.append(module)

    def _import(self, local: str, source: str, keys: tuple[str, ...]) -> None:
        # Imports are hoisted: they hold from the first byte on.
        binding = Binding(value=None, scope=self.module.top, position=0, source=source, keys=keys)
        self._bind(local, binding, self.module.top)


_VISITS: Final[dict[str, Callable[[Collector, Node], None]]] = {
    "lexical_declaration": Collector.declaration,
    "variable_declaration": Collector.declaration,
    "assignment_expression": Collector.assignment,
    "augmented_assignment_expression": Collector.assignment,
    "field_definition": Collector.member,
    "public_field_definition": Collector.member,
    "class_declaration": Collector.named,
    "abstract_class_declaration": Collector.named,
    "enum_declaration": Collector.named,
    "return_statement": Collector.returned,
    "call_expression": Collector.call,
    "new_expression": Collector.call,
    "import_statement": Collector.imported,
    "export_statement": Collector.exported,
}


def collect(tree: Tree, path: str) -> Module:
    """The names of a parsed file."""
    return Collector(tree, path).walk()
