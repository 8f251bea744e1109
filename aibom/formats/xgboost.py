"""XGBoost: boosters as JSON or UBJSON. Data only; what it was trained for is told, not the trees.

Format: xgboost.readthedocs.io, "Introduction to Model IO" and `doc/model.schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.facts import Attribute, Facts, FileKind, Span, Statement
from aibom.domain.limits import DOCUMENT_BYTES, METADATA_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import json, json_members, ubjson
from aibom.readers.json import Json
from aibom.readers.ranges import Cursor

_JSON = re.compile(rb'\s*\{\s*"(?:learner"\s*:\s*\{|version"\s*:\s*\[[0-9, ]{1,40}\]\s*,\s*"learner")')
# A key begins with the marker and the bytes of its length.
_UBJ = re.compile(rb"\{(?:[iU]\x07|I\0\x07|l\0{3}\x07|L\0{7}\x07)(?:learner|version)", re.DOTALL)
# Small members of the learner; the trees are in none of them.
_SMALL: Final = ("attributes", "feature_names", "learner_model_param", "objective")
_PARAMETERS: Final = ("num_class", "num_feature", "num_target", "base_score")


def recognise(probe: Probe) -> Match:
    """By content: an object that begins with the learner or the version."""
    if _UBJ.match(probe.head) or _JSON.match(probe.head):
        return Match.CONTENT
    return Match.NAME if probe.named(".ubj", ".xgb") else Match.NO


def read(probe: Probe) -> Facts:
    """Version, objective and sizes. Raises `UnreadableError`."""
    if _UBJ.match(probe.head):
        cursor = Cursor(probe.reader, big_endian=True)
        document = json.members(ubjson.read(cursor))
        end = cursor.position
    else:
        document, end = _from_json(probe), probe.size
    learner = document.get("learner")
    if not isinstance(learner, dict):
        raise malformed("the document holds no learner")
    version = _version(document.get("version"))
    return Facts(
        format="xgboost",
        kind=FileKind.WEIGHTS,
        version=version,
        covered=(Span(start=0, end=end),),
        statements=tuple(_statements(learner, version)),
        metadata=_attributes(learner),
        indexed=True,
    )


def _from_json(probe: Probe) -> dict[str, Json]:
    """The document without its trees, which are not built as values."""
    if probe.size > DOCUMENT_BYTES:
        raise over_limit(f"document of {probe.size} bytes, at most {DOCUMENT_BYTES} are read")
    data = probe.reader.read_at(0, probe.size)
    top = json_members.index(data)
    if "learner" not in top:
        raise malformed("the document holds no learner")
    members = json_members.index(data, top["learner"].start)
    learner: dict[str, Json] = {key: _parsed(data, members[key]) for key in _SMALL if key in members}
    if "gradient_booster" in members:
        learner["gradient_booster"] = _booster(data, members["gradient_booster"].start)
    return {"learner": learner, "version": _parsed(data, top["version"]) if "version" in top else None}


def _booster(data: bytes, start: int) -> dict[str, Json]:
    members = json_members.index(data, start)
    name = _parsed(data, members["name"]) if "name" in members else None
    if "gbtree" in members:  # of a DART booster
        members = json_members.index(data, members["gbtree"].start)
    model = json_members.index(data, members["model"].start) if "model" in members else {}
    sizes = model.get("gbtree_model_param")
    return {"name": name, "model": {"gbtree_model_param": _parsed(data, sizes) if sizes else None}}


def _parsed(data: bytes, member: json_members.Member) -> Json:
    return json.parse(data[member.start : member.end], offset=member.start)


def _version(value: Json) -> str | None:
    numbers = json.naturals(value)
    return ".".join(map(str, numbers[:3])) if numbers else None


def _statements(learner: Mapping[str, Json], version: str | None) -> Iterator[Statement]:
    framework = f"xgboost {version}" if version else "xgboost"
    yield Statement(attribute=Attribute.TRAINING_FRAMEWORK, value=framework, pointer="/version")
    booster = json.members(learner.get("gradient_booster"))
    if isinstance(booster.get("name"), str):
        pointer = "/learner/gradient_booster/name"
        yield Statement(
            attribute=Attribute.MODEL_TYPE, value=capped(str(booster["name"]), 80), pointer=pointer
        )
    objective = json.members(learner.get("objective")).get("name")
    yield from _hyperparameter("objective", objective, "/learner/objective/name")
    parameters = json.members(learner.get("learner_model_param"))
    for name in _PARAMETERS:
        yield from _hyperparameter(name, parameters.get(name), f"/learner/learner_model_param/{name}")
    inner = json.members(booster.get("gbtree")) or booster
    sizes = json.members(json.members(inner.get("model")).get("gbtree_model_param"))
    yield from _hyperparameter("num_trees", sizes.get("num_trees"), "/learner/gradient_booster/model")
    names = json.strings(learner.get("feature_names"))
    yield from _hyperparameter("feature_names", str(len(names)) if names else None, "/learner/feature_names")


def _hyperparameter(name: str, value: Json, pointer: str) -> Iterator[Statement]:
    if isinstance(value, str) and value:
        yield Statement(
            attribute=Attribute.HYPERPARAMETER,
            value=capped(value, 256),
            pointer=pointer,
            details=(("name", name),),
        )


def _attributes(learner: Mapping[str, Json]) -> tuple[tuple[str, str], ...]:
    """What the user noted on the booster; the scikit-learn wrapper keeps its settings there."""
    pairs = islice(json.members(learner.get("attributes")).items(), METADATA_COUNT)
    return tuple((capped(key, 256), capped(value)) for key, value in pairs if isinstance(value, str))


FORMAT = Format(
    name="xgboost",
    title="XGBoost",
    kind=FileKind.WEIGHTS,
    suffixes=(".ubj", ".xgb"),
    recognise=recognise,
    read=read,
)
