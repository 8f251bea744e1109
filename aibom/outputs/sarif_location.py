"""Where in SARIF: URI references that can only lead below the scanned place, and regions."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from aibom.domain.finding import Location
from aibom.domain.text import capped, visible
from aibom.outputs.cdx.text import Json

BASE: Final = "%SRCROOT%"
MESSAGE_CHARS: Final = 1_000  # of each part of a message, and of a place in a container
_HERE: Final = "."  # the scanned place itself


def relative_uri(path: str) -> str:
    """A relative reference (RFC 3986, 4.2) for a path of the report, whatever the path holds.

    Only letters, digits, `-._~`, `/` and percent-escapes are in it: no scheme, no authority, no
    leading slash, no dot segment. A byte of a name that is not UTF-8 stands as it is (`%80`).
    """
    segments = [_segment(each) for each in path.split("/") if each not in ("", ".")]
    folder = "/" if path.endswith("/") and segments else ""
    return "/".join(segments) + folder or _HERE


def _segment(name: str) -> str:
    # Parsers take %2E for a dot, so a name that climbs gets its percent sign quoted as well.
    if name == "..":
        return "%252E%252E"
    try:
        return quote(name, safe="", errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(name, safe="", errors="surrogatepass")


def artifact_location(path: str) -> Json:
    """The file of a path, relative to the scanned place."""
    return {"uri": relative_uri(path), "uriBaseId": BASE}


def location(where: Location, artifact: Json) -> Json:
    """The place that viewers mark: the line, else the very start of the file.

    GitHub shows nothing for a region without a line (ossf/scorecard#1458), and a byte offset may
    not stand beside a line that it does not agree with (SARIF 2.1.0, 3.30.4): see `byte_location`.
    """
    found: Json = {"physicalLocation": {"artifactLocation": artifact, "region": _lines(where)}}
    if where.inside:
        found["logicalLocations"] = [_member(where)]
    return found


def byte_location(where: Location, artifact: Json) -> Json | None:
    """The byte that was found, None when it is unknown or counts in something that was unpacked."""
    if where.offset is None or where.inside:
        return None
    region = {"byteOffset": where.offset, "byteLength": 1}
    return {
        "message": {"text": f"Byte {where.offset} of the file."},
        "physicalLocation": {"artifactLocation": artifact, "region": region},
    }


def _lines(where: Location) -> Json:
    if where.line is None:
        return {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    columns = {} if where.column is None else {"startColumn": where.column}
    return {"startLine": where.line, **columns}


def _member(where: Location) -> Json:
    inside = capped(visible(where.inside), MESSAGE_CHARS)
    return {
        "name": inside.rpartition("!")[2],
        "fullyQualifiedName": f"{visible(where.path)}!{inside}",
        "kind": "resource",
    }
