"""One value of a policy with its place, read as what it has to be; errors say where and what instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Final, TypeVar

from aibom.policy.glob import Glob
from aibom.readers.located_yaml import Located

TEXT_CHARS: Final = 65_536  # of one text: a chain of certificates is one
TOLD_CHARS: Final = 80  # of what an error repeats
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DAYS: Final = re.compile(r"([1-9][0-9]{0,4})d\Z")
_T = TypeVar("_T")


class PolicyError(ValueError):
    """The document is not a policy; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value, and what the document is called in errors and results."""

    located: Located
    document: str
    name: str = ""  # the key that it stands behind

    @property
    def place(self) -> str:
        """`name:line:column`."""
        return f"{self.document}:{self.located.line}:{self.located.column}"

    def error(self, text: str) -> PolicyError:
        return PolicyError(f"{self.place}: {text}")

    def members(self, known: Collection[str], required: Collection[str] = ()) -> dict[str, Setting]:
        """The members of a mapping, none of them unknown, all of the required ones there."""
        value = self.located.value
        if not isinstance(value, dict):
            raise self.error(f"{self._what()} is a mapping with {_listed(known)}")
        for key in value:
            if key not in known:
                line, column = self.located.keys[key]
                raise PolicyError(
                    f"{self.document}:{line}:{column}: unknown key {_told(key)}{_near(key, known)}"
                )
        missing = [key for key in required if key not in value]
        if missing:
            raise self.error(f"{self._what()} needs {_listed(missing)}")
        return {key: Setting(located, self.document, key) for key, located in value.items()}

    def pairs(self) -> list[tuple[str, Setting]]:
        """The members of a mapping whose keys are free."""
        value = self.located.value
        if not isinstance(value, dict) or not value:
            raise self.error(f"{self._what()} is a mapping with at least one entry")
        return [(key, Setting(located, self.document, key)) for key, located in value.items()]

    def items(self) -> list[Setting]:
        """The entries of a list. An empty list would allow nothing or demand nothing: it is an error."""
        value = self.located.value
        if not isinstance(value, list):
            raise self.error(f"{self._what()} is a list")
        if not value:
            raise self.error(f"{self._what()} is an empty list; leave it out, or name something")
        return [Setting(located, self.document, self.name) for located in value]

    def text(self) -> str:
        value = self.located.value
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{self._what()} is a text")
        if len(value) > TEXT_CHARS:
            raise self.error(f"{self._what()} is longer than {TEXT_CHARS:,} characters")
        return value

    def choice(self, options: Collection[str]) -> str:
        value = self.located.value
        if not isinstance(value, str) or value not in options:
            raise self.error(
                f"{self._what()}: {_told(value)} is none of {_listed(options)}{_near(value, options)}"
            )
        return value

    def whole(self, least: int, most: int) -> int:
        value = self.located.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.error(f"{self._what()} is a whole number from {least} to {most}")
        return value

    def flag(self) -> bool:
        value = self.located.value
        if not isinstance(value, bool):
            raise self.error(f"{self._what()} is true or false")
        return value

    def day(self) -> date:
        """A date as YYYY-MM-DD."""
        text = self.text()
        try:
            if _DAY.match(text):  # `fromisoformat` takes weeks as well
                return date.fromisoformat(text)
        except ValueError:
            pass
        raise self.error(f"{self._what()} is a date such as 2027-03-31")

    def days(self) -> int:
        """A number of days such as 365d."""
        found = _DAYS.match(str(self.located.value))
        if found is None:
            raise self.error(f"{self._what()} is a number of days such as 365d")
        return int(found[1])

    def glob(self) -> Glob:
        """A pattern for a whole text: `*` stays within one part between slashes, `**` does not."""
        try:
            return Glob.of(self.text())
        except ValueError as error:
            raise self.error(f"{self._what()}: {error}") from None

    def each(self, read: Callable[[Setting], _T]) -> tuple[_T, ...]:
        return tuple(read(entry) for entry in self.items())

    def choices(self, options: Collection[str]) -> frozenset[str]:
        return frozenset(entry.choice(options) for entry in self.items())

    def _what(self) -> str:
        return self.name or "the policy"


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)


def _told(value: object) -> str:
    """A plain value as it was written, cut; a list or mapping as a word."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return repr(value[:TOLD_CHARS]) if isinstance(value, str) else str(value)[:TOLD_CHARS]


def _near(word: object, known: Collection[str]) -> str:
    near = get_close_matches(str(word), known, n=1) if len(str(word)) <= TOLD_CHARS else []
    return f", did you mean {near[0]!r}?" if near else ""
