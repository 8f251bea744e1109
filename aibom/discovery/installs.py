"""Packages that commands install: `pip install torch==2.3`, `uv run --with vllm`, `npm install openai`.

Sources: the command line references of pip, uv, pipx, Poetry, PDM, Pipenv, Rye, conda, Pixi, npm,
pnpm, Yarn and Bun.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from aibom.discovery.command import Command, Referred
from aibom.discovery.dependency import Dependency, kind_of, library
from aibom.discovery.manifests_npm import package
from aibom.discovery.manifests_python import requirement, specification
from aibom.readers.marks import UNKNOWN

_WORD_COUNT: Final = 500  # words of one command that are looked at
# Options of any of the programs whose value is the next word.
_VALUED: Final = frozenset(
    """
    -r -c -e -t -i -f -n -p -C -G -E -w --requirement --requirements --constraint --constraints
    --editable --with-editable --with-requirements --target --index-url --extra-index-url --find-links
    --trusted-host --platform --python-version --python-platform --prefix --root --src --progress-bar
    --cache-dir --cache --timeout --retries --proxy --cert --only-binary --no-binary --config-settings
    --config-setting --global-option --install-option --python --index-strategy --default-index --index
    --torch-backend --root-user-action --report --upgrade-strategy --abi --implementation --log
    --exists-action --keyring-provider --group --optional --extra --extras --package --script --tag
    --branch --rev --marker --markers --source --name --channel --file --solver --registry --workspace
    --loglevel --dir --filter --cwd --pip-args --suffix --feature --manifest-path --directory
    --project --env-file --exclude-newer --resolution --prerelease --link-mode --refresh-package --call
    """.split()  # noqa: SIM905 - options read best as text
)
_AT_VERSION = re.compile(r"([A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?)@([^/:]*)\Z", re.ASCII)
_UP_TO_VERSION = re.compile(r"(?:git\+[^@]*|[A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?)(?=\s*[=<>!~^@;\[])", re.ASCII)
_WRITTEN = re.compile(r"@?[A-Za-z0-9][\w./-]*", re.ASCII)
_VERSION = re.compile(r"\d[\w.!+-]*\Z", re.ASCII)
_SPECIFIER = re.compile(r"[<>=!~]")
_PIP_OF_VERSION = re.compile(r"pip3?\.\d{1,2}\Z")
_ALL: Final = _WORD_COUNT

_Read = Callable[[str], Iterator[Dependency]]


class Installed(NamedTuple):
    """A package, and where the command names it: the number of the word, and the name as written."""

    number: int
    name: str
    referred: Referred


@dataclass(frozen=True, slots=True, kw_only=True)
class _Program:
    """How a program is told to install."""

    verbs: dict[tuple[str, ...], int]  # and how many of the words behind them are packages
    read: _Read
    given: tuple[str, ...] = ()  # options whose value is a package as well
    instead: tuple[str, ...] = ()  # options whose value is the package, so that no word is


def _pip(text: str) -> Iterator[Dependency]:
    """A requirement; a version that is filled in later is not known."""
    if UNKNOWN in text:
        begin = _UP_TO_VERSION.match(text)
        text = begin[0] if begin is not None else ""
    pinned = _AT_VERSION.match(text)  # as uv and Poetry write it
    if pinned is not None:
        text = f"{pinned[1]}{_exactly(pinned[2])}"
    found = requirement(text, 1)
    if found is not None:
        yield found


def _exactly(version: str) -> str:
    if _SPECIFIER.match(version):
        return version
    return f"=={version}" if _VERSION.match(version) else ""


def _several(text: str) -> Iterator[Dependency]:
    """`--with a,b`; a comma also stands between the ends of a range."""
    for part in (text,) if _SPECIFIER.search(text) else text.split(","):
        yield from _pip(part.strip())


def _conda(text: str) -> Iterator[Dependency]:
    if UNKNOWN in text:
        text = re.split(r"[=<>!~ ]", text, maxsplit=1)[0]
    if UNKNOWN not in text and "/" not in text.rpartition("::")[2]:
        yield from specification(text, 1)


def _npm(text: str) -> Iterator[Dependency]:
    name, _, version = text[1:].partition("@")  # a scope begins with one too
    if UNKNOWN not in name and text[0] not in "./":
        yield package(f"{text[0]}{name}", version, 1)


def _adding(read: _Read, *verbs: str) -> _Program:
    return _Program(verbs=dict.fromkeys(((verb,) for verb in verbs), _ALL), read=read)


_PIP: Final = _adding(_pip, "install", "download")
_CONDA: Final = _adding(_conda, "install", "create")
_NODE: Final = _Program(
    verbs={
        **dict.fromkeys((("install",), ("i",), ("add",), ("global", "add")), _ALL),
        **dict.fromkeys((("dlx",), ("exec",), ("x",)), 1),
    },
    read=_npm,
)
_NPX: Final = _Program(verbs={(): 1}, read=_npm, instead=("--package", "-p"))
_PROGRAMS: Final[dict[str, _Program]] = {
    "pip": _PIP, "pip3": _PIP, "pipenv": _adding(_pip, "install"),
    "uv": _Program(
        verbs={("add",): _ALL, ("tool", "install"): 1, ("tool", "run"): 1, ("run",): 0},
        read=_several, given=("--with",), instead=("--from",),
    ),
    "uvx": _Program(verbs={(): 1}, read=_several, given=("--with",), instead=("--from",)),
    "pipx": _Program(
        verbs={("install",): _ALL, ("inject",): _ALL, ("run",): 1}, read=_pip, instead=("--spec",)
    ),
    "poetry": _adding(_pip, "add"), "pdm": _adding(_pip, "add"), "rye": _adding(_pip, "add"),
    "conda": _CONDA, "mamba": _CONDA, "micromamba": _CONDA, "pixi": _adding(_conda, "add"),
    "npm": _NODE, "pnpm": _NODE, "yarn": _NODE, "bun": _NODE, "npx": _NPX, "bunx": _NPX,
}  # fmt: skip


def installed(command: Command) -> Iterator[Installed]:
    """Packages for models that the command installs; those of a range are told without a version."""
    program = _PROGRAMS.get("pip" if _PIP_OF_VERSION.match(command.program) else command.program)
    if program is None:
        return
    words = command.words[:_WORD_COUNT]
    plain = list(_plain(words, program))
    verb = next((verb for verb in program.verbs if _texts(plain[: len(verb)]) == verb), None)
    if verb is None:
        return
    instead = list(_given(words, program.instead))
    packages = instead or plain[len(verb) : len(verb) + program.verbs[verb]]
    read = _pip if command.program == "pixi" and command.has("--pypi") else program.read
    for number, text in (*_given(words, program.given), *packages):
        for dependency in read(text) if text else ():
            target, written = library(dependency), _WRITTEN.match(text)
            if target is not None:
                name = written[0] if written is not None else dependency.name
                loader = " ".join((command.program, *verb))
                yield Installed(number, name, Referred(loader, kind_of(target), target))


def _texts(words: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(text for _, text in words)


def _plain(words: Sequence[str], program: _Program) -> Iterator[tuple[int, str]]:
    """Words that are no options and no values of options; with them repositories that are editable."""
    takes = ""
    for number, word in enumerate(words):
        if word.startswith("-"):
            name, found, _ = word.partition("=")
            valued = name in _VALUED or name in program.given or name in program.instead
            takes = name if valued and not found else ""
        elif not takes or (takes in ("-e", "--editable") and word.startswith("git+")):
            takes = ""
            yield number, word
        else:
            takes = ""


def _given(words: Sequence[str], options: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for number, word in enumerate(words):
        name, found, value = word.partition("=")
        if name in options and (found or number + 1 < len(words)):
            yield (number, value) if found else (number + 1, words[number + 1])
