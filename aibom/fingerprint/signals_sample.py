"""The text of a sample of rows that digests choose: bounded, and the same for any order of the rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aibom.fingerprint.signals_keys import Bound

SAMPLE_COUNT: Final = 8_192  # rows, different ones
HEAD_CHARS: Final = 384  # of a row that are kept; phrases that trigger something stand at its ends mostly
TAIL_CHARS: Final = 128
HEAD_WORDS: Final = 96  # of them; ordinary text has fewer
TAIL_WORDS: Final = 32
_WORD: Final = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledText:
    """The beginning and the end of the text of a row."""

    row: int  # its number
    label: int | None
    head: bytes  # UTF-8
    tail: bytes = b""  # of a longer text

    @property
    def words(self) -> tuple[list[str], list[str]]:
        """The words of both ends, in lower case; signs are words, too."""
        both = (self.head, self.tail)
        head, tail = (_WORD.findall(part.decode("utf-8", "replace").casefold()) for part in both)
        return head[:HEAD_WORDS], tail[-TAIL_WORDS:]


class TextSample:
    """Keeps the rows whose keys are smallest; of rows with one key the one with the smallest label."""

    def __init__(self, cap: int = SAMPLE_COUNT) -> None:
        self._bound, self._kept = Bound(cap), dict[int, SampledText]()

    def add(
        self,
        keys: Sequence[int],
        labels: Sequence[int | None],
        columns: Sequence[Sequence[str]],
        first: int,
    ) -> None:
        """The next rows, with the text of their columns."""
        kept, bound = self._kept, self._bound
        for at, key in enumerate(keys):
            if key >= bound.limit:
                continue
            known, label = kept.get(key), labels[at]
            if known is None or (label or 0) < (known.label or 0):
                kept[key] = _sampled(first + at, label, [column[at] for column in columns])
                if len(kept) > bound.cap:
                    bound.shrink(kept)  # type: ignore[arg-type]

    def texts(self) -> list[SampledText]:
        """The rows that have text, by their keys: an order that does not follow that of the file."""
        return [self._kept[key] for key in sorted(self._kept) if self._kept[key].head]


def _sampled(row: int, label: int | None, parts: Sequence[str]) -> SampledText:
    text = "\n".join(filter(None, parts))
    rest = text[HEAD_CHARS:][-TAIL_CHARS:]
    return SampledText(
        row=row,
        label=label,
        head=text[:HEAD_CHARS].encode("utf-8", "replace"),
        tail=rest.encode("utf-8", "replace"),
    )
