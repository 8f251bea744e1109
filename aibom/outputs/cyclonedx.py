"""CycloneDX ML-BOM, 1.7 or 1.6, as JSON (ECMA-424; github.com/CycloneDX/specification).

Objects keep the order of the schema, lists are sorted, and nothing depends on time, place or
chance: the same report gives the same bytes. The serial number follows from the content.
"""

from __future__ import annotations

import hashlib
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import orjson

from aibom.domain.file import File
from aibom.domain.report import Report
from aibom.outputs.cdx.document import document
from aibom.outputs.cdx.file import file_component
from aibom.outputs.cdx.index import Index
from aibom.outputs.cdx.refs import file_ref
from aibom.outputs.cdx.text import Json

SPEC_VERSIONS: Final = ("1.6", "1.7")

_NAMESPACE: Final = "https://cyclonedx.org/aibom/"
_NO_SERIAL: Final = "urn:uuid:00000000-0000-0000-0000-000000000000"


def render(report: Report, *, spec_version: str = "1.7") -> bytes:
    """The report as one CycloneDX document, UTF-8, indented by two, with a newline at its end.

    `serialNumber` is a version 5 UUID of everything else in the document. Component ids and paths
    must be unique in the report. Raises ValueError for any other spec version than 1.6 and 1.7.
    """
    if spec_version not in SPEC_VERSIONS:
        raise ValueError(f"CycloneDX {spec_version!r} is not written, only {' and '.join(SPEC_VERSIONS)}")
    index = Index.of(report)

    def unknown(value: object) -> Json:
        """Called for each nested `File`, so that their objects never stand in memory all at once."""
        if isinstance(value, File):
            return file_component(
                value,
                index.checks.get(value.path, ()),
                index.uses.get(file_ref(value.path), ()),
                index.evidence.get(value.path, ()),
            )
        raise TypeError(f"cannot be written: {type(value).__name__}")

    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS
    content = orjson.dumps(document(index, spec_version, _NO_SERIAL), default=unknown, option=options)
    # No scanned text stands before the serial number, so the first match is it.
    return content.replace(_NO_SERIAL.encode(), _serial(content).encode(), 1)


def _serial(content: bytes) -> str:
    return uuid5(NAMESPACE_URL, _NAMESPACE + hashlib.sha256(content).hexdigest()).urn
