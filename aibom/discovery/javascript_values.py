"""What an expression in JavaScript or TypeScript can be, as far as the text alone says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from aibom.discovery.javascript_members import (
    OPTION_COUNT,
    Origin,
    Value,
    arguments,
    key_text,
    keys_of,
    looped,
    members,
    operator,
    property_of,
    spreads,
)
from aibom.discovery.javascript_names import CLASSES, Binding, Module, Scope
from aibom.discovery.javascript_tree import code_of, literal, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

FILE_STEPS: Final = 200_000  # of resolving all expressions of one file
_DEPTH: Final = 24  # names that stand for names that ...
_STEPS: Final = 2_000  # of resolving one expression: values can share parts
_LAST: Final = 1 << 62  # a position after everything
_EITHER: Final = {"??": ("left", "right"), "||": ("left", "right"), "&&": ("right",)}
_FROZEN: Final = ("Object.freeze", "Object.seal", "structuredClone")

Sibling = Callable[[str, str], Module | None]  # path of the importing file, name of the module


class Values:
    """Resolves expressions of one program and of the files beside it."""

    def __init__(self, module: Module, sibling: Sibling) -> None:
        self._sibling = sibling
        self._modules = {module.top.path: module}
        self._steps = 0
        self._known: dict[tuple[int, int, int], list[Value]] = {}  # of one expression
        self.left = FILE_STEPS

    def of(self, node: Node, scope: Scope) -> list[Value]:
        """Everything that the expression can be, in order of the source."""
        self.restart()
        return self.follow(Value(scope=scope, node=node, position=node.start_byte), 0)

    def restart(self) -> None:
        """Gives the next expression its share of the steps."""
        self.left -= self._steps
        self._steps = 0
        self._known.clear()

    def spent(self, depth: int) -> bool:
        """Counts one step; True when there have been too many."""
        self._steps += 1
        return depth > _DEPTH or self._steps > _STEPS or self.left < self._steps

    def follow(self, value: Value, depth: int) -> list[Value]:
        """What stands behind names, members, branches and the functions of the program."""
        if value.node is None:
            return [value]
        if self.spent(depth):
            return []
        node = unwrapped(value.node)
        place = node.id, id(value.scope), value.position
        if place not in self._known:
            # Calls in a chain are asked for what they give and for where they come from.
            self._known[place] = self._followed(node, replace(value, node=node), depth)
        return self._known[place]

    def _followed(self, node: Node, here: Value, depth: int) -> list[Value]:
        match node.type:
            case "identifier" | "shorthand_property_identifier" | "type_identifier":
                return self._named(code_of(node), here, depth)
            case "member_expression" | "subscript_expression":
                return self._member(node, here, depth)
            case "ternary_expression":
                return self._fields(here, ("consequence", "alternative"), depth)
            case "assignment_expression":
                return self._fields(here, ("right",), depth)
            case "binary_expression" if fields := _EITHER.get(operator(node)):
                return self._fields(here, fields, depth)
            case "this":
                return self._this(here)
            case "call_expression":
                return self._called(node, here, depth)
        return [here]

    def _fields(self, value: Value, names: Iterable[str], depth: int) -> list[Value]:
        children = [value.node.child_by_field_name(name) for name in names] if value.node is not None else []
        return self._all([replace(value, node=child) for child in children if child is not None], depth)

    def _all(self, values: Iterable[Value], depth: int) -> list[Value]:
        return [one for value in values for one in self.follow(value, depth + 1)][:OPTION_COUNT]

    # Names

    def _named(self, name: str, value: Value, depth: int) -> list[Value]:
        for scope in value.scope.outwards():
            if name in scope.names and scope.kind != "class":
                # A name outside of the function has its final value by the time the function runs.
                inside = scope.nearest("function", "module") is value.scope.nearest("function", "module")
                return self.bound(scope.bindings(name, value.position if inside else _LAST), depth) or [value]
        return [value]

    def bound(self, bindings: Iterable[Binding], depth: int) -> list[Value]:
        """What is assigned by the bindings."""
        found: list[Value] = []
        for binding in bindings:
            found += self._bound(binding, depth)
            if len(found) >= OPTION_COUNT:
                break
        return found[:OPTION_COUNT]

    def _bound(self, binding: Binding, depth: int) -> list[Value]:
        base = Value(scope=binding.scope, position=binding.position - 1)
        found: list[Value] = []
        if binding.source is not None:
            found = [replace(base, origin=Origin(module=binding.source))]
        elif binding.value is not None:
            found = self.follow(replace(base, node=binding.value), depth + 1)
        if binding.item:
            found = [one for value in found for one in self._items(value, depth)]
        for key in binding.keys:
            found = [one for value in found for one in self.pick(value, key, depth)]
        if binding.default is not None:
            found += self.follow(replace(base, node=binding.default), depth + 1)
        return found or self._annotated(binding, base, depth)

    def _annotated(self, binding: Binding, base: Value, depth: int) -> list[Value]:
        """What the type of a parameter or field says: an instance of a class of a library."""
        kind = binding.annotation.named_children[:1] if binding.annotation is not None else []
        if not kind or kind[0].type != "type_identifier":
            return []
        found = self.follow(replace(base, node=kind[0], position=_LAST), depth + 1)
        return [replace(base, origin=one.origin.called()) for one in found if one.origin is not None]

    def _this(self, value: Value) -> list[Value]:
        owner = value.scope.nearest("class", "module")
        return [replace(value, scope=owner, node=None)] if owner is not None else []

    # Members

    def _member(self, node: Node, value: Value, depth: int) -> list[Value]:
        owner = node.child_by_field_name("object")
        if owner is None:
            return []
        if node.type == "member_expression":
            keys: list[str | None] = [property_of(node)]
            if owner.type == "identifier" and (
                placed := self._placed(f"{code_of(owner)}.{keys[0]}", value, depth)
            ):
                return placed
        else:
            keys = list(self._keys(node, value, depth)) or [None]
        owners = self.follow(replace(value, node=owner), depth + 1)
        found = [one for each in owners for key in keys for one in self.pick(each, key, depth)]
        return found[:OPTION_COUNT] or [value]

    def _placed(self, name: str, value: Value, depth: int) -> list[Value]:
        """`settings.model = ...` in a line of its own."""
        scope = next((scope for scope in value.scope.outwards() if name in scope.names), None)
        return self.bound(scope.names[name], depth) if scope is not None else []

    def _keys(self, node: Node, value: Value, depth: int) -> list[str]:
        index = node.child_by_field_name("index")
        found = self.follow(replace(value, node=index), depth + 1) if index is not None else []
        return [text for one in found if (text := key_text(one)) is not None]

    def pick(self, value: Value, key: str | None, depth: int) -> list[Value]:
        """The member of that name; every member when the name is not known."""
        if self.spent(depth):
            return []
        origin = self.origin(value, depth + 1)
        if origin is not None and key is not None:
            if origin.beside and not origin.path:
                return self._exported(value.scope.path, origin.module, key, depth)
            return [replace(value, node=None, origin=origin.member(key))]
        if value.node is None or value.node.id in self._scopes(value):
            return self._of_class(value, key, depth)
        if value.kind == "new_expression":
            made = self._fields(value, ("constructor",), depth)
            return [one for each in made if each.kind in CLASSES for one in self._of_class(each, key, depth)]
        if key is not None and value.kind == "object" and spreads(value):
            plain = self._all(members(value, key), depth)
            return plain or [one for each in spreads(value) for one in self._spread_pick(each, key, depth)]
        return self._all(members(value, key), depth)

    def _spread_pick(self, value: Value, key: str, depth: int) -> list[Value]:
        return [one for each in self.follow(value, depth + 1) for one in self.pick(each, key, depth + 1)]

    def _items(self, value: Value, depth: int) -> list[Value]:
        """What a loop over the value goes through."""
        verb, container = looped(value)
        if container is None:
            return self._all(members(value, None), depth) if value.kind == "array" else []
        found: list[Value] = []
        for each in self.follow(container, depth + 1):
            found += self.pick(each, None, depth) if verb == "Object.values" else keys_of(each)
        return found

    def _scopes(self, value: Value) -> dict[int, Scope]:
        module = self._modules.get(value.scope.path)
        return module.scopes if module is not None else {}

    def _of_class(self, value: Value, key: str | None, depth: int) -> list[Value]:
        scope = self._scopes(value).get(value.node.id) if value.node is not None else value.scope
        return self.bound(scope.names.get(f"this.{key}", ()), depth) if scope is not None else []

    # Modules and calls

    def _exported(self, path: str, source: str, key: str, depth: int) -> list[Value]:
        module = self._sibling(path, source)
        if module is None or self.spent(depth):
            return []
        self._modules[module.top.path] = module
        for name in (key, f"exports.{key}"):
            if name in module.top.names:
                return self.bound(module.top.bindings(name, _LAST), depth + 1)
        whole = self.bound(module.top.names.get("module.exports", ()), depth + 1)
        if whole:
            return (
                whole
                if key == "default"
                else [one for each in whole for one in self.pick(each, key, depth + 1)]
            )
        passed = (self._exported(module.top.path, each, key, depth + 1) for each in module.passed_on[:8])
        return next((found for found in passed if found), [])

    def _called(self, node: Node, value: Value, depth: int) -> list[Value]:
        """A call: what a function of the program returns, or the call itself."""
        callee, given = node.child_by_field_name("function"), arguments(node)
        if callee is None:
            return []
        if given and code_of(callee) in _FROZEN:
            return self.follow(replace(value, node=given[0]), depth + 1)
        for one in self.follow(replace(value, node=callee), depth + 1):
            scope = self._scopes(one).get(one.node.id) if one.node is not None else None
            if scope is not None and scope.kind == "function" and scope.returns:
                return self._all(
                    (Value(scope=scope, node=each) for each in scope.returns[:OPTION_COUNT]), depth
                )
        return [value]

    def origin(self, value: Value, depth: int = 0) -> Origin | None:
        """Where something of a module comes from; None for what the program makes itself."""
        if (
            value.origin is not None
            or value.node is None
            or value.kind not in ("call_expression", "new_expression")
        ):
            return value.origin
        callee = value.node.child_by_field_name("function") or value.node.child_by_field_name("constructor")
        if callee is None or self.spent(depth):
            return None
        if code_of(callee) in ("require", "import"):
            given = arguments(value.node)
            source = literal(given[0]) if given and given[0].type == "string" else None
            return Origin(module=source) if source else None
        found = (self.origin(one, depth + 1) for one in self.follow(replace(value, node=callee), depth + 1))
        origin = next((each for each in found if each is not None), None)
        return origin.called() if origin is not None else None
