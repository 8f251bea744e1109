"""YAML that knows where each value stands, for documents that people write by hand for us.

Stricter than the reader of scanned YAML: no anchors, aliases or tags, no second document, and no tab.
PyYAML only tokenises; scalars resolve as in `readers.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.readers.yaml import resolve_scalar

DEPTH: Final = 16
NODE_COUNT: Final = 100_000

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Located:
    """A value with its place. Lines and columns count from 1; those of a key are in `keys`."""

    value: Value
    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)


Value: TypeAlias = "bool | int | float | str | list[Located] | dict[str, Located] | None"


@dataclass(slots=True)
class _Open:
    node: Located
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    stack: list[_Open] = field(default_factory=list)
    root: Located | None = None
    nodes: int = 0

    def feed(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise unsupported(f"{line}:{column}: anchors and aliases are not taken; write the value out")
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise unsupported(f"{line}:{column}: a second document; one file holds one")
        if isinstance(event, yaml.NodeEvent):
            self._node(event, line, column)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self.stack.pop()

    def _node(self, event: yaml.NodeEvent, line: int, column: int) -> None:
        if getattr(event, "tag", None) is not None:
            raise unsupported(f"{line}:{column}: tags are not taken; write the plain value")
        self.nodes += 1
        if self.nodes > NODE_COUNT:
            raise over_limit(f"{line}:{column}: more than {NODE_COUNT:,} values")
        if isinstance(event, yaml.ScalarEvent):
            self._add(Located(resolve_scalar(event), line, column))
            return
        node = Located([] if isinstance(event, yaml.SequenceStartEvent) else {}, line, column)
        self._add(node)
        self.stack.append(_Open(node))
        if len(self.stack) > DEPTH:
            raise over_limit(f"{line}:{column}: nested deeper than {DEPTH} levels")

    def _add(self, node: Located) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        into = top.node.value
        if isinstance(into, list):
            into.append(node)
        elif isinstance(into, dict) and top.key is not None:
            into[top.key] = node
            top.key = None
        elif isinstance(into, dict):
            top.key = self._key(node, top.node)

    def _key(self, node: Located, mapping: Located) -> str:
        if not isinstance(node.value, str) or not node.value:
            raise unsupported(f"{node.line}:{node.column}: a key has to be a word; put it in quotes")
        if node.value in mapping.keys:
            first = mapping.keys[node.value][0]
            raise malformed(f"{node.line}:{node.column}: key {node.value[:80]!r} stands in line {first}, too")
        mapping.keys[node.value] = (node.line, node.column)
        return node.value


def parse(data: bytes, limit: int) -> Located:
    """The document with the place of every value.

    Raises malformed, limit (bytes, values, depth) or unsupported (anchors, aliases, tags, a second
    document). The text of every error begins with `line:column:`.
    """
    if len(data) > limit:
        raise over_limit(f"1:1: more than {limit:,} bytes")
    builder = _Builder()
    try:
        for event in yaml.parse(data.decode("utf-8-sig"), Loader=_LOADER):
            builder.feed(event)
    except UnicodeDecodeError as error:
        line, column = data.count(b"\n", 0, error.start) + 1, error.start - data.rfind(b"\n", 0, error.start)
        raise malformed(f"{line}:{column}: not UTF-8; save the file as UTF-8") from None
    except yaml.YAMLError as error:
        raise _explained(error, data) from None
    if builder.root is None:
        raise malformed("1:1: the document is empty")
    return builder.root


def _explained(error: yaml.YAMLError, data: bytes) -> UnreadableError:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return malformed(f"1:1: not YAML: {' '.join(str(error).split())[:200]}")
    mark = error.problem_mark
    line = data.split(b"\n", mark.line + 1)[mark.line : mark.line + 1]
    # A tab is the one mistake that nobody sees.
    instead = "; indent with spaces, not with tabs" if line and line[0].lstrip(b" ").startswith(b"\t") else ""
    return malformed(f"{mark.line + 1}:{mark.column + 1}: not YAML: {error.problem}{instead}")
