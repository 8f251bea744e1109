"""TensorFlow's graphs: a SavedModel, a GraphDef ("frozen graph"), and the layers that Keras 2 saves.

Formats: see _tf_messages.py; `keras_metadata.pb`: Keras 2 `protobuf/saved_metadata.proto`. What is
read are operations and names; constants and variables are passed over.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.facts import Capability, Defect, Facts, FileKind
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._tf_messages import GRAPH_TAGS, NODE_TAGS, Graphs, tag
from aibom.readers.protobuf import Field, Walker
from aibom.readers.ranges import Cursor

FIELD_COUNT: Final = 5_000  # looked at to recognise a file
_OPERATION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\\/>-]*\Z")
_START_GROUP: Final = 3  # a wire type
_META_GRAPH: Final = 2  # of a SavedModel
_OBJECT_TAGS: Final = frozenset((0x10, 0x1A, 0x22, 0x2A, 0x32))  # of the SavedObject of Keras
_DOCUMENT = "saved_model.pb"
_TEXT_DOCUMENT = "saved_model.pbtxt"
_LAYERS = "keras_metadata.pb"


def _walker(probe: Probe, fields: int = FIELD_COUNT) -> Walker:
    return Walker(Cursor(probe.reader), fields=fields)


def _recognise_saved(probe: Probe) -> Match:
    """By content: a schema version and graphs; else by the name that every SavedModel has."""
    named = probe.name.lower() in (_DOCUMENT, _TEXT_DOCUMENT)
    try:
        if probe.head[:1] in (b"\x08", b"\x12") and _is_saved_model(_walker(probe), probe.size):
            return Match.CONTENT
    except UnreadableError:
        pass
    return Match.NAME if named else Match.NO


def _is_saved_model(walker: Walker, size: int) -> bool:
    found = False
    for one in walker.fields(0, size):
        if tag(one) not in (0x08, 0x12):
            return False
        if one.number == _META_GRAPH:
            graphs = [part for part in walker.inside(one) if tag(part) == 0x12]
            found = found or any(_is_graph(walker, graph) for graph in graphs)
    return found


def _is_graph(walker: Walker, message: Field) -> bool:
    return any(tag(one) == 0x0A and _is_node(walker, one) for one in walker.inside(message))


def _is_node(walker: Walker, message: Field, *, strictly: bool = True) -> bool:
    """A name and an operation; strictly, also nothing that a NodeDef does not have."""
    tags, operation = set(), ""
    for one in walker.inside(message):
        tags.add(tag(one))
        if tag(one) == 0x12:
            operation = walker.text(one, 200)
    known = tags <= NODE_TAGS or not strictly
    return known and {0x0A, 0x12} <= tags and _OPERATION.match(operation) is not None


def _recognise_graph(probe: Probe) -> Match:
    """By content: the first node or function of a GraphDef. Any message may be named `.pb`.

    In a file of that name fields that a GraphDef does not have do not matter, since TensorFlow
    passes over them too; the name alone counts only where this reader cannot decide.
    """
    named = probe.named(".pb")
    if not probe.head or (probe.head[0] not in GRAPH_TAGS and not named):
        return Match.NO
    walker = _walker(probe)
    try:
        for one in walker.fields(0, probe.size):
            if tag(one) == 0x0A:
                return Match.CONTENT if _is_node(walker, one, strictly=not named) else Match.NO
            if tag(one) == 0x12 and _has_function(walker, one):
                return Match.CONTENT
            if tag(one) not in GRAPH_TAGS and not named:
                return Match.NO
    except UnreadableError as error:
        return Match.NAME if named and _is_undecided(probe, error) else Match.NO
    return Match.NO


def _is_undecided(probe: Probe, error: UnreadableError) -> bool:
    """True at a group, which TensorFlow's parser passes over, and this one does not."""
    if error.reason is not Reason.UNSUPPORTED or error.offset is None:
        return error.reason is Reason.LIMIT
    return probe.reader.read_at(error.offset, 1)[0] & 7 == _START_GROUP


def _has_function(walker: Walker, library: Field) -> bool:
    for function in walker.inside(library):
        if tag(function) == 0x0A:
            return any(tag(one) == 0x1A and _is_node(walker, one) for one in walker.inside(function))
    return False


