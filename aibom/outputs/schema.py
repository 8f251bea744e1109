"""Is a document a valid CycloneDX JSON BOM, by the schemas that CycloneDX publishes?

The schemas are the copies inside cyclonedx-python-lib, read as files: its own validator is
quadratic in the number of components.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson

from aibom.domain.text import capped, visible

if TYPE_CHECKING:
    import jsonschema_rs

SPEC_VERSIONS: Final = ("1.4", "1.5", "1.6", "1.7")
ERROR_COUNT: Final = 1_000  # of one document; a wrong one can have one per component
MESSAGE_CHARS: Final = 300

# The validator copies what it is given, which for a large document would be a third of all memory.
_BATCH_COUNT = 2_000

_FILES: Final = frozenset({
    "spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json", "cryptography-defs.SNAPSHOT.schema.json",
})  # fmt: skip


def errors(document: bytes) -> list[tuple[str, str]]:
    """What the schema of the document's own spec version has against it: (RFC 6901 pointer, message).

    Empty for a valid document. At most `ERROR_COUNT` are told. Raises nothing: a document that is
    no JSON, or of no known spec version, is one error.
    """
    try:
        return errors_in(orjson.loads(document))
    except orjson.JSONDecodeError as error:
        return [("", f"not JSON: {_short(str(error))}")]


def errors_in(document: object) -> list[tuple[str, str]]:
    """The same for a document that is already parsed."""
    if not isinstance(document, dict):
        return [("", "not a JSON object")]
    if document.get("bomFormat") != "CycloneDX":
        return [("/bomFormat", "not a CycloneDX document")]
    version = document.get("specVersion")
    if version not in SPEC_VERSIONS:
        return [("/specVersion", f"not one of {', '.join(SPEC_VERSIONS)}")]
    return list(islice(_errors(document, version), ERROR_COUNT))


def resource(name: str) -> bytes:
    """One schema file of cyclonedx-python-lib."""
    return (files("cyclonedx") / "schema" / "_res" / name).read_bytes()


def pointer_of(path: Iterable[str | int]) -> str:
    """The RFC 6901 pointer of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _errors(document: dict[str, Any], version: str) -> Iterator[tuple[str, str]]:
    """The errors of the document; of a large one first without its components, then of those."""
    components = _flat(document)
    if components is None or len(components) <= _BATCH_COUNT:
        yield from _told(_validator(version).iter_errors(document))
        return
    yield from _told(_validator(version).iter_errors(_without_components(document)))
    for start in range(0, len(components), _BATCH_COUNT):
        batch = components[start : start + _BATCH_COUNT]
        errors = _component_validator(version).iter_errors([component for _, _, component in batch])
        for pointer, message in _told(errors):
            number, _, below = pointer[1:].partition("/")
            parent, index, _ = batch[int(number)]
            yield f"{parent}/{index}{'/' if below else ''}{below}", message


def _flat(document: dict[str, Any]) -> list[tuple[str, int, object]] | None:
    """Every component without its nested ones, as (pointer of its list, index, component).

    None when a list might break a rule of its own: not a list of objects, or with two entries that
    could be the same.
    """
    flat: list[tuple[str, int, object]] = []
    pending = [("/components", document.get("components", []))]
    while pending:
        pointer, components = pending.pop()
        if not isinstance(components, list) or not _distinct(components):
            return None
        for number, component in enumerate(components):
            if "components" in component:
                pending.append((f"{pointer}/{number}/components", component["components"]))
            flat.append((pointer, number, _without_components(component)))
    return flat


def _without_components(value: dict[str, Any]) -> dict[str, Any]:
    if "components" not in value:
        return value
    return {key: inner for key, inner in value.items() if key != "components"}


def _distinct(components: list[Any]) -> bool:
    """True when every entry is an object with a bom-ref of its own, so that no two can be equal."""
    refs = {c.get("bom-ref") for c in components if isinstance(c, dict) and isinstance(c.get("bom-ref"), str)}
    return len(refs) == len(components)


def _told(errors: Iterable[jsonschema_rs.ValidationError]) -> Iterator[tuple[str, str]]:
    for error in errors:
        # Of an object or list only the place: its text may be as long as the document.
        shown = f": {error.instance!r}" if isinstance(error.instance, str | int | float) else ""
        yield pointer_of(error.instance_path), _short(error.message + shown)


@cache
def _validator(version: str) -> jsonschema_rs.Draft7Validator:
    return _compiled(orjson.loads(resource(f"bom-{version}.SNAPSHOT.schema.json")))


@cache
def _component_validator(version: str) -> jsonschema_rs.Draft7Validator:
    """For a list of components, by the same definitions."""
    schema = orjson.loads(resource(f"bom-{version}.SNAPSHOT.schema.json"))
    kept = {key: schema[key] for key in ("$schema", "$id", "definitions")}
    return _compiled({**kept, "type": "array", "items": {"$ref": "#/definitions/component"}})


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft7Validator:
    import jsonschema_rs  # noqa: PLC0415 - 40 ms

    # Masked: otherwise every message repeats the instance.
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True, retriever=_retrieve, mask="the value")


def _retrieve(uri: str) -> Any:
    name = uri.rpartition("/")[2]
    if name not in _FILES:
        raise LookupError(f"no bundled schema {name!r}")
    return orjson.loads(resource(name))


def _short(text: str) -> str:
    return capped(visible(text), MESSAGE_CHARS)
