"""What a bill of materials of ours says of the rows of datasets, and of the sidecars beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from aibom.domain.dataset import DatasetFingerprint, RowForm
from aibom.domain.digest import HEX_CHARS
from aibom.domain.errors import UnreadableError
from aibom.domain.evidence import DatasetRows, Evidence, EvidenceKind
from aibom.inventory.bom_component import Properties, entries, text
from aibom.readers import json
from aibom.readers.json import Json

_TENSORS = ".fingerprint.json"


class StatedRows:
    """Collects what stands at datasets and files, in whatever order they come."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._files: dict[str, list[tuple[str, int]]] = {}  # by name of the part

    def take(self, own: Properties) -> None:
        """The properties of a dataset."""
        self._told += own.get("aibom:dataset:rows", ())

    def take_file(self, path: str, own: Properties) -> None:
        """The properties of a file."""
        for count in own.get("aibom:file:rows", ())[:1]:
            if count.isascii() and count.isdigit() and len(count) < 16:
                part = own.get("aibom:file:part", [path])[0]
                self._files.setdefault(part, []).append((path, int(count)))

    def finish(self) -> tuple[tuple[DatasetRows, ...], tuple[Evidence, ...]]:
        """Rows and their sidecars; what is not as we write it is left out, and says nothing."""
        rows: list[DatasetRows] = []
        evidence: list[Evidence] = []
        for told in self._told:
            found = _rows(told, self._files)
            if found is not None:
                rows.append(found[0])
                evidence += [found[1]] if found[1] else []
        return tuple(rows), tuple(evidence)


def _rows(
    told: str, files: Mapping[str, list[tuple[str, int]]]
) -> tuple[DatasetRows, Evidence | None] | None:
    try:
        document = json.members(json.parse(told.encode("utf-8", "replace")))
        name = text(document.get("name"))
        rows = DatasetRows(
            name=name,
            files=tuple(sorted(files.get(name, ()))),
            fingerprint=_fingerprint(document),
            labels=tuple(json.strings(document.get("labels"))),
            identity=tuple(json.strings(document.get("rowIds"))),
        )
        return rows, _sidecar(name, json.members(document.get("sidecar")))
    except (UnreadableError, ValueError):
        return None


def _fingerprint(told: Mapping[str, Json]) -> DatasetFingerprint:
    """Raises ValueError for what is no fingerprint."""
    counts = {name: json.integer(told.get(name)) for name in ("rows", "bytes", "blocks")}
    return DatasetFingerprint(
        form=RowForm(text(told.get("form"))),
        keyed=told.get("keyed") is True,
        rows=counts["rows"] or 0,
        bytes=counts["bytes"] or 0,
        blocks=counts["blocks"] or 0,
        root=text(told.get("root")),
        multiset=json.text(told.get("multiset")),
        schema=json.text(told.get("schema")),
        key=json.text(told.get("key")),
    )


def _sidecar(subject: str, told: Mapping[str, Json]) -> Evidence | None:
    name = text(told.get("name"))
    if not name:
        return None
    return Evidence(
        kind=EvidenceKind.ROWS,
        subject=subject,
        name=name,
        sha256=text(told.get("sha256")),
        proof=text(told.get("proof")),
    )


def tensor_evidence(path: str, component: Mapping[str, Json]) -> Iterator[Evidence]:
    """The sidecars of one weight file, by its external references."""
    for each in entries(component.get("externalReferences")):
        name = unquote(text(each.get("url")))
        digests = [
            text(one.get("content")) for one in entries(each.get("hashes")) if one.get("alg") == "SHA-256"
        ]
        if each.get("type") != "evidence" or not name.endswith(_TENSORS) or len(digests) != 1:
            continue
        if len(digests[0]) == HEX_CHARS["sha256"] and not name.startswith("/") and "\0" not in name:
            try:
                yield Evidence(kind=EvidenceKind.TENSORS, subject=path, name=name, sha256=digests[0].lower())
            except ValueError:  # a name that climbs
                continue
