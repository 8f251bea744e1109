"""Names and links of an archive that lead out of the folder it is unpacked into (CWE-22, "zip slip")."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from aibom.domain.hazard import HazardKind
from aibom.formats.inside.part import Part
from aibom.formats.inside.walk import Walk

_DRIVE: Final = re.compile(r"[A-Za-z]:")


def check_name(walk: Walk, part: Part, name: str, offset: int) -> None:
    """Reports the name of a member that is written somewhere else, or under another name."""
    if name[:1] not in "/\\" and ".." not in name and ":" not in name[:2] and "\0" not in name:
        return
    found = _escape(name)
    if found:
        message = f"the member {name[:80]!r} is unpacked outside of the folder"
        if found == "nul":
            message = f"the name of the member {name[:80]!r} ends early for some unpackers"
        walk.hazard(part, HazardKind.ARCHIVE_ESCAPE, found, message, offset)


def check_link(walk: Walk, part: Part, name: str, target: str, offset: int, *, hard: bool = False) -> None:
    """Reports a link whose target lies outside; that of a hard link counts from the root."""
    folder = "" if hard else posixpath.dirname(name)
    path = posixpath.join(folder, target.replace("\\", "/"))
    if _escape(target) in ("absolute", "drive", "nul") or _leaves(path):
        message = f"the link {name[:80]!r} points to {target[:80]!r}, outside of the folder"
        walk.hazard(part, HazardKind.ARCHIVE_ESCAPE, "hardlink" if hard else "symlink", message, offset)


def _escape(name: str) -> str:
    """How a name leaves its folder, "" when it stays."""
    if "\0" in name:
        return "nul"
    # Under Windows both slashes separate; elsewhere a backslash alone is an odd letter.
    path = name.replace("\\", "/")
    if path.startswith("/"):
        return "absolute"
    if _DRIVE.match(path):
        return "drive"
    return "parent" if ".." in path.split("/") else ""


def _leaves(path: str) -> bool:
    clean = posixpath.normpath(path)
    return clean == ".." or clean.startswith(("../", "/"))
