"""How many rows a card states for each split, against what the data files say of themselves."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Attribute, FileKind, Statement
from aibom.domain.file import File
from aibom.domain.text import capped, visible
from aibom.inventory.folders import folder_of, kind_of
from aibom.inventory.splits import DEFAULT, Split, configurations, splits_of

_CARD, _INFO = "card", "dataset-info"
_NUMBER: Final = re.compile(r"[0-9]{1,18}\Z")
_SHARD: Final = re.compile(r"(.*-)([0-9]{5})-of-([0-9]{5})(?=[-.])", re.DOTALL)
_COUNTED: Final = frozenset({"parquet", "arrow", "arrow-stream", "feather"})  # whose footers count rows


def stated_rows(files: Sequence[File]) -> tuple[Check, ...]:
    """One check per split whose files hold another number of rows than a card or dataset_info.json states.

    A file that tells no number decides nothing. Fewer rows are a mismatch only where the names of the shards
    show that none is missing: part of a dataset is often fetched alone. Equal numbers prove nothing and
    give no check.
    """
    stating = [file for file in files if _states_rows(file)]
    if not stating:
        return ()
    by_path = {file.path: file for file in files}
    data = sorted(file.path for file in files if kind_of(file) is FileKind.DATA)
    by_folder: dict[str, list[File]] = defaultdict(list)
    for file in stating:
        by_folder[folder_of(file.path)].append(file)
    cards = {
        folder_of(file.path): file for file in files if file.format == _CARD and configurations(file.facts)
    }
    found: list[Check] = []
    for folder, speaking in sorted(by_folder.items()):
        splits = _splits(folder, data, cards.get(folder))
        found += (check for file in speaking for check in _of_file(file, splits, by_path))
    return tuple(found)


def _states_rows(file: File) -> bool:
    return file.facts is not None and file.format in (_CARD, _INFO) and any(_rows(file))


def _rows(file: File) -> Iterator[tuple[Statement, int]]:
    for statement in file.facts.statements if file.facts else ():
        rows = statement.detail("rows") or ""
        if statement.attribute is Attribute.SPLIT and _NUMBER.match(rows):
            yield statement, int(rows)


def _splits(folder: str, data: Sequence[str], card: File | None) -> dict[tuple[str, str], Split]:
    """The splits of the data below a folder; `data` are the paths of all data files, sorted."""
    configured = configurations(card.facts) if card else ()
    start = f"{folder}/" if folder else ""
    # "0" is the next character behind "/".
    first, last = bisect_left(data, start), bisect_left(data, f"{folder}0") if folder else len(data)
    try:
        found = splits_of([path.removeprefix(start) for path in data[first:last]], configured)
    except UnreadableError:
        return {}
    return {
        (each.config, each.split): replace(each, paths=tuple(start + path for path in each.paths))
        for each in found
    }


def _of_file(
    file: File, splits: Mapping[tuple[str, str], Split], files: Mapping[str, File]
) -> Iterator[Check]:
    stated = list(_rows(file))
    names = {statement.detail("configuration") or DEFAULT for statement, _ in stated}
    configs = {config for config, _ in splits}
    for statement, rows in stated:
        config = statement.detail("configuration") or DEFAULT
        # A dataset of one configuration is often described under another name than its card has.
        only = next(iter(configs)) if len(names) == len(configs) == 1 else config
        split = splits.get((only, statement.value))
        held = _held(split, files) if split else None
        if split is not None and held is not None and held != rows:
            yield _check(file, split, rows, held)


def _held(split: Split, files: Mapping[str, File]) -> int | None:
    """The rows of all files of a split; None when one does not tell."""
    total = 0
    for path in split.paths:
        facts = files[path].facts
        if facts is None or facts.rows is None or facts.defects or facts.format not in _COUNTED:
            return None
        total += facts.rows
    return total


def _check(file: File, split: Split, rows: int, held: int) -> Check:
    outcome, detail = Outcome.CONTENT_MISMATCH, "the files of the split hold another number of rows"
    if held < rows and not _is_whole(split.paths):
        outcome = Outcome.COULD_NOT_CHECK
        detail = "the files of the split that are here hold fewer rows; some may not have been fetched"
    name = visible(capped(f"{split.config}/{split.split}", 200))
    return Check(
        subject=split.paths[0] if len(split.paths) == 1 else file.path,
        kind=CheckKind.COUNT,
        outcome=outcome,
        identity=f"number of rows that {visible(file.path)} states for {name}",
        detail=detail,
        expected=f"{rows} rows",
        found=f"{held} rows",
        source=file.path,
    )


def _is_whole(paths: Sequence[str]) -> bool:
    """Whether the names count all shards of each series."""
    series: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in paths:
        shard = _SHARD.match(path)
        if shard is None:
            return False
        series[shard[1], shard[3]].add(shard[2])
    return all(len(numbers) == int(count) for (_, count), numbers in series.items())
