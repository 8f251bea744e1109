"""skops: scikit-learn models as a zip of one JSON schema and the arrays that it names.

Format: github.com/skops-dev/skops, `skops/io` (protocols 0 to 2). Every node of the schema names a
class or function and a loader, and the loader says what becomes of the name: looked up, constructed
or called. The library asks its user to trust the names; they are judged here like those of a pickle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.facts import Attribute, Facts, FileKind, Import, Statement, Use
from aibom.domain.limits import DOCUMENT_BYTES, IMPORT_COUNT
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.readers import json
from aibom.readers.defects import Defects
from aibom.readers.json import Json
from aibom.readers.pickle_imports import capabilities
from aibom.readers.zip import STORED, is_zip, member_names, read_archive
from aibom.readers.zip_members import open_member

SCHEMA_DEPTH: Final = 256  # a pipeline in a pipeline takes eight levels
NAME_CHARS: Final = 256
NEWEST_PROTOCOL: Final = 2

_SCHEMA = "schema.json"
_NAME_COUNT = 10_000  # looked at to recognise an archive; the schema is written last
# Loaders that look the name up, those that set the state of an instance, and those that take a
# class of their own whatever the name is. The rest calls what it finds.
_USES: Final = {
    **dict.fromkeys(("FunctionNode", "TypeNode"), Use.REFERENCE),
    **dict.fromkeys(("BytesNode", "BytearrayNode", "SliceNode", "DTypeNode"), Use.REFERENCE),
    **dict.fromkeys(("MaskedArrayNode", "SparseMatrixNode", "DefaultDictNode"), Use.REFERENCE),
    "ObjectNode": Use.CONSTRUCT,
    **dict.fromkeys(("DictNode", "ListNode", "SetNode", "TupleNode", "NdArrayNode"), Use.CALL),
    **dict.fromkeys(("ConstructorFromReduceNode", "LossNode", "TreeNode"), Use.CALL),
    **dict.fromkeys(("QuantileForestNode", "PartialNode", "OperatorFuncNode"), Use.CALL),
    **dict.fromkeys(("RandomStateNode", "RandomGeneratorNode"), Use.CALL),
    "_DictWithDeprecatedKeysNode": Use.REFERENCE,
}
_NAMELESS: Final = ("JsonNode", "CachedNode")  # nothing is looked up for these


def recognise(probe: Probe) -> Match:
    """By content: a zip archive with a schema at its root."""
    named = Match.NAME if probe.named(".skops") else Match.NO
    if not is_zip(probe.head):
        return named
    try:
        return Match.CONTENT if _SCHEMA in member_names(probe.reader, _NAME_COUNT) else named
    except UnreadableError:
        return named


def read(probe: Probe) -> Facts:
    """The names that the schema asks for. Raises `UnreadableError`."""
    archive = read_archive(probe.reader)
    member = archive.find(_SCHEMA)
    if member is None:
        raise malformed(f"the archive holds no {_SCHEMA}")
    document = open_member(probe.reader, member, DOCUMENT_BYTES)
    schema = json.parse(document.read_at(0, document.size), depth=SCHEMA_DEPTH)
    defects = Defects()
    defects.extend(archive.defects)
    if not isinstance(schema, dict) or not isinstance(schema.get("__loader__"), str):
        raise malformed(f"{_SCHEMA} describes no object", member.offset)
    names = _Names(_protocol(schema, defects), member.offset if member.method == STORED else 0, defects)
    for node in _nodes(schema):
        names.add_node(node)
    if names.overflow:
        defects.add(f"more than {IMPORT_COUNT} names", member.offset, Reason.LIMIT)
    imports = tuple(names.found.values())
    return Facts(
        format="skops",
        kind=FileKind.WEIGHTS,
        version=str(names.protocol),
        statements=tuple(_statements(schema)),
        imports=imports,
        capabilities=capabilities(imports),
        defects=tuple(defects.found),
    )


def _protocol(schema: dict[str, Json], defects: Defects) -> int:
    protocol = json.integer(schema.get("protocol"))
    if protocol is None or not 0 <= protocol <= NEWEST_PROTOCOL:
        message = f"protocol {capped(str(schema.get('protocol')), 40)} is not known"
        defects.add(message, reason=Reason.UNSUPPORTED)
        return NEWEST_PROTOCOL
    return protocol


def _nodes(schema: Json) -> Iterator[dict[str, Json]]:
    """Every object of the schema that has a loader, wherever it stands, in order of the document."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("__loader__"), str):
                yield value
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


class _Names:
    """Each name once, with the most that any node does with it."""

    def __init__(self, protocol: int, offset: int, defects: Defects) -> None:
        self.protocol = protocol
        self.found: dict[tuple[str, str], Import] = {}
        self.overflow = False
        self._offset, self._defects = offset, defects

    def add_node(self, node: dict[str, Json]) -> None:
        loader = json.text(node.get("__loader__")) or ""
        if loader in _NAMELESS:
            return
        if loader == "FunctionNode" and self.protocol == 0:
            content = json.members(node.get("content"))
            self._add(content.get("module_path"), content.get("function"), Use.REFERENCE)
            return
        module, name = node.get("__module__"), node.get("__class__")
        if loader == "MethodNode":
            method = json.members(node.get("content")).get("func")
            known = isinstance(name, str) and isinstance(method, str)
            self._add(module, f"{name}.{method}" if known else None, Use.CALL)
            return
        if loader not in _USES:
            message = f"what the loader {capped(loader, 80)!r} does is not known"
            self._defects.add(message, self._offset, Reason.UNSUPPORTED)
        fixed = loader == "NdArrayNode" and (module, name) == ("numpy", "ndarray")
        self._add(module, name, Use.REFERENCE if fixed else _USES.get(loader, Use.CALL))
        if loader == "RandomGeneratorNode":
            self._add("numpy.random", _bit_generator(node), Use.CALL)

    def _add(self, module: Json, name: Json, use: Use) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            self._defects.add("a node of the schema does not say what it is", self._offset)
            return
        key = (capped(module, NAME_CHARS), capped(name, NAME_CHARS))
        known = self.found.get(key)
        if known is not None:
            self.found[key] = replace(known, use=max(known.use, use))
        elif len(self.found) < IMPORT_COUNT:
            self.found[key] = Import(
                module=key[0], qualname=key[1], offset=self._offset, use=use, inside=_SCHEMA
            )
        else:
            self.overflow = True


def _bit_generator(node: dict[str, Json]) -> Json:
    """The class of `numpy.random` that is called, a mere string in the state of a generator."""
    state = json.members(json.members(node.get("content")).get("bit_generator"))
    if isinstance(state.get("bit_generator"), str):
        return state["bit_generator"]  # protocol 0
    text = json.members(json.members(state.get("content")).get("bit_generator")).get("content")
    if not isinstance(text, str):
        return None
    try:
        return json.parse(text.encode("utf-8", "replace"))
    except UnreadableError:
        return None


def _statements(schema: dict[str, Json]) -> Iterator[Statement]:
    name = schema.get("__class__")
    if isinstance(name, str):
        yield Statement(
            attribute=Attribute.ARCHITECTURE, value=capped(name, NAME_CHARS), pointer="/__class__"
        )
    version = schema.get("_skops_version")
    if isinstance(version, str):
        yield Statement(
            attribute=Attribute.RUNTIME_DEPENDENCY,
            value=f"skops=={capped(version, 64)}",
            pointer="/_skops_version",
        )


FORMAT = Format(
    name="skops",
    title="skops",
    kind=FileKind.WEIGHTS,
    suffixes=(".skops",),
    recognise=recognise,
    read=read,
)
