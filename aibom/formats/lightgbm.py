"""LightGBM: boosters as text, first the settings, then the trees. Data only; the trees are not read.

Format: github.com/microsoft/LightGBM, `src/boosting/gbdt_model_text.cpp` (`SaveModelToString`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from aibom.domain.errors import Reason, malformed
from aibom.domain.facts import Attribute, Facts, FileKind, Statement
from aibom.domain.limits import MIB
from aibom.domain.protocols import ByteReader, Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers.defects import Defects

HEADER_BYTES: Final = 8 * MIB  # of settings; names of features and sizes of trees make them long

_STARTS: Final = (b"tree\nversion=", b"tree\r\nversion=")
_END = b"end of trees"
_NAMES: Final = ("objective", "num_class", "num_tree_per_iteration", "max_feature_idx", "label_index")


def recognise(probe: Probe) -> Match:
    """By content: the first two lines."""
    return Match.CONTENT if probe.head.startswith(_STARTS) else Match.NO


def read(probe: Probe) -> Facts:
    """Version, objective and sizes. Raises `UnreadableError`."""
    if not probe.head.startswith(_STARTS):
        raise malformed("does not start like a LightGBM model", 0)
    defects = Defects()
    text = probe.reader.read_at(0, min(HEADER_BYTES, probe.size)).replace(b"\r\n", b"\n")
    header, blank, _ = text.partition(b"\n\n")
    if not blank:
        reason = Reason.LIMIT if probe.size > HEADER_BYTES else Reason.TRUNCATED
        defects.add("the settings do not end", len(header), reason)
    pairs = _pairs(header, defects)
    sizes = _sizes(pairs.get("tree_sizes"), defects)
    if blank and sizes is not None and b"\r" not in probe.head:
        _check_end(probe.reader, len(header) + 2 + sum(sizes), defects)
    version = capped(pairs["version"], 40)
    return Facts(
        format="lightgbm",
        kind=FileKind.WEIGHTS,
        version=version,
        statements=tuple(_statements(pairs, version, sizes)),
        defects=tuple(defects.found),
    )


def _pairs(header: bytes, defects: Defects) -> dict[str, str]:
    """The settings; of a key that is there twice the last, as the library takes it."""
    pairs: dict[str, str] = {}
    for line in header.decode("utf-8", "backslashreplace").split("\n")[1:]:
        key, _, value = line.partition("=")
        if key in pairs:
            defects.add(f"the setting {capped(key, 80)!r} is given twice")
        pairs[key] = value
    return pairs


def _sizes(text: str | None, defects: Defects) -> tuple[int, ...] | None:
    """The bytes of each tree; None when the file does not say."""
    if text is None:
        return None
    words = text.split()
    if not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):
        defects.add("tree_sizes are no sizes")
        return None
    return tuple(map(int, words))


def _check_end(reader: ByteReader, position: int, defects: Defects) -> None:
    """Trees are found by their sizes, so other sizes mean other trees than those that one sees."""
    there = reader.read_at(position, len(_END)) if position + len(_END) <= reader.size else b""
    if there != _END:
        defects.add("the sizes of the trees do not lead to their end", min(position, reader.size))


def _statements(pairs: Mapping[str, str], version: str, sizes: tuple[int, ...] | None) -> Iterator[Statement]:
    yield Statement(attribute=Attribute.TRAINING_FRAMEWORK, value=f"lightgbm {version}", pointer="version")
    found = {name: pairs[name] for name in _NAMES if pairs.get(name)}
    if names := pairs.get("feature_names"):
        found["feature_names"] = str(len(names.split()))
    if sizes is not None:
        found["num_trees"] = str(len(sizes))
    for name, value in found.items():
        yield Statement(
            attribute=Attribute.HYPERPARAMETER,
            value=capped(value, 256),
            pointer="tree_sizes" if name == "num_trees" else name,
            details=(("name", name),),
        )


FORMAT = Format(
    name="lightgbm",
    title="LightGBM",
    kind=FileKind.WEIGHTS,
    suffixes=(),
    recognise=recognise,
    read=read,
    media_type="text/plain",
)
