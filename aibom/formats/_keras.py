"""What a Keras model configuration states, and which of its parts make Keras run code.

Sources: Keras 3 `saving/serialization_lib.py` (the shape of a serialised object, `__lambda__`) and
Keras 2 `saving/legacy` (objects without a module, functions of Lambda layers as marshalled bytes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.domain.text import capped
from aibom.formats import _keras_objects as objects
from aibom.readers import json
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json

CONFIG_BYTES: Final = 8 * MIB  # the configuration of a large network has less than 3
_VALUE_COUNT = 200_000
_CODE_COUNT = 200  # statements about code
_POINTER_CHARS = 512
_LAYER_CHARS = 80

_CAPABILITIES: Final = {
    HazardKind.EMBEDDED_CODE: Capability.EMBEDS_CODE,
    HazardKind.MODULE_REFERENCE: Capability.CUSTOM_OPERATORS,
    HazardKind.CUSTOM_OPERATOR: Capability.CUSTOM_OPERATORS,
    HazardKind.GRAPH_OPERATION: Capability.EXTERNAL_DATA,
}


@dataclass(slots=True)
class Configuration:
    """Collects the statements, hazards and capabilities of the documents of one model."""

    defects: Defects
    offset: int | None = None  # of the document, where it has a place of its own in the file
    hazards: Hazards = field(default_factory=Hazards)
    statements: list[Statement] = field(default_factory=list)
    capabilities: set[Capability] = field(default_factory=set)
    _seen: set[tuple[HazardKind, str]] = field(default_factory=set)

    def read_model(self, data: bytes, pointer: str) -> None:
        """The model's own configuration: class, name, and the code that its layers ask for."""
        document = self.parse(data, pointer)
        model_class = json.text(document.get("class_name"))
        if model_class is not None:
            self._state(Attribute.ARCHITECTURE, model_class, f"{pointer}/class_name")
        name = json.text(json.members(document.get("config")).get("name"))
        if name is not None:
            self._state(Attribute.NAME, name, f"{pointer}/config/name")
        self.read_code(document, pointer)

    def parse(self, data: bytes, pointer: str) -> dict[str, Json]:
        """A JSON object; an empty one, and a defect, when it is none."""
        try:
            document = json.parse(data, values=_VALUE_COUNT)
        except UnreadableError as error:
            self.defects.add(f"{pointer}: {error}", self.offset, error.reason)
            return {}
        if not isinstance(document, dict):
            self.defects.add(f"{pointer} is not a JSON object", self.offset)
        return json.members(document)

    def read_code(self, document: Json, pointer: str) -> None:
        """Every part below that embeds code, or needs code from outside of Keras, each once."""
        for part in _parts(document, pointer):
            hazards = Hazards(self.hazards.inside)
            judge = objects.Judge(hazards, part.layer, self.offset)
            if isinstance(part.value, str):
                judge.text(part.value)
            else:
                judge.object(part.value)
            fresh = [each for each in hazards.found if (each.kind, each.found) not in self._seen]
            if not fresh:
                continue
            if len(self._seen) >= _CODE_COUNT:
                message = f"more than {_CODE_COUNT} objects with code, the rest is not listed"
                self.defects.add(message, None, Reason.LIMIT)
                return
            self._seen.update((each.kind, each.found) for each in fresh)
            self.hazards.extend(fresh)
            capabilities = [_CAPABILITIES[each.kind] for each in fresh]
            self.capabilities.update(capabilities)
            self._state(Attribute.REMOTE_CODE, _qualified(part), part.at, _details(part, capabilities[0]))

    def framework(self, version: str | None, backend: str | None, pointer: str) -> None:
        """That Keras wrote the file, in which version, on which backend."""
        pairs = (("version", version), ("backend", backend))
        details = tuple((key, capped(value, 80)) for key, value in pairs if value)
        self._state(Attribute.TRAINING_FRAMEWORK, "keras", pointer, details)

    def _state(
        self, attribute: Attribute, value: str, pointer: str, details: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.statements.append(
            Statement(attribute=attribute, value=capped(value, 256), pointer=pointer, details=details)
        )


class _Part(NamedTuple):
    """An object that names a class, or a text that is marshalled code, and the layer around it."""

    at: str
    value: dict[str, Json] | str
    layer: str


class _Level(NamedTuple):
    """What is still to be looked at in one container."""

    at: str
    layer: str
    items: Iterator[tuple[str, Json]]


def _parts(document: Json, pointer: str) -> Iterator[_Part]:
    """Every part that may matter, in document order; memory follows the depth of the document."""
    levels = [_Level("", "", iter([(pointer.removeprefix("/"), document)]))]
    while levels:
        level = levels[-1]
        item = next(level.items, None)
        if item is None:
            levels.pop()
            continue
        key, value = item
        if isinstance(value, str):
            if objects.is_code(value):
                yield _Part(_join(level.at, key), value, level.layer)
        elif isinstance(value, dict):
            at, layer = _join(level.at, key), level.layer
            if isinstance(value.get("class_name"), str):
                layer = objects.layer_name(value)[:_LAYER_CHARS] or layer
                yield _Part(at, value, layer)
            levels.append(_Level(at, layer, iter(value.items())))
        elif isinstance(value, list):
            items = ((str(index), item) for index, item in enumerate(value))
            levels.append(_Level(_join(level.at, key), level.layer, items))


def _join(at: str, key: str) -> str:
    return f"{at}/{key[:80].replace('~', '~0').replace('/', '~1')}"[:_POINTER_CHARS]


def _qualified(part: _Part) -> str:
    """Module and class; for a function, its own name."""
    if isinstance(part.value, str):
        return "marshalled code"
    name, module = json.text(part.value.get("class_name")) or "", json.text(part.value.get("module"))
    function = json.text(part.value.get("config")) if name == "function" else None
    return ".".join(part for part in (module, function or name) if part)


def _details(part: _Part, capability: Capability) -> tuple[tuple[str, str], ...]:
    found = json.members(part.value) if isinstance(part.value, dict) else {}
    pairs = (
        ("capability", capability.value),
        ("registered-name", json.text(found.get("registered_name"))),
        ("layer", part.layer),
    )
    return tuple((key, capped(value, 256)) for key, value in pairs if value)
