"""Model and dataset cards: Markdown with YAML front matter.

Format: huggingface/hub-docs, modelcard.md, datasetcard.md and "Model Cards"/"Dataset Cards". The
front matter is found the way huggingface_hub finds it (`repocard.REGEX_YAML_BLOCK`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from aibom.domain.errors import Reason, malformed
from aibom.domain.facts import Attribute, Column, Facts, FileKind
from aibom.domain.limits import COLUMN_COUNT, MIB
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._document import (
    PROSE_CHARS,
    Collector,
    details,
    kind_of,
    metadata,
    natural,
    place,
    plain,
)
from aibom.readers import json, yaml
from aibom.readers.json import Json
from aibom.readers.markdown import headings, section

CARD_BYTES: Final = 2 * MIB  # front matter and body together; the rest is not looked at

_NAMES = ("readme", "model_card", "modelcard", "model-card", "datasetcard", "dataset_card", "dataset-card")
_FENCE = re.compile(rb"(?:\xef\xbb\xbf)?\s*+---[ \t]*+(?:\r\n|\r|\n)")
_CLOSE = re.compile(rb"(?:\r\n|\r|\n)---[ \t]*+(?=\r|\n|\Z)")

_ONE = (
    ("model_name", Attribute.NAME),
    ("pretty_name", Attribute.NAME),
    ("license_name", Attribute.LICENCE_NAME),
    ("license_link", Attribute.LICENCE_LINK),
    ("library_name", Attribute.LIBRARY),
    ("pipeline_tag", Attribute.TASK),
    ("base_model_relation", Attribute.BASE_MODEL_RELATION),
)
# What matters most comes first: the number of statements is bounded.
_EACH = (
    ("license", Attribute.LICENCE),
    ("base_model", Attribute.BASE_MODEL),
    ("datasets", Attribute.DATASET),
    ("task_categories", Attribute.TASK),
    ("language", Attribute.LANGUAGE),
    ("tags", Attribute.TAG),
)
_FREE = ("new_version", "metrics", "annotations_creators", "size_categories", "multilinguality")

# Keys that the Hub defines for one kind of card only; the kind with more of them wins.
_MODEL_KEYS = frozenset({
    "base_model", "base_model_relation", "pipeline_tag", "library_name", "model-index", "datasets",
    "metrics", "co2_eq_emissions", "new_version", "model_name",
})  # fmt: skip
_DATASET_KEYS = frozenset({
    "dataset_info", "configs", "task_categories", "task_ids", "size_categories", "source_datasets",
    "annotations_creators", "language_creators", "multilinguality", "pretty_name", "train-eval-index",
})  # fmt: skip

_TOPICS = (
    (re.compile(r"intended use|(?:direct )?uses?\Z"), Attribute.INTENDED_USE),
    (re.compile(r".*limitation|out-of-scope use"), Attribute.LIMITATION),
    (re.compile(r"personal and sensitive information"), Attribute.SENSITIVE_DATA),
)
_SECTION_COUNT = 16


def recognise(probe: Probe) -> Match:
    """A Markdown file with a card's name that opens with front matter."""
    stem, _, suffix = probe.name.lower().rpartition(".")
    if suffix not in ("md", "markdown") or not stem.startswith(_NAMES):
        return Match.NO
    return Match.CONTENT if _FENCE.match(probe.head) else Match.NO


def read(probe: Probe) -> Facts:
    """The statements of the front matter and of a few sections. Raises `UnreadableError`."""
    data = probe.reader.read_at(0, min(probe.size, CARD_BYTES))
    front, first_line, body = _split(data)
    document = yaml.parse(front, first_line=first_line, aliases=True)
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise malformed(f"the front matter is {kind_of(document)}, not a mapping")
    found = Collector()
    if probe.size > CARD_BYTES:
        found.reject(f"only the first {CARD_BYTES} of {probe.size} bytes are read", Reason.LIMIT)
    _state_front_matter(found, document)
    columns = _state_dataset(found, document)
    _state_body(found, data[body:], data.count(b"\n", 0, body))
    _state_results(found, document)
    return found.facts(
        FORMAT.name,
        FileKind.CARD,
        metadata=(("card", _kind(document)), *metadata(document, *_FREE)),
        columns=columns,
    )


def _split(data: bytes) -> tuple[bytes, int, int]:
    """The front matter, the number of lines before it, and where the body starts."""
    opening = _FENCE.match(data)
    if opening is None:
        raise malformed("no front matter", 0)
    start = opening.end()
    # From the line break before it, so that an empty front matter closes too.
    closing = _CLOSE.search(data, start - 1)
    if closing is None:
        raise malformed("the front matter has no closing ---", start)
    return data[start : max(start, closing.start())], data.count(b"\n", 0, start), closing.end()


def _kind(document: dict[str, Json]) -> str:
    model, dataset = len(_MODEL_KEYS & document.keys()), len(_DATASET_KEYS & document.keys())
    if model == dataset:
        return "unknown"
    return "model" if model > dataset else "dataset"


