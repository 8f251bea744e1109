"""Dependencies of JavaScript programs: package.json and the lock files of npm, Yarn and pnpm.

Sources: the documentation of package.json and package-lock.json (versions 1 to 3), the lock files of
Yarn 1 and 2 and later, and of pnpm (versions 5 to 9).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.dependency import Dependency, document, lines
from aibom.discovery.found import Text
from aibom.discovery.marked import Node

_NESTED: Final = 32  # packages inside of packages
_SECTIONS: Final = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
_EXACT = re.compile(r"=?v?(\d+\.\d+\.\d+(?:[-+][\w.+-]+)?)\Z")
_ALIAS = re.compile(r"npm:(@?[^@]+)@(.*)\Z")
_YARN_NAME = re.compile(r"\"?(@?[\w./-]+)@")
_YARN_VERSION = re.compile(r"\s+version:?\s+\"?([^\"\s]+)\"?")
_PNPM = re.compile(r"\s{2}['\"]?/?(@?[\w.-]+(?:/[\w.-]+)?)[@/](\d[\w.+-]*)(?:[(_].*)?['\"]?:")


def package_json(text: Text) -> Iterator[Dependency]:
    """What the package itself asks for; a range is no version."""
    root = document(text, "json")
    for section in _SECTIONS:
        table = root.get(section)
        for name, node in table.members.items() if table is not None else ():
            yield package(name, node.value if isinstance(node.value, str) else "", node.line)


def package(name: str, version: str, line: int) -> Dependency:
    """A package at what is asked for: a version, a range, a tag, or another package under its name."""
    alias = _ALIAS.match(version)
    exact = _EXACT.match(alias[2] if alias else version)
    return Dependency("npm", alias[1] if alias else name, exact[1] if exact else None, line)


def package_lock(text: Text) -> Iterator[Dependency]:
    """`packages` of versions 2 and 3, else `dependencies` inside of each other of version 1."""
    root = document(text, "json")
    packages = root.get("packages")
    if packages is None:
        yield from _nested(root)
        return
    for path, node in packages.members.items():
        name = node.text("name") or path.rpartition("node_modules/")[2]
        if "node_modules/" in path and name:
            yield Dependency("npm", name, node.text("version"), node.line)


def _nested(root: Node) -> Iterator[Dependency]:
    pending = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        table = node.get("dependencies")
        for name, inner in table.members.items() if table is not None else ():
            if inner.is_mapping:
                yield Dependency("npm", name, inner.text("version"), inner.line)
                pending += [(inner, depth + 1)] if depth < _NESTED else []


def yarn_lock(text: Text) -> Iterator[Dependency]:
    """A heading of names and ranges, then the version."""
    name, at = None, 0
    for number, line in lines(text):
        if line[:1] not in (" ", "", "#"):
            heading = _YARN_NAME.match(line)
            name, at = (heading[1] if heading else None), number
        version = _YARN_VERSION.match(line) if name is not None else None
        if version is not None and name is not None:
            yield Dependency("npm", name, version[1], at)
            name = None


def pnpm_lock(text: Text) -> Iterator[Dependency]:
    """The keys of `packages`: name and version, with what it was resolved for in brackets."""
    inside = False
    for number, line in lines(text):
        if line[:1] not in (" ", "", "#"):
            inside = line.startswith("packages:")
        match = _PNPM.match(line) if inside else None
        if match is not None:
            yield Dependency("npm", match[1], match[2], number)
