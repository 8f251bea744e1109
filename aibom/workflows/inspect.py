"""`aibom inspect`: what a signature says about itself. Nothing of it is verified."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from aibom.domain.attestation import Predicate, Subject
from aibom.domain.errors import UnreadableError
from aibom.domain.signing import Bundle, Envelope, Material
from aibom.trust.attestations import read_attestation
from aibom.trust.bundle import read_bundle
from aibom.trust.description import described
from aibom.trust.oms import OLD_PREDICATE, PREDICATE, read_manifest
from aibom.workflows.documents import read_document

Line = tuple[str, str]
_SUBJECTS_TOLD = 20


def inspect(path: Path) -> list[Line]:
    """Pairs of a name and a text. Raises `UnreadableError` when it is no sigstore bundle."""
    data = read_document(path, "signature", os.fspath(path)).data
    bundle = read_bundle(data)
    lines = [("bundle", bundle.media_type), ("signed with", _material(bundle))]
    lines += [("certificate", text) for text in described(bundle.certificates)]
    for entry in bundle.log_entries:
        proof = "with" if entry.has_proof else "without"
        at = f", integrated at {entry.integrated_time}" if entry.integrated_time is not None else ""
        lines.append(("log entry", f"{entry.kind} {entry.version}, {proof} inclusion proof{at}"))
    if bundle.timestamp_count:
        lines.append(("RFC 3161 timestamps", str(bundle.timestamp_count)))
    if bundle.message is not None:
        digest = bundle.message.digest
        lines.append(("signs a file", f"sha256:{digest.hex()}" if digest else "of which it states no digest"))
    if bundle.envelope is not None:
        lines += _payload(bundle.envelope)
    return lines


def _material(bundle: Bundle) -> str:
    if bundle.material is Material.KEY:
        return f"a bare key, hint {bundle.key_hint}" if bundle.key_hint else "a bare key"
    return "a certificate" if bundle.material is Material.CERTIFICATE else "a certificate of Fulcio (keyless)"


def _payload(envelope: Envelope) -> Iterator[Line]:
    yield "payload", f"{envelope.payload_type}, sha256:{hashlib.sha256(envelope.payload).hexdigest()}"
    try:
        attestation = read_attestation(envelope.payload)
        yield "statement", attestation.statement_type
        yield "predicate", attestation.predicate_type
        if attestation.predicate_type in (PREDICATE, OLD_PREDICATE):
            yield from _manifest(envelope.payload)
            return
        for subject in attestation.subjects[:_SUBJECTS_TOLD]:
            yield (
                "subject",
                f"{subject.name} {' '.join(f'{name}:{value}' for name, value in subject.digests)}",
            )
        if len(attestation.subjects) > _SUBJECTS_TOLD:
            yield "subject", f"... and {len(attestation.subjects) - _SUBJECTS_TOLD:,} more"
        if attestation.facts is not None:
            yield from _facts(attestation.facts)
    except UnreadableError as error:
        yield "not read", str(error)


def _facts(facts: Predicate) -> Iterator[Line]:
    """What a known predicate says, by the names of its fields; lists are cut."""
    for field in fields(facts):
        value = getattr(facts, field.name)
        name = field.name.replace("_", " ")
        if not isinstance(value, tuple):
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            yield from [(name, text)] if text else []
            continue
        yield from ((name, _told(each)) for each in value[:_SUBJECTS_TOLD])
        if len(value) > _SUBJECTS_TOLD:
            yield name, f"... and {len(value) - _SUBJECTS_TOLD:,} more"


def _told(value: object) -> str:
    if isinstance(value, Subject):
        return " ".join((value.name, *map(_told, value.digests)))
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _manifest(payload: bytes) -> Iterator[Line]:
    manifest = read_manifest(payload)
    names = {resource.name for resource in manifest.resources}
    yield "model", f"{manifest.name}, {len(names):,} files, {manifest.hash_type} by {manifest.method}"
    for path in manifest.ignore_paths[:_SUBJECTS_TOLD]:
        yield "not covered", path
    if len(manifest.ignore_paths) > _SUBJECTS_TOLD:
        yield "not covered", f"... and {len(manifest.ignore_paths) - _SUBJECTS_TOLD:,} more"
