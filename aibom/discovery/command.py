"""One command with its options, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from aibom.discovery.targets import Target, hub
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

NO_FLAGS: Final[frozenset[Flag]] = frozenset()
UNPINNED: Final = frozenset({Flag.UNPINNED})
_TRUST: Final = ("--trust-remote-code", "--trust_remote_code")
# Options without a value, in any of the programs: what follows them is a word of its own.
_SWITCHES: Final = frozenset((
    "-c", "-d", "-f", "-i", "-it", "-L", "-LO", "-n", "-N", "-nc", "-q", "-s", "-S", "-t", "-ti", "-v", "-y",
    "--continue", "--disable-log-requests", "--enable-prefix-caching", "--enforce-eager", "--force",
    "--force-download", "--hidethinking", "--init", "--insecure", "--nowordwrap", "--no-check-certificate",
    "--no-single-branch", "--privileged", "--quiet", "--recurse-submodules", "--recursive",
    "--resume-download", "--rm", "--single-branch", "--unzip", "--verbose", "--detach", "--tty",
    "--interactive", "--use-cache", "--skip-smudge", *_TRUST,
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The words of one command behind its program."""

    program: str  # without its folder
    words: tuple[str, ...]

    def option(self, *names: str) -> str | None:
        """The value of `--name value` or `--name=value`; None when it is not there."""
        return next(iter(self.options(*names)), None)

    def options(self, *names: str) -> Iterator[str]:
        """The value of each of the options in order."""
        for number, word in enumerate(self.words):
            key, found, value = word.partition("=")
            if key in names and found:
                yield value
            elif key in names and number + 1 < len(self.words):
                yield self.words[number + 1]

    def has(self, *names: str) -> bool:
        """True when one of the options is there and not switched off."""
        given = [word.partition("=") for word in self.words]
        return any(key in names and value.lower() not in ("false", "0") for key, _, value in given)

    def plain(self, switches: frozenset[str] = _SWITCHES) -> list[str]:
        """The words that are no options and no values of options; `switches` take no value."""
        found: list[str] = []
        takes = False
        for word in self.words:
            if word.startswith("-") and word != "-":
                takes = "=" not in word and word not in switches
            elif takes:
                takes = False
            else:
                found.append(word)
        return found

    def after(self, *names: str) -> str | None:
        """The first plain word behind the plain words `names`; None when the command has others."""
        plain = self.plain()
        return plain[len(names)] if plain[: len(names)] == list(names) and len(plain) > len(names) else None

    @property
    def remote(self) -> frozenset[Flag]:
        """Whether the command lets the program run code of the repository."""
        return frozenset({Flag.REMOTE_CODE}) if self.has(*_TRUST) else NO_FLAGS


class Referred(NamedTuple):
    """What a command refers to."""

    loader: str
    kind: ComponentKind
    target: Target
    flags: frozenset[Flag] = NO_FLAGS


Refer: TypeAlias = Callable[[Command], Iterator[Referred]]


def unpinned(target: Target) -> Target:
    """The target as one that can move."""
    return Target(ref=target.ref, flags=target.flags | UNPINNED)


def model_option(loader: str, *names: str, plain: tuple[str, ...] | None = None) -> Refer:
    """A program that takes a model of the Hub by one of the options, or as the word behind `plain`."""

    def refer(command: Command) -> Iterator[Referred]:
        value = command.option(*names) or (command.after(*plain) if plain is not None else None)
        if value:
            target = hub(value, command.option("--revision", "--model-revision", "--model_revision"))
            yield Referred(loader, ComponentKind.MODEL, target, command.remote)

    return refer
