"""The index of a run over many targets: a CycloneDX document that names the document of each."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

import orjson

from aibom.domain.fleet import Line, State
from aibom.domain.target import Tool
from aibom.outputs.cdx.text import Json, present, prop, shown, title
from aibom.outputs.inert import inert_json

_NAMESPACE: Final = uuid.UUID("6f2d1c3e-7a54-5b1f-9a64-0f4d3c1b2a90")


def render(lines: Iterable[Line], tool: Tool, timestamp: str | None, spec_version: str) -> bytes:
    """UTF-8 JSON with a newline at the end; the serial number follows from the content."""
    components = [_component(number, line) for number, line in enumerate(lines, 1)]
    lost = any(line.get("properties") and _is_lost(line) for line in components)
    serial = uuid.uuid5(_NAMESPACE, hashlib.sha256(orjson.dumps(components)).hexdigest())
    program = {"type": "application", "bom-ref": "tool", "name": tool.name, "version": tool.version}
    document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{spec_version}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": spec_version,
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": present(
            timestamp=timestamp,
            tools={"components": [program]},
            component={"type": "application", "bom-ref": "index", "name": "index"},
        ),
        "components": components,
        "compositions": [{"aggregate": "incomplete" if lost else "complete", "assemblies": ["index"]}],
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return inert_json(orjson.dumps(document, option=options))


def _component(number: int, line: Line) -> Json:
    properties = [prop("aibom:target:state", line.state.value)]
    if line.address:
        properties.append(prop("aibom:target:address", shown(line.address)))
    if line.verdict:
        properties.append(prop("aibom:verdict", shown(line.verdict)))
    if line.detail:
        properties.append(prop("aibom:gap", shown(line.detail)))
    reference = {
        "type": "bom",
        "url": quote(line.file),
        "hashes": [{"alg": "SHA-256", "content": line.sha256}],
    }
    return present(
        type="machine-learning-model",
        bom_ref=f"target:{number}",
        name=title(line.target),
        externalReferences=[reference] if line.state is State.DONE else None,
        properties=properties,
    )


def _is_lost(component: Json) -> bool:
    return "externalReferences" not in component
