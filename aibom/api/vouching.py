"""Signatures of a model, judged before any of its files is opened, and the bytes that they name."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from aibom.domain.attestation import BillOfMaterials
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import Expected, Judged, Manifest, Resource
from aibom.domain.verification import FileVerdict, Statement
from aibom.sources import resolve
from aibom.sources.opening import Opening
from aibom.trust.attestations import read_attestation
from aibom.trust.bom import read_digests
from aibom.trust.bundle import read_bundle
from aibom.trust.oms import OLD_PREDICATE, PREDICATE, read_manifest
from aibom.trust.trust_root import TrustRoot
from aibom.trust.verification import judge_signature
from aibom.workflows.digesting import WHOLE, Place
from aibom.workflows.documents import Document, found_beside, found_in, read_document
from aibom.workflows.progress import Silent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voucher:
    """A signature, the verdict on it, and what it names: nothing when it is not verified."""

    name: str  # of the document
    judged: Judged
    resources: tuple[Resource, ...] = ()

    def about(self, name: str) -> tuple[Resource, ...]:
        """What it says about one file: nothing, its digest, or those of its shards."""
        return tuple(each for each in self.resources if each.name == name)

    def statement(self, outcome: Outcome, detail: str, *files: FileVerdict) -> Statement:
        """The same for a `Verification`, with what the files have to do with it."""
        signer = self.judged.signer
        check = Check(
            subject=self.name,
            kind=CheckKind.SIGNATURE,
            outcome=outcome,
            identity=signer.identity if signer else "",
            detail=detail,
        )
        return Statement(name=self.name, check=check, signer=signer, files=files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model folder or file, and the signatures that are held against it."""

    place: Place
    alone: str | None  # the path, when it is one file
    documents: tuple[Document, ...]

    @classmethod
    def at(cls, path: Path, signature: Path | None) -> Target:
        """With the signature that is named, else all that lie in the folder or beside the file.

        Raises `UnreadableError` when the target or the named signature cannot be read.
        """
        place = Place.of(resolve(os.fspath(path), Opening(surroundings=False)))
        single = path.is_file()
        if signature is not None:
            found = [read_document(signature, "signature", os.fspath(path))]
        else:
            found = found_beside(path) if single else found_in(place)
        return cls(
            place=place,
            alone=next(iter(place.entries), None) if single else None,
            documents=tuple(each for each in found if each.kind == "signature"),
        )

    def vouchers(self, expected: Expected, root: TrustRoot | None) -> tuple[Voucher, ...]:
        """The verdict on each signature.

        A file of the model is read only where the bytes of that file alone are signed.
        """
        return tuple(self._vouch(document, expected, root) for document in self.documents)

    def _vouch(self, document: Document, expected: Expected, root: TrustRoot | None) -> Voucher:
        try:
            if document.failed is not None:
                raise document.failed
            bundle = read_bundle(document.data)
            signed = self._signed_file(document) if bundle.message is not None else None
            judged = judge_signature(bundle, bytes.fromhex(signed.digest) if signed else None, expected, root)
            resources: tuple[Resource, ...] = ()
            if judged.payload is not None:
                resources = self._named(judged.payload, document)
            elif signed is not None and judged.outcome is Outcome.VERIFIED:
                resources = (signed,)
            return Voucher(name=document.name, judged=judged, resources=resources)
        except UnreadableError as error:
            unsupported = error.reason is Reason.UNSUPPORTED
            outcome = Outcome.UNSUPPORTED if unsupported else Outcome.COULD_NOT_CHECK
            return Voucher(name=document.name, judged=Judged(outcome=outcome, detail=str(error)))

    def _signed_file(self, document: Document) -> Resource:
        """What a signature over the bytes of one file is about: the file as it is now."""
        path = self.alone or document.about
        if path is None or path not in self.place.entries:
            raise UnreadableError(Reason.MISSING, "the file that it signs is not here: name it as the target")
        value = self.place.digest({path: [WHOLE]}, 1, Silent())[path, WHOLE]
        if not isinstance(value, str):
            raise UnreadableError(Reason.IO_ERROR, "the file that it signs cannot be read")
        return Resource(name=path, algorithm="sha256", digest=value)

    def _named(self, payload: bytes, document: Document) -> tuple[Resource, ...]:
        """What a verified payload vouches for, by the names that the files have here."""
        manifest = _manifest(payload)
        names = {each.name for each in manifest.resources}
        signatures = {each.inside for each in self.documents}
        own = [path for path in self.place.entries if path not in signatures]
        if len(own) == 1 and names in ({manifest.name}, {"."}):
            # A model of one file is known by its bytes: it may have another name here.
            return tuple(replace(each, name=own[0]) for each in manifest.resources)
        if self.alone is None:
            return manifest.resources
        kept = (each for each in manifest.resources if each.name == document.target)
        return tuple(replace(each, name=self.alone) for each in kept)


def _manifest(payload: bytes) -> Manifest:
    """The files that a payload vouches for by name.

    Provenance, test results and verdicts say something about files, and not that these are the ones to
    load: they vouch for none.
    """
    attestation = read_attestation(payload)
    if attestation.predicate_type in (PREDICATE, OLD_PREDICATE):
        return read_manifest(payload)
    facts = attestation.facts
    listed: dict[str, str] = {}
    if isinstance(facts, BillOfMaterials) and facts.format == "CycloneDX":
        listed = read_digests(attestation.predicate)
    resources = (
        Resource(name=path, algorithm="sha256", digest=value) for path, value in sorted(listed.items())
    )
    return Manifest(name="", resources=tuple(resources))
