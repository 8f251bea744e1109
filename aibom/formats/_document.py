"""What the formats of cards and configurations share: bounded documents, and statements with their place."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason, malformed, over_limit
from aibom.domain.facts import Attribute, Capability, Column, Facts, FileKind, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import METADATA_COUNT, MIB, STATEMENT_COUNT
from aibom.domain.protocols import Match, Probe
from aibom.domain.text import capped, visible
from aibom.readers import json
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json

# One astral character makes CPython store the whole text at 4 bytes per character, and a value
# costs about 100 bytes: together these two bounds keep a parsed configuration below 64 MB.
CONFIG_BYTES: Final = 6 * MIB
CONFIG_VALUE_COUNT: Final = 150_000
PROSE_CHARS: Final = 2_000  # of a description, intended use or limitation
DETAIL_CHARS: Final = 512

Details: TypeAlias = tuple[tuple[str, str], ...]


def opens_with(probe: Probe, brace: bytes) -> bool:
    """True when the first byte that is neither a byte-order mark nor white space is `brace`."""
    return probe.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(brace)


def reserved(probe: Probe, *names: str) -> Match:
    """How sure a JSON configuration is whose file name its library reserves."""
    if probe.name.lower() not in names:
        return Match.NO
    return Match.CONTENT if opens_with(probe, b"{") else Match.NAME


def whole(probe: Probe, limit: int = CONFIG_BYTES) -> bytes:
    """The bytes of the file; raises limit when there are more than `limit`."""
    if probe.size > limit:
        raise over_limit(f"document of {probe.size} bytes, at most {limit} are read")
    return probe.reader.read_at(0, probe.size)


def parsed(probe: Probe) -> Json:
    """The file as JSON, within the bounds of a configuration."""
    return json.parse(whole(probe), values=CONFIG_VALUE_COUNT)


def parsed_object(probe: Probe) -> dict[str, Json]:
    """The file as a JSON object; raises malformed when it is another value."""
    document = parsed(probe)
    if not isinstance(document, dict):
        raise malformed(f"a JSON object is expected, not {kind_of(document)}")
    return document


def decoded(data: bytes) -> str:
    """UTF-8 text, with or without a byte-order mark; raises malformed."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed("the text is not UTF-8", error.start) from None


def text_digest(text: str) -> str:
    """SHA-256 of the text in UTF-8; JSON can hold lone surrogates, which then count as three bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def place(*parts: str | int) -> str:
    """The RFC 6901 pointer of a value below the root."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def kind_of(value: Json) -> str:
    """What a JSON value is, in words for messages."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def plain(value: Json) -> str | None:
    """A text or finite number as stripped text, else None; true is no name and no licence."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return str(value)


