"""References in Dockerfiles and Containerfiles: images, variables, commands, downloads.

Source: the Dockerfile reference of BuildKit (frontend 1.x), with here-documents. Stages are kept
apart, because what a container starts follows from the image, ENTRYPOINT and CMD of its stage.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from aibom.discovery.command import UNPINNED, Command, Referred
from aibom.discovery.commands import Commands
from aibom.discovery.fetchers import FETCHERS, fetched
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.names import is_named
from aibom.discovery.shell_words import Lexer, Word
from aibom.discovery.targets import Target
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.limits import MIB
from aibom.domain.ref import PinnedRef
from aibom.readers.json_marks import document
from aibom.readers.marks import UNKNOWN

DOCKERFILE_BYTES: Final = 1 * MIB
INSTRUCTION_COUNT: Final = 5_000

_HINT = re.compile(rb"^[ \t]*FROM[ \t]", re.IGNORECASE | re.MULTILINE)
_ESCAPE = re.compile(r"(?:#[^\n]*\n)*#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE)
_INSTRUCTION = re.compile(r"[ \t]*([A-Za-z]+)(?:[ \t]+|(?=\\\Z)|\Z)")
_COMMENT = re.compile(r"[ \t]*(?:#.*)?\Z")
_HEREDOC = re.compile(r"<<-?[ \t]*(['\"]?)([A-Za-z_][\w.-]*)\1")
_OPTIONS = re.compile(r"(?:--[a-z][\w-]*(?:=(?:\"[^\"]*\"|\S)*)?(?:[ \t]|\\\n)+)*")
_FROM = re.compile(r"(?:--platform=\S+\s+)?(\S+)(?:\s+as\s+(\S+))?", re.IGNORECASE)
_COPY_FROM = re.compile(r"--from=(\S+)")
_CHECKSUM = re.compile(r"--checksum=(\S+)")
_WITH_BODY: Final = ("RUN", "COPY", "ADD")


class Instruction(NamedTuple):
    """One instruction; its text keeps the line breaks that a `\\` continues, and its here-documents."""

    name: str  # in upper case
    text: str
    line: int
    column: int  # of the text

    @property
    def padded(self) -> str:
        """The text behind as many blanks as stand in front of it, so that its columns are the file's."""
        return " " * (self.column - 1) + self.text

    def behind(self, offset: int, name: str | None = None) -> Instruction:
        """The instruction without the first characters of its text."""
        passed = self.text[:offset]
        breaks = passed.count("\n")
        column = len(passed) - passed.rfind("\n") if breaks else self.column + offset
        return Instruction(name or self.name, self.text[offset:], self.line + breaks, column)


@dataclass(slots=True)
class _Stage:
    """What a stage has been told so far."""

    image: Word | None = None
    program: tuple[str, ...] | None = None  # of the image, when it is a server's
    arguments: dict[str, Word] = field(default_factory=dict)
    variables: dict[str, Word] = field(default_factory=dict)
    entrypoint: Instruction | None = None
    command: Instruction | None = None


def discover(text: Text, found: Found) -> None:
    """Every reference of the file. Raises limit when it is too large."""
    if len(text.data) > DOCKERFILE_BYTES:
        raise over_limit(f"{len(text.data)} bytes of Dockerfile, more than {DOCKERFILE_BYTES}")
    reader = _Reader(found)
    decoded = text.data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    for count, instruction in enumerate(_instructions(decoded)):
        if count == INSTRUCTION_COUNT:
            found.defect(Reason.LIMIT, f"more than {INSTRUCTION_COUNT} instructions")
            break
        reader.read(instruction)
    reader.finish()
    reader.tell()


def _instructions(text: str) -> Iterator[Instruction]:
    escape = "`" if _ESCAPE.match(text) else "\\"
    lines = text.split("\n")
    ends: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        ends.setdefault(line.strip(), []).append(number)
    at = 0
    while at < len(lines):
        first, match = at, _INSTRUCTION.match(lines[at])
        at += 1
        if match is None or _COMMENT.match(lines[first]):
            continue
        parts = [lines[first][match.end() :]]
        while parts[-1].rstrip().endswith(escape) and at < len(lines):
            parts[-1] = parts[-1].rstrip()[:-1] + "\\"
            # Comments and empty lines do not end a continued instruction.
            parts.append("\\" if _COMMENT.match(lines[at]) else lines[at])
            at += 1
        name = match[1].upper()
        if name in _WITH_BODY:
            at = _bodies(parts, lines, ends, at)
        yield Instruction(name, "\n".join(parts), first + 1, match.end() + 1)


def _bodies(parts: list[str], lines: list[str], ends: Mapping[str, list[int]], at: int) -> int:
    """Adds the here-documents of an instruction; returns the line behind them."""
    for _, delimiter in _HEREDOC.findall("\n".join(parts)):
        numbers = ends.get(delimiter, [])
        found = bisect_left(numbers, at)
        if found == len(numbers):
            return at
        parts += lines[at : numbers[found] + 1]
        at = numbers[found] + 1
    return at


