"""Values of JavaScript and TypeScript expressions, and the members of literal ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aibom.discovery.javascript_names import Scope
from aibom.discovery.javascript_tree import code_of, key_of, literal

if TYPE_CHECKING:
    from tree_sitter import Node

OPTION_COUNT: Final = 16  # values that one expression may have
_MEMBERS: Final = 200  # of one object that are looked at
_LAST: Final = 1 << 62  # a position after everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Something of a module: `openai` and `OpenAI().chat` for `new OpenAI().chat`."""

    module: str
    path: str = ""

    def member(self, name: str) -> Origin:
        """The default export and the module itself are taken for one: loaders of both kinds exist."""
        if name == "default":
            return self
        return Origin(module=self.module, path=f"{self.path}.{name}" if self.path else name)

    def called(self) -> Origin:
        return Origin(module=self.module, path=f"{self.path}()")

    @property
    def beside(self) -> bool:
        """True for a file of the same program."""
        return self.module.startswith((".", "@/", "~/", "#"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """An expression that is no name: a literal, an object, a call, or something of a module."""

    scope: Scope
    node: Node | None = None
    origin: Origin | None = None
    position: int = _LAST

    @property
    def kind(self) -> str:
        return self.node.type if self.node is not None else ""


def arguments(call: Node) -> list[Node]:
    """The arguments of a call in order; none for a tagged template."""
    given = call.child_by_field_name("arguments")
    if given is None or given.type != "arguments":
        return []
    return [child for child in given.named_children if child.type != "comment"]


def keys_of(value: Value) -> list[Value]:
    """The keys of an object as values."""
    pairs = value.node.named_children[:_MEMBERS] if value.node is not None and value.kind == "object" else []
    keys = [child.child_by_field_name("key") for child in pairs if child.type == "pair"]
    return [replace(value, node=key) for key in keys if key is not None]


def members(value: Value, key: str | None) -> list[Value]:
    """The members of an object, array or enumeration; those of one name when it is given."""
    if value.node is None:
        return []
    if value.kind == "array":
        listed = [child for child in value.node.named_children[:_MEMBERS] if child.type != "comment"]
        return [replace(value, node=one) for n, one in enumerate(listed) if key in (None, str(n))][
            :OPTION_COUNT
        ]
    body = value.node.child_by_field_name("body") if value.kind == "enum_declaration" else value.node
    if body is None or body.type not in ("object", "enum_body"):
        return []
    found: list[Node] = []
    for child in body.named_children[:_MEMBERS]:
        name, one = (
            child.child_by_field_name("key") or child.child_by_field_name("name"),
            child.child_by_field_name("value"),
        )
        if child.type == "shorthand_property_identifier" and key in (None, code_of(child)):
            found.append(child)
        elif name is not None and one is not None and key in (None, key_of(name)):
            found.append(one)
    return [replace(value, node=one) for one in found][: OPTION_COUNT if key is None else None]


def spreads(value: Value) -> list[Value]:
    """What is unfolded into an object: `{...defaults}`."""
    children = (
        value.node.named_children[:_MEMBERS] if value.node is not None and value.kind == "object" else []
    )
    found = [
        child.named_children[0]
        for child in children
        if child.type == "spread_element" and child.named_children
    ]
    return [replace(value, node=child) for child in found]


def operator(node: Node) -> str:
    """The operator of a binary expression."""
    sign = node.child_by_field_name("operator")
    return sign.type if sign is not None else ""


def property_of(node: Node) -> str:
    """The name behind the dot."""
    name = node.child_by_field_name("property")
    return code_of(name) if name is not None else ""


def key_text(value: Value) -> str | None:
    """What a literal means between square brackets; None for what is no literal."""
    if value.node is None:
        return None
    return code_of(value.node) if value.kind == "number" else literal(value.node)


def looped(value: Value) -> tuple[str, Value | None]:
    """`Object.values` or `Object.keys` and the object; nothing for what is no such call."""
    callee = value.node.child_by_field_name("function") if value.node is not None else None
    verb = code_of(callee) if callee is not None else ""
    if value.node is None or verb not in ("Object.values", "Object.keys") or not arguments(value.node):
        return "", None
    return verb, replace(value, node=arguments(value.node)[0])
