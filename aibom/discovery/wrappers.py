"""Programs that run another program, and what that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from aibom.discovery.command import Command, Refer
from aibom.discovery.fetchers import FETCHERS
from aibom.discovery.servers import SERVERS, server_image
from aibom.discovery.shell_words import Word

PROGRAMS: Final[dict[str, Refer]] = {**FETCHERS, **SERVERS}
SHELLS: Final = frozenset(("bash", "sh", "zsh", "ash", "dash", "ksh"))
_CONTAINERS: Final = frozenset(("docker", "podman", "nerdctl"))
# Programs that only show or compare their words.
SILENT: Final = frozenset(
    (
        "echo",
        "printf",
        "cat",
        "grep",
        "sed",
        "awk",
        "test",
        "[",
        "[[",
        "alias",
        "case",
        "rem",
        "which",
        "type",
    )
)
_WRAPPERS: Final = frozenset((
    "accelerate", "apptainer", "builtin", "caffeinate", "chronic", "command", "conda", "deepspeed", "doas",
    "docker-compose", "dumb-init", "env", "eval", "exec", "flock", "gosu", "gtimeout", "hatch", "ionice",
    "kubectl", "mamba", "micromamba", "mpirun", "nice", "nohup", "npx", "numactl", "oc", "parallel", "pdm",
    "pipenv", "pipx", "pixi", "poetry", "retry", "rye", "screen", "script", "setsid", "singularity", "srun",
    "ssh", "stdbuf", "su", "su-exec", "sudo", "time", "timeout", "tini", "tmux", "torchrun", "unbuffer",
    "uv", "uvx", "watch", "xargs",
))  # fmt: skip
_CONTAINER_VERBS: Final = frozenset(("run", "create", "pull"))
# Options without a value that can stand in front of an image.
_SWITCHES: Final = frozenset((
    "-d", "-i", "-P", "-q", "-t", "-di", "-dit", "-dt", "-it", "-itd", "-td", "-ti", "--detach", "--init",
    "--interactive", "--privileged", "--publish-all", "--quiet", "--read-only", "--rm", "--tty",
))  # fmt: skip
_INSTALLING: Final = ("--with", "--from", "--spec", "--package")  # the value is installed, not run
_SEARCHED: Final = 40  # words in which the other program is looked for


def program_of(text: str) -> str:
    """The name of a program without its folder."""
    return text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def is_python(program: str) -> bool:
    return program.startswith("python") or program in ("pypy3", "ipython")


def is_program(text: str) -> bool:
    """True when a word begins a command of its own: it is no argument of a container's program."""
    name = program_of(text)
    return _is_known(name) or name in _WRAPPERS or name in SILENT or name.endswith((".sh", ".py"))


def unwrapped(words: Sequence[Word]) -> Sequence[Word]:
    """The command without what only runs it: `sudo -u me env A=b uv run vllm serve ...`."""
    name = program_of(words[0].text)
    inside = name in _CONTAINERS and {"exec", "compose"} & {word.text for word in words[1:3]}
    if name not in _WRAPPERS and not inside:
        return words
    for number, word in enumerate(words[1:_SEARCHED], 1):
        if program_of(word.text) in SILENT:
            return ()
        if words[number - 1].text in _INSTALLING:
            continue
        following = words[number + 1].text if number + 1 < len(words) else ""
        # A container is often called like the program in it: `docker exec ollama ollama pull`.
        if _is_known(program_of(word.text)) and not _is_known(following):
            return words[number:]
    return words


def quoted_command(words: Sequence[Word]) -> Word | None:
    """The word that is a command as a whole: `ssh host "ollama pull x"`."""
    if program_of(words[0].text) not in _WRAPPERS:
        return None
    texts = (word for word in words[1:_SEARCHED] if " " in word.text)
    return next((word for word in texts if is_program(word.text.split(None, 1)[0])), None)


def _is_known(name: str) -> bool:
    return name in PROGRAMS or name in SHELLS or is_python(name)


class Contained(NamedTuple):
    """What a command tells an image to do."""

    verb: str
    at: int  # of the image in the words
    variables: dict[str, Word]


def runs_image(command: Command) -> bool:
    """True for `docker run`, `podman pull` and the like, not for models that Docker runs."""
    model = command.words[:1] == ("model",)
    return command.program in _CONTAINERS and not model and bool(_CONTAINER_VERBS & {*command.words[:2]})


def contained(command: Command, words: Sequence[Word]) -> Contained | None:
    """The image of `docker run [options] image [command]`, whose words are given."""
    names = command.words
    verb = next(name for name in names if name in _CONTAINER_VERBS)
    plain = [name for name in command.plain(_SWITCHES) if name not in (verb, "container", "image")]
    servers = (number for number, name in enumerate(names) if name[:1] != "-" and server_image(name))
    at = next(servers, names.index(plain[0]) if plain else None)
    if at is None:
        return None
    variables: dict[str, Word] = {}
    for number, word in enumerate(words[:at]):
        name, found, value = word.text.removeprefix("--env=").partition("=")
        option = names[number - 1] if number else ""
        if found and (option in ("-e", "--env") or word.text.startswith("--env=")):
            variables[name] = word._replace(text=value)
    return Contained(verb, at, variables)
