"""What other tools write, read generously: every name that they give in any field counts.

A name is a claim, and can be wrong, only where the tool itself says that it is a model or a dataset.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .scoring import Told

_BRACKETS = re.compile(r"\((?:import: )?([^()]+)\)")
_LOCATION = re.compile(r"(?P<path>.*?)(?:#L(?P<line>\d+))?")
_CISCO_KINDS = {
    "model": "model",
    "embedding": "model",
    "model_artifact": "model",
    "llm_endpoint": "service",
    "model_endpoint": "service",
    "dataset": "dataset",
}
_OF_HUB = "pkg:huggingface/"
_CYCLONEDX_KINDS = {"machine-learning-model": "model", "data": "dataset", "library": "library"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A name, where the tool says that it stands, and as what. Without a kind it is no claim."""

    name: str
    place: str = ""
    line: int | None = None
    kind: str | None = None

    def told(self, folder: Path) -> Told:
        """In the terms of the corpus; `folder` is the part of it that the tool was given."""
        path = located(self.place, folder) or f"{folder.name}/"
        return Told(path=path, line=self.line, kind=self.kind, target=self.name)


def located(place: str, folder: Path) -> str | None:
    """The path in the corpus: tools tell it from the root, their start, the target, or cut off somewhere."""
    parts = Path(place).parts
    for start in range(len(parts)):
        for base in (folder, folder.parent):
            path = base.joinpath(*parts[start:])
            if path.is_file() and path.is_relative_to(folder):
                return path.relative_to(folder.parent).as_posix()
    return None


def by_ai_bom(text: str) -> Iterator[Said]:
    """CSV. A model is claimed where there is a model name; the other rows are packages, images, servers."""
    for row in csv.DictReader(io.StringIO(text)):
        place, line = row["file_path"], int(row["line_number"] or 0) or None
        if row["model_name"]:
            yield Said(name=row["model_name"], place=place, line=line, kind="model")
        else:
            for name in (row["name"], *_BRACKETS.findall(row["name"])):
                yield Said(name=name, place=place, line=line)


def by_cisco(text: str) -> Iterator[Said]:
    """Components as JSON. One without a name of a model or a source names nothing: it claims nothing."""
    for component in json.loads(text):
        metadata = component["metadata"]
        kind = None if metadata.get("image") else _CISCO_KINDS.get(component["component_type"])
        fields = ("model_name", "embedding_model", "dataset_source", "storage_uri")
        names = [component[field] for field in fields if component[field]]
        others = [
            component["name"],
            metadata.get("url"),
            metadata.get("image"),
            *(metadata.get("args") or ()),
        ]
        places = [(component["file_path"], component["line_number"])]
        places += [(each["file"], each["line"]) for each in metadata.get("evidence", ())]
        for place, line in places:
            for name in names:
                yield Said(name=name, place=place, line=line or None, kind=kind)
            for name in filter(None, others):
                yield Said(name=str(name), place=place, line=line or None)


def by_cdxgen(text: str) -> Iterator[Said]:
    """CycloneDX. Services are derived from the models that it found: they claim nothing of their own."""
    document = json.loads(text)
    for component in document.get("components", ()):
        kind, name = _CYCLONEDX_KINDS.get(component["type"]), component["name"]
        # The group of a model that is not of the Hub is a guess at its provider.
        if component.get("group") and (kind == "library" or component.get("purl", "").startswith(_OF_HUB)):
            name = f"{component['group']}/{name}"
        for place, line in _occurrences(component):
            yield Said(name=name, place=place, line=line, kind=kind)
    for service in document.get("services", ()):
        names = [service["name"], *service.get("endpoints", ()), *_values(service, "cdx:ai:modelId")]
        names += [name for value in _values(service, "cdx:mcp:packageRefs") for name in value.split(",")]
        for place, line in _occurrences(service):
            for name in names:
                yield Said(name=name, place=place, line=line)


def _values(subject: dict[str, Any], name: str) -> list[str]:
    return [each["value"] for each in subject.get("properties", ()) if each["name"] == name]


def _occurrences(subject: dict[str, Any]) -> list[tuple[str, int | None]]:
    """Path and line of each place that it gives, or one place that is nowhere."""
    occurrences = subject.get("evidence", {}).get("occurrences") or ()
    places = [each["location"] for each in occurrences] or _values(subject, "SrcFile") or [""]
    found = []
    for place in places:
        match = _LOCATION.fullmatch(place)
        path, line = (match["path"], match["line"]) if match else (place, None)
        found.append((path, int(line) if line else None))
    return found
