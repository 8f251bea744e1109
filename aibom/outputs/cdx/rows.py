"""The rows of datasets, and sidecars, in the document: roots only, never the digest of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import orjson

from aibom.domain.component import Component, ComponentKind
from aibom.domain.evidence import DatasetRows, Evidence, EvidenceKind
from aibom.domain.report import Report
from aibom.outputs.cdx.text import Json, present, prop, shown
from aibom.outputs.row_text import rows_of

_TITLES = {EvidenceKind.ROWS: "digests of the rows of", EvidenceKind.TENSORS: "digests of the tensors of"}


def row_properties(report: Report) -> Iterator[tuple[str, Json]]:
    """Properties by what they are about: the dataset has the fingerprints, each file its count."""
    homes = _owners(report)
    proofs = {evidence.subject: evidence for evidence in report.evidence}
    for rows in report.rows:
        home = homes(rows.files[0][0])
        if home is not None:
            yield home.id, prop("aibom:dataset:rows", _told(rows, proofs.get(rows.name)))
        for path, count in rows.files:
            if path.endswith("/"):
                continue  # a folder of images or sounds
            yield path, prop("aibom:file:rows", str(count))
            if path != rows.name:
                yield path, prop("aibom:file:part", shown(rows.name))


def _told(rows: DatasetRows, evidence: Evidence | None) -> str:
    told = rows_of(rows)
    if evidence is not None:
        told["sidecar"] = {"name": evidence.name, "sha256": evidence.sha256, "proof": evidence.proof}
    return orjson.dumps(told).decode()


def evidence_references(report: Report) -> dict[str, list[Json]]:
    """External references to sidecars, by the path of a file or the id of a component."""
    homes = _homes(report)
    found: dict[str, list[Json]] = {}
    for evidence in report.evidence:
        found.setdefault(homes.get(evidence.subject, evidence.subject), []).append(
            present(
                url=quote(evidence.name.encode("utf-8", "surrogatepass"), safe="/"),
                type="evidence",
                comment=shown(f"{_TITLES[evidence.kind]} {evidence.subject}"),
                hashes=[{"alg": "SHA-256", "content": evidence.sha256}],
            )
        )
    return found


def _homes(report: Report) -> dict[str, str]:
    """The component that each part of a dataset is of, by the name of the part."""
    owner = _owners(report)
    named = ((rows.name, owner(rows.files[0][0])) for rows in report.rows)
    return {name: found.id for name, found in named if found is not None}


def _owners(report: Report) -> Callable[[str], Component | None]:
    """Which component a file is of, and for a folder the dataset that has a file in it."""
    files = {path: each for each in report.components for path in each.files}
    datasets = [each for each in report.components if each.kind is ComponentKind.DATASET]

    def owner(path: str) -> Component | None:
        if not path.endswith("/"):
            return files.get(path)
        start = "" if path == "./" else path
        return next((d for d in datasets if any(file.startswith(start) for file in d.files)), None)

    return owner
