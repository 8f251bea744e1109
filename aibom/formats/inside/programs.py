"""Programs: machine code for any system, TensorRT engines, and scripts under the name of weights.

A program that is named like one is none of our business. Under the name of weights or of a document,
or inside of a model, it is there to be run by mistake.
Formats: ELF (System V gABI), PE (Microsoft), Mach-O (Apple `mach-o/loader.h`, `fat.h`), Actually
Portable Executable (cosmopolitan, `ape/specification.md`), WebAssembly (core specification 5.5.16),
compiled Python (PEP 552; the magic numbers of Python 3 end in 0x0B to 0x0F).
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import UnreadableError
from aibom.domain.hazard import HazardKind
from aibom.formats.inside.part import WEIGHTS_ENDINGS, Host, Part, ending_of
from aibom.formats.inside.walk import Walk

_DOCUMENT_ENDINGS: Final = frozenset((
    "cfg", "csv", "gif", "html", "ini", "ipynb", "jinja", "jpeg", "jpg", "json", "jsonl", "log", "md", "pdf",
    "png", "py", "svg", "toml", "tsv", "txt", "webp", "xml", "yaml", "yml",
))  # fmt: skip

# Class, byte order and version of ELF; types of processor of Mach-O; more than 43 would be a Java class.
_MAGIC: Final = re.compile(
    rb"(?P<elf>\x7fELF[\x01\x02][\x01\x02]\x01)"
    rb"|(?P<ape>MZqFpD|jartsr)"
    rb"|(?P<pe>MZ)"
    rb"|(?P<macho>[\xce\xcf]\xfa\xed\xfe[\x06\x07\x0c\x12\x17]\0\0[\0-\x02]"
    rb"|\xfe\xed\xfa[\xce\xcf][\0-\x02]\0\0[\x06\x07\x0c\x12\x17]|\xca\xfe\xba[\xbe\xbf]\0\0\0[\x01-\x2b])"
    rb"|(?P<tensorrt>ftrt)"
    rb"|(?P<script>#! ?/)"
    rb"|(?P<wasm>\0asm[\x01\x0d]\0[\0\x01]\0)"
    rb"|(?P<pyc>[\0-\xff][\x0b-\x0f]\r\n[\0-\x03]\0\0\0)"
)
_TITLES: Final = {
    "elf": "a program or library for Linux (ELF)",
    "ape": "a program for several systems (APE, as llamafile)",
    "pe": "a program or library for Windows (PE)",
    "macho": "a program or library for macOS (Mach-O)",
    "script": "a script that names its interpreter",
    "wasm": "a WebAssembly module",
    "pyc": "compiled Python code",
}
_PE_AT: Final = 0x3C  # where the offset of the PE header stands


def begins(part: Part) -> bool:
    """True for the mark of any kind of program."""
    return _MAGIC.match(part.head) is not None


def examine(walk: Walk, part: Part) -> bool:
    """A hazard, unless it is a program in its place."""
    found = _MAGIC.match(part.head)
    kind = found.lastgroup if found else None
    if kind is None or (kind == "pe" and not _has_pe_header(walk, part)):
        return False
    if kind == "tensorrt":
        walk.may_run = True
        message = "a TensorRT engine holds native code for a GPU"
        walk.hazard(part, HazardKind.NATIVE_CODE, "tensorrt-engine", message, 0, Confidence.MEDIUM)
        return True
    if not _misplaced(part, kind):
        return False
    walk.may_run = True
    walk.hazard(part, HazardKind.NATIVE_CODE, kind, f"{_TITLES[kind]} where weights or data should be", 0)
    return True


def _misplaced(part: Part, kind: str) -> bool:
    if part.host is Host.CODE:
        return False
    if part.depth == 0:
        return part.host is Host.MODEL or (kind != "script" and ending_of(part.name) in _DOCUMENT_ENDINGS)
    if kind == "script":
        return False  # install and start scripts belong to what they are packed with
    if part.host is Host.MODEL:
        return True
    return ending_of(part.name) in _DOCUMENT_ENDINGS | WEIGHTS_ENDINGS


def _has_pe_header(walk: Walk, part: Part) -> bool:
    at = int.from_bytes(part.head[_PE_AT : _PE_AT + 4], "little")
    if len(part.head) < _PE_AT + 4 or at > part.size - 4:
        return False
    if at + 4 <= len(part.head):
        return part.head[at : at + 4] == b"PE\0\0"
    with walk.opened(part) as reader:
        try:
            return reader.read_at(at, 4) == b"PE\0\0"
        except UnreadableError:
            return False
