"""modules.json and config_sentence_transformers.json: the modules of an embedding model.

Format: huggingface/sentence-transformers `SentenceTransformer._load_sbert_model`.
"""

from __future__ import annotations

from aibom.domain.errors import malformed
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import (
    Collector,
    details,
    kind_of,
    metadata,
    opens_with,
    parsed,
    place,
    plain,
    reserved,
)
from aibom.readers import json
from aibom.readers.json import Json

_MODULES, _CONFIG = "modules.json", "config_sentence_transformers.json"
_PACKAGES = {"sentence_transformers": "sentence-transformers", "pytorch": "torch"}


def recognise(probe: Probe) -> Match:
    """The library's configuration by name, its list of modules by name and content."""
    if probe.name.lower() != _MODULES:
        return reserved(probe, _CONFIG)
    is_list = opens_with(probe, b"[") and b'"type"' in probe.head and b'"idx"' in probe.head
    return Match.CONTENT if is_list else Match.NO


def read(probe: Probe) -> Facts:
    """Module classes, or versions and similarity function. Raises `UnreadableError`."""
    document = parsed(probe)
    found = Collector()
    if isinstance(document, list):
        _state_modules(found, document)
    elif isinstance(document, dict):
        versions = found.object(document, "__version__")
        for name in versions:
            found.requirement(_PACKAGES.get(name, name), versions, name, place("__version__"))
        found.one(Attribute.MODEL_TYPE, document, "model_type")
    else:
        raise malformed(f"a list of modules or an object is expected, not {kind_of(document)}")
    return found.facts(
        FORMAT.name,
        FileKind.CONFIG,
        metadata=metadata(json.members(document), "similarity_fn_name", "default_prompt_name"),
    )


def _state_modules(found: Collector, modules: list[Json]) -> None:
    """States the class of every module; one from outside of the library comes with the model."""
    for index, module in enumerate(modules):
        name = plain(json.members(module).get("type"))
        if not name:
            found.reject(f"module {index} has no type")
            continue
        at, extra = place(index, "type"), details(module=json.members(module).get("name"))
        found.add(Attribute.ARCHITECTURE, name, at, extra)
        if not name.startswith("sentence_transformers."):
            found.code(name, at, details(auto_class="module"))


FORMAT = Format(
    name="sentence-transformers-config",
    title="sentence-transformers modules or configuration",
    kind=FileKind.CONFIG,
    suffixes=(_MODULES, _CONFIG),
    recognise=recognise,
    read=read,
    media_type="application/json",
)
