"""The text in rows, and characters in it that people do not see.

Left alone, since ordinary text needs them: flags and other emoji, joiners in scripts that join, direction
marks, isolates and embeddings of names, soft hyphens, byte order marks, single variation selectors.
Sources: Unicode Standard 23 (format characters), UAX #9 (bidirectional algorithm), UTS #51 (emoji),
Boucher and Anderson 2021 ("Trojan Source"), Boucher et al. 2022 ("Bad Characters").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from aibom.domain.dataset import Kind, RowBatch, Type
from aibom.domain.dataset_signals import EXAMPLE_COUNT, Signal, SignalKind
from aibom.domain.limits import COLUMN_COUNT
from aibom.fingerprint.signals_labels import short

_INVISIBLE: Final = "\u180e\u200b-\u200d\u2060-\u2064\ufeff"
_LETTER: Final = "[A-Za-zÀ-ÖØ-öø-ɏͰ-ϿЀ-ӿ]"  # Latin, Greek, Cyrillic: scripts that need no joiners
_ANY: Final = re.compile(
    f"[{_INVISIBLE}\u202b\u202d\u202e\u2067\ufe00-\ufe0f\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_TAG: Final = re.compile("[\U000e0000-\U000e007f]")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4}")
_RUN: Final = re.compile(f"[{_INVISIBLE}]{{8,}}")
_OVERRIDE: Final = re.compile("[\u202d\u202e]")
_RIGHT_TO_LEFT: Final = re.compile("[\u202b\u2067]")
_SCRIPTS_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_INSIDE: Final = re.compile(f"{_LETTER}[{_INVISIBLE}]+{_LETTER}")

Trait = tuple[SignalKind, str]
_TAGS: Final = (SignalKind.HIDDEN_TEXT, "tag characters")
_SELECTED: Final = (SignalKind.HIDDEN_TEXT, "a run of variation selectors")
_BITS: Final = (SignalKind.HIDDEN_TEXT, "a run of zero-width characters")
_OVERRIDDEN: Final = (SignalKind.DECEPTIVE_TEXT, "bidirectional controls")
_SPLIT: Final = (SignalKind.DECEPTIVE_TEXT, "zero-width characters inside words")


def traits(text: str) -> Iterator[Trait]:
    """What of a text is hidden or shown otherwise than it is read."""
    if text.isascii() or not _ANY.search(text):
        return
    if _TAG.search(_FLAG.sub("", text)):
        yield _TAGS
    if _SELECTORS.search(text):
        yield _SELECTED
    # One character repeated is a filler of a web page; a message needs two.
    if any(len(set(run)) > 1 for run in _RUN.findall(text)):
        yield _BITS
    if _OVERRIDE.search(text) or (_RIGHT_TO_LEFT.search(text) and not _SCRIPTS_RIGHT_TO_LEFT.search(text)):
        yield _OVERRIDDEN
    if _INSIDE.search(text):
        yield _SPLIT


def text_columns(batch: RowBatch) -> list[tuple[str, list[str]]]:
    """The columns that hold text, also within lists and structs; a row without has an empty one."""
    found = []
    for name, kind, values in zip(batch.names, batch.types, batch.columns, strict=True):
        texts = _texts(kind, values)
        if texts is not None:
            found.append((name, texts))
    return found


def _texts(kind: Type | None, values: Sequence[object]) -> list[str] | None:
    kinds = set(map(type, values))
    if kinds == {str}:
        return values if isinstance(values, list) else [str(value) for value in values]
    is_text = kind is not None and kind.kind is Kind.STRING
    if not is_text and not kinds & {str, list, tuple, dict}:
        return None
    found = ["\n".join(_flat(value, is_text=is_text)) for value in values]
    return found if any(found) else None


def _flat(value: object, *, is_text: bool) -> Iterator[str]:
    """The texts in a value, in its order; bytes only where the column is of text."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, bytes) and is_text:
            yield each.decode("utf-8", "replace")
        elif isinstance(each, list | tuple):
            waiting += reversed(each)
        elif isinstance(each, dict):
            waiting += reversed(each.values())


class HiddenText:
    """Counts the rows whose text is not what people see, per column."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Trait], tuple[int, list[int]]] = {}
        self._looked: set[str] = set()

    def add(self, columns: Sequence[tuple[str, Sequence[str]]], first: int) -> None:
        """The text of the next rows."""
        for name, texts in columns:
            column = short(name)
            # Columns beyond the limit are looked at as one.
            known = column if column in self._looked or len(self._looked) < COLUMN_COUNT else ""
            self._looked.add(known)
            self._add(known, texts, first)

    def _add(self, name: str, texts: Sequence[str], first: int) -> None:
        if all(map(str.isascii, texts)):
            return
        for at, text in enumerate(texts):
            for trait in traits(text):
                count, examples = self._found.get((name, trait), (0, []))
                if len(examples) < EXAMPLE_COUNT and first + at not in examples:
                    examples.append(first + at)
                self._found[name, trait] = count + 1, examples

    def signals(self, rows: int) -> Iterator[Signal]:
        """One for each column and kind of character, or one that says that there are none."""
        for (name, (kind, what)), (count, examples) in sorted(self._found.items()):
            yield Signal(
                kind=kind,
                count=min(count, rows),  # columns that are looked at as one may share rows
                looked=rows,
                column=name,
                what=what,
                examples=tuple(examples),
            )
        for kind in (SignalKind.HIDDEN_TEXT, SignalKind.DECEPTIVE_TEXT):
            if not any(trait[0] is kind for _, trait in self._found):
                looked = rows if self._looked else 0
                yield Signal(kind=kind, count=0, looked=looked, what="" if looked else "no column of text")