class _Reader:
    """Reads instructions in order; what earlier ones set is known to later ones."""

    def __init__(self, found: Found) -> None:
        self._commands = Commands(found, {})
        self._told: list[tuple[str, dict[str, Word], bool]] = []
        self._stages: dict[str, _Stage] = {}
        self._stage = _Stage()

    def read(self, instruction: Instruction) -> None:
        name = instruction.name
        if name == "ONBUILD":
            inner = _INSTRUCTION.match(instruction.text)
            if inner is not None and inner[1].upper() != "ONBUILD":
                self.read(instruction.behind(inner.end(), inner[1].upper()))
        elif name == "FROM":
            self._from(instruction)
        elif name in ("ARG", "ENV"):
            self._set(instruction)
        elif name == "RUN":
            self._run(instruction)
        elif name in ("ADD", "COPY"):
            self._copy(instruction)
        elif name == "ENTRYPOINT":
            self._stage.entrypoint, self._stage.command = instruction, None
        elif name == "CMD":
            self._stage.command = instruction

    def _from(self, instruction: Instruction) -> None:
        self.finish()
        match = _FROM.match(instruction.text)
        if match is None:
            return
        name = self._commands.expand(match[1])
        before = self._stages.get(name.lower())
        if before is not None:
            self._stage = _Stage(before.image, before.program, entrypoint=before.entrypoint)
        else:
            image = Word(name, instruction.line, instruction.column + match.start(1))
            self._stage = _Stage(image, self._commands.image("FROM", image))
        if match[2]:
            self._stages[match[2].lower()] = self._stage

    def _set(self, instruction: Instruction) -> None:
        """Variables from here on. What they refer to is told with all of the stage: one is the revision."""
        stage = self._stage
        into = stage.variables if instruction.name == "ENV" else stage.arguments
        for name, word in self._pairs(instruction):
            # An argument without a default keeps the value that it has in front of FROM.
            if word.text != UNKNOWN:
                into[name] = word
                self._commands.assign(name, word.text)

    def _pairs(self, instruction: Instruction) -> Iterator[tuple[str, Word]]:
        """`name=value ...`, and the older `name value`."""
        lexer = Lexer(instruction.padded, self._commands.variables, instruction.line)
        words = [word for simple in lexer.commands() for word in simple.words]
        if instruction.name == "ENV" and words and "=" not in words[0].text:
            joined = " ".join(word.text for word in words[1:])
            yield words[0].text, Word(joined, words[0].line, words[0].column)
            return
        for word in words:
            name, found, value = word.text.partition("=")
            yield name, Word(value if found else UNKNOWN, word.line, word.column)

    def _run(self, instruction: Instruction) -> None:
        options = _OPTIONS.match(instruction.text)
        rest = instruction.behind(options.end() if options is not None else 0)
        words = _exec_form(rest)
        if words:
            self._commands.words(words, rest.line)
        else:
            self._commands.script(rest.padded, rest.line)

    def _copy(self, instruction: Instruction) -> None:
        """`COPY --from=image`, files that are written here, and the addresses of ADD."""
        source = _COPY_FROM.search(instruction.text)
        if source is not None and source[1].lower() not in self._stages:
            column = (
                instruction.column + source.start(1) if "\n" not in source.string[: source.start()] else None
            )
            image = Word(self._commands.expand(source[1]), instruction.line, column)
            self._commands.image(f"{instruction.name} --from", image)
        checksum = _CHECKSUM.search(instruction.text)
        lexer = Lexer(instruction.padded, self._commands.variables, instruction.line)
        for simple in lexer.commands():
            if simple.stdin is not None:
                self._commands.program(simple.stdin.text, simple.stdin.line)
            for word in simple.words if instruction.name == "ADD" else ():
                self._commands.refer(_added(word.text, checksum[1] if checksum else None), (word,))

    def tell(self) -> None:
        """What the variables refer to that no command has named."""
        for loader, variables, server in self._told:
            self._commands.told(loader, variables, server=server, since=0)

    def finish(self) -> None:
        """What the container of the stage starts."""
        stage, self._stage = self._stage, _Stage()
        for loader, variables in (("ENV", stage.variables), ("ARG", stage.arguments)):
            self._told.append((loader, variables, stage.program is not None))
        words: list[Word] = []
        for one in (stage.entrypoint, stage.command):
            given = _exec_form(one) if one is not None else []
            if one is not None and not given and not words:
                self._commands.script(one.padded, one.line)
                return  # the shell form of ENTRYPOINT takes no arguments
            words += given
        self._commands.started(words, stage.program or (), self._commands.variables)


def _exec_form(instruction: Instruction) -> list[Word]:
    """The words of `["program", "argument"]`; empty when it is no such list."""
    text = instruction.padded.replace("\\\n", " \n")
    if not text.lstrip().startswith("["):
        return []
    try:
        items = document(text).items
    except UnreadableError:
        return []
    line = instruction.line - 1
    return [Word(item.value, line + item.line, item.column) for item in items if isinstance(item.value, str)]


def _added(place: str, checksum: str | None) -> Iterator[Referred]:
    """What ADD fetches; a checksum pins it."""
    if re.search(r"\.git(?:#|\Z)", place):
        place, _, branch = place.partition("#")
        clone = ("clone", *(("-b", branch) if branch else ()), place)
        yield from (
            one._replace(loader="ADD") for one in FETCHERS["git"](Command(program="git", words=clone))
        )
        return
    found = fetched(place)
    if found is None:
        return
    kind, target = found
    ref = target.ref
    if checksum is not None and ref is not None:
        revision = ref.revision or checksum
        ref = PinnedRef(scheme=ref.scheme, location=ref.location, revision=revision, subpath=ref.subpath)
        target = Target(ref=ref, flags=target.flags - UNPINNED)
    yield Referred("ADD", kind, target)


DISCOVERER = Discoverer(
    name="dockerfile",
    title="Dockerfiles",
    wants=lambda path: is_named(path, "dockerfile", "containerfile"),
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)