def _recognise_layers(probe: Probe) -> Match:
    """By content: a first object with the identifier of a Keras layer; else by its name."""
    named = Match.NAME if probe.name.lower() == _LAYERS else Match.NO
    if probe.head[:1] != b"\x0a" or b"_tf_keras_" not in probe.head:
        return named
    walker = _walker(probe)
    try:
        first = next(walker.fields(0, probe.size))
        tags = {tag(one) for one in walker.inside(first)}
    except UnreadableError:
        return named
    return Match.CONTENT if {0x22, 0x2A} <= tags <= _OBJECT_TAGS else named


def _read_saved(probe: Probe) -> Facts:
    """Operations of all graphs and functions, tags, versions. Raises `UnreadableError`."""
    if probe.named(".pbtxt"):
        message = "a SavedModel as text is recognised, its content is not read by this version"
        defect = Defect(reason=Reason.NOT_READ, message=message)
        return Facts(format="tf-savedmodel", kind=FileKind.WEIGHTS, unread=True, defects=(defect,))
    graphs, version = Graphs(Walker(Cursor(probe.reader))), 0
    try:
        for one in graphs.walker.fields(0, probe.size):
            if tag(one) == 0x12:
                graphs.meta_graph(one)
            elif tag(one) == 0x08:
                version = one.value
    except UnreadableError as error:
        _keep(graphs, error)
    if not graphs.found:
        raise malformed("there is no graph")
    return _facts("tf-savedmodel", graphs, str(version))


def _read_graph(probe: Probe) -> Facts:
    """Operations of the graph and its functions. Raises `UnreadableError`."""
    graphs = Graphs(Walker(Cursor(probe.reader)))
    try:
        graphs.graph_fields(0, probe.size, 0)
    except UnreadableError as error:
        _keep(graphs, error)
    return _facts("tf-graph", graphs, None)


def _keep(graphs: Graphs, error: UnreadableError) -> None:
    """What was found before the error is told with it; where nothing was, the error is all there is."""
    if not graphs.nodes:
        raise error
    graphs.defects.caught("the rest of the graph is not read", error)


def _read_layers(probe: Probe) -> Facts:
    """The configurations of all layers. Raises `UnreadableError`."""
    graphs = Graphs(Walker(Cursor(probe.reader)))
    for one in graphs.walker.fields(0, probe.size):
        if tag(one) == 0x0A:
            graphs.layer(one, identifier=0x22, metadata=0x2A)
    return _facts("keras-metadata", graphs, None, FileKind.CONFIG)


def _facts(name: str, graphs: Graphs, version: str | None, kind: FileKind = FileKind.WEIGHTS) -> Facts:
    graphs.finish()
    capabilities = set(graphs.configuration.capabilities)
    if any(hazard.kind is HazardKind.CUSTOM_OPERATOR for hazard in graphs.hazards.found):
        capabilities.add(Capability.CUSTOM_OPERATORS)
    return Facts(
        format=name,
        kind=kind,
        version=version,
        statements=tuple(graphs.statements),
        metadata=graphs.metadata(),
        hazards=tuple(graphs.hazards.found),
        capabilities=frozenset(capabilities),
        defects=tuple(graphs.defects.found),
    )


SAVED_MODEL: Final = Format(
    name="tf-savedmodel",
    title="TensorFlow SavedModel",
    kind=FileKind.WEIGHTS,
    suffixes=(_DOCUMENT, _TEXT_DOCUMENT),
    recognise=_recognise_saved,
    read=_read_saved,
)
KERAS_METADATA: Final = Format(
    name="keras-metadata",
    title="Keras layers of a SavedModel",
    kind=FileKind.CONFIG,
    suffixes=(_LAYERS,),
    recognise=_recognise_layers,
    read=_read_layers,
    capabilities=frozenset((Capability.EMBEDS_CODE,)),
)
GRAPH: Final = Format(
    name="tf-graph",
    title="TensorFlow graph",
    kind=FileKind.WEIGHTS,
    suffixes=(),  # any protobuf message may be named .pb
    recognise=_recognise_graph,
    read=_read_graph,
)
FORMATS: Final = (SAVED_MODEL, KERAS_METADATA, GRAPH)
