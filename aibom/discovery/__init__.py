"""What do code and configuration refer to? One file per language or kind of file. Pure."""

from __future__ import annotations

from typing import Final

from aibom.discovery import (
    agents,
    compose,
    dockerfile,
    javascript,
    jenkins,
    kubernetes,
    manifests,
    mcp,
    modelfile,
    notebook,
    pipelines,
    python,
    settings,
    shell,
)
from aibom.discovery.found import FULL, Discoverer, Found, Text
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.reference import Reference

__all__ = ["DISCOVERERS", "Discoverer", "Found", "Text", "discover", "wanting"]

DISCOVERERS: tuple[Discoverer, ...] = (
    python.DISCOVERER,
    notebook.DISCOVERER,
    javascript.DISCOVERER,
    shell.DISCOVERER,
    shell.PROGRAMS,
    dockerfile.DISCOVERER,
    modelfile.DISCOVERER,
    compose.DISCOVERER,
    kubernetes.DISCOVERER,
    kubernetes.VALUES,
    pipelines.DISCOVERER,
    pipelines.JOBS,
    jenkins.DISCOVERER,
    settings.DISCOVERER,
    mcp.DISCOVERER,
    agents.DISCOVERER,
    manifests.DISCOVERER,
)


# Endings that say everything: most files of a folder have one of them.
_DECIDED: Final[dict[str, tuple[Discoverer, ...]]] = {
    ".py": (python.DISCOVERER,),
    **dict.fromkeys(
        (
            ".arrow", ".bin", ".c", ".cc", ".cpp", ".cu", ".cuh", ".gif", ".h", ".hpp", ".jpg", ".npy",
            ".npz", ".parquet", ".png", ".pt", ".pth", ".pyc", ".pyx", ".safetensors", ".so", ".svg", ".wav",
        ),
        (),
    ),
}  # fmt: skip


def wanting(path: str, size: int = 0) -> tuple[Discoverer, ...]:
    """Every discoverer that reads files of this path and size in bytes; a file may be of several kinds."""
    decided = _DECIDED.get(path[path.rfind(".") :])
    if decided is not None and "file." not in path.lower():  # Dockerfile.cu is no CUDA
        return decided
    return tuple(
        each
        for each in DISCOVERERS
        if each.wants(path) and (each.data_bytes is None or size <= each.data_bytes)
    )


def discover(text: Text, discoverers: tuple[Discoverer, ...]) -> Found | None:
    """What the file refers to, in order of its lines; None when a cheap look says nothing."""
    hinted = [each for each in discoverers if each.hint(text.data)]
    if not hinted:
        return None
    found = Found(path=text.path)
    for each in hinted:
        try:
            each.discover(text, found)
        except UnreadableError as error:
            found.defect(error.reason, f"references: {error.message}", error.offset)
    if found.full:
        found.defect(Reason.LIMIT, FULL)
    found.references.sort(key=_order)
    return found


def _order(reference: Reference) -> tuple[int, str, int, int, str]:
    place = reference.location
    # Cell 9 comes before cell 10.
    return len(place.inside), place.inside, place.line or 0, place.column or 0, reference.loader
