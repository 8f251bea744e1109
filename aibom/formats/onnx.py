"""ONNX: a protobuf `ModelProto` with a graph, its weights inside or in other files.

Format: github.com/onnx/onnx, onnx/onnx.proto, docs/IR.md, docs/ExternalData.md. Weights are passed
over, never read: what is read are tags, names and shapes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.facts import (
    Attribute,
    Capability,
    External,
    Facts,
    FileKind,
    Layout,
    Span,
    Statement,
    Tensor,
)
from aibom.domain.hazard import Hazard, HazardKind
from aibom.domain.limits import METADATA_COUNT, STRING_CHARS
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats import _onnx as schema
from aibom.formats._onnx import Defects, Tensors
from aibom.readers.hazards import Hazards
from aibom.readers.protobuf import LEN, Field, Walker
from aibom.readers.ranges import Cursor

IR_VERSION: Final = 14  # the newest that is defined
TENSOR_COUNT: Final = 50_000  # initializers and constants
GRAPH_DEPTH: Final = 8  # of graphs in attributes of nodes (If, Loop, Scan)
TOP_FIELD_COUNT: Final = 5_000  # looked at to recognise a model
INTERFACE_COUNT: Final = 500  # inputs, and again outputs
DOMAIN_COUNT: Final = 200  # of operators
OPERATOR_COUNT: Final = 20_000  # of domains other than ONNX's own, and again functions
HOLE_COUNT: Final = 10_000

STANDARD_DOMAINS: Final = frozenset(
    ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training")
)
# Built into ONNX Runtime: no library is loaded.
KNOWN_DOMAINS: Final = frozenset(
    (
        "com.microsoft",
        "com.microsoft.dml",
        "com.microsoft.experimental",
        "com.microsoft.mlfeaturizers",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
    )
)
# Interpreted by ONNX Runtime in whatever domain they stand.
_PYTHON: Final = frozenset(("PyOp", "PythonOp", "PythonOpGrad"))
_ENGINE = "EPContext"  # a network that was compiled for one processor, in the file or beside it

_GRAPH = 7
_FIRST_BYTES = frozenset(tag if tag < 0x80 else tag & 0x7F | 0x80 for tag in schema.MODEL)
_TEXTS: Final = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}
_PROPERTIES: Final = {"model_author": Attribute.AUTHOR, "model_license": Attribute.LICENCE}


def recognise(probe: Probe) -> Match:
    """By content: the whole file is fields of a `ModelProto`, a version and a graph among them."""
    if probe.head and probe.head[0] in _FIRST_BYTES:
        try:
            if _is_model(Walker(Cursor(probe.reader), fields=TOP_FIELD_COUNT), probe.size):
                return Match.CONTENT
        except UnreadableError:
            pass
    return Match.NAME if probe.named(".onnx") else Match.NO


def _is_model(walker: Walker, size: int) -> bool:
    seen = set()
    for one in walker.fields(0, size):
        if one.number << 3 | one.wire not in schema.MODEL:
            return False
        if one.number == 1 and not 0 < one.value < 0x80:
            return False
        if one.number == _GRAPH:
            first = next(walker.inside(one), None)
            if first is not None and first.number << 3 | first.wire not in schema.GRAPH:
                return False
        seen.add(one.number)
    return {1, _GRAPH} <= seen


def read(probe: Probe) -> Facts:
    """Tensors, external data, operators, interface and metadata. Raises `UnreadableError`."""
    model = _Model(Walker(Cursor(probe.reader)))
    model.read(probe.size)
    if not model.graphs:
        raise malformed("there is no graph")
    if len(_custom(model)) > DOMAIN_COUNT:
        model.defects.add(Reason.LIMIT, f"only the first {DOMAIN_COUNT} operator domains are kept")
    return Facts(
        format="onnx",
        kind=FileKind.WEIGHTS,
        version=str(model.version),
        tensors=tuple(model.tensors),
        covered=tuple(_covered(model, probe.size)),
        statements=tuple(_statements(model)),
        metadata=(*model.texts.items(), *model.properties.items()),
        hazards=_hazards(model),
        capabilities=_capabilities(model),
        external=tuple(model.external),
        indexed=True,
        defects=tuple(model.defects),
    )


@dataclass(slots=True)
class _Model:
    """What one walk over the file collects."""

    walker: Walker
    version: int = 0
    model_version: int = 0
    graphs: int = 0
    parameters: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)  # metadata_props
    opsets: dict[str, int] = field(default_factory=dict)
    inputs: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    initializers: set[str] = field(default_factory=set)  # of the main graph
    tensors: list[Tensor] = field(default_factory=list)
    external: list[External] = field(default_factory=list)
    operators: dict[tuple[str, str], int] = field(default_factory=dict)  # the first place of each
    functions: dict[tuple[str, str], int] = field(default_factory=dict)
    holes: list[tuple[int, int]] = field(default_factory=list)
    full: set[str] = field(default_factory=set)  # what was cut at its limit
    defects: Defects = field(default_factory=Defects)
    reader: Tensors = field(init=False)

    def __post_init__(self) -> None:
        self.reader = Tensors(self.walker, self.defects)

    def read(self, size: int) -> None:
        for one in self._known(self.walker.fields(0, size), schema.MODEL):
            if one.number in _TEXTS:
                self.texts[_TEXTS[one.number]] = self.walker.text(one, STRING_CHARS)
            elif one.number == 1:
                self._version(one)
            elif one.number == 5:
                self.model_version = one.signed
            elif one.number == _GRAPH:
                self.graphs += 1
                self._graph(one, "", 0)
            elif one.number == 8:
                self._opset(one)
            elif one.number == 14:
                self._property(one)
            elif one.number == 20:
                self._training(one)
            elif one.number == 25:
                self._function(one)

    def _known(self, fields: Iterable[Field], tags: frozenset[int]) -> Iterator[Field]:
        """The fields that onnx.proto defines; no program ever looks at the bytes of the others."""
        for one in fields:
            if one.number << 3 | one.wire in tags:
                yield one
            elif len(self.holes) < HOLE_COUNT:
                self.holes.append((one.start, one.end))
            else:
                raise over_limit(f"more than {HOLE_COUNT} fields that ONNX does not define", one.start)

    def _version(self, one: Field) -> None:
        self.version = one.signed
        if not 0 < self.version <= IR_VERSION:
            message = f"IR version {self.version}, this reader knows up to {IR_VERSION}"
            self.defects.add(Reason.UNSUPPORTED, message, one.start)

    def _property(self, one: Field) -> None:
        key, value, _ = schema.entry(self.walker, one, STRING_CHARS)
        if len(self.properties) < METADATA_COUNT:
            self.properties[key] = value
        else:
            self._cut(f"{METADATA_COUNT} properties", one)

    def _cut(self, what: str, one: Field) -> None:
        if what not in self.full:
            self.full.add(what)
            self.defects.add(Reason.LIMIT, f"only the first {what} are kept", one.start)

    def _opset(self, message: Field) -> None:
        domain, version = "", 0
        for one in self.walker.inside(message):
            if one.number == 1 and one.wire == LEN:
                domain = self.walker.text(one, schema.NAME_BYTES)
            elif one.number == 2:
                version = one.signed
        if len(self.opsets) < DOMAIN_COUNT:
            self.opsets[domain] = version
        else:
            self._cut(f"{DOMAIN_COUNT} operator sets", message)

    def _training(self, message: Field) -> None:
        for one in self.walker.inside(message):
            if one.number in {1, 2} and one.wire == LEN:  # initialization, algorithm
                self._graph(one, f"training.{one.number}/", 1)

    def _function(self, message: Field) -> None:
        domain = name = ""
        for one in self._known(self.walker.inside(message), schema.FUNCTION):
            if one.number == 1:
                name = self.walker.text(one, schema.NAME_BYTES)
            elif one.number == 10:
                domain = self.walker.text(one, schema.NAME_BYTES)
            elif one.number == 7:
                self._node(one, f"{name}/", 1)
            elif one.number == 11:
                self._attribute(one, "default", f"{name}/", 1)
        self._name(self.functions, domain, name, message)

    def _name(self, names: dict[tuple[str, str], int], domain: str, name: str, message: Field) -> None:
        names.setdefault((domain, name), message.start)
        if len(names) > OPERATOR_COUNT:  # a cut list could hide the one operator that matters
            raise over_limit(f"more than {OPERATOR_COUNT} functions or foreign operators", message.start)

    def _graph(self, message: Field, scope: str, depth: int) -> None:
        if depth > GRAPH_DEPTH:
            text = f"graphs nested deeper than {GRAPH_DEPTH} are not read"
            self.defects.add(Reason.LIMIT, text, message.start)
            return
        for one in self._known(self.walker.inside(message), schema.GRAPH):
            if one.number == 1:
                self._node(one, scope, depth)
            elif one.number == 5:
                self._tensor(one, scope, "", initializer=True)
            elif one.number == 15:
                self._sparse(one)
            elif depth == 0 and one.number in {11, 12}:
                self._interface(self.inputs if one.number == 11 else self.outputs, one)
            elif depth == 0 and one.number == 2:
                self.texts["graph"] = self.walker.text(one, schema.NAME_BYTES)

    def _interface(self, values: list[tuple[str, str]], one: Field) -> None:
        if len(values) < INTERFACE_COUNT:
            values.append(schema.value_info(self.walker, one))
        else:
            self._cut(f"{INTERFACE_COUNT} inputs or outputs", one)

    def _node(self, message: Field, scope: str, depth: int) -> None:
        domain = operator = label = ""
        for one in self._known(self.walker.inside(message), schema.NODE):
            if one.number in {2, 3}:  # a node is known by its first output, or by its name
                label = label or self.walker.text(one, schema.NAME_BYTES)
            elif one.number == 4:
                operator = self.walker.text(one, schema.NAME_BYTES)
            elif one.number == 5:
                self._attribute(one, label, scope, depth)
            elif one.number == 7:
                domain = self.walker.text(one, schema.NAME_BYTES)
        if domain not in STANDARD_DOMAINS or operator in _PYTHON:
            self._name(self.operators, domain, operator, message)

    def _attribute(self, message: Field, label: str, scope: str, depth: int) -> None:
        name = ""
        for one in self._known(self.walker.inside(message), schema.ATTRIBUTE):
            if one.number == 1:
                name = self.walker.text(one, schema.NAME_BYTES)
            elif one.number in {5, 10}:
                self._tensor(one, scope, f"{label}.{name}")
            elif one.number in {6, 11}:
                self._graph(one, f"{scope}{label}.{name}/"[: schema.NAME_BYTES], depth + 1)
            elif one.number in {22, 23}:
                self._sparse(one)

    def _sparse(self, message: Field) -> None:
        self.defects.add(Reason.NOT_READ, "a sparse tensor is not read", message.start)

    def _tensor(self, message: Field, scope: str, name: str, *, initializer: bool = False) -> None:
        fields = self._known(self.walker.inside(message), schema.TENSOR)
        found = self.reader.read(message, fields, scope, name)
        if found is None:
            return
        if isinstance(found, External):
            self.external.append(found)
            tensor = found.tensor
        else:
            self.tensors.append(found)
            tensor = found
        if len(self.tensors) + len(self.external) > TENSOR_COUNT:
            raise over_limit(f"more than {TENSOR_COUNT} tensors", message.start)
        if initializer:
            self.parameters += math.prod(tensor.shape)
            if not scope:
                self.initializers.add(tensor.name)


def _covered(model: _Model, size: int) -> Iterator[Span]:
    """Everything but the raw bytes of tensors and the fields that ONNX does not define."""
    raw = [(t.offset, t.offset + t.length) for t in model.tensors if t.layout is Layout.RAW and t.length]
    position = 0
    for start, end in sorted(raw + model.holes):
        if start > position:
            yield Span(start=position, end=start)
        position = max(position, end)
    if position < size:
        yield Span(start=position, end=size)


def _custom(model: _Model) -> dict[str, list[str]]:
    """Operators that neither ONNX nor the model itself defines, by domain."""
    found: dict[str, list[str]] = defaultdict(list)
    for domain, operator in sorted(model.operators.keys() - model.functions.keys()):
        found[domain].append(operator)
    return found


def _hazards(model: _Model) -> tuple[Hazard, ...]:
    """Operators that call Python or a compiled engine, then those that need a library."""
    hazards, custom = Hazards(), []
    for domain, operators in _custom(model).items():
        for operator in operators:
            found, at = f"{domain}::{operator}", model.operators[domain, operator]
            if operator in _PYTHON:
                message = f"the operator {found} calls a Python function that the model names"
                hazards.add(HazardKind.GRAPH_OPERATION, found, message, at)
            elif operator == _ENGINE:
                custom.append((found, f"the operator {found} runs a compiled engine", at))
            elif domain not in KNOWN_DOMAINS:
                custom.append((found, f"the operator {found} comes from a library outside of the model", at))
    for found, message, at in custom:
        hazards.add(HazardKind.CUSTOM_OPERATOR, found, message, at)
    return tuple(hazards.found)


def _capabilities(model: _Model) -> frozenset[Capability]:
    found = set()
    if model.reader.uses_external:
        found.add(Capability.EXTERNAL_DATA)
    if _custom(model).keys() - KNOWN_DOMAINS:
        found.add(Capability.CUSTOM_OPERATORS)
    return frozenset(found)


def _statements(model: _Model) -> Iterator[Statement]:
    texts = model.texts
    if producer := texts.get("producer_name"):
        version = texts.get("producer_version")
        details = (("version", version),) if version else ()
        yield Statement(attribute=Attribute.LIBRARY, value=producer, pointer="producer_name", details=details)
    for key, attribute in (("domain", Attribute.ORGANISATION), ("doc_string", Attribute.DESCRIPTION)):
        if value := texts.get(key):
            yield Statement(attribute=attribute, value=value, pointer=key)
    if model.model_version:
        yield Statement(attribute=Attribute.VERSION, value=str(model.model_version), pointer="model_version")
    for key, attribute in _PROPERTIES.items():
        if value := model.properties.get(key):
            yield Statement(attribute=attribute, value=value, pointer=f"metadata_props/{key}")
    yield from _requirements(model)
    for name, shown in model.inputs:
        if name not in model.initializers:  # before IR version 4 every initializer was an input too
            yield Statement(attribute=Attribute.INPUT, value=f"{name}: {shown}", pointer="graph/input")
    for name, shown in model.outputs:
        yield Statement(attribute=Attribute.OUTPUT, value=f"{name}: {shown}", pointer="graph/output")
    yield Statement(attribute=Attribute.PARAMETER_COUNT, value=str(model.parameters))


def _requirements(model: _Model) -> Iterator[Statement]:
    """The operator sets that a runtime must have."""
    for domain, version in model.opsets.items():
        yield Statement(
            attribute=Attribute.RUNTIME_DEPENDENCY,
            value=domain or "ai.onnx",
            pointer="opset_import",
            details=(("version", str(version)),),
        )
    for domain, operators in islice(_custom(model).items(), DOMAIN_COUNT):
        yield Statement(
            attribute=Attribute.RUNTIME_DEPENDENCY,
            value=domain,
            pointer="graph/node",
            details=(("operators", ", ".join(operators)[:STRING_CHARS]),),
        )


FORMAT = Format(
    name="onnx",
    title="ONNX",
    kind=FileKind.WEIGHTS,
    suffixes=(".onnx",),
    recognise=recognise,
    read=read,
)
