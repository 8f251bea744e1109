"""Core ML: a protobuf `Model` with its description, and layers or models whose code is elsewhere.

Format: github.com/apple/coremltools, mlmodel/format/{Model,NeuralNetwork,CustomModel,LinkedModel,
MIL}.proto. Weights are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import METADATA_COUNT, STRING_CHARS
from aibom.domain.protocols import Format, Match, Probe
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.protobuf import LEN, VARINT, Field, Walker
from aibom.readers.ranges import Cursor

FIELD_COUNT: Final = 1_000  # looked at to recognise a model
MODEL_DEPTH: Final = 8  # of pipelines in pipelines
CUSTOM_COUNT: Final = 100
NAME_BYTES: Final = 256

# Fields of `Model` that hold a kind of model, by number.
_PIPELINES: Final = {200: True, 201: True, 202: False}  # whether the pipeline is one level further in
_NETWORKS: Final = frozenset((303, 403, 500))
_PROGRAM, _CUSTOM, _LINKED, _SERIALIZED = 502, 555, 556, 3000
_OTHERS: Final = (*range(300, 305), *range(400, 405), 501, 560, *range(600, 611), 900, *range(2000, 2008))
_KINDS: Final = _NETWORKS | {*_PIPELINES, *_OTHERS, _PROGRAM, _CUSTOM, _LINKED, _SERIALIZED}
_CUSTOM_LAYER, _BRANCH, _LOOP = 500, 605, 615  # of a layer
_SOURCE = "com.github.apple.coremltools.source"
_STATED: Final = {1: Attribute.DESCRIPTION, 2: Attribute.VERSION, 3: Attribute.AUTHOR, 4: Attribute.LICENCE}
_FOLDER: Final = "@model_path/"
_STEPS: Final = re.compile(r"[/\\]")


def recognise(probe: Probe) -> Match:
    """By content: a version, and one of the kinds of models; by name when it is not that."""
    named = Match.NAME if probe.named(".mlmodel") else Match.NO
    if probe.head[:1] != b"\x08":
        return named
    found = set()
    try:
        for one in Walker(Cursor(probe.reader), fields=FIELD_COUNT).fields(0, probe.size):
            found.add((one.number, one.wire))
    except UnreadableError:
        return named
    kinds = {(number, LEN) for number in _KINDS}
    known = found <= kinds | {(1, VARINT), (2, LEN), (10, VARINT)}
    return Match.CONTENT if known and found & kinds else named


@dataclass(slots=True)
class _Model:
    """What one walk over the file collects."""

    walker: Walker
    defects: Defects = field(default_factory=Defects)
    hazards: Hazards = field(default_factory=Hazards)
    statements: list[Statement] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    version: int = 0
    kinds: int = 0
    customs: int = 0

    def fields(self, fields: Iterator[Field], depth: int) -> None:
        """The fields of a `Model`, which may be the whole file."""
        for one in fields:
            if one.wire == VARINT and one.number == 1 and not depth:
                self.version = one.value
            elif one.wire != LEN:
                continue
            elif one.number == 2 and not depth:
                self._description(one)
            elif one.number in _KINDS:
                self._kind(one, depth)

    def _kind(self, one: Field, depth: int) -> None:
        self.kinds += 1
        if one.number in _PIPELINES:
            self._pipeline(one, depth, inner=_PIPELINES[one.number])
        elif one.number in _NETWORKS:
            self._network(one)
        elif one.number == _PROGRAM:
            self._program(one)
        elif one.number == _CUSTOM:
            self._foreign(one, "the model", "model")
        elif one.number == _LINKED:
            self._linked(one)
        elif one.number == _SERIALIZED:
            self.defects.add("a serialised model is not read", one.start, Reason.NOT_READ)

    def _inside(self, message: Field, *numbers: int) -> Iterator[Field]:
        """The embedded messages and texts of a message that have one of the numbers."""
        return (one for one in self.walker.inside(message) if one.wire == LEN and one.number in numbers)

    def _text(self, one: Field, limit: int = NAME_BYTES) -> str:
        return self.walker.text(one, limit)

    def _pipeline(self, message: Field, depth: int, *, inner: bool) -> None:
        if depth == MODEL_DEPTH:
            text = f"models nested deeper than {MODEL_DEPTH} are not read"
            self.defects.add(text, message.start, Reason.LIMIT)
            return
        for one in self._inside(message, 1):
            if inner:
                self._pipeline(one, depth, inner=False)
            else:
                self.fields(self.walker.inside(one), depth + 1)

    def _network(self, message: Field) -> None:
        for layer in self._inside(message, 1):
            name = ""
            for one in self._inside(layer, 1, _CUSTOM_LAYER, _BRANCH, _LOOP):
                if one.number == 1:
                    name = self._text(one)
                elif one.number == _CUSTOM_LAYER:
                    self._foreign(one, f"layer {name[:80]!r}", "layer")
                else:
                    for network in self._inside(one, *((1, 2) if one.number == _BRANCH else (3, 4))):
                        self._network(network)

    def _foreign(self, message: Field, what: str, found: str) -> None:
        """A layer or a model that is a class of the program which loads it."""
        names = [self._text(one) for one in self._inside(message, 10)]
        name = names[-1] if names else found  # of a field given twice the last counts
        self.customs += 1
        if self.customs <= CUSTOM_COUNT:
            text = f"{what} is the class {name[:80]!r} of the program that runs the model"
            self.hazards.add(HazardKind.CUSTOM_OPERATOR, name, text, message.start)
        elif self.customs == CUSTOM_COUNT + 1:
            text = f"more than {CUSTOM_COUNT} custom layers, the rest is not listed"
            self.defects.add(text, message.start, Reason.LIMIT)

    def _linked(self, message: Field) -> None:
        """Another model that is looked for by name, along a path of folders."""
        self.defects.add("the linked model in another file is not read", message.start, Reason.NOT_READ)
        for file in self._inside(message, 1):
            for parameter in self._inside(file, 1, 2):
                for default in self._inside(parameter, 1):
                    self._path(self._text(default, STRING_CHARS), default)

    def _path(self, path: str, one: Field) -> None:
        steps = _STEPS.split(path.removeprefix(_FOLDER))
        if not path or (steps[0] and ".." not in steps and "\0" not in path and ":" not in steps[0]):
            return
        text = f"the file {path[:200]!r} lies outside of the model's folder"
        self.defects.add(text, one.start, Reason.OUTSIDE_TARGET)

    def _program(self, message: Field) -> None:
        for function in self._entries(message, 2):
            for block in self._entries(function, 3):
                self._block(block)

    def _entries(self, message: Field, number: int) -> Iterator[Field]:
        """The values of a map."""
        for entry in self._inside(message, number):
            yield from self._inside(entry, 2)

    def _block(self, block: Field) -> None:
        for operation in self._inside(block, 3):
            for value in self._entries(operation, 5):
                for blob in self._inside(value, 5):
                    for name in self._inside(blob, 1):
                        self._path(self._text(name, STRING_CHARS), name)
            for inner in self._inside(operation, 4):
                self._block(inner)

    def _description(self, message: Field) -> None:
        for metadata in self._inside(message, 100):
            for one in self._inside(metadata, *_STATED):
                if text := self._text(one, STRING_CHARS):
                    self._state(_STATED[one.number], text, f"description/metadata/{one.number}")
            for entry in self._inside(metadata, 100):
                self._property(entry)

    def _property(self, entry: Field) -> None:
        parts = {one.number: self._text(one, STRING_CHARS) for one in self._inside(entry, 1, 2)}
        key, value = parts.get(1, "")[:NAME_BYTES], parts.get(2, "")
        if len(self.metadata) >= METADATA_COUNT:
            return
        self.metadata[key] = value
        if key == _SOURCE:
            framework, _, version = value.partition("==")
            details = (("version", version),) if version else ()
            self._state(Attribute.TRAINING_FRAMEWORK, framework, "description/metadata/userDefined", details)

    def _state(
        self, attribute: Attribute, value: str, pointer: str, details: tuple[tuple[str, str], ...] = ()
    ) -> None:
        if len(self.statements) < METADATA_COUNT:
            statement = Statement(attribute=attribute, value=value, pointer=pointer, details=details)
            self.statements.append(statement)


def read(probe: Probe) -> Facts:
    """Description, custom layers and models, files that it refers to. Raises `UnreadableError`."""
    walker = Walker(Cursor(probe.reader))
    model = _Model(walker)
    try:
        model.fields(walker.fields(0, probe.size), 0)
    except UnreadableError as error:
        if not model.kinds:
            raise
        model.defects.caught("the rest of the model is not read", error)
    if not model.kinds:
        raise malformed("there is no model of a known kind")
    return Facts(
        format="coreml",
        kind=FileKind.WEIGHTS,
        version=str(model.version),
        statements=tuple(model.statements),
        metadata=tuple(model.metadata.items()),
        hazards=tuple(model.hazards.found),
        capabilities=frozenset((Capability.CUSTOM_OPERATORS,) if model.hazards.found else ()),
        defects=tuple(model.defects.found),
    )


FORMAT = Format(
    name="coreml",
    title="Core ML",
    kind=FileKind.WEIGHTS,
    suffixes=(".mlmodel",),
    recognise=recognise,
    read=read,
)
