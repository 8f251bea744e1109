"""The words of sampled rows as numbers, and the phrases of one to three words that several rows share.

Words and phrases of fewer than `LEAST_ROWS` rows are never held: hashes of all are counted in a table of
fixed size first, and only what may be frequent enough is looked at again.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from aibom.fingerprint.signals_sample import SampledText

LEAST_ROWS: Final = 5  # that a phrase occurs in
PHRASE_WORDS: Final = 3
WORD_COUNT: Final = 32_767  # different ones
PHRASE_COUNT: Final = 50_000  # of one length that are held
_SLOTS: Final = 1 << 20  # of the table of hashes
_ID_BITS: Final = 16
_MIX: Final = 0x9E3779B97F4A7C15  # odd, so that numbers that are close get hashes that are not
_MASK: Final = (1 << 64) - 1
_GAP: Final = 0  # number of words that are too rare, and of what was cut out of a long text


class Vocabulary:
    """Rows as arrays of numbers; `words[number]` is the word."""

    def __init__(self, texts: Sequence[SampledText]) -> None:
        seen = array("H", bytes(2 * _SLOTS))
        for text in texts:
            for slot in {_word_slot(word) for part in text.words for word in set(part)}:
                seen[slot] += 1
        self.words = [""]
        numbers: dict[str, int] = {}
        self.rows = [self._numbered(text, seen, numbers) for text in texts]

    def _numbered(self, text: SampledText, seen: array[int], numbers: dict[str, int]) -> array[int]:
        head, tail = text.words
        found = array("H")
        for part in (head, None, tail):
            for word in part or ("",):
                number = numbers.get(word, _GAP)
                if not number and word and seen[_word_slot(word)] >= LEAST_ROWS:
                    number = self._new(word, numbers)
                found.append(number)
        return found

    def _new(self, word: str, numbers: dict[str, int]) -> int:
        if len(self.words) > WORD_COUNT:
            return _GAP
        numbers[word] = len(self.words)
        self.words.append(word)
        return numbers[word]

    def phrases(self) -> Iterator[tuple[int, dict[int, array[int]]]]:
        """For each length the phrases that occur in at least `LEAST_ROWS`, and their rows."""
        found: Collection[int] = range(1, len(self.words))
        for length in range(1, PHRASE_WORDS + 1):
            # What a frequent phrase begins with is frequent, too.
            rows = self._frequent(length, found)
            yield length, rows
            found = rows.keys()

    def _frequent(self, length: int, shorter: Collection[int]) -> dict[int, array[int]]:
        seen = array("H", bytes(2 * _SLOTS))
        for row in self.rows if length > 1 else ():  # words are known to be frequent
            for slot in {(key * _MIX & _MASK) >> 44 for key in _keys(row, length, shorter)}:
                seen[slot] += 1
        held: dict[int, array[int]] = {}
        for at, row in enumerate(self.rows):
            for key in _keys(row, length, shorter):
                if length == 1 or seen[(key * _MIX & _MASK) >> 44] >= LEAST_ROWS:
                    rows = held.get(key)
                    if rows is not None:
                        rows.append(at)
                    elif len(held) < PHRASE_COUNT:
                        held[key] = array("H", (at,))
        return {key: rows for key, rows in held.items() if len(rows) >= LEAST_ROWS}

    def text(self, key: int) -> str:
        """The words of a phrase."""
        parts = []
        while key:
            parts.append(self.words[key & ((1 << _ID_BITS) - 1)])
            key >>= _ID_BITS
        return " ".join(reversed(parts))


def _word_slot(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) & (_SLOTS - 1)


def _keys(row: array[int], length: int, shorter: Collection[int]) -> set[int]:
    """The phrases of a row as numbers; none that holds a gap or begins with what is not in `shorter`."""
    keys = row.tolist()
    for shift in range(1, length):
        pairs = zip(keys, row[shift:], strict=False)
        keys = [key << _ID_BITS | word if key and word else _GAP for key, word in pairs]
    if length > 2:
        return {key for key in keys if key >> _ID_BITS in shorter}
    return set(keys) - {_GAP}
