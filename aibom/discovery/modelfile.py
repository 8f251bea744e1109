"""References in Modelfiles of Ollama: the model or weights it builds from, and adapters.

Format: the Modelfile reference of Ollama (`docs/modelfile.md`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aibom.discovery.fetchers import pulled
from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.names import is_named
from aibom.discovery.targets import Target, address, local
from aibom.domain.component import ComponentKind
from aibom.domain.errors import over_limit
from aibom.domain.limits import MIB
from aibom.domain.ref import PinnedRef

MODELFILE_BYTES: Final = 1 * MIB
_VALUE_CHARS: Final = 1_000

_HINT = re.compile(rb"^[ \t]*FROM[ \t]", re.IGNORECASE | re.MULTILINE)
_INSTRUCTION = re.compile(r"[ \t]*([A-Za-z]+)[ \t]+")
# Ollama asks the file system; without it, this is what a path looks like.
_LOCAL = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|.*\.(?:gguf|safetensors|bin)\Z", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r"[\w.-]+(?:[/:][\w.-]+)*\Z", re.ASCII)
_KINDS: Final = {
    "from": ComponentKind.MODEL, "draft": ComponentKind.MODEL, "adapter": ComponentKind.ADAPTER,
}  # fmt: skip


def discover(text: Text, found: Found) -> None:
    """FROM, ADAPTER and DRAFT of the file. Raises limit when it is too large."""
    if len(text.data) > MODELFILE_BYTES:
        raise over_limit(f"{len(text.data)} bytes of Modelfile, more than {MODELFILE_BYTES}")
    for line, column, name, value in _instructions(text.data.decode("utf-8-sig", "replace")):
        if value and len(value) <= _VALUE_CHARS:
            target = _target(value, name)
            if target is not None and target.ref is not None:
                found.add(_KINDS[name], target.ref, name.upper(), line, column, flags=target.flags)


def _instructions(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Line, column, name and value of what names a place; texts in three quotes are passed over."""
    quoted = False
    for number, line in enumerate(text.split("\n"), 1):
        if quoted:
            quoted = not line.rstrip().endswith('"""')
            continue
        match = _INSTRUCTION.match(line)
        if match is None:
            continue
        value = line[match.end() :].strip()
        if match[1].lower() in _KINDS:
            yield number, match.end() + 1, match[1].lower(), value.strip('"')
        else:
            opened = value.find('"""')
            quoted = opened >= 0 and not (value.endswith('"""') and len(value) >= opened + 6)


def _target(value: str, name: str) -> Target | None:
    try:
        if "://" in value:
            return address(value)
        if name == "adapter" or _LOCAL.match(value):
            return local(value)
    except ValueError:
        return None  # an address that is none
    base, found, digest = value.partition("@")
    if not found:
        return pulled(value) if _NAME.match(value) else None
    return Target(ref=PinnedRef(scheme="ollama", location=base, revision=digest)) if base and digest else None


DISCOVERER = Discoverer(
    name="modelfile",
    title="Modelfiles of Ollama",
    wants=lambda path: is_named(path, "modelfile"),
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
)
