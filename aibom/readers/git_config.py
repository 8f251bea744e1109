"""The configuration file of a git repository, as data: nothing in it is followed or run.

Syntax: git-config(1), "Syntax". `include` and `includeIf` are sections like any other.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import MIB

CONFIG_BYTES: Final = 1 * MIB

Config = dict[str, tuple[str, ...]]  # "remote.origin.url": all values, in file order

_BLANK = re.compile(r"(?:[ \t\n]+|[#;][^\n]*)*")
_SECTION = re.compile(r'\[([A-Za-z0-9.-]+)(?:[ \t]+"((?:[^"\\\n]|\\.)*)")?\]')
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*(=?)[ \t]*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "b": "\b", '"': '"', "\\": "\\", "\n": ""}


def parse(data: bytes) -> Config:
    """Every value by `section.subsection.key`, section and key in lower case.

    Raises malformed or limit.
    """
    if len(data) > CONFIG_BYTES:
        raise over_limit(f"a git configuration of {len(data)} bytes, at most {CONFIG_BYTES} are read")
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, list[str]] = {}
    section, at = "", 0
    while (at := _after(_BLANK, text, at)) < len(text):
        if header := _SECTION.match(text, at):
            section, at = _section(header), header.end()
            continue
        key = _KEY.match(text, at)
        if key is None or not section:
            raise malformed(f"not a git configuration: line {text.count(chr(10), 0, at) + 1}")
        # A key without `=` is true.
        value, at = _value(text, key.end()) if key[2] else ("true", key.end())
        found.setdefault(f"{section}.{key[1].lower()}", []).append(value)
    return {name: tuple(values) for name, values in found.items()}


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _section(header: re.Match[str]) -> str:
    name = header[1].lower()
    if header[2] is None:
        return name
    return name + "." + re.sub(r"\\(.)", r"\1", header[2])


def _value(text: str, at: int) -> tuple[str, int]:
    """The value that starts at `at`, and where it ends: quotes and escapes resolved, comment and
    trailing blanks removed."""
    parts: list[str] = []
    quoted = False
    kept = 0  # parts that trailing blanks cannot shorten any more
    while at < len(text) and text[at] != "\n" and (quoted or text[at] not in "#;"):
        letter = text[at]
        at += 1
        if letter == '"':
            quoted = not quoted
            continue
        if letter == "\\":
            letter = _ESCAPES.get(text[at : at + 1], "")
            at += 1
        parts.append(letter)
        if quoted or letter not in " \t":
            kept = len(parts)
    return "".join(parts[:kept]), at
