"""Commands that fetch or serve models, whoever runs them: scripts, images, pipelines, clusters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aibom.discovery.arguments import by_argument, by_option
from aibom.discovery.branches import Branches
from aibom.discovery.command import Command, Refer, Referred
from aibom.discovery.environment import environment
from aibom.discovery.fetchers import checked_out, cloned_at
from aibom.discovery.found import Found
from aibom.discovery.inline import python_in
from aibom.discovery.installs import installed
from aibom.discovery.loops import Loops, looped, without_marks
from aibom.discovery.naming import certain, naming, place_in
from aibom.discovery.servers import MODULES, server_image, tool_of
from aibom.discovery.shell_words import Lexer, Simple, Word
from aibom.discovery.targets import Target
from aibom.discovery.wrappers import (
    PROGRAMS,
    SHELLS,
    SILENT,
    contained,
    is_program,
    is_python,
    program_of,
    quoted_command,
    runs_image,
    unwrapped,
)
from aibom.domain.component import ComponentKind
from aibom.readers.marks import UNKNOWN

__all__ = ["UNKNOWN", "Command", "Commands", "Word", "server_image"]

_DEPTH: Final = 8  # commands in the arguments of commands
_VALUE_CHARS: Final = 4_096
_HEREDOC_CHARS: Final = 65_536
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^{}]*)|:?\?[^{}]*)?\}|(\w+))")
_REFERENCE = re.compile(r"\$\(([\w.-]+)\)")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?(\+?)=(.*)", re.DOTALL)
_KEYWORDS: Final = frozenset(("then", "do", "else", "elif", "if", "while", "until", "!", "{", "}", "coproc"))
_BLOCKS: Final = frozenset(("case", "esac", "fi"))
_AROUND_CLONES: Final = frozenset(("git", "cd", "pushd"))
_DECLARATIONS: Final = frozenset(("export", "local", "readonly", "declare", "typeset", "set"))


@dataclass(slots=True)
class Commands:
    """Looks at the commands of one file; `variables` are what it sets itself."""

    found: Found
    variables: dict[str, str]
    prefix: str = ""  # put in front of the program in the name of the loader
    source: Sequence[str] = ()  # the lines of the file, when its scripts are indented or folded
    loops: Loops = field(default_factory=Loops)
    depth: int = 0
    exported: dict[str, Word] = field(default_factory=dict)  # variables that other programs see
    branches: Branches = field(default_factory=Branches)
    cloned: tuple[Sequence[Referred], Sequence[Word]] | None = None  # what can still be checked out

    def script(self, text: str, line: int = 1, span: int = 1) -> None:
        """The commands of a script whose first line is line `line` of the file. Raises limit.

        `span`: the lines over which the text is folded, in which case `source` tells the places.
        """
        for simple in Lexer(without_marks(text), self.variables, line, span).commands():
            self._simple(simple)
        self._clone()

    def line(self, text: str, line: int) -> None:
        """One logical line: commands joined by `;`, `&&`, `|`, with variables filled in."""
        self.script(text, line)

    def words(self, words: Sequence[str | Word], line: int) -> None:
        """One command as words, which no shell has seen."""
        self._simple(Simple(tuple(word if isinstance(word, Word) else Word(word, line) for word in words)))
        self._clone()

    def program(self, text: str, line: int) -> None:
        """A whole file, in the language that its first line says."""
        first = text.partition("\n")[0]
        if not first.startswith("#!") or re.search(r"sh\b(?:\s+-\w+)*\s*\Z", first):
            self._nested(text, line)
        elif "python" in first:
            self.python(text, line)

    def python(self, code: str, line: int) -> None:
        """References of a Python program that begins in a line of the file."""
        python_in(code, line, self.found, self.source)

    def expand(self, text: str) -> str:
        """The text with what is known of its variables; what is not known is `UNKNOWN`."""

        def value(match: re.Match[str]) -> str:
            known = self.variables.get(match[1] or match[3], "")[:_VALUE_CHARS]
            return known or (UNKNOWN if match[2] is None else self.expand(match[2]))

        return _VARIABLE.sub(value, text)[:_VALUE_CHARS] if len(text) <= _VALUE_CHARS else text

    def assign(self, name: str, value: str) -> None:
        """From here on the variable is the value."""
        self.variables[name] = value[:_VALUE_CHARS]

    def loop(self, name: str, values: Sequence[str]) -> None:
        """From here on the variable is each of the values: `for name in a b c`."""
        self.loops.set(name, values)
        self.variables[name] = looped(name)

    # Containers

    def image(self, loader: str, word: Word | None) -> tuple[str, ...] | None:
        """Adds the image when it is a model server's; gives the program of its container, else None."""
        program: tuple[str, ...] | None = None
        for variant in self.loops.variants((word,)) if word is not None else ():
            server = server_image(variant[0].text)
            if server is not None:
                self.refer([Referred(loader, ComponentKind.LIBRARY, server[0])], variant)
                program = server[1]
        return program

    def told(
        self, loader: str, variables: Mapping[str, Word], *, server: bool, since: int | None = None
    ) -> None:
        """Adds what environment variables refer to; `loader` is put in front of their names.

        `since`: so many references were told before those of the commands that see the variables; what
        one of them names is told there.
        """
        texts = {name: word.text for name, word in variables.items()}
        told = list(environment(texts, server=server))
        references = self.found.references[since:] if told and since is not None else ()
        named = {(one.target.scheme, one.target.location) for one in references if one.target is not None}
        for name, referred in told:
            ref = referred.target.ref
            if ref is None or (ref.scheme, ref.location) not in named:
                self.refer([referred._replace(loader=f"{loader} {name}")], (variables[name],))

    def started(self, words: Sequence[Word], program: tuple[str, ...], variables: Mapping[str, str]) -> None:
        """A command as words, in an environment; words without a program are arguments of `program`.

        `$(NAME)` is a variable, as in Kubernetes; every other one is left to a shell.
        """
        if not words or self.depth >= _DEPTH:
            return

        def value(match: re.Match[str]) -> str:
            return variables.get(match[1], match[0])[:_VALUE_CHARS]

        inner = Commands(self.found, dict(variables), self.prefix, self.source, self.loops, self.depth + 1)
        given = [word._replace(text=_REFERENCE.sub(value, word.text)) for word in words]
        first = given[0].text
        if program and not is_program(first):
            # `serve model` is told to images of `vllm` and of `vllm serve` alike.
            own = program[: program.index(first)] if first in program else program
            given = [*(Word(word, given[0].line) for word in own), *given]
        inner.words(given, given[0].line)

    # References

    def refer(self, referred: Iterable[Referred], words: Sequence[Word]) -> None:
        """Adds references, each at the word that names it."""
        try:
            collected = list(referred)
        except ValueError:
            return  # an address that is none
        for one in collected:
            target = certain(one.target)
            self._add(one, target, naming(words, target.ref.location if target.ref is not None else UNKNOWN))

    def _add(self, one: Referred, target: Target, word: Word) -> None:
        word = self._sought(word)
        loader, flags = f"{self.prefix}{one.loader}", one.flags | target.flags
        self.found.add(one.kind, target.ref, loader, word.line, word.column, flags=flags)

    def _sought(self, word: Word) -> Word:
        """The place of a word in the source: a text of YAML has lost its indentation, or its lines."""
        if not self.source:
            return word
        for number in range(word.line, min(word.line + word.span, len(self.source) + 1)):
            after = (word.column or 1) - 1 if number == word.line else 0
            at = place_in(self.source[number - 1], word.text, after)
            if at >= 0 and word.text != UNKNOWN:
                return Word(word.text, number, at + 1)
        return Word(word.text, word.line)

    # One command

    def _simple(self, simple: Simple) -> None:
        words = self._assign(simple.words)
        if words and words[0].text in _BLOCKS:
            self._keyword(words[0].text)
        if not words:
            if simple.stdin is not None:
                self.program(simple.stdin.text, simple.stdin.line)
        elif words[0].text == "for" and len(words) > 3:
            self.loop(words[1].text, [word.text for word in words[3:]])
        else:
            for variant in self.loops.variants(words):
                self._run(variant, simple)

    def _assign(self, words: Sequence[Word]) -> Sequence[Word]:
        """Takes the variables that are set in front of a command; what is left is the command."""
        declared = ""
        given: dict[str, Word] = {}
        for number, word in enumerate(words):
            match = _ASSIGNMENT.match(word.text)
            if word.text in _DECLARATIONS:
                declared = word.text
            elif match is not None:
                before = f"{self.variables.get(match[1], '')} " if match[2] else ""
                self.branches.assigned(match[1], f"{before}{match[3]}", self.variables.get(match[1], UNKNOWN))
                self.assign(match[1], f"{before}{match[3]}")
                given[match[1]] = word._replace(text=match[3])
                if " " in match[3]:
                    # Elements with the same key of two arrays belong together.
                    self.loops.set(f"array:{match[1]}", match[3].split(" "))
                    self.variables[f"{match[1]}[]"] = looped(f"array:{match[1]}")
            elif word.text in _KEYWORDS:
                self._keyword(word.text)
            elif not declared:
                self.exported |= given
                return words[number:]
        if declared == "export":
            self.exported |= given
        return ()

    def _keyword(self, word: str) -> None:
        """`if`, `else`, `fi` and the like: behind branches a variable is each of its values."""
        for name, values in self.branches.keyword(word).items():
            if len(values) == 1:
                self.assign(name, values[0])
            else:
                self.loop(name, values)

    def _run(self, words: Sequence[Word], simple: Simple) -> None:
        quoted = quoted_command(words)
        if quoted is not None:
            self._nested(quoted.text, quoted.line, quoted.span)
            return
        words = self._unwrapped(words)
        program = program_of(words[0].text) if words else ""
        if not words or program in SILENT:
            return
        if program not in _AROUND_CLONES:
            self._clone()
        command = Command(program=program, words=tuple(word.text for word in words[1:]))
        if words[0].text.startswith("-"):
            given = Command(program="args", words=tuple(word.text for word in words))
            self.refer(by_argument(given), words)
        elif program in SHELLS:
            self._shell(command, words, simple.stdin)
        elif runs_image(command):
            self._container(command, words[1:])
        elif is_python(program):
            self._python(command, words, simple)
        elif program == "git":
            self._git(command, words)
        else:
            self._refer(PROGRAMS.get(program), command, words)

    def _unwrapped(self, words: Sequence[Word]) -> Sequence[Word]:
        """The command in all that runs it; what those install for it is told."""
        while words:
            self._installed(words)
            inner = unwrapped(words)
            if len(inner) == len(words):
                break
            words = inner
        return words

    def _installed(self, words: Sequence[Word]) -> None:
        if self.found.full:
            return
        names = tuple(word.text for word in words[1:])
        for number, name, referred in installed(Command(program=program_of(words[0].text), words=names)):
            self._add(referred, certain(referred.target), words[number + 1]._replace(text=name))

    def _git(self, command: Command, words: Sequence[Word]) -> None:
        """A clone is told when it is known what is checked out of it."""
        revision = checked_out(command)
        if revision is not None:
            self._clone(revision)
            return
        referred = list(PROGRAMS["git"](command))
        if referred:
            self._clone()
            self.cloned = referred, words

    def _clone(self, revision: str | None = None) -> None:
        if self.cloned is not None:
            referred, words = self.cloned
            self.cloned = None
            self.refer([cloned_at(one, revision) for one in referred], words)

    def _refer(self, refer: Refer | None, command: Command, words: Sequence[Word]) -> None:
        before = len(self.found.references)
        if refer is not None:
            self.refer(refer(command), words)
        if len(self.found.references) == before:
            self.refer(by_option(command), words)

    def _shell(self, command: Command, words: Sequence[Word], stdin: Word | None) -> None:
        """`bash -c "..."`, and what stands in its here-document."""
        flags = [number for number, word in enumerate(command.words) if re.fullmatch(r"-[a-z]*c", word)]
        if flags and flags[0] + 1 < len(command.words):
            word = words[flags[0] + 2]
            self._nested(word.text, word.line, word.span)
        elif stdin is not None:
            self._nested(stdin.text, stdin.line)

    def _nested(self, text: str, line: int, span: int = 1) -> None:
        if self.depth < _DEPTH:
            self.depth += 1
            self.script(text, line, span)
            self.depth -= 1

    def _container(self, command: Command, words: Sequence[Word]) -> None:
        """`docker run [options] image [command]`, `docker pull image`."""
        one = contained(command, words)
        if one is None:
            return
        since = len(self.found.references)
        loader, image = f"{command.program} {one.verb}", words[one.at]
        program = self.image(loader, image)
        known = {name: word.text for name, word in one.variables.items()}
        self.started(words[one.at + 1 :], program or tool_of(image.text), known)
        self.told(f"{loader} -e", one.variables, server=program is not None, since=since)

    def _python(self, command: Command, words: Sequence[Word], simple: Simple) -> None:
        """`python -m module`, `python -c code`, `python - <<EOF`, or a program with options."""
        names = command.words
        if "-m" in names[:-1]:
            at = names.index("-m") + 1
            self._installed(words[at + 1 :])
            refer = next((refer for start, refer in MODULES if names[at].startswith(start)), None)
            self._refer(refer, Command(program=names[at], words=names[at + 1 :]), words)
        elif "-c" in names[:-1]:
            word = words[names.index("-c") + 2]
            self.python(word.text, word.line)
        elif simple.stdin is not None:
            text = simple.stdin.text
            literal = simple.literal or len(text) > _HEREDOC_CHARS
            self.python(text if literal else _VARIABLE.sub(self._short, text), simple.stdin.line)
        else:
            self._refer(None, command, words)

    def _short(self, match: re.Match[str]) -> str:
        """The value of a variable in a here-document, whose lines have to stay as they are."""
        known = self.variables.get(match[1] or match[3]) or match[2] or UNKNOWN
        return known if len(known) <= 200 and "\n" not in known else UNKNOWN