def _state_front_matter(found: Collector, document: dict[str, Json]) -> None:
    for key, attribute in _ONE:
        found.one(attribute, document, key)
    for key, attribute in _EACH:
        found.each(attribute, document, key)
    found.each(Attribute.TASK, document, "task_ids", details=(("field", "task_ids"),))
    emissions = document.get("co2_eq_emissions")
    if isinstance(emissions, dict):
        more = {key: emissions.get(key) for key in ("source", "training_type", "geographical_location")}
        extra = details(**more, hardware_used=emissions.get("hardware_used"))
        _state_grams(found, emissions.get("emissions"), place("co2_eq_emissions", "emissions"), extra)
    else:
        _state_grams(found, emissions, place("co2_eq_emissions"), ())


def _state_grams(found: Collector, value: Json, at: str, extra: tuple[tuple[str, str], ...]) -> None:
    text = plain(value) if isinstance(value, int | float) else None
    if text is not None and not text.startswith("-"):
        found.add(Attribute.CO2_GRAMS, text, at, extra)
    elif value is not None:
        found.reject(f"{at} is not a number of grams")


def _state_dataset(found: Collector, document: dict[str, Json]) -> tuple[Column, ...]:
    """States origins, files and splits; returns the columns when the card describes one table."""
    for at, source in found.texts(document, "source_datasets"):
        # "original" says that there is none, "extended|squad" that it is squad.
        name = source.removeprefix("extended|")
        if name not in ("original", "extended"):
            found.add(Attribute.DATASET, name, at, (("relation", "source"),))
    for at, config in found.objects(document, "configs"):
        found.one(Attribute.CONFIGURATION, config, "config_name", at)
        found.one(Attribute.DATA_FILE, config, "data_dir", at, (("role", "data_dir"),))
        _state_files(found, config, at)
    described = list(found.objects(document, "dataset_info"))
    for at, info in described:
        config_name = info.get("config_name")
        for where, split in found.objects(info, "splits", at):
            rows, size = natural(split.get("num_examples")), natural(split.get("num_bytes"))
            extra = details(configuration=config_name, rows=rows, bytes=size)
            found.one(Attribute.SPLIT, split, "name", where, extra)
    return _columns(described[0][1]) if len(described) == 1 else ()


def _state_files(found: Collector, config: dict[str, Json], at: str) -> None:
    """`data_files` is a pattern, a list of patterns, or a list of splits with their patterns."""
    name = config.get("config_name")
    files = config.get("data_files")
    if not isinstance(files, list) or not any(isinstance(item, dict) for item in files):
        found.each(Attribute.DATA_FILE, config, "data_files", at, details(configuration=name))
        return
    for where, item in found.objects(config, "data_files", at):
        extra = details(configuration=name, split=item.get("split"))
        found.each(Attribute.DATA_FILE, item, "path", where, extra)


def _columns(info: dict[str, Json]) -> tuple[Column, ...]:
    features = info.get("features")
    items = features[:COLUMN_COUNT] if isinstance(features, list) else []
    return tuple(
        Column(name=capped(name), type=capped(_type(item), 256))
        for item in items
        if isinstance(item, dict) and (name := plain(item.get("name")))
    )


def _type(feature: dict[str, Json]) -> str:
    """The type in the card's own words: a dtype, or what kind of nesting it is."""
    for key in ("dtype", "list", "sequence", "struct"):
        inner = feature.get(key)
        if isinstance(inner, str):
            return inner if key == "dtype" else f"{key}<{inner}>"
        if inner is not None:
            return next(iter(inner), key) if key == "dtype" and isinstance(inner, dict) else key
    return "unknown"


def _state_results(found: Collector, document: dict[str, Json]) -> None:
    """States every metric of the model-index, last, because there can be thousands."""
    for at, model in found.objects(document, "model-index"):
        for where, result in found.objects(model, "results", at):
            task, dataset = json.members(result.get("task")), json.members(result.get("dataset"))
            for pointer, metric in found.objects(result, "metrics", where):
                extra = details(
                    task=task.get("type"),
                    dataset=dataset.get("type") or dataset.get("name"),
                    split=dataset.get("split"),
                    config=dataset.get("config"),
                    revision=dataset.get("revision"),
                    metric=metric.get("type") or metric.get("name"),
                    verified=metric.get("verified"),
                )
                found.one(Attribute.METRIC, metric, "value", pointer, extra)


def _state_body(found: Collector, data: bytes, first_line: int) -> None:
    body = data.decode("utf-8", "replace")
    titles = headings(body)
    top = next((heading for heading in titles if heading.level == 1), None)
    if top is not None:
        line = first_line + top.line
        found.add(Attribute.NAME, capped(top.title, 256), f"L{line}", (("origin", "heading"),))
    for attribute, index in islice(_topics([heading.title for heading in titles]), _SECTION_COUNT):
        text, heading = section(body, titles, index), titles[index]
        found.add(
            attribute,
            capped(text, PROSE_CHARS),
            f"L{first_line + heading.line}",
            details(heading=heading.title),
        )


def _topics(titles: list[str]) -> Iterator[tuple[Attribute, int]]:
    for index, title in enumerate(titles):
        for pattern, attribute in _TOPICS:
            if pattern.match(title.casefold()):
                yield attribute, index
                break


FORMAT = Format(
    name="card",
    title="Model or dataset card",
    kind=FileKind.CARD,
    suffixes=(".md",),
    recognise=recognise,
    read=read,
    media_type="text/markdown",
)