def setting(value: Json) -> str | None:
    """Like `plain`, with JSON's spelling of booleans and comma-separated lists of plain values."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        items = [plain(item) for item in value[:METADATA_COUNT]]
        return None if None in items else ", ".join(item for item in items if item)
    return plain(value)


def natural(value: Json) -> int | None:
    """The value when it is an integer from 0 on, else None."""
    number = json.integer(value)
    return number if number is not None and number >= 0 else None


def details(**pairs: Json) -> Details:
    """Statement details, in the order given; what is absent, empty or no plain value is left out."""
    texts = ((key, setting(value)) for key, value in pairs.items())
    return tuple((key, capped(text, DETAIL_CHARS)) for key, text in texts if text)


def metadata(document: dict[str, Json], *keys: str) -> Details:
    """The plain values of some keys, for facts that have no attribute of their own."""
    texts = ((key, setting(document.get(key))) for key in keys)
    return tuple((capped(key, 256), capped(text)) for key, text in texts if text)


@dataclass(slots=True, kw_only=True)
class Collector:
    """Statements, hazards and defects of one document, all bounded; a mistyped value becomes a defect."""

    statements: list[Statement] = field(default_factory=list)
    defects: Defects = field(default_factory=Defects)
    capabilities: set[Capability] = field(default_factory=set)
    hazards: Hazards = field(default_factory=Hazards)
    is_full: bool = False

    def facts(
        self,
        name: str,
        kind: FileKind,
        *,
        version: str | None = None,
        metadata: Details = (),
        columns: tuple[Column, ...] = (),
        shards: tuple[str, ...] = (),
    ) -> Facts:
        """The facts of a file of format `name`, with everything collected."""
        return Facts(
            format=name,
            kind=kind,
            version=version,
            statements=tuple(self.statements),
            metadata=metadata,
            capabilities=frozenset(self.capabilities),
            columns=columns,
            shards=shards,
            hazards=tuple(self.hazards.found),
            defects=tuple(self.defects.found),
        )

    def add(self, attribute: Attribute, value: str, pointer: str, details: Details = ()) -> None:
        """Keeps one statement; an empty value states nothing."""
        if not value or self.is_full:
            return
        if len(self.statements) == STATEMENT_COUNT:
            self.is_full = True
            self.reject(f"more than {STATEMENT_COUNT} statements, the rest is not told", Reason.LIMIT)
            return
        statement = Statement(
            attribute=attribute, value=capped(value), pointer=capped(pointer, DETAIL_CHARS), details=details
        )
        self.statements.append(statement)

    def reject(self, message: str, reason: Reason = Reason.MALFORMED) -> None:
        """Keeps one defect."""
        self.defects.add(message, reason=reason)

    def mistyped(self, pointer: str, value: Json, expected: str) -> None:
        self.reject(f"{capped(pointer, 120)} is {kind_of(value)}, {expected} is expected")

    def one(
        self,
        attribute: Attribute,
        document: dict[str, Json],
        key: str,
        at: str = "",
        details: Details = (),
        limit: int | None = None,
    ) -> None:
        """States the text or number under `key`; `limit` is in characters."""
        value = document.get(key)
        text = plain(value)
        if text is not None:
            self.add(attribute, capped(text, limit) if limit else text, at + place(key), details)
        elif value is not None:
            self.mistyped(at + place(key), value, "a text")

    def each(
        self, attribute: Attribute, document: dict[str, Json], key: str, at: str = "", details: Details = ()
    ) -> None:
        """States the text under `key`, or every text of the list there."""
        for pointer, text in self.texts(document, key, at):
            self.add(attribute, text, pointer, details)

    def texts(self, document: dict[str, Json], key: str, at: str = "") -> Iterator[tuple[str, str]]:
        """The text under `key`, or every text of the list there, with its pointer."""
        value = document.get(key)
        items = [(place(key, i), item) for i, item in enumerate(value)] if isinstance(value, list) else None
        for pointer, item in items if items is not None else [(place(key), value)]:
            text = plain(item)
            if text is not None:
                yield at + pointer, text
            elif item is not None or items is not None:
                self.mistyped(at + pointer, item, "a text")

    def requirement(
        self, package: str, document: dict[str, Json], key: str, at: str = "", details: Details = ()
    ) -> None:
        """States that `package` is needed in the version under `key`."""
        version = plain(document.get(key))
        if version:
            self.add(Attribute.RUNTIME_DEPENDENCY, f"{package}=={version}", at + place(key), details)

    def settings(self, document: dict[str, Json], names: tuple[str, ...], at: str = "") -> None:
        """States those of the named hyperparameters that are there."""
        for name in names:
            value = document.get(name)
            text = setting(value)
            if text is not None:
                self.add(Attribute.HYPERPARAMETER, text, at + place(name), (("name", name),))
            elif value is not None:
                self.mistyped(at + place(name), value, "a plain value")

    def object(self, document: dict[str, Json], key: str, at: str = "") -> dict[str, Json]:
        """The object under `key`, empty when it is absent or something else."""
        value = document.get(key)
        if value is not None and not isinstance(value, dict):
            self.mistyped(at + place(key), value, "an object")
        return json.members(value)

    def objects(
        self, document: dict[str, Json], key: str, at: str = ""
    ) -> Iterator[tuple[str, dict[str, Json]]]:
        """The object under `key`, or every object of the list there, with its pointer."""
        value = document.get(key)
        if not isinstance(value, list):
            found = self.object(document, key, at)
            if found:
                yield at + place(key), found
            return
        for index, item in enumerate(value):
            if isinstance(item, dict):
                yield at + place(key, index), item
            else:
                self.mistyped(at + place(key, index), item, "an object")

    def code(
        self, name: str, pointer: str, details: Details, confidence: Confidence = Confidence.HIGH
    ) -> None:
        """States a class, as "module.Class" or "owner/name--module.Class", that the loader imports."""
        found = name.strip()
        repository, separator, _ = found.rpartition("--")
        whose = f"code of the repository {visible(repository)}" if separator else "code"
        self.add(Attribute.REMOTE_CODE, found, pointer, details)
        self.capabilities.add(Capability.REMOTE_CODE)
        message = f"names {whose} that the loader runs: {visible(found)}"
        self.hazards.add(HazardKind.REMOTE_CODE, found, message, confidence=confidence)

    def auto_map(self, document: dict[str, Json], at: str = "") -> None:
        """States the classes that transformers imports from the repository when it is trusted.

        A tokenizer names two, a slow and a fast one, either of which can be null. Configurations
        of parts have a map of their own. Source: `transformers.dynamic_module_utils`.
        """
        for auto_class, value in self.object(document, "auto_map", at).items():
            pointer = at + place("auto_map", auto_class)
            self.capabilities.add(Capability.REMOTE_CODE)
            names = [name for name in json.strings(value) if name.strip()]
            if not names:
                self.mistyped(pointer, value, "a text")
            for name in names:
                self.code(name, pointer, details(auto_class=auto_class))
        if document.get("trust_remote_code") is True:
            message = "tells the loader to run the code of the repository without being asked"
            self.hazards.add(HazardKind.REMOTE_CODE, "trust_remote_code", message)
        for key, part in document.items() if not at else ():
            if isinstance(part, dict) and ("auto_map" in part or "trust_remote_code" in part):
                self.auto_map(part, place(key))
