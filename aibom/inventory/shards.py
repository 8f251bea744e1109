"""Which weight files are one model: shards, several containers of the same weights, variants."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from aibom.domain.file import File
from aibom.inventory.folders import Folder, folder_of, name_of

# model-00001-of-00003.safetensors, Llama-Q4_K_M-00001-of-00002.gguf
_SHARD = re.compile(r"(?P<stem>.+?)[-_](?P<number>\d{5})-of-(?P<count>\d{5})(?P<suffix>\.[\w.]+)\Z")
_MAX_SHARD_COUNT = 10_000

# Names under which training frameworks save "the" weights of a folder, whatever the container.
_MAIN_STEMS = frozenset(
    ("model", "pytorch_model", "tf_model", "flax_model", "diffusion_pytorch_model", "consolidated")
)
ADAPTER_STEM = "adapter_model"
# Saved beside the weights while training; never a model of their own.
_TRAINING_STATE = re.compile(
    r"(?:optimizer|scheduler|scaler|rng_state\w*|training_args)\.(?:pt|pth|bin|pkl)\Z"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightGroup:
    """Weight files that make up one model or adapter. `stem` is empty for the folder's main one."""

    stem: str
    adapter: bool
    files: tuple[File, ...]
    missing: tuple[str, ...]  # paths that an index or the numbering promises


def is_training_state(path: str) -> bool:
    return _TRAINING_STATE.match(name_of(path)) is not None


def weight_groups(folder: Folder, weights: Iterable[File], *, described: bool) -> list[WeightGroup]:
    """The groups of a folder, main one first.

    `described` says that a configuration or card describes the folder: then the usual names are
    one model in several containers. Without one, every file stands for itself.
    """
    grouped = _grouped([file for file in weights if not is_training_state(file.path)], described=described)
    indexed = _indexed(folder)
    groups = []
    for (stem, adapter), files in sorted(grouped.items()):
        promised = indexed if not stem and not adapter else frozenset()
        groups.append(_group(stem, adapter, files, promised))
    if indexed and ("", False) not in grouped:
        groups.insert(0, WeightGroup(stem="", adapter=False, files=(), missing=tuple(sorted(indexed))))
    return groups


def _grouped(weights: list[File], *, described: bool) -> dict[tuple[str, bool], list[File]]:
    """External data goes with the file that describes it."""
    owners = {path: file for file in weights for path in _external(file)}
    grouped: dict[tuple[str, bool], list[File]] = defaultdict(list)
    for file in weights:
        grouped[_key(owners.get(file.path, file), described)].append(file)
    return grouped


def _key(file: File, described: bool) -> tuple[str, bool]:
    name = name_of(file.path)
    shard = _SHARD.match(name)
    stem = shard["stem"] if shard else name.rpartition(".")[0] or name
    if stem == ADAPTER_STEM:
        return "", True
    main = stem.split(".")[0] in _MAIN_STEMS and not name.endswith(".gguf")
    if main and (described or shard):
        return "", False
    return (stem if shard else name), False


def _external(file: File) -> set[str]:
    """The files that hold tensors of this one."""
    folder = folder_of(file.path)
    locations = {external.path for external in file.facts.external} if file.facts else set()
    return {posixpath.normpath(posixpath.join(folder, location)) for location in locations}


def _indexed(folder: Folder) -> frozenset[str]:
    prefix = f"{folder.path}/" if folder.path else ""
    names = (name for file in folder.of_format("shard-index") if file.facts for name in file.facts.shards)
    return frozenset(prefix + name for name in names)


def _group(stem: str, adapter: bool, files: list[File], indexed: frozenset[str]) -> WeightGroup:
    here = {file.path for file in files}
    missing = (indexed | _numbered(files)) - here
    ordered = tuple(sorted(files, key=lambda file: file.path))
    return WeightGroup(stem=stem, adapter=adapter, files=ordered, missing=tuple(sorted(missing)))


def _numbered(files: list[File]) -> frozenset[str]:
    """Every path that the shard numbering promises."""
    promised = set()
    for file in files:
        shard = _SHARD.match(name_of(file.path))
        if shard is None or not 0 < int(shard["count"]) <= _MAX_SHARD_COUNT:
            continue
        folder = folder_of(file.path)
        separator = name_of(file.path)[len(shard["stem"])]
        first = int(shard["number"]) == 0  # a few writers count from 0
        for number in range(0 if first else 1, int(shard["count"]) + (0 if first else 1)):
            name = f"{shard['stem']}{separator}{number:05d}-of-{shard['count']}{shard['suffix']}"
            promised.add(f"{folder}/{name}" if folder else name)
    return frozenset(promised)
