"""One call in JavaScript or TypeScript, as a loader sees it: its function and its arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from aibom.discovery.found import Found
from aibom.discovery.javascript_members import Origin, Value, arguments, spreads
from aibom.discovery.javascript_names import Scope
from aibom.discovery.javascript_text import texts
from aibom.discovery.javascript_tree import code_of
from aibom.discovery.javascript_values import Values
from aibom.discovery.targets import Target
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

if TYPE_CHECKING:
    from tree_sitter import Node

_CHAIN: Final = 6  # members between a client and the call
_NOTHING: Final = ("undefined", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """What a call was given under a name. Neither given nor unknown: the call goes without it."""

    texts: tuple[str, ...] = ()
    given: bool = False
    unknown: bool = False  # it may be in an object that is not known
    made: bool = False  # an object that another call made

    @property
    def text(self) -> str | None:
        """The text, when there is exactly one."""
        return self.texts[0] if len(self.texts) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of something of a package; positions count from 0."""

    package: str
    path: str
    node: Node
    scope: Scope
    values: Values
    found: Found

    @property
    def name(self) -> str:
        return f"{self.package}.{self.path}".replace("()", "").replace("..", ".").rstrip(".")

    def argument(self, position: int) -> Argument:
        """The argument at a position, as a text."""
        return self._argument(self._at(position))

    def option(self, position: int, *names: str) -> Argument:
        """A member of the object that is the argument at a position."""
        owners = self._at(position)
        for name in names:
            picked = [one for owner in owners for one in self.values.pick(owner, name, 0)]
            if picked:
                return self._argument(picked)
        return Argument(unknown=any(self._open(owner) for owner in owners))

    def owner(self, position: int, name: str, inner: str) -> Argument:
        """A member of a member: `{repo: {name}}`."""
        outer = [one for each in self._at(position) for one in self.values.pick(each, name, 0)]
        return self._argument([one for each in outer for one in self.values.pick(each, inner, 0)])

    def maker(self, *names: str) -> str | None:
        """A text in the object that the client of the call was made with: `new Client({baseURL})`."""
        node = self.node.child_by_field_name("function")
        for _ in range(_CHAIN):
            owner = node.child_by_field_name("object") if node is not None else None
            if node is None or node.type != "member_expression" or owner is None or owner.type == "this":
                break
            node = owner
        for value in self.values.of(node, self.scope) if node is not None else ():
            given = arguments(value.node)[:1] if value.node is not None else []
            for one in self.values.follow(replace(value, node=given[0]), 1) if given else ():
                found = [each for name in names for each in self.values.pick(one, name, 1)]
                if known := texts(self.values, found):
                    return known[0]
        return None

    def _at(self, position: int) -> list[Value]:
        given = arguments(self.node)[: position + 1]
        if len(given) <= position:
            return []
        if any(each.type == "spread_element" for each in given):
            return [Value(scope=self.scope, node=given[0])]
        return self.values.of(given[position], self.scope)

    def _argument(self, found: list[Value]) -> Argument:
        found = [one for one in found if one.node is None or code_of(one.node) not in _NOTHING]
        made = any(
            one.origin is not None or one.kind in ("call_expression", "new_expression") for one in found
        )
        return Argument(texts=tuple(texts(self.values, found)), given=bool(found), made=made)

    def _open(self, value: Value) -> bool:
        """True when the value can have members that are not known."""
        if value.kind != "object":
            return value.kind not in ("string", "template_string", "number", "array", "undefined", "null")
        return any(self._open(one) for each in spreads(value) for one in self.values.follow(each, 1))

    def refer(self, kind: ComponentKind, targets: Iterable[Target], flags: Iterable[Flag] = ()) -> None:
        """Reports what the call loads; no target at all is a reference that is not resolved."""
        line, column, more = self.node.start_point.row + 1, self.node.start_point.column + 1, frozenset(flags)
        known = [target for target in targets if target.ref is not None]
        for target in known or [Target(ref=None)]:
            self.found.add(kind, target.ref, self.name, line, column, flags=target.flags | more)


# Addresses that serve packages of npm to browsers, and prefixes of other runtimes.
_SERVED = re.compile(
    r"(?:npm:|https?://(?:cdn\.jsdelivr\.net/npm/|esm\.sh/|esm\.run/|unpkg\.com/|cdn\.skypack\.dev/|ga\.jspm\.io/npm:))/?"
)
_PACKAGE = re.compile(r"((?:@[\w.-]+/)?[\w.-]+)(?:@[^/]*)?(?:/.*)?\Z")


def package_of(module: str) -> str | None:
    """The package that a module belongs to: without version, folder and the address it is served from."""
    match = _PACKAGE.match(_SERVED.sub("", module, count=1))
    return match[1] if match and not module.startswith((".", "/")) else None


def call_of(origin: Origin, node: Node, scope: Scope, values: Values, found: Found) -> Call | None:
    """The call of something of a package; None for what is none."""
    package = package_of(origin.module)
    if package is None:
        return None
    return Call(package=package, path=origin.path, node=node, scope=scope, values=values, found=found)
