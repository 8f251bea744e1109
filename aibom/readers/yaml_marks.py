"""YAML documents with the position of every value: bounded, nothing built that a tag asks for.

PyYAML only tokenises, and scalars resolve as in `aibom.readers.yaml`. Where that reader refuses,
this one does what the tools do that read such files: the last of two equal keys wins, aliases and
merge keys (`<<`) are followed, and count as everything that they repeat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import DOCUMENT_DEPTH, MIB
from aibom.readers.marks import Count, Node
from aibom.readers.yaml import _LOADER, _explained, _key, resolve_scalar

MARKED_YAML_BYTES: Final = 4 * MIB
MARKED_YAML_NODE_COUNT: Final = 50_000  # of all documents of a file, repeated ones included
_MERGE: Final = "<<"
_DIRECTIVE_COUNT: Final = 64  # libyaml compares every `%TAG` with all before it
_DIRECTIVE = re.compile(r"^%", re.MULTILINE)


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being filled."""

    node: Node
    anchor: str | None
    before: int  # nodes in front of it
    key: str | None = None


@dataclass(slots=True)
class _Composer:
    count: Count
    stack: list[_Open] = field(default_factory=list)
    root: Node | None = None
    anchored: dict[str, tuple[Node, int]] = field(default_factory=dict)  # node, how many it holds

    def feed(self, event: yaml.Event) -> None:
        mark = event.start_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        if isinstance(event, yaml.AliasEvent):
            self._repeat(event.anchor or "", line)
        elif isinstance(event, yaml.ScalarEvent):
            node = Node(resolve_scalar(event), line, column, event.style in ("|", ">"), _span(event))
            self._add(node)
            self._anchor(event.anchor, node, 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(Node([], line, column), event.anchor)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(Node({}, line, column), event.anchor)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._close()

    def _anchor(self, name: str | None, node: Node, nodes: int) -> None:
        if name is not None:
            self.anchored[name] = (node, nodes)

    def _repeat(self, name: str, line: int) -> None:
        """An anchor is known once its value is complete: an alias inside of it leads in a circle."""
        if name not in self.anchored:
            raise unsupported(f"YAML alias in line {line} leads nowhere or in a circle")
        node, nodes = self.anchored[name]
        self.count.add(nodes - 1)
        self._add(node)

    def _open(self, node: Node, anchor: str | None) -> None:
        if self.stack and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None:
            raise unsupported(f"YAML key in line {node.line} is not a plain value")
        before = self.count.nodes
        self._add(node)
        self.stack.append(_Open(node, anchor, before))
        if len(self.stack) > DOCUMENT_DEPTH:
            raise over_limit(f"YAML is nested deeper than {DOCUMENT_DEPTH} levels")

    def _close(self) -> None:
        done = self.stack.pop()
        members = done.node.value
        if isinstance(members, dict) and _MERGE in members:
            _merge(members)
        self._anchor(done.anchor, done.node, self.count.nodes - done.before)

    def _add(self, node: Node) -> None:
        self.count.add()
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict) and top.key is not None:
            top.node.value[top.key] = node
            top.key = None
        else:
            top.key = _plain_key(node)


def _span(event: yaml.ScalarEvent) -> int:
    """How many lines a text is folded from; the lines of a literal one can be told from the text."""
    if event.style == "|" or event.start_mark is None or event.end_mark is None:
        return 1
    return max(1, event.end_mark.line - event.start_mark.line + 1)


def _plain_key(node: Node) -> str:
    if isinstance(node.value, (list, dict)):
        raise unsupported(f"YAML key in line {node.line} is not a plain value")
    return _key(node.value)


def _merge(members: dict[str, Node]) -> None:
    """Members of the merged mappings that the mapping does not have itself; earlier ones win."""
    merged = members.pop(_MERGE)
    for source in merged.items or [merged]:
        for key, node in source.members.items():
            members.setdefault(key, node)


def documents(text: str) -> list[Node]:
    """Every document of the text that is not empty.

    Raises malformed (syntax), limit (nodes, depth) or unsupported (aliases that lead in circles,
    keys that are not scalars). The caller bounds the length of the text.
    """
    if len(_DIRECTIVE.findall(text)) > _DIRECTIVE_COUNT:
        raise over_limit(f"YAML with more than {_DIRECTIVE_COUNT} directives")
    return list(_documents(text))


def _documents(text: str) -> Iterator[Node]:
    count = Count(MARKED_YAML_NODE_COUNT, "YAML")
    composer = _Composer(count)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.DocumentEndEvent):
                if composer.root is not None and composer.root.value is not None:
                    yield composer.root
                composer = _Composer(count)
            else:
                composer.feed(event)
    except yaml.YAMLError as error:
        raise _explained(error, 0) from None
    except UnicodeEncodeError as error:
        raise malformed("not YAML: a character that is none", error.start) from None
