"""Variables that are each of several values in turn: of a loop, of a matrix, of the branches of a script."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from aibom.discovery.shell_words import Word
from aibom.readers.marks import UNKNOWN

_VALUE_COUNT: Final = 256  # of one variable; as many as a matrix of GitHub can have
_VALUE_CHARS: Final = 1_000
_VARIED_COUNT: Final = 5_000  # commands of one file that loops make
_WORD_COUNT: Final = 16  # of a command; longer ones count as several
_DEPTH: Final = 8  # variables in one command
_MARK: Final = "\ue001"  # of private use: around the name of a variable
_LOOPED = re.compile(f"{_MARK}(\\w+:)?(\\w+){_MARK}")


def looped(name: str) -> str:
    """The value of a variable that is each of its values in `Loops` in turn."""
    return f"{_MARK}{name}{_MARK}"


def without_marks(text: str) -> str:
    """A text of a file, in which no variable can be marked."""
    return text.replace(_MARK, " ")


@dataclass(slots=True)
class Spent:
    """How many commands loops have made; shared by all commands of a file."""

    variants: int = 0

    @property
    def enough(self) -> bool:
        return self.variants >= _VARIED_COUNT


@dataclass(slots=True)
class Loops:
    """The values of variables. Those with the same word in front of a colon take theirs together."""

    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)

    def set(self, name: str, values: Sequence[str]) -> None:
        """From here on the variable is each of the values, in which others are filled in."""
        each = (words for value in values for words in self.variants((Word(value, 1),)))
        texts = (" ".join(word.text for word in words) for words in each)
        known = (text if len(text) <= _VALUE_CHARS else UNKNOWN for text in texts)
        self.values[name] = tuple(islice(known, _VALUE_COUNT))

    def variants(self, words: Sequence[Word], depth: int = 0) -> Iterator[Sequence[Word]]:
        """The command for each value of the variables in it."""
        match = next((match for word in words if (match := _LOOPED.search(word.text))), None)
        if match is None:
            yield from (words,) if words else ()
            return
        if depth == _DEPTH:
            yield [word._replace(text=_LOOPED.sub(UNKNOWN, word.text)) for word in words]
            return
        group, name = match[1], f"{match[1] or ''}{match[2]}"
        for number in range(len(self.values.get(name, ()))):
            enough = self.spent.enough
            self.spent.variants += 1 + len(words) // _WORD_COUNT
            filled = (self._filled(word, name, group, -1 if enough else number) for word in words)
            yield from self.variants([word for each in filled for word in each], depth + 1)
            if enough:
                return  # what the others are is not known

    def _filled(self, word: Word, name: str, group: str | None, number: int) -> list[Word]:
        """The word with one value of a variable, and with those that come together with it."""

        def value(match: re.Match[str]) -> str:
            own = f"{match[1] or ''}{match[2]}"
            if own != name and (group is None or match[1] != group):
                return match[0]
            values = self.values.get(own, ())
            return values[number] if 0 <= number < len(values) else UNKNOWN

        if _MARK not in word.text:
            return [word]
        text = _LOOPED.sub(value, word.text)
        # A variable on its own can hold several words.
        split = text.split() if _LOOPED.fullmatch(word.text) else [text]
        return [word._replace(text=part) for part in split]
