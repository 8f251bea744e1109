"""What `aibom verify` found, as JSON. `schema` names the version of this layout."""

from __future__ import annotations

from typing import Final

import orjson

from aibom.domain.report import Report
from aibom.domain.signing import Signer
from aibom.domain.text import visible
from aibom.domain.verification import FileVerdict, Statement, Verification
from aibom.outputs.json_report import judgement_of

SCHEMA: Final = "aibom-verification/1"


def render(found: Verification, report: Report | None = None) -> bytes:
    """UTF-8 JSON with a newline at the end; the same bytes for the same result.

    With a report, also what the policy says of the target.
    """
    document: dict[str, object] = {
        "schema": SCHEMA,
        "tool": {"name": found.tool.name, "version": found.tool.version},
        "target": visible(found.target.name),
        "outcome": found.outcome,
        "bytes": found.bytes,
        "statements": [_statement(statement) for statement in found.statements],
    }
    if report is not None:
        document["policy"] = judgement_of(report)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _statement(statement: Statement) -> dict[str, object]:
    return {
        "name": visible(statement.name),
        "kind": statement.check.kind,
        "outcome": statement.check.outcome,
        "detail": visible(statement.check.detail),
        "signer": _signer(statement.signer),
        "files": [_file(file) for file in statement.files],
    }


def _signer(signer: Signer | None) -> dict[str, object] | None:
    if signer is None:
        return None
    return {
        "material": signer.material,
        "identity": visible(signer.identity),
        "issuer": visible(signer.issuer),
        "keySha256": signer.key_sha256,
        "signedAt": signer.signed_at,
        "evidence": {visible(name): visible(value) for name, value in signer.evidence},
    }


def _file(file: FileVerdict) -> dict[str, object]:
    return {
        "path": visible(file.path),
        "state": file.state,
        "detail": visible(file.detail),
        "expected": file.expected,
        "found": file.found,
    }
