"""PMML and OpenVINO IR: models as XML documents, and what they make their reader open or load.

Formats: dmg.org/pmml (PMML 2.0 to 4.4); docs.openvino.ai, "Intermediate Representation Format".
The weights of an OpenVINO model are in a `.bin` file beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from aibom.domain.errors import UnreadableError, malformed
from aibom.domain.facts import Attribute, Capability, Facts, FileKind, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import KIB, METADATA_COUNT, STATEMENT_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import xml
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards

PROLOG_BYTES: Final = 64 * KIB  # in which the root element must start
FUNCTION_COUNT: Final = 10_000

_BLANK = b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"
_SKIPPED: Final = ("Header", "DataDictionary", "TransformationDictionary", "MiningBuildTask", "Extension")
# Evaluators in Java look a function that they do not know up as a class.
_CLASS = re.compile(r"[A-Za-z_$][\w$]*+(?:\.[A-Za-z_$][\w$]*+)+\Z")
_OPERATION_SET = re.compile(r"opset[0-9]{1,3}\Z")


def _root(probe: Probe) -> tuple[str, dict[str, str]] | None:
    """The root element of what looks like XML in any of its encodings."""
    if not probe.head.lstrip(_BLANK).startswith(b"<"):
        return None
    found = xml.root(probe.head)
    if found is None and len(probe.head) < probe.size:
        try:
            found = xml.root(probe.reader.read_at(0, min(PROLOG_BYTES, probe.size)))
        except UnreadableError:
            return None
    return found


def recognise_pmml(probe: Probe) -> Match:
    """By content: the root element."""
    root = _root(probe)
    if root is not None and root[0] == "PMML":
        return Match.CONTENT
    return Match.NAME if probe.named(".pmml", ".pmml.xml") else Match.NO


def recognise_openvino(probe: Probe) -> Match:
    """By content: a root element `net` with the version of the representation."""
    root = _root(probe)
    return Match.CONTENT if root is not None and root[0] == "net" and "version" in root[1] else Match.NO


class _Reading:
    """What the elements of one document said so far."""

    def __init__(self) -> None:
        self.hazards, self.defects = Hazards(), Defects()
        self.version: str | None = None
        self.statements: list[Statement] = []
        self.metadata: dict[str, str] = {}
        self.called: dict[str, int] = {}  # function names, with the offset of their first use
        self.defined: set[str] = set()

    def state(self, attribute: Attribute, value: str | None, path: list[str]) -> None:
        if value and len(self.statements) < STATEMENT_COUNT:
            pointer = "/" + "/".join(path)
            self.statements.append(Statement(attribute=attribute, value=capped(value), pointer=pointer))

    def pmml(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        match path:
            case ["PMML"]:
                self.version = attributes.get("version")
            case ["PMML", "Header"]:
                self.state(Attribute.DESCRIPTION, attributes.get("description"), path)
                self.state(Attribute.VERSION, attributes.get("modelVersion"), path)
            case ["PMML", "Header", "Application"]:
                words = (attributes.get("name"), attributes.get("version"))
                self.state(Attribute.TRAINING_FRAMEWORK, " ".join(filter(None, words)), path)
            case ["PMML", "DataDictionary", "DataField"]:
                self.state(Attribute.INPUT, attributes.get("name"), path)
            case ["PMML", kind] if kind not in _SKIPPED:
                self.state(Attribute.ARCHITECTURE, kind, path)
                self.state(Attribute.NAME, attributes.get("modelName"), path)
                self.state(Attribute.TASK, attributes.get("functionName"), path)
            case [*_, "DefineFunction"] if len(self.defined) < FUNCTION_COUNT:
                self.defined.add(attributes.get("name", ""))
            case [*_, "Apply"] if len(self.called) < FUNCTION_COUNT:
                self.called.setdefault(attributes.get("function", ""), offset)

    def openvino(self, path: list[str], attributes: Mapping[str, str], offset: int) -> None:
        match path:
            case ["net"]:
                self.version = attributes.get("version")
                self.state(Attribute.NAME, attributes.get("name"), path)
            case ["net", "rt_info", key] if "value" in attributes and len(self.metadata) < METADATA_COUNT:
                self.metadata.setdefault(capped(key, 256), capped(attributes["value"]))
            case [*_, "layer"]:
                self._layer(attributes, offset)

    def _layer(self, attributes: Mapping[str, str], offset: int) -> None:
        library = attributes.get("version")
        if library is not None and not _OPERATION_SET.match(library):
            name = capped(f"{library}.{attributes.get('type', '')}", 120)
            message = f"the operation {name!r} is in no operation set of OpenVINO"
            self.hazards.add(HazardKind.CUSTOM_OPERATOR, name, message, offset)

    def judge_functions(self) -> None:
        """A function that is defined nowhere and named like a class of Java is code beside the file."""
        for name, offset in self.called.items():
            if _CLASS.match(name) and name not in self.defined:
                message = f"the function {name[:120]!r} is not of PMML and not defined in the document"
                self.hazards.add(HazardKind.CUSTOM_OPERATOR, name, message, offset)


def read_pmml(probe: Probe) -> Facts:
    """Models, their fields and writer, and hazards. Raises `UnreadableError`."""
    reading = _Reading()
    _walk(probe, reading, reading.pmml)
    reading.judge_functions()
    return _facts("pmml", reading)


def read_openvino(probe: Probe) -> Facts:
    """Name, version, conversion and hazards; no weights. Raises `UnreadableError`."""
    reading = _Reading()
    _walk(probe, reading, reading.openvino)
    return _facts("openvino", reading)


def _walk(probe: Probe, reading: _Reading, visit: xml.Visit) -> None:
    """What was seen before an error is kept, unless it was nothing."""
    try:
        xml.walk(probe.reader, reading.hazards, visit)
        if reading.version is None:
            raise malformed("the root element is another, or has no version")
    except UnreadableError as error:
        if reading.version is None and not reading.hazards.found:
            raise
        reading.defects.add(error.message, error.offset, error.reason)


def _facts(name: str, reading: _Reading) -> Facts:
    custom = any(hazard.kind is HazardKind.CUSTOM_OPERATOR for hazard in reading.hazards.found)
    return Facts(
        format=name,
        kind=FileKind.WEIGHTS,
        version=capped(reading.version, 40) if reading.version else None,
        statements=tuple(reading.statements),
        metadata=tuple(reading.metadata.items()),
        hazards=tuple(reading.hazards.found),
        capabilities=frozenset({Capability.CUSTOM_OPERATORS} if custom else ()),
        defects=tuple(reading.defects.found),
    )


def _format(
    name: str,
    title: str,
    suffixes: tuple[str, ...],
    recognise: Callable[[Probe], Match],
    read: Callable[[Probe], Facts],
) -> Format:
    return Format(
        name=name,
        title=title,
        kind=FileKind.WEIGHTS,
        suffixes=suffixes,
        recognise=recognise,
        read=read,
        media_type="application/xml",
    )


PMML = _format("pmml", "PMML", (".pmml", ".pmml.xml"), recognise_pmml, read_pmml)
OPENVINO = _format("openvino", "OpenVINO IR", (), recognise_openvino, read_openvino)
FORMATS: Final = (PMML, OPENVINO)
