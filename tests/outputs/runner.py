"""What runners take for commands in a line of output, written from how they say that they read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
NAMES = frozenset(
    {
        "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice",
        "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
    }
)  # fmt: skip
_ANYWHERE = re.compile(r"##(?:vso|teamcity)\[")


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def lines_of(output: bytes) -> list[str]:
    """A line ends at a line feed, a carriage return, or both."""
    lines = re.split(r"\r\n|\r|\n", output.decode())
    return lines[:-1] if not lines[-1] else lines


def command(line: str) -> Command | None:
    """`::name key=value,key=value::message` after white space."""
    text = line.strip() if line.isspace() else line.lstrip()
    if not text.startswith("::") or "::" not in text[2:]:
        return None
    head, _, message = text[2:].partition("::")
    name, _, rest = head.partition(" ")
    if name.lower() not in NAMES:
        return None
    pairs = [pair.partition("=") for pair in rest.strip().split(",") if pair]
    values = {key: _unescaped(value, {"%3A": ":", "%2C": ","}) for key, _, value in pairs if value}
    return Command(name=name.lower(), properties=values, message=_unescaped(message, {}))


def commands_in(output: bytes) -> list[str]:
    """Every line that some runner obeys."""
    return [line for line in lines_of(output) if command(line) or _old(line) or _ANYWHERE.search(line)]


def _old(line: str) -> bool:
    """`##[name key=value;key=value]message`, anywhere in the line."""
    _, found, rest = line.partition("##[")
    head, closed, _ = rest.partition("]")
    return bool(found and closed) and head.partition(" ")[0].lower() in NAMES


def _unescaped(text: str, more: dict[str, str]) -> str:
    for escape, meaning in ({"%0D": "\r", "%0A": "\n"} | more).items():
        text = text.replace(escape, meaning)
    return text.replace("%25", "%")
