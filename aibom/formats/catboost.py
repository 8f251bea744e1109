"""CatBoost: boosters as a magic number, a length, one FlatBuffers table and the parts it names.

Format: github.com/catboost/catboost, `catboost/libs/model/flatbuffers/model.fbs` (`TModelCore`) and
`model.cpp` (`TFullModel::Save`). Data only; the trees are not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, truncated
from aibom.domain.facts import Attribute, Facts, FileKind, Span, Statement
from aibom.domain.limits import DOCUMENT_BYTES, METADATA_COUNT, MIB, STRING_CHARS
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import flatbuffers, json
from aibom.readers.defects import Defects
from aibom.readers.flatbuffers import Table
from aibom.readers.ranges import Cursor

PARAMETER_BYTES: Final = 1 * MIB  # of the training parameters, which are JSON

_MAGIC = b"CBM1"
_VERSION, _INFORMATION, _PARTS = 0, 2, 3  # slots of the core; the trees are in slot 1
_OFFSET: Final = struct.Struct("<I")


def recognise(probe: Probe) -> Match:
    """By content: the magic."""
    if probe.head.startswith(_MAGIC):
        return Match.CONTENT
    return Match.NAME if probe.named(".cbm") else Match.NO


def read(probe: Probe) -> Facts:
    """Version, loss function and what the training noted. Raises `UnreadableError`."""
    cursor = Cursor(probe.reader)
    if cursor.take(4) != _MAGIC:
        raise malformed("does not start with CBM1", 0)
    length = cursor.u32()
    end = cursor.position + length
    if end > probe.size:
        raise truncated(f"the model claims {length} bytes, {probe.size - cursor.position} follow", 4)
    defects = Defects()
    version, found, parts = None, dict[str, str](), 1
    if length > DOCUMENT_BYTES:
        defects.add(f"model of {length} bytes, at most {DOCUMENT_BYTES} are read", 8, Reason.LIMIT)
    else:
        core = flatbuffers.root(cursor.take(length), 8)
        version = _text(core, _VERSION, 40)
        found = _information(core)
        parts = sum(1 for _ in core.structs(_PARTS, _OFFSET))
    return Facts(
        format="catboost",
        kind=FileKind.WEIGHTS,
        version=version,
        covered=(Span(start=0, end=end),),
        statements=tuple(_statements(found, defects)),
        metadata=tuple((key, capped(value)) for key, value in found.items()),
        indexed=parts == 0,  # parts stand behind the core, and their lengths are their own affair
        defects=tuple(defects.found),
    )


def _text(table: Table, slot: int, most: int) -> str:
    return bytes((table.binary(slot) or b"")[:most]).decode("utf-8", "backslashreplace")


def _information(core: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in islice(core.tables(_INFORMATION), METADATA_COUNT):
        key = _text(pair, 0, 256)
        if key not in found:  # many pairs may share one long text
            found[key] = _text(pair, 1, PARAMETER_BYTES if key == "params" else STRING_CHARS)
    return found


def _statements(information: Mapping[str, str], defects: Defects) -> Iterator[Statement]:
    yield Statement(attribute=Attribute.TRAINING_FRAMEWORK, value="catboost", pointer="params")
    try:
        parameters = json.members(json.parse(information.get("params", "{}").encode()))
    except UnreadableError as error:
        defects.caught("params", error)
        return
    loss = json.members(parameters.get("loss_function")).get("type")
    boosting = json.members(parameters.get("boosting_options"))
    tree = json.members(parameters.get("tree_learner_options"))
    for name, value in (
        ("loss_function", loss),
        ("iterations", boosting.get("iterations")),
        ("learning_rate", boosting.get("learning_rate")),
        ("depth", tree.get("depth")),
    ):
        if isinstance(value, (str, int, float)):
            yield Statement(
                attribute=Attribute.HYPERPARAMETER,
                value=capped(str(value), 256),
                pointer=f"params/{name}",
                details=(("name", name),),
            )


FORMAT = Format(
    name="catboost",
    title="CatBoost",
    kind=FileKind.WEIGHTS,
    suffixes=(".cbm",),
    recognise=recognise,
    read=read,
)
