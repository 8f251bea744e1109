"""Allowlist packs: which imports of a pickle are harmless, by exact name and by what is done with them.

A pack is a JSON document, described in docs/allowlists.md. Nothing in it is a pattern: a name that
is not written out is not allowed, and neither is what can be reached through one that is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Final, TypeAlias

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Import, Use
from aibom.domain.limits import MIB
from aibom.readers import json
from aibom.readers.json import Json

PACK_BYTES: Final = 1 * MIB
PACK_ENTRY_COUNT: Final = 20_000
_VALUE_COUNT: Final = 64_000
_VERSION: Final = 1
_KEYS: Final = frozenset(("version", "name", "release", "description", "sections"))
_SECTION_KEYS: Final = frozenset(("source", "since", "modules"))
# `instance` is for classes that run code when they are called, but not when an instance is filled: one
# that is also kept as a value may be called later, by whatever it is given to.
_MODES: Final = {
    "reference": frozenset((Use.REFERENCE,)),
    "instance": frozenset((Use.CONSTRUCT,)),
    "construct": frozenset((Use.REFERENCE, Use.CONSTRUCT)),
    "call": frozenset(Use),
}
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_DOTTED: Final = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+", re.ASCII)
_LISTED: Final = re.compile(rf"{_DOTTED.pattern}(?: {_DOTTED.pattern})*+", re.ASCII)

_NO_USE: Final[frozenset[Use]] = frozenset()
# Harmless only with these arguments: time zones of `zoneinfo` are looked up by the name of a method.
_BY_ARGUMENT: Final = {("builtins", "getattr"): frozenset(("(zoneinfo.ZoneInfo, '_unpickle')",))}
_LOOK_UP: Final = "time zones"

Name: TypeAlias = tuple[str, str]  # module and qualified name, both as the pickle spells them


class PackError(ValueError):
    """The document is not an allowlist pack; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One pack by name, release and digest, with the uses that it allows of each name."""

    name: str
    version: str
    sha256: str
    entries: Mapping[Name, frozenset[Use]]

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowlist:
    """Several packs; what one of them allows is allowed."""

    packs: tuple[Pack, ...] = ()

    def vouching(self, item: Import) -> str | None:
        """Name and version of the first pack that allows this name for this use."""
        key = (item.module, item.qualname)
        wanted = {item.use, Use.REFERENCE} if item.kept else {item.use}
        if key in _BY_ARGUMENT and item.use is Use.CALL:
            return _LOOK_UP if set(item.arguments.split("; ")) <= _BY_ARGUMENT[key] else None
        return next((pack.label for pack in self.packs if wanted <= pack.entries.get(key, _NO_USE)), None)


def parse_pack(data: bytes) -> Pack:
    """The pack of a JSON document. Raises `PackError`, also where a limit is exceeded."""
    if len(data) > PACK_BYTES:
        raise PackError(f"larger than {PACK_BYTES} bytes")
    try:
        document = json.parse(data, values=_VALUE_COUNT, depth=_VALUE_COUNT)
    except UnreadableError as error:
        raise PackError(str(error)) from error
    members = _object(document, "an allowlist pack", _KEYS)
    if members.get("version") != _VERSION:
        raise PackError(f"version must be {_VERSION}")
    _text(members.get("description", ""), "description")
    return Pack(
        name=_label(members.get("name"), "name"),
        version=_label(members.get("release"), "release"),
        sha256=hashlib.sha256(data).hexdigest(),
        entries=_entries(members.get("sections")),
    )


def _entries(sections: Json) -> dict[Name, frozenset[Use]]:
    if not isinstance(sections, list) or not sections:
        raise PackError("sections must be a list of at least one section")
    entries: dict[Name, frozenset[Use]] = {}
    for number, section in enumerate(sections):
        where = f"sections[{number}]"
        for module, modes in _modules(section, where):
            _add(entries, module, modes, f"{where}: {module}")
    return entries


def _modules(section: Json, where: str) -> Iterator[tuple[str, dict[str, Json]]]:
    members = _object(section, where, _SECTION_KEYS)
    if not _text(members.get("source"), f"{where}: source"):
        raise PackError(f"{where}: source must say where the names were read")
    _text(members.get("since", ""), f"{where}: since")
    modules = members.get("modules")
    if not isinstance(modules, dict) or not modules:
        raise PackError(f"{where}: modules must name at least one module")
    for module, modes in modules.items():
        if len(_names(module, where)) > 1:
            raise PackError(f"{where}: {module[:80]!r} is more than one module")
        if not isinstance(modes, dict) or not modes:
            raise PackError(f"{where}: {module}: a module alone is not allowed, name what is in it")
        yield module, modes


def _add(entries: dict[Name, frozenset[Use]], module: str, modes: dict[str, Json], where: str) -> None:
    for mode, text in modes.items():
        uses = _MODES.get(mode)
        if uses is None:
            raise PackError(f"{where}: mode {mode[:80]!r} is none of {', '.join(_MODES)}")
        names = _names(_text(text, f"{where}: {mode}"), where)
        known = len(entries)
        if known + len(names) > PACK_ENTRY_COUNT:
            raise PackError(f"{where}: more than {PACK_ENTRY_COUNT} entries")
        added = dict.fromkeys(zip(repeat(module), names), uses)
        if len(added) < len(names) or not entries.keys().isdisjoint(added):
            raise PackError(f"{where}: {_twice(names, module, entries)} stands here twice")
        entries.update(added)


def _twice(names: list[str], module: str, entries: Mapping[Name, frozenset[Use]]) -> str:
    return next(name for name in names if (module, name) in entries or names.count(name) > 1)


def _names(text: str, where: str) -> list[str]:
    names = text.split(" ")
    # One look at the whole text first: this is most of the time that reading a pack takes.
    if _LISTED.fullmatch(text) is None:
        wrong = next(name for name in names if _DOTTED.fullmatch(name) is None)
        raise PackError(f"{where}: {wrong[:80]!r} is not an exact dotted name; there are no wildcards")
    return names


def _object(value: Json, where: str, keys: frozenset[str]) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise PackError(f"{where} must be an object with {', '.join(sorted(keys))}")
    unknown = sorted(set(value) - keys)
    if unknown:
        raise PackError(f"{where}: unknown key {unknown[0][:80]!r}; known are {', '.join(sorted(keys))}")
    return value


def _text(value: Json, where: str) -> str:
    if not isinstance(value, str):
        raise PackError(f"{where} must be a text")
    return value


def _label(value: Json, where: str) -> str:
    text = _text(value, where)
    if _LABEL.fullmatch(text) is None:
        raise PackError(f"{where} must be up to 64 lower-case letters, digits, dots and hyphens")
    return text
