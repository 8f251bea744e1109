"""The messages of TensorFlow's graphs as far as they are read: which operations a graph is made of.

Sources: tensorflow/core/protobuf/{saved_model,meta_graph,saved_object_graph}.proto and
tensorflow/core/framework/{graph,node_def,function,versions}.proto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Statement
from aibom.domain.hazard import HazardKind
from aibom.formats import _tf_operations as operations
from aibom.formats._keras import CONFIG_BYTES, Configuration
from aibom.formats._tf_registry import REGISTERED
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.protobuf import VARINT, Field, Walker

NAME_BYTES: Final = 256
ADDRESS_BYTES: Final = 64 * 1024  # of one attribute that may hold an address
STATEMENT_COUNT: Final = 200
FUNCTION_COUNT: Final = 100_000  # of one graph
OPERATION_COUNT: Final = 100  # of other libraries: they must not crowd out those that do harm

# Fields of GraphDef and NodeDef, as tags.
GRAPH_TAGS: Final = frozenset((0x0A, 0x12, 0x18, 0x22, 0x2A))
NODE_TAGS: Final = frozenset((0x0A, 0x12, 0x1A, 0x22, 0x2A, 0x32, 0x3A))

_STEPS: Final = re.compile(r"[/\\]")
_ROOT: Final = re.compile(r"[/\\]|[A-Za-z][A-Za-z0-9+.-]*:")


def tag(one: Field) -> int:
    return one.number << 3 | one.wire


@dataclass(slots=True)
class Graphs:
    """What one walk over the graphs of a file collects."""

    walker: Walker
    defects: Defects = field(default_factory=Defects)
    hazards: Hazards = field(default_factory=Hazards)
    statements: list[Statement] = field(default_factory=list)
    found: bool = False  # a graph, be it empty
    nodes: int = 0
    judged: set[str] = field(default_factory=set)  # operations that need no second look
    unknown: dict[str, int] = field(default_factory=dict)  # names that TensorFlow has not, with their place
    functions: set[str] = field(default_factory=set)  # which a node may be called after as well
    cut: bool = False
    producer: int = 0
    configuration_left: int = CONFIG_BYTES  # bytes of Keras configurations
    configuration: Configuration = field(init=False)

    def __post_init__(self) -> None:
        self.configuration = Configuration(self.defects, None, self.hazards, self.statements)

    def _each(self, message: Field, readers: Mapping[int, Callable[[Field], None]]) -> None:
        """Hands each field of a message to the reader of its tag; of a repeated one all count."""
        for one in self.walker.inside(message):
            reader = readers.get(tag(one))
            if reader is not None:
                reader(one)

    def meta_graph(self, message: Field) -> None:
        readers = {0x0A: self._info, 0x12: self.graph, 0x32: self._asset, 0x3A: self._objects}
        self._each(message, readers)

    def graph(self, message: Field) -> None:
        self.graph_fields(message.start, message.end, message.depth + 1)

    def graph_fields(self, start: int, end: int, depth: int) -> None:
        """The fields of a GraphDef, which may be the whole file."""
        self.found = True
        for one in self.walker.fields(start, end, depth):
            if tag(one) == 0x0A:
                self._node(one)
            elif tag(one) == 0x12:
                self._each(one, {0x0A: self._function})
            elif tag(one) == 0x22:
                self._versions(one)

    def _function(self, message: Field) -> None:
        self._each(message, {0x0A: self._signature, 0x1A: self._node})

    def _signature(self, message: Field) -> None:
        for one in self.walker.inside(message):
            if tag(one) == 0x0A and len(self.functions) < FUNCTION_COUNT:
                self.functions.add(self.walker.text(one, NAME_BYTES))

    def finish(self) -> None:
        """Reports operations that neither TensorFlow nor the graph itself defines. Call it once."""
        for operation, offset in self.unknown.items():
            # Functions that `tf.function` makes are named so, also where their library is elsewhere.
            if operation not in self.functions and not operation.startswith("__"):
                message = f"the operation {operation[:80]!r} is none that TensorFlow registers"
                self.hazards.add(HazardKind.CUSTOM_OPERATOR, operation, message, offset, Confidence.MEDIUM)

    def _node(self, message: Field) -> None:
        self.nodes += 1
        named, found = None, []
        for one in self.walker.inside(message):
            if tag(one) == 0x12:
                operation = self.walker.text(one, NAME_BYTES)
                if operations.reaches_out(operation):  # of a field given twice either may count
                    found.append(operation)
                elif operation and operation not in REGISTERED and len(self.unknown) < OPERATION_COUNT:
                    self.unknown.setdefault(operation, message.start)
            elif tag(one) == 0x0A:
                named = one
        name = self.walker.text(named, NAME_BYTES) if found and named else ""
        for operation in found:
            if operations.says_where(operation):
                self._address(operation, name, message)
            elif operation not in self.judged:
                self._judge(operation, name, message)

    def _judge(self, operation: str, name: str, message: Field) -> None:
        if len(self.judged) < OPERATION_COUNT or not operations.is_foreign(operation):
            self.judged.add(operation)
            operations.judge(operation, name, self.hazards, message.start)
        elif not self.cut:
            self.cut = True
            text = f"more than {OPERATION_COUNT} operations of other libraries, the rest is not listed"
            self.defects.add(text, message.start, Reason.LIMIT)

    def _address(self, operation: str, name: str, message: Field) -> None:
        for one in self.walker.inside(message):
            if tag(one) != 0x2A:
                continue
            if one.value > ADDRESS_BYTES:
                text = f"an attribute of node {name[:80]!r} has {one.value} bytes, {ADDRESS_BYTES} are read"
                self.defects.add(text, one.start, Reason.LIMIT)
            target = operations.targets(self.walker.data(one, ADDRESS_BYTES))
            if target is not None:
                text = f"the operation {operation} writes to {target} (node {name[:80]!r})"
                self.hazards.add(HazardKind.GRAPH_OPERATION, f"{operation} {target}", text, message.start)

    def _versions(self, message: Field) -> None:
        for one in self.walker.inside(message):
            if one.number == 1 and one.wire == VARINT:
                self.producer = one.value

    def _info(self, message: Field) -> None:
        self._each(message, {0x22: self._tag, 0x2A: self._version})

    def _tag(self, one: Field) -> None:
        self._state(Attribute.TAG, self.walker.text(one, NAME_BYTES), "meta_info_def/tags")

    def _version(self, one: Field) -> None:
        version = (("version", self.walker.text(one, NAME_BYTES)),)
        self._state(Attribute.TRAINING_FRAMEWORK, "tensorflow", "meta_info_def/tensorflow_version", version)

    def _state(
        self, attribute: Attribute, value: str, pointer: str, details: tuple[tuple[str, str], ...] = ()
    ) -> None:
        statement = Statement(attribute=attribute, value=value, pointer=pointer, details=details)
        if len(self.statements) < STATEMENT_COUNT and statement not in self.statements:
            self.statements.append(statement)

    def _asset(self, message: Field) -> None:
        """The name of a file in the folder `assets`, as TensorFlow joins it: not checked by anyone."""
        for one in self.walker.inside(message):
            if tag(one) == 0x12:
                name = self.walker.text(one, 4 * NAME_BYTES)
                if _ROOT.match(name) or ".." in _STEPS.split(name) or "\0" in name:
                    text = f"the asset {name[:200]!r} lies outside of the model's folder"
                    self.defects.add(text, one.start, Reason.OUTSIDE_TARGET)

    def _objects(self, message: Field) -> None:
        """Layers of Keras before 2.5 have their configuration in the objects of the SavedModel."""
        self._each(message, {0x0A: self._object})

    def _object(self, message: Field) -> None:
        self._each(message, {0x22: lambda user: self.layer(user, identifier=0x0A, metadata=0x1A)})

    def layer(self, message: Field, *, identifier: int, metadata: int) -> None:
        """An object with the configuration of a Keras layer; the two tags differ between messages."""
        kind, documents = "", []
        for one in self.walker.inside(message):
            if tag(one) == identifier:
                kind = self.walker.text(one, NAME_BYTES)
            elif tag(one) == metadata:
                documents.append(one)
        for one in documents if kind.startswith("_tf_keras_") else ():
            self.configuration_left -= one.value
            if self.configuration_left < 0:
                text = f"more than {CONFIG_BYTES} bytes of Keras configuration, the rest is not read"
                self.defects.add(text, one.start, Reason.LIMIT)
                return
            self.configuration.offset = one.start
            data = self.walker.data(one, CONFIG_BYTES)
            self.configuration.read_code(self.configuration.parse(data, f"/{kind}"), f"/{kind}")

    def metadata(self) -> tuple[tuple[str, str], ...]:
        found = (("nodes", self.nodes), ("producer", self.producer))
        return tuple((key, str(value)) for key, value in found if value)
