"""Fingerprints of rows as JSON values and as a few words."""

from __future__ import annotations

from aibom.domain.dataset import DatasetFingerprint
from aibom.domain.evidence import DatasetRows, Evidence
from aibom.domain.text import visible
from aibom.outputs.quantities import plural


def fingerprint_of(found: DatasetFingerprint) -> dict[str, object]:
    """What says which rows there are, without the digests of columns, which may be guessed."""
    return {
        "form": found.form.value,
        "keyed": found.keyed,
        "rows": found.rows,
        "bytes": found.bytes,
        "blocks": found.blocks,
        "root": found.root,
        "multiset": found.multiset,
        "schema": found.schema,
        "key": found.key,
    }


def rows_of(rows: DatasetRows) -> dict[str, object]:
    """The fingerprint of one part of a dataset, and how it was taken."""
    return {
        "name": visible(rows.name),
        **fingerprint_of(rows.fingerprint),
        "labels": [visible(name) for name in rows.labels],
        "rowIds": [visible(name) for name in rows.identity],
    }


def columns_of(found: DatasetFingerprint) -> list[dict[str, str]]:
    """The digests of the columns."""
    return [{"name": visible(column.name), "digest": column.digest} for column in found.columns]


def evidence_of(evidence: Evidence) -> dict[str, object]:
    """A sidecar, as a result names it."""
    return {
        "kind": evidence.kind.value,
        "subject": visible(evidence.subject),
        "name": visible(evidence.name),
        "sha256": evidence.sha256,
        "proof": evidence.proof or None,
    }


def counted(rows: DatasetRows) -> str:
    """How many rows stand in how many files."""
    files = f" in {plural(len(rows.files), 'file')}" if len(rows.files) > 1 else ""
    return f"{plural(rows.fingerprint.rows, 'row')}{files}"
