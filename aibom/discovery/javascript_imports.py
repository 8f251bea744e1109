"""What statements of JavaScript and TypeScript import and export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from aibom.discovery.javascript_tree import code_of, key_of, literal

if TYPE_CHECKING:
    from tree_sitter import Node

Imported: TypeAlias = tuple[str, str, tuple[str, ...]]  # local name, module, names that lead to it


def imports(node: Node) -> Iterator[Imported]:
    """`import a, {b as c}, * as d from "e"`, `import f = require("g")`."""
    source = _source(node)
    for clause in node.named_children:
        if clause.type == "import_require_clause" and clause.named_children and (required := _source(clause)):
            yield code_of(clause.named_children[0]), required, ()
        if clause.type != "import_clause" or source is None:
            continue
        for child in clause.named_children:
            if child.type == "identifier":
                yield code_of(child), source, ("default",)
            elif child.type == "namespace_import" and child.named_children:
                yield code_of(child.named_children[0]), source, ()
            elif child.type == "named_imports":
                yield from _specifiers(child, source)


def passed_on(node: Node) -> Iterator[Imported]:
    """`export {a as b} from "c"`."""
    source = _source(node)
    for clause in _clauses(node) if source is not None else ():
        yield from _specifiers(clause, source or "")


def renamed(node: Node) -> Iterator[tuple[str, Node]]:
    """`export {a as b}`: the new name and the old one."""
    for clause in _clauses(node) if _source(node) is None else ():
        for child in clause.named_children:
            name, alias = child.child_by_field_name("name"), child.child_by_field_name("alias")
            if name is not None and alias is not None:
                yield code_of(alias), name


def whole(node: Node) -> str | None:
    """The module of `export * from "a"`."""
    return None if _clauses(node) else _source(node)


def _clauses(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type == "export_clause"]


def _specifiers(node: Node, source: str) -> Iterator[Imported]:
    for child in node.named_children:
        if (name := child.child_by_field_name("name")) is not None:
            local = child.child_by_field_name("alias") or name
            yield key_of(local) or "", source, (key_of(name) or "",)


def _source(node: Node) -> str | None:
    source = node.child_by_field_name("source")
    return literal(source) if source is not None else None
