"""YAML with bounds: no tags, no duplicate keys, few nodes, plain values only, aliases counted.

PyYAML only tokenises (libyaml's event stream); values are built here, so nothing in the document
can choose what is built. Scalars resolve by the YAML 1.2 core schema (section 10.3.2), except
that `yes` and `no` stay text: in a card `no` is Norwegian.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.limits import DOCUMENT_DEPTH, YAML_BYTES, YAML_NODE_COUNT
from aibom.readers.json import Json

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,300}\Z")
# With a dot: `12e4567` is the start of a commit id more often than a number.
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}\.[0-9]{0,300})(?:[eE][-+]?[0-9]{1,4})?\Z")
_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A list or mapping that is still being filled."""

    into: list[Json] | dict[str, Json]
    anchor: str | None
    before: int  # nodes in front of it
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    first_line: int
    aliases: bool
    stack: list[_Open] = field(default_factory=list)
    root: Json = None
    nodes: int = 0
    anchored: dict[str, tuple[Json, int]] = field(default_factory=dict)  # value, its nodes

    def feed(self, event: yaml.Event) -> None:
        line = self.first_line + (event.start_mark.line if event.start_mark else 0) + 1
        if isinstance(event, yaml.AliasEvent):
            self._repeat(event.anchor or "", line)
        elif isinstance(event, yaml.ScalarEvent):
            value = resolve_scalar(event)
            self._add(value, line)
            self._anchor(event.anchor, value, 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open([], event.anchor, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open({}, event.anchor, line)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            done = self.stack.pop()
            self._anchor(done.anchor, done.into, self.nodes - done.before)

    def _anchor(self, name: str | None, value: Json, nodes: int) -> None:
        if name is not None:
            self.anchored[name] = (value, nodes)

    def _repeat(self, name: str, line: int) -> None:
        """An alias counts as everything that it stands for, so that laughs cannot add up."""
        if not self.aliases or name not in self.anchored:
            raise unsupported(f"YAML alias in line {line}: it is not followed")
        value, nodes = self.anchored[name]
        self.nodes += nodes - 1
        self._add(value, line)

    def _open(self, into: list[Json] | dict[str, Json], anchor: str | None, line: int) -> None:
        if self.stack and isinstance(self.stack[-1].into, dict) and self.stack[-1].key is None:
            raise unsupported(f"YAML key in line {line} is not a plain value")
        before = self.nodes
        self._add(into, line)
        self.stack.append(_Open(into, anchor, before))
        if len(self.stack) > DOCUMENT_DEPTH:
            raise over_limit(f"YAML is nested deeper than {DOCUMENT_DEPTH} levels")

    def _add(self, value: Json, line: int) -> None:
        self.nodes += 1
        if self.nodes > YAML_NODE_COUNT:
            raise over_limit(f"YAML holds more than {YAML_NODE_COUNT} nodes")
        if not self.stack:
            self.root = value
            return
        top = self.stack[-1]
        if isinstance(top.into, list):
            top.into.append(value)
        elif top.key is None:
            top.key = _key(value)
            if top.key in top.into:
                raise malformed(f"duplicate key {top.key[:80]!r} in line {line}")
        else:
            top.into[top.key] = value
            top.key = None


def _key(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value if isinstance(value, str) else str(value)


def resolve_scalar(event: yaml.ScalarEvent) -> bool | int | float | str | None:
    """The plain value of a scalar by the core schema."""
    text: str = event.value
    if event.tag is not None and not event.tag.startswith("tag:yaml.org,2002:str"):
        return text  # a tag never chooses a type here
    if not event.implicit[0]:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def parse(data: bytes, *, first_line: int = 0, aliases: bool = False) -> Json:
    """The first document as plain values; `first_line` counts the lines in front of `data`.

    With `aliases` a repeated value is followed (PyYAML writes them into cards), and shared: the
    result must not be changed.

    Raises malformed (syntax, encoding, duplicate key), limit (bytes, nodes, depth) or
    unsupported (aliases where they are not wanted or lead in circles, keys that are not scalars).
    """
    if len(data) > YAML_BYTES:
        raise over_limit(f"YAML of {len(data)} bytes, at most {YAML_BYTES} are read")
    builder = _Builder(first_line, aliases)
    try:
        for event in yaml.parse(data.decode("utf-8-sig"), Loader=_LOADER):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            builder.feed(event)
    except UnicodeDecodeError as error:
        raise malformed("YAML is not UTF-8", error.start) from None
    except yaml.YAMLError as error:
        raise _explained(error, first_line) from None
    return builder.root


def _explained(error: yaml.YAMLError, first_line: int) -> UnreadableError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return malformed(f"not YAML: {error.problem} in line {first_line + error.problem_mark.line + 1}")
    return malformed(f"not YAML: {' '.join(str(error).split())[:200]}")
