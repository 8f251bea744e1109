"""What a Keras model configuration states, and which of its parts make Keras run code.

Sources: Keras 3 `saving/serialization_lib.py` (the shape of a serialised object, `__lambda__`) and
Keras 2 `saving/legacy` (objects without a module, functions of Lambda layers as marshalled bytes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Statement
from aibom.domain.limits import MIB
from aibom.domain.text import capped
from aibom.readers import json
from aibom.readers.defects import Defects
from aibom.readers.json import Json

CONFIG_BYTES: Final = 8 * MIB  # the configuration of a large network has less than 3
_VALUE_COUNT = 200_000
_CODE_COUNT = 200  # statements about code
_POINTER_CHARS = 512

# Layers that carry marshalled bytecode or a pickled module in their configuration.
_EMBEDDING: Final = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper"})
_OWN_MODULES: Final = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")


@dataclass(slots=True)
class Configuration:
    """Collects the statements and capabilities of the documents of one model."""

    defects: Defects
    offset: int | None = None  # of the document, where it has a place of its own in the file
    statements: list[Statement] = field(default_factory=list)
    capabilities: set[Capability] = field(default_factory=set)

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
        """Every serialised object below that embeds code or needs code from outside of Keras."""
        count = 0
        for at, found in _objects(document, pointer):
            capability = _capability(found)
            if capability is None:
                continue
            self.capabilities.add(capability)
            count += 1
            if count > _CODE_COUNT:
                message = f"more than {_CODE_COUNT} objects with code, the rest is not listed"
                self.defects.add(message, None, Reason.LIMIT)
                return
            self._state(Attribute.REMOTE_CODE, _qualified(found), at, _details(found, capability))

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


def _objects(document: Json, pointer: str) -> Iterator[tuple[str, dict[str, Json]]]:
    """Every JSON object that names a class, with its pointer, in document order."""
    stack: list[tuple[str, Json]] = [(pointer, document)]
    while stack:
        at, value = stack.pop()
        items: list[tuple[str, Json]] = []
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield at, value
            items = list(value.items())
        elif isinstance(value, list):
            items = [(str(index), item) for index, item in enumerate(value)]
        # Cut before joining: a long key must not be copied for each of its many members.
        stack += [
            (f"{at}/{key[:80].replace('~', '~0').replace('/', '~1')}"[:_POINTER_CHARS], item)
            for key, item in reversed(items)
            if isinstance(item, (dict, list))
        ]


def _capability(found: dict[str, Json]) -> Capability | None:
    name, module = json.text(found.get("class_name")) or "", json.text(found.get("module"))
    if name.split(">")[-1] in _EMBEDDING:
        return Capability.EMBEDS_CODE
    registered = json.text(found.get("registered_name")) or ""
    # "package>Class" is how registered classes are written, in Keras 2 as the class name.
    packages = [part.split(">")[0] for part in (name, registered) if ">" in part]
    outside = module is not None and not _is_own(module)
    if outside or any(not _is_own(package.lower()) for package in packages):
        return Capability.CUSTOM_OPERATORS
    return None


def _is_own(module: str) -> bool:
    return module.startswith(tuple(f"{own}." for own in _OWN_MODULES)) or module in _OWN_MODULES


def _qualified(found: dict[str, Json]) -> str:
    """Module and class; for a function, its own name."""
    name, module = json.text(found.get("class_name")) or "", json.text(found.get("module"))
    function = json.text(found.get("config")) if name == "function" else None
    return ".".join(part for part in (module, function or name) if part)


def _details(found: dict[str, Json], capability: Capability) -> tuple[tuple[str, str], ...]:
    registered = json.text(found.get("registered_name"))
    name = json.text(json.members(found.get("config")).get("name"))
    pairs = (("capability", capability.value), ("registered-name", registered), ("layer", name))
    return tuple((key, capped(value, 256)) for key, value in pairs if value)
