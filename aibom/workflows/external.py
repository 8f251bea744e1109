"""Tensors that one file describes and another one holds (ONNX external data)."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from operator import attrgetter

from aibom.domain.entry import Entry, check_relative
from aibom.domain.errors import Reason
from aibom.domain.facts import Facts, FileKind, Tensor
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.formats import EXTERNAL_DATA


def external_facts(files: list[File], entries: list[Entry]) -> tuple[dict[str, Facts], list[Gap]]:
    """What the files state about their data files, by path, and a gap for what is not there."""
    sizes = {entry.path: entry.size for entry in entries}
    told: dict[str, list[Tensor]] = defaultdict(list)
    gaps = []
    for file in files:
        for location, tensors in _by_location(file).items():
            path = _beside(file.path, location)
            if path is None:
                continue  # leads out of the target: the reader reported it as a defect
            if path not in sizes:
                detail = f"{len(tensors)} tensors lie in {location[:200]!r}, which is not there"
                gaps.append(_gap(file.path, Reason.MISSING, detail))
                continue
            inside = [t for t in tensors if t.offset + t.length <= sizes[path]]
            told[path] += inside
            if len(inside) < len(tensors):
                detail = f"{len(tensors) - len(inside)} tensors of {file.path} lie behind its end"
                gaps.append(_gap(path, Reason.TRUNCATED, detail))
    return {path: _facts(tensors) for path, tensors in told.items()}, gaps


def _by_location(file: File) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = defaultdict(list)
    for external in file.facts.external if file.facts else ():
        found[external.path].append(external.tensor)
    return found


def _beside(path: str, location: str) -> str | None:
    try:
        check_relative(location)
    except ValueError:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), location))


def _facts(tensors: list[Tensor]) -> Facts:
    ordered = sorted(tensors, key=attrgetter("offset", "length", "name"))
    return Facts(format=EXTERNAL_DATA, kind=FileKind.WEIGHTS, tensors=tuple(ordered))


def _gap(path: str, reason: Reason, detail: str) -> Gap:
    return Gap(path=path, stage=Stage.READ, reason=reason, detail=detail)
