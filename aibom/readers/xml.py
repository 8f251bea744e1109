"""XML element by element, in one pass, with nothing expanded, resolved or opened.

Expat does the work (it decodes UTF-16 as well, in which a search for text would find nothing).
What would make another parser open a file or an address is a hazard: document types, entities,
inclusions, stylesheets. XML 1.0, fifth edition; XInclude 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from xml.parsers import expat

from aibom.domain.errors import UnreadableError, malformed, over_limit, unsupported
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import DOCUMENT_BYTES, KIB, MIB
from aibom.domain.protocols import ByteReader
from aibom.readers.hazards import Hazards

XML_DEPTH: Final = 512  # a decision tree in PMML nests as deep as it is
ELEMENT_COUNT: Final = 2_000_000
TOKEN_BYTES: Final = 1 * MIB  # one tag with its attributes, one comment

Visit = Callable[[list[str], Mapping[str, str], int], None]

_BLOCK_BYTES = 64 * KIB
_INCLUSION = "http://www.w3.org/2001/XInclude"
# The name of any other would be looked up among Python's codecs.
_ENCODING = re.compile(r"(?i:utf-8|utf-16(?:le|be)?|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-9])\Z")


class _RootError(Exception):
    """Ends the parse at the root element."""


def root(data: bytes) -> tuple[str, dict[str, str]] | None:
    """Local name and attributes of the root element, when it starts in these bytes; never raises."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((name.rpartition(":")[2], attributes))
        raise _RootError

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.XmlDeclHandler = _check_encoding
    with suppress(expat.ExpatError, LookupError, UnreadableError, _RootError):
        parser.Parse(data)
    return found[0] if found else None


def walk(reader: ByteReader, hazards: Hazards, visit: Visit) -> None:
    """Calls `visit` for each element with the local names from the root to it, attributes and offset.

    `visit` must not keep the list. Where entities are declared nothing behind the declarations is
    read. Raises malformed, limit (bytes, depth, elements, one token) or unsupported (encoding,
    entities); the hazards found until then stay.
    """
    if reader.size > DOCUMENT_BYTES:
        raise over_limit(f"document of {reader.size} bytes, at most {DOCUMENT_BYTES} are read")
    parser = _Walk(hazards, visit).parser
    try:
        for position in range(0, reader.size, _BLOCK_BYTES):
            parser.Parse(reader.read_at(position, min(_BLOCK_BYTES, reader.size - position)))
            if position - parser.CurrentByteIndex > TOKEN_BYTES:
                message = f"one token is longer than {TOKEN_BYTES} bytes"
                raise over_limit(message, parser.CurrentByteIndex)
        parser.Parse(b"", True)  # noqa: FBT003 - expat has no other way to say that this was all
    except expat.ExpatError as error:
        message = f"not XML: {expat.ErrorString(error.code)}"
        raise malformed(message, max(0, parser.ErrorByteIndex)) from None
    except LookupError as error:
        raise unsupported(f"XML in a character set that is {error}", 0) from None


class _Walk:
    """The state of one walk; expat calls the methods."""

    def __init__(self, hazards: Hazards, visit: Visit) -> None:
        self._hazards, self._visit = hazards, visit
        self._path: list[str] = []
        self._elements = 0
        self._entities = False
        self.parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.XmlDeclHandler = _check_encoding
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.EndDoctypeDeclHandler = self._end_doctype
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end

    def _note(self, found: str, message: str) -> None:
        self._hazards.add(HazardKind.EXTERNAL_ENTITY, found, message, self.parser.CurrentByteIndex)

    def _doctype(self, _name: str, system: str | None, public: str | None, _internal: int) -> None:
        if system or public:
            self._note("external-dtd", f"the document type is read from {system or public!r}")
        else:
            self._note("doctype", "the document declares a type of its own")

    def _entity(
        self,
        name: str,
        parameter: int,
        value: str | None,
        _base: str | None,
        system: str | None,
        public: str | None,
        _notation: str | None,
    ) -> None:
        self._entities = True
        kind = "parameter entity" if parameter else "entity"
        if value is None:
            self._note("external-entity", f"the {kind} {name[:80]!r} is read from {system or public!r}")
        else:
            self._note("entity", f"the {kind} {name[:80]!r} stands for {len(value)} characters")

    def _end_doctype(self) -> None:
        if self._entities:
            raise unsupported("entities are declared, so nothing behind them is read", self._at)

    def _instruction(self, target: str, data: str) -> None:
        if target == "xml-stylesheet" or "href" in data:
            self._note("instruction", f"the instruction {target[:80]!r} names {data[:120]!r}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._elements += 1
        if len(self._path) == XML_DEPTH or self._elements > ELEMENT_COUNT:
            what = f"more than {ELEMENT_COUNT} elements or {XML_DEPTH} levels"
            raise over_limit(f"XML of {what}", self._at)
        if namespace == _INCLUSION and local == "include":
            self._note("inclusion", f"an XInclude element names {attributes.get('href', '')[:120]!r}")
        self._path.append(local)
        self._visit(self._path, attributes, self._at)

    def _end(self, _name: str) -> None:
        self._path.pop()

    @property
    def _at(self) -> int:
        return self.parser.CurrentByteIndex


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and not _ENCODING.match(encoding):
        raise unsupported(f"XML in the encoding {encoding[:40]!r}", 0)
