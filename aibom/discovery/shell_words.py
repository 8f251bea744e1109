"""Shell text as simple commands: words with their places, quotes taken off, variables filled in.

The grammar is that of POSIX.1-2024, "Shell Command Language", with the arrays, here-strings and
process substitutions of bash. Nothing is executed: what a command would print, and a variable that
is not set, is `UNKNOWN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from aibom.domain.errors import over_limit
from aibom.readers.marks import UNKNOWN, Cursor

COMMAND_COUNT: Final = 50_000  # of one script
_WORD_COUNT: Final = 2_000  # of one command; what follows is left out
_VALUE_CHARS: Final = 4_096  # of a word that holds variables: some double themselves
_EXPANDED_CHARS: Final = 4 * 1024 * 1024  # of all variables; behind it none is known
_DEPTH: Final = 16  # substitutions inside substitutions
_HEREDOC_COUNT: Final = 200  # behind it their bodies are read as commands
_ARITHMETIC_CHARS: Final = 500  # of `$((...))`
_BREAK: Final = "\x1f"  # where a value falls apart into words

_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_PLAIN = re.compile(r"[^ \t\r\n\\'\"$`;&|<>()]+")
_QUOTED = re.compile(r"[^\\\"$`]+")
_REDIRECTION = re.compile(r"&>>?|<<<|<<-?|[<>]\(|[<>]&|<>|>>|>\||[<>]")
_DOLLAR = re.compile(
    r"\$(?:(\w+|[@*#?$!-])|\{([!#]?)(\w+)((?:\[(?:[@*\d]+|\$\{?\w+\}?)\])?)(:?[-=+?]|[%#/^,:@][^{}\n]*)?)"
)
_KEY = re.compile(r"\[\w+\]=")  # of an element of an associative array
_DELIMITER = re.compile(r"[ \t]*(['\"\\]?)([A-Za-z_][\w.-]*)")


class Word(NamedTuple):
    """One word, and where it begins; line and column count from 1."""

    text: str
    line: int
    column: int | None = None
    span: int = 1  # lines of the file in which it can stand, from `line` on


@dataclass(frozen=True, slots=True)
class Simple:
    """One command. `stdin` is the text of its here-document, `literal` when its delimiter is quoted."""

    words: tuple[Word, ...]
    stdin: Word | None = None
    literal: bool = False


class Lexer:
    """Reads commands one by one, so that what one of them assigns is known to the next."""

    def __init__(self, text: str, variables: dict[str, str], line: int = 1, span: int = 1) -> None:
        self._text = text.replace(_BREAK, " ")
        self._variables = variables
        self._first = line
        self._span = span
        self._cursor = Cursor(self._text)
        self._at = 0
        self._depth = 0
        self._count = 0
        self._expanded_chars = 0
        self._heredocs = 0
        self._unclosed: set[str] = set()  # quotes of which no further one follows
        self._newline = -1  # where the line ends behind which a here-document begins
        self._bodies: dict[int, int] = {}  # end of a line -> end of the here-documents behind it
        self._inner: list[Simple] = []  # of substitutions in the command that is being read
        self._ticked = False  # inside backticks
        self._literal = False  # of the latest here-document

    def commands(self, closing: str = "") -> Iterator[Simple]:
        """Every simple command, up to `closing` or to the end. Raises limit (commands)."""
        words: list[Word] = []
        stdin: Word | None = None
        nested = 0
        while self._at < len(self._text):
            self._skip_blank()
            char = self._text[self._at : self._at + 1]
            redirection = _REDIRECTION.match(self._text, self._at)
            if redirection is not None:
                stdin = self._redirect(redirection[0], words) or stdin
            elif char == "#":
                self._at = self._line_end()
            elif char not in "\n;&|()" and char != closing:
                self._add_word(words)
            else:
                self._at = self._bodies.get(self._at, self._at + 1)
                yield from self._finish(words, stdin)
                words, stdin = [], None
                if char == closing and not nested:
                    return
                nested += (char == "(") - (char == ")" and nested > 0)
        yield from self._finish(words, stdin)

    def _finish(self, words: list[Word], stdin: Word | None) -> Iterator[Simple]:
        inner, self._inner = self._inner, []
        yield from inner
        if words or stdin is not None:
            self._count += 1
            if self._count > COMMAND_COUNT:
                raise over_limit(f"more than {COMMAND_COUNT} commands in a script")
            yield Simple(tuple(words), stdin, self._literal)

    def _skip_blank(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        if blank is not None:
            self._at = blank.end()

    def _next_is(self, chars: str) -> bool:
        return self._at < len(self._text) and self._text[self._at] in chars

    def _line_end(self) -> int:
        if self._newline < self._at:
            found = self._text.find("\n", self._at)
            self._newline = found if found >= 0 else len(self._text)
        return self._newline

    def _place(self) -> tuple[int, int]:
        line, column = self._cursor.at(self._at)
        return line + self._first - 1, column

    # Redirections

    def _redirect(self, operator: str, words: list[Word]) -> Word | None:
        """Passes over a redirection and its file; gives what a here-document or -string holds."""
        if words and words[-1].text.isdigit() and self._text[self._at - 1].isdigit():
            words.pop()  # the descriptor of `2>`
        place = self._place()
        self._at += len(operator)
        if operator.endswith("("):
            self._substitute(")")
            words.append(Word(UNKNOWN, *place, self._span))
            return None
        if operator in ("<<", "<<-"):
            return self._heredoc()
        self._skip_blank()
        target: list[Word] = []
        if self._at < len(self._text) and not self._next_is("\n;&|()<>"):
            self._add_word(target)
        return target[0] if target and operator == "<<<" else None

    def _heredoc(self) -> Word | None:
        delimiter = _DELIMITER.match(self._text, self._at)
        self._heredocs += 1
        if delimiter is None or self._heredocs > _HEREDOC_COUNT:
            return None
        start = self._bodies.get(self._line_end(), self._line_end() + 1)
        line = self._place()[0] + self._text.count("\n", self._at, start)
        end = re.compile(rf"^\t*{re.escape(delimiter[2])}[ \t\r]*$", re.MULTILINE).search(self._text, start)
        self._at = delimiter.end() + (delimiter[1] in ("'", '"'))
        self._literal = bool(delimiter[1])
        if end is None:
            return None
        self._bodies[self._newline] = end.end() + 1
        return Word(self._text[start : end.start()], line)

    # Words

    def _add_word(self, words: list[Word]) -> None:
        place = self._place()
        text = "".join(self._parts())
        for part in text.split(_BREAK) if _BREAK in text else (text,):
            if len(words) < _WORD_COUNT and (part or _BREAK not in text):
                words.append(Word(part, *place, self._span))

    def _parts(self) -> Iterator[str]:
        """What one word is made of, up to a blank or an operator."""
        while self._at < len(self._text):
            char = self._text[self._at]
            plain = _PLAIN.match(self._text, self._at)
            if plain is not None:
                self._at = plain.end()
                yield plain[0]
                if plain[0].endswith("=") and self._next_is("(") and self._depth < _DEPTH:
                    yield self._array()
            elif char == "\\":
                yield self._escaped()
            elif char in "'\"":
                yield from self._quoted(char)
            elif char == "$" or (char == "`" and not self._ticked):
                yield _BREAK.join(self._expanded().split())
            else:
                return

    def _escaped(self) -> str:
        self._at += 2
        return self._text[self._at - 1 : self._at].replace("\n", "")

    def _quoted(self, quote: str) -> Iterator[str]:
        """The text in quotes. A quote that never closes is no quote: this is another language."""
        self._at += 1
        closing = -1 if quote in self._unclosed else self._text.find(quote, self._at)
        if closing < 0:
            self._unclosed.add(quote)
        elif quote == "'":
            yield self._text[self._at : closing]
            self._at = closing + 1
        else:
            while self._at < len(self._text) and not self._next_is('"'):
                plain = _QUOTED.match(self._text, self._at)
                if plain is not None:
                    self._at = plain.end()
                    yield plain[0]
                elif self._text.startswith("\\\n", self._at):
                    self._at += 2
                    yield "\\\n"  # kept, so that the lines of a program in quotes can be told
                else:
                    yield self._escaped() if self._next_is("\\") else self._expanded()
            self._at += 1

    def _array(self) -> str:
        """`(a b c)` behind `name=`, as one text."""
        self._at += 1
        self._depth += 1
        words: list[Word] = []
        while self._at < len(self._text) and not self._next_is(")"):
            self._skip_blank()
            if self._next_is("#"):
                self._at = self._line_end()
            elif self._next_is("\n;&|(<>`"):
                self._at += 1
            elif not self._next_is(")"):
                self._add_word(words)
        self._at += 1
        self._depth -= 1
        return " ".join(_KEY.sub("", word.text) for word in words)[:_VALUE_CHARS]

    # Expansions

    def _expanded(self) -> str:
        """The value of what begins with `$` or a backtick."""
        text = self._text
        if text.startswith("$((", self._at):
            end = text.find("))", self._at, self._at + _ARITHMETIC_CHARS)
            self._at = end + 2 if end >= 0 else self._at + 3
            return UNKNOWN
        if text.startswith(("$(", "`"), self._at):
            closing = ")" if text[self._at] == "$" else "`"
            self._at += 2 if closing == ")" else 1
            self._substitute(closing)
            return UNKNOWN
        match = _DOLLAR.match(text, self._at)
        if match is None:
            self._at += 1
            return "" if self._next_is("'\"") else "$"  # `$'...'` is a text with escapes
        self._at = match.end()
        value = self._variables.get(match[1], UNKNOWN) if match[1] else self._parameter(match)
        self._expanded_chars += len(value)
        return value if self._expanded_chars <= _EXPANDED_CHARS else UNKNOWN

    def _parameter(self, match: re.Match[str]) -> str:
        """`${name}` and its defaults; what every other operation gives is not known."""
        name, operation = match[3], (match[5] or "")
        kind = operation.removeprefix(":")
        default = self._default() if kind in ("-", "=", "+", "?") else ""
        self._at += self._next_is("}")
        known = self._variables.get(name, UNKNOWN)
        if match[4].startswith("[$"):
            known = self._variables.get(f"{name}[]", UNKNOWN)
        if match[2] or (operation and kind not in ("-", "=", "?")):
            return UNKNOWN
        if kind in ("-", "=") and known in ("", UNKNOWN):
            known = default
            if kind == "=":
                self._variables[name] = default
        return known.replace(" ", _BREAK) if match[4] == "[@]" else known

    def _default(self) -> str:
        """The word in front of `}`."""
        parts: list[str] = []
        self._depth += 1
        while self._depth < _DEPTH and self._at < len(self._text) and not self._next_is("}\n"):
            if self._next_is("$"):
                parts.append(self._expanded())
            else:
                parts.append(self._text[self._at].strip("'\""))
                self._at += 1
        self._depth -= 1
        return "".join(parts)[:_VALUE_CHARS]

    def _substitute(self, closing: str) -> None:
        """Reads the commands of a substitution; they run before the command that they are part of."""
        if self._depth >= _DEPTH:
            return
        self._depth += 1
        outer, self._inner = self._inner, []
        ticked, self._ticked = self._ticked, closing == "`"
        inner = list(self.commands(closing))
        self._inner, self._ticked = outer + inner, ticked
        self._depth -= 1
