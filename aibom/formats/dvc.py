"""DVC: the data that a repository keeps elsewhere, with the MD5 of each file.

Format: dvc.org/doc, ".dvc Files" and "dvc.lock file". Outputs are read; what a stage depends on is
left out, because it may change until the stage is run again.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import malformed
from aibom.domain.facts import Attribute, Facts, FileKind
from aibom.domain.limits import YAML_BYTES
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, details, kind_of, natural, place, plain, whole
from aibom.readers import yaml
from aibom.readers.json import Json

_LOCK: Final = "dvc.lock"
_KEYS: Final = re.compile(rb"(?:\A|[\r\n])(?:outs|stages|schema) *:")
_HEX: Final = re.compile(r"[0-9a-fA-F]+\Z")
_FOLDER: Final = ".dir"  # behind the MD5 of the list of a folder's files


def recognise(probe: Probe) -> Match:
    """Under its own name, with the keys that it needs."""
    if not probe.named(".dvc") and probe.name != _LOCK:
        return Match.NO
    return Match.CONTENT if _KEYS.search(probe.head) else Match.NAME


def read(probe: Probe) -> Facts:
    """The outputs with digest and size. Raises `UnreadableError`."""
    document = yaml.parse(whole(probe, YAML_BYTES), aliases=True)
    if not isinstance(document, dict):
        raise malformed(f"a mapping is expected, not {kind_of(document)}")
    found = Collector()
    _state(found, document, "", plain(document.get("wdir")) or "")
    stages = found.object(document, "stages")
    for name in stages:
        at = place("stages")
        _state(found, found.object(stages, name, at), at + place(name), "")
    return found.facts(FORMAT.name, FileKind.INDEX, version=plain(document.get("schema")))


def _state(found: Collector, stage: dict[str, Json], at: str, folder: str) -> None:
    for where, output in found.objects(stage, "outs", at):
        path = plain(output.get("path"))
        if not path:
            found.reject(f"{where} has no path")
            continue
        name = f"{folder}/{path}" if folder not in ("", ".") and not path.startswith("/") else path
        found.add(Attribute.DATA_FILE, name, where, _details(found, output, where))


def _details(found: Collector, output: dict[str, Json], at: str) -> tuple[tuple[str, str], ...]:
    stated = plain(output.get("md5")) or ""
    # DVC 3 names the hash; before, text was digested with LF for CR LF.
    kind, size = output.get("hash"), natural(output.get("size"))
    if stated.endswith(_FOLDER):
        return details(kind="folder", tree=stated, files=natural(output.get("nfiles")))
    if not stated:
        return details(size=size, hash=kind, etag=output.get("etag"))
    if len(stated) == HEX_CHARS["md5"] and _HEX.match(stated):
        return details(md5=stated.lower(), size=size, hash=kind)
    found.reject(f"{at}/md5 has {len(stated)} characters, {HEX_CHARS['md5']} hexadecimal ones are expected")
    return details(malformed=f"md5:{stated[:128].lower()}", size=size, hash=kind)


FORMAT = Format(
    name="dvc",
    title="DVC data file",
    kind=FileKind.INDEX,
    suffixes=(".dvc", _LOCK),
    recognise=recognise,
    read=read,
    media_type="application/yaml",
)
