"""Environment variables that tell a container or a program which model it uses.

Only names that speak of a model, a dataset and the like count, and only values that can be
nothing else than the name of one: `MODEL=production` is silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from aibom.discovery.command import NO_FLAGS, Referred, unpinned
from aibom.discovery.fetchers import kind_of_file, pulled
from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.loaders.registries import mlflow, provider_of, routed
from aibom.discovery.targets import Target, address, hub, is_path, named
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag
from aibom.readers.marks import UNKNOWN

_MODEL: Final = ComponentKind.MODEL
_SUFFIX: Final = r"(?:_(?:ID|NAME|REPO|REPO_ID|NAME_OR_PATH|REPOSITORY|TAG))?\Z"
_NAMES: Final = (
    (re.compile(r"(?:.*_)?DATASET" + _SUFFIX), ComponentKind.DATASET),
    (re.compile(r"(?:.*_)?TOKENIZER" + _SUFFIX), ComponentKind.TOKENIZER),
    (re.compile(r"(?:.*_)?(?:ADAPTER|LORA|LORA_MODEL|ADAPTER_MODEL)" + _SUFFIX), ComponentKind.ADAPTER),
    (re.compile(r"(?:.*_)?(?:MODEL|RERANKER|EMBEDDER|LLM)" + _SUFFIX), _MODEL),
    (re.compile(r"(?:HF|HUGGINGFACE|HUGGING_FACE)_(?:REPO|REPO_ID)\Z"), _MODEL),
)
_PLACES = re.compile(r"(?:.*_)?(?:MODEL|STORAGE|WEIGHTS|CHECKPOINT)_?(?:URI|URL|PATH|LOCATION)\Z")
_STORE = re.compile(r"(?:s3|gs|hf|oci|abfss?|az)://|models:/|runs:/")
# Names that mean a repository of the Hub, whatever their value looks like.
_CERTAIN: Final = frozenset(("HF_MODEL_ID", "MODEL_ID"))
_STEM = re.compile(r"_(?:ID|NAME|REPO|REPO_ID|NAME_OR_PATH|REPOSITORY|TAG)\Z")
_TRUST: Final = ("TRUST_REMOTE_CODE", "HF_MODEL_TRUST_REMOTE_CODE", "HF_TRUST_REMOTE_CODE")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}(?:@[\w./-]{1,80})?\Z", re.ASCII)
_TAGGED = re.compile(r"[a-z0-9][\w.-]{1,60}:\d+(?:\.\d+)?[bm](?:-[\w.-]+)?\Z", re.ASCII)
_VALUE_CHARS: Final = 500
# Organisations of the Hub that have the name of a provider, and what of theirs is open.
_OPEN = re.compile(
    r"(?:openai/(?:gpt-oss|whisper-(?:tiny|base|small|medium|large)|clip-|gpt2|shap-e|point-e|privacy)|"
    r"google/(?!gemini-)|mistralai/|deepseek/(?!deepseek-(?:chat|reasoner)))"
)


# Ids of the first days, before names needed an organisation.
_CANONICAL = re.compile(
    r"(?:distil)?(?:bert|gpt2|roberta)(?:-(?:base|large|medium|xl|multilingual)[\w-]*)?\Z|t5-(?:small|base|large|3b|11b)\Z|"
    r"(?:albert|xlnet|xlm-roberta|camembert)-(?:base|large)[\w-]*\Z|distilbert-base-[\w-]+\Z"
)
_SPACY_NAME = re.compile(r"[a-z]{2}_(?:core|dep|ent|sent)_(?:web|news|wiki|sci|ud)_(?:sm|md|lg|trf)\Z")


def environment(variables: Mapping[str, str], *, server: bool = False) -> Iterator[tuple[str, Referred]]:
    """What the variables refer to, each with the name of its variable.

    `server`: they are those of a server that reads `MODEL_ID`, so that it names a repository even
    without an organisation, or one that is not known.
    """
    trusted = any(variables.get(name, "").lower() in ("1", "true", "yes") for name in _TRUST)
    for name, value in variables.items():
        revision = _revision(name, variables)
        found = _value(name, value.strip(), revision, server=server) if len(value) <= _VALUE_CHARS else None
        if found is not None:
            kind, target = found
            flags = frozenset({Flag.REMOTE_CODE}) if trusted and kind is _MODEL else NO_FLAGS
            yield name, Referred(name, kind, target, flags)


def _revision(name: str, variables: Mapping[str, str]) -> str | None:
    """`EMBEDDING_MODEL_REVISION` of `EMBEDDING_MODEL_ID`; a plain `REVISION` is that of a plain model."""
    stem = _STEM.sub("", name.upper())
    names = [f"{stem}_REVISION", *(("REVISION", "HF_REVISION") if stem in ("MODEL", "HF_MODEL") else ())]
    return next((variables[other] for other in names if variables.get(other)), None)


def _value(
    name: str, value: str, revision: str | None, *, server: bool
) -> tuple[ComponentKind, Target] | None:
    name = name.upper()
    if _PLACES.match(name):
        try:
            return _place(value)
        except ValueError:
            return None  # an address that is none
    kind = next((kind for pattern, kind in _NAMES if pattern.match(name)), None)
    if kind is None or not value:
        return None
    if kind is ComponentKind.DATASET:
        return (kind, hub(value, scheme="hf-dataset")) if _is_repository(value) else None
    if name.startswith("OLLAMA_") and kind is _MODEL and UNKNOWN not in value and "://" not in value:
        return kind, pulled(value)
    named = model_named(value, revision)
    if named is not None:
        return (kind, named[1]) if named[0] is _MODEL else named
    if name in _CERTAIN and (server or name.startswith("HF_")) and not is_path(value):
        return kind, hub(value, revision)
    return None


def _is_repository(value: str) -> bool:
    return _REPOSITORY.match(value) is not None and not is_path(value)


def model_named(value: str, revision: str | None = None) -> tuple[ComponentKind, Target] | None:
    """What a value is that can only be the name of a model: of the Hub, of a provider, of Ollama."""
    if UNKNOWN in value or len(value) > _VALUE_CHARS:
        return None
    if "/" in value and not _OPEN.match(value):
        kind, target = routed(value)
        if target.ref is not None and target.ref.scheme != "litellm" and _is_routed(value):
            return kind, target
    if _is_repository(value):
        return _MODEL, hub(value, revision)
    if value.startswith(("hf.co/", "huggingface.co/")) or _TAGGED.match(value):
        return _MODEL, pulled(value)
    if is_canonical(value):
        return _MODEL, hub(value, revision)
    if _SPACY_NAME.match(value):
        return _MODEL, unpinned(named("spacy", value))
    provider = provider_of(value) if re.fullmatch(r"[\w.:@-]+", value) else None
    return (ComponentKind.SERVICE, hosted(provider, value)) if provider else None


def is_canonical(text: str) -> bool:
    """True for an id of the Hub that is well known and has no organisation: `gpt2`, `bert-base-uncased`."""
    return _CANONICAL.match(text) is not None


def _is_routed(value: str) -> bool:
    return re.fullmatch(r"[a-z_]+(?:/[\w.:@-]+){1,3}", value) is not None and not is_path(value)


def _place(value: str) -> tuple[ComponentKind, Target] | None:
    if UNKNOWN in value:
        return None
    if value.startswith(("models:/", "runs:/")):
        return _MODEL, mlflow(value)
    if _STORE.match(value) or ("://" in value and kind_of_file(value) is not None):
        return kind_of_file(value) or _MODEL, address(value)
    return None
