"""What a CycloneDX JSON document gets wrong although its schema is satisfied.

For any document, ours or not. Time is linear in the document; its nesting is bounded by the parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from aibom.domain.finding import Severity
from aibom.domain.text import capped, visible
from aibom.outputs.lint_rules import LEAF_RULES, RULES, Object, Rule
from aibom.outputs.schema import MESSAGE_CHARS, pointer_of

SEVERITIES: Final = {
    "not-json": Severity.HIGH,
    "serial-number": Severity.MEDIUM,
    "duplicate-bom-ref": Severity.HIGH,
    "dangling-ref": Severity.HIGH,
    "dangling-pointer": Severity.MEDIUM,
    "digest-length": Severity.HIGH,
    "malformed-digest": Severity.HIGH,
    "invalid-purl": Severity.HIGH,
    "moving-version": Severity.MEDIUM,
    "licence-expression": Severity.MEDIUM,
    "unknown-licence": Severity.MEDIUM,
    "model-card-on-non-model": Severity.HIGH,
    "data-on-non-data": Severity.HIGH,
    "unofficial-property": Severity.LOW,
}

# The keys that hold bom-refs, by the key that their object stands under.
_USES: Final = {
    "affects": ("ref",),
    "annotations": ("subjects",),
    "attestations": ("assessor",),
    "citations": ("attributedTo", "process"),
    "claims": ("target", "evidence", "counterEvidence"),
    "compositions": ("assemblies", "dependencies", "vulnerabilities"),
    "datasets": ("ref",),
    "dependencies": ("ref", "dependsOn", "provides"),
    "identity": ("tools",),
    "map": ("requirement", "claims", "counterClaims"),
}
_BOM_LINK: Final = "urn:cdx:"  # points into another document

_SERIAL = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")

# From the innermost key outwards, so that a pointer is written only where something is wrong.
_Path: TypeAlias = "tuple[_Path, str | int] | None"


_INNER: Final = (dict, list)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One thing that is wrong, at an RFC 6901 pointer. `code` is stable, `message` is for people."""

    pointer: str
    code: str
    message: str
    severity: Severity


def problems(document: bytes) -> tuple[Problem, ...]:
    """Everything that is wrong, sorted by pointer. Raises nothing: what is no JSON is one problem."""
    try:
        return problems_in(orjson.loads(document))
    except orjson.JSONDecodeError as error:
        return (_problem("not-json", None, str(error)),)


def problems_in(document: object) -> tuple[Problem, ...]:
    """The same for a document that is already parsed."""
    if not isinstance(document, dict):
        return (_problem("not-json", None, "not a JSON object"),)
    walk = _Walk()
    walk.visit_all(document)
    serial = document.get("serialNumber")
    if serial is not None and not (isinstance(serial, str) and _SERIAL.match(serial)):
        walk.found.append(_problem("serial-number", (None, "serialNumber"), "not a lower-case urn:uuid"))
    return tuple(sorted([*walk.found, *walk.dangling(document)]))


class _Walk:
    """One pass: local rules at once, references after it, when every bom-ref is known."""

    def __init__(self) -> None:
        self.found: list[Problem] = []
        self._defined: set[str] = set()
        self._used: list[tuple[object, _Path]] = []
        self._cited: list[tuple[object, _Path]] = []

    def visit_all(self, document: Object) -> None:
        """Visits every object, with the key that it stands under, alone or in a list."""
        pending: list[tuple[object, _Path, str]] = [(document, None, "")]
        while pending:
            value, path, name = pending.pop()
            if isinstance(value, list):
                pending += [(v, (path, i), name) for i, v in enumerate(value) if isinstance(v, _INNER)]
            elif isinstance(value, dict):
                self._visit(value, path, name)
                for key, inner in value.items():
                    if key in LEAF_RULES and isinstance(inner, list):
                        self._visit_leaves(inner, (path, key), LEAF_RULES[key])
                    elif isinstance(inner, _INNER):
                        pending.append((inner, (path, key), key))

    def _visit(self, value: Object, path: _Path, name: str) -> None:
        ref = value.get("bom-ref")
        if isinstance(ref, str):
            if ref in self._defined:
                self.found.append(
                    _problem("duplicate-bom-ref", (path, "bom-ref"), f"{ref!r} is not the only one")
                )
            self._defined.add(ref)
        rule = RULES.get(name)
        for code, key, message in rule(value) if rule is not None else ():
            self.found.append(_problem(code, (path, key), message))
        for key in _USES.get(name, ()):
            self._used += _items(value.get(key), (path, key))
        if name == "citations":
            self._cited += _items(value.get("pointers"), (path, "pointers"))

    def _visit_leaves(self, entries: list[object], path: _Path, rule: Rule) -> None:
        """Most objects of a large document are hashes and properties: no tuples for each of them."""
        for number, entry in enumerate(entries):
            wrong = rule(entry) if isinstance(entry, dict) else ()
            for code, key, message in wrong:
                self.found.append(_problem(code, ((path, number), key), message))

    def dangling(self, document: Object) -> list[Problem]:
        """The references and pointers that lead to nothing in the document."""
        refs = [
            _problem("dangling-ref", path, f"{ref!r} is no bom-ref of this document")
            for ref, path in self._used
            if isinstance(ref, str) and ref not in self._defined and not ref.startswith(_BOM_LINK)
        ]
        return refs + [
            _problem("dangling-pointer", path, f"{pointer!r} points to nothing")
            for pointer, path in self._cited
            if isinstance(pointer, str) and not _resolves(document, pointer)
        ]


def _items(value: object, path: _Path) -> list[tuple[object, _Path]]:
    if isinstance(value, list):
        return [(item, (path, number)) for number, item in enumerate(value)]
    return [(value, path)]


def _resolves(document: object, pointer: str) -> bool:
    """True when an RFC 6901 pointer leads to a value."""
    if pointer and not pointer.startswith("/"):
        return False
    here = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, dict) and key in here:
            here = here[key]
        elif isinstance(here, list) and key.isdecimal() and len(key) < 10 and int(key) < len(here):
            here = here[int(key)]
        else:
            return False
    return True


def _problem(code: str, path: _Path, message: str) -> Problem:
    parts: list[str | int] = []
    while path is not None:
        path, part = path
        parts.append(part)
    return Problem(
        pointer=pointer_of(reversed(parts)),
        code=code,
        message=capped(visible(message), MESSAGE_CHARS),
        severity=SEVERITIES[code],
    )
