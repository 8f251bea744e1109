"""Which data files are which split of which configuration, by the rules of Hugging Face datasets.

Source: huggingface.co/docs/hub, "File names and splits" and "Manual Configuration", and
huggingface.co/docs/datasets, "Structure your repository".
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from aibom.domain.errors import over_limit
from aibom.domain.facts import Attribute, Facts
from aibom.inventory.patterns import Pattern, is_pattern

MATCH_COUNT: Final = 3_000_000  # paths that all patterns of a card are tried on, some 10 seconds
DEFAULT: Final = "default"

_KEYWORDS: Final = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SEPARATOR: Final = r"[-._ 0-9]"
_FOLDERS: Final = {
    split: re.compile(rf"(?:.*{_SEPARATOR})?(?:{'|'.join(words)})(?:{_SEPARATOR}.*)?", re.DOTALL)
    for split, words in _KEYWORDS.items()
}
_NAMES: Final = {
    split: re.compile(rf"(?:.*{_SEPARATOR})?(?:{'|'.join(words)}){_SEPARATOR}.*", re.DOTALL)
    for split, words in _KEYWORDS.items()
}
_SHARD: Final = re.compile(r"data/([^/]+)-[0-9]{5}-of-[0-9]{5}[^/]*\.[^/]*", re.DOTALL)
_SPLIT: Final = re.compile(r"\w+(?:\.\w+)*")
_CONFIG: Final = re.compile(r"(/configs(?:/[0-9]+)?)(?:/|\Z)")
_IGNORED: Final = frozenset({
    "README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip",
    "dataset_dict.json",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Some files that are loaded together, in this order."""

    config: str
    split: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What a card says of one configuration: its splits with their patterns, or none to find them by name."""

    name: str
    patterns: tuple[tuple[str, str], ...] = ()  # split and pattern, in the order of the card
    folder: str = ""  # `data_dir`: patterns and names count from here


def configurations(facts: Facts | None) -> tuple[Configuration, ...]:
    """What the front matter of a dataset card says under `configs`."""
    names: dict[str, str] = {}
    folders: dict[str, str] = {}
    patterns: dict[str, list[tuple[str, str]]] = {}
    for statement in facts.statements if facts else ():
        place = _CONFIG.match(statement.pointer)
        if place is None:
            continue
        at = place[1]
        names.setdefault(at, statement.detail("configuration") or DEFAULT)
        if statement.attribute is Attribute.CONFIGURATION:
            names[at] = statement.value
        elif statement.attribute is Attribute.DATA_FILE and statement.detail("role") == "data_dir":
            folders[at] = statement.value
        elif statement.attribute is Attribute.DATA_FILE:
            told = statement.detail("split") or "train", statement.value
            patterns.setdefault(at, []).append(told)
    return tuple(
        Configuration(name=name, patterns=tuple(patterns.get(at, ())), folder=folders.get(at, ""))
        for at, name in names.items()
    )


def splits_of(paths: Collection[str], configured: Sequence[Configuration] = ()) -> tuple[Split, ...]:
    """The splits of the data files at `paths`, which count from the folder of the dataset.

    What the card says comes first. Without it, the first of these that finds a file decides: names like
    `data/train-00000-of-00001.parquet`, folders named after splits, files named after them; else
    everything is `train`. A file can be in several splits, and in none. Raises limit (patterns).
    """
    known = sorted(path for path in paths if path.rpartition("/")[2] not in _IGNORED)
    tries = sum(is_pattern(pattern) for each in configured for _, pattern in each.patterns)
    if tries * len(known) > MATCH_COUNT:
        raise over_limit(f"{tries} patterns for {len(known)} files")
    found: list[Split] = []
    for each in configured or (Configuration(name=DEFAULT),):
        splits = _matched(known, each) if each.patterns else _inferred(known, each.folder)
        found += (Split(config=each.name, split=name, paths=files) for name, files in splits if files)
    return tuple(found)


def _matched(paths: Sequence[str], configured: Configuration) -> Iterator[tuple[str, tuple[str, ...]]]:
    found: dict[str, dict[str, None]] = {}
    for split, pattern in configured.patterns:
        if pattern.startswith("/"):
            continue
        whole = _plain(f"{configured.folder}/{pattern}")
        found.setdefault(split, {}).update(dict.fromkeys(_files(paths, whole)))
    yield from ((split, tuple(files)) for split, files in found.items())


def _files(paths: Sequence[str], pattern: str) -> Iterator[str]:
    """The files that a pattern stands for; hidden ones only when it names what hides them."""
    if not is_pattern(pattern):
        at = bisect_left(paths, pattern)
        yield from paths[at : at + 1] if at < len(paths) and paths[at] == pattern else ()
        return
    try:
        compiled = Pattern(pattern)
    except ValueError as error:
        raise over_limit(str(error)) from None
    hidden = _hidden(pattern)
    yield from (path for path in paths if compiled.matches(path) and _hidden(path) == hidden)


def _hidden(path: str) -> tuple[int, int]:
    """How many parts begin with a dot, and how many folders with two underscores."""
    if "/__" not in path and "/." not in path and path[:1] not in (".", "_"):
        return 0, 0
    parts = path.split("/")
    dots = sum(part.startswith(".") and part.strip(".") != "" for part in parts)
    return dots, sum(part.startswith("__") for part in parts[:-1])


def _inferred(paths: Sequence[str], folder: str) -> list[tuple[str, tuple[str, ...]]]:
    start = f"{plain}/" if (plain := _plain(folder)) else ""
    inside = [path.removeprefix(start) for path in paths if path.startswith(start)]
    seen = [path for path in inside if _hidden(path) == (0, 0)]
    found = _sharded(seen) or _named(seen, _in_folders) or _named(seen, _in_names)
    splits = found or {"train": seen}
    return [(split, tuple(start + path for path in files)) for split, files in splits.items()]


def _plain(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in ("", "."))


def _sharded(paths: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        shard = _SHARD.fullmatch(path)
        if shard and _SPLIT.fullmatch(shard[1]):
            found.setdefault(shard[1], []).append(path)
    order = list(_KEYWORDS)
    names = sorted(found, key=lambda name: (order.index(name) if name in order else len(order), name))
    return {name: found[name] for name in names}


def _named(paths: Sequence[str], splits: Callable[[str], frozenset[str]]) -> dict[str, list[str]]:
    told = [(path, splits(path)) for path in paths]
    found = {split: [path for path, names in told if split in names] for split in _KEYWORDS}
    return {split: files for split, files in found.items() if files}


def _in_folders(path: str) -> frozenset[str]:
    return _folder_splits(path.rpartition("/")[0])


@lru_cache(maxsize=4_096)
def _folder_splits(folder: str) -> frozenset[str]:
    parts = folder.split("/") if folder else []
    return frozenset(split for split, name in _FOLDERS.items() if any(map(name.fullmatch, parts)))


def _in_names(path: str) -> frozenset[str]:
    name = path.rpartition("/")[2]
    return frozenset(split for split, named in _NAMES.items() if named.fullmatch(name))
