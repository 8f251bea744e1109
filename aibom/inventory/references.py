"""References that lead to a file or folder of the scan itself, by the paths that are there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from aibom.domain.ref import Ref
from aibom.domain.reference import Flag, Reference

# Loaders of these look for a folder of that name first, and ask the Hub when there is none.
_EITHER: Final = ("hf", "hf-dataset", "modelscope")
# What a folder holds, here or further down, that such a loader can read.
_LOADABLE: Final = (
    ".safetensors", ".bin", ".pt", ".pth", ".gguf", ".onnx", ".h5", ".keras", ".msgpack", ".parquet",
    ".arrow", ".csv", ".tsv", ".jsonl", ".json.gz", "/config.json", "/adapter_config.json",
    "/tokenizer.json", "/modules.json", "/model_index.json", "/dataset_info.json",
)  # fmt: skip
_ELSEWHERE: Final = re.compile(r"[/~$]|[A-Za-z]:")  # absolute, of a home, of a variable, on a drive
_OF_THE_HUB: Final = frozenset({Flag.UNPINNED, Flag.NO_ORGANISATION, Flag.FLOATING_TAG})


def at_home(
    references: Sequence[Reference], paths: Iterable[str], roots: Sequence[str]
) -> tuple[Reference, ...]:
    """The references, each that leads to one of the paths, or a folder of them, as a `file` reference.

    `roots` are what the paths of each target begin with. A relative path counts from the folder of
    the file that names it or from the root of its target, where programs are mostly started.
    """
    asked = {place for one in references for place in _places(one, roots)}
    if not asked:
        return tuple(references)
    there: set[str] = set()
    loadable: set[str] = set()
    for path in paths:
        above = asked.intersection(_above(path))
        there |= above
        if above and path.endswith(_LOADABLE):
            loadable |= above
    return tuple(_at_home(one, there if _by_path(one) else loadable, roots) for one in references)


def _by_path(reference: Reference) -> bool:
    return reference.target is not None and reference.target.scheme == "file"


def _at_home(reference: Reference, known: set[str], roots: Sequence[str]) -> Reference:
    found = next((place for place in _places(reference, roots) if place in known), None)
    if found is None:
        return reference
    return replace(
        reference,
        target=Ref(scheme="file", location=found),
        flags=(reference.flags - _OF_THE_HUB) | {Flag.LOCAL_PATH},
    )


def _places(reference: Reference, roots: Sequence[str]) -> Iterator[str]:
    """Where in the scan a reference may lead, the likeliest first."""
    target = reference.target
    if target is None or target.revision is not None:
        return
    if target.scheme != "file" and not (target.scheme in _EITHER and target.subpath is None):
        return
    path = reference.location.path
    root = next((root for root in roots if path.startswith(root)), "")
    for base in (path.rpartition("/")[0], root.rstrip("/")):
        place = _joined(base, target.location, root)
        if place is not None:
            yield place
    if target.scheme == "file" and target.location == path.removeprefix(root):
        yield path


def _joined(base: str, location: str, root: str) -> str | None:
    """A relative path from a folder; None when it leads out of the target or nowhere in particular."""
    if _ELSEWHERE.match(location) or "\\" in location or not location.strip("./"):
        return None
    parts = [part for part in base.split("/") if part]
    depth = len([part for part in root.split("/") if part])
    for part in location.split("/"):
        if part == "..":
            if len(parts) <= depth:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) or None


def _above(path: str) -> Iterator[str]:
    """The path and every folder that it is in."""
    while path:
        yield path
        path = path.rpartition("/")[0]
