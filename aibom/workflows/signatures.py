"""Signatures that lie in a scanned place, held against the digests that the scan computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aibom.domain.attestation import BillOfMaterials, Provenance, VerificationSummary
from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.component import Component, ComponentKind
from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.protocols import Source
from aibom.domain.signing import Bundle, Expected, Judged, Manifest, Method
from aibom.domain.verification import FileState, FileVerdict
from aibom.policy.glob import Glob
from aibom.trust.attestations import read_attestation
from aibom.trust.bom import read_digests
from aibom.trust.bundle import BUNDLE_BYTES, read_bundle
from aibom.trust.model import Place, compare, outcome_of, place_of
from aibom.trust.oms import OLD_PREDICATE, PREDICATE, read_manifest
from aibom.trust.trust_root import TrustRoot
from aibom.trust.verification import judge_signature
from aibom.workflows.documents import about, is_stranger, kind_of

_SIGNED = (ComponentKind.MODEL, ComponentKind.ADAPTER, ComponentKind.DATASET)
_OPEN = (Outcome.UNSUPPORTED, Outcome.COULD_NOT_CHECK)
_NOBODY = "it is signed, and it was not said whose signature is expected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """What the signatures of a scan are held against."""

    files: Mapping[str, File]  # by path, with the prefix of their target
    components: tuple[Component, ...]
    expected: Expected | None  # None: signatures are told, and none is verified
    gaps: tuple[Gap, ...] = ()  # what is here and could not be looked at
    root: TrustRoot | None = None
    unsigned: tuple[Glob, ...] = ()  # paths, from the folder of the signature, that need no signature

    def checks(self, places: Sequence[tuple[str, Source]]) -> tuple[Check, ...]:
        """One check for every signature and for each component that it is about, by subject.

        When somebody is expected, a model is `unsigned` that no signature covers, or only such that could
        not be judged: whoever adds one of those must not talk a model out of having to be signed.
        """
        found = [check for prefix, source in places for check in self._of_place(prefix, source)]
        if self.expected is not None:
            decided = {check.subject for check in found if check.outcome not in _OPEN}
            found += [
                Check(subject=each.id, kind=CheckKind.SIGNATURE, outcome=Outcome.UNSIGNED, identity="",
                      detail="no verified signature covers it: get a signed one, or `aibom sign` it")
                for each in self.components
                if each.kind in _SIGNED and each.id not in decided
            ]  # fmt: skip
        return tuple(sorted(found, key=lambda check: (check.subject, check.source)))

    def _of_place(self, prefix: str, source: Source) -> Iterator[Check]:
        for path in self.files:
            if path.startswith(prefix) and kind_of(path.rpartition("/")[2]) == "signature":
                yield from self._of_signature(path, prefix, source)

    def _of_signature(self, path: str, prefix: str, source: Source) -> Iterator[Check]:
        try:
            data = _document(self.files[path], prefix, source)
            if is_stranger(path, data):
                return
            judged, subjects = self._judged(path, read_bundle(data))
            yield from _attested(path, judged, subjects)
        except UnreadableError as error:
            judged = Judged(outcome=_outcome_of(error), detail=str(error))
            subjects = ()
        signer = judged.signer
        for subject in (path, *subjects):
            yield Check(
                subject=subject,
                kind=CheckKind.SIGNATURE,
                outcome=judged.outcome,
                identity=signer.identity if signer else "",
                detail=judged.detail,
                source=path,
                issuer=signer.issuer if signer else "",
                signed_at=signer.signed_at if signer else None,
            )

    def _judged(self, path: str, bundle: Bundle) -> tuple[Judged, tuple[str, ...]]:
        """The verdict, the files included, and the ids of the components that it is about."""
        folder = path.rpartition("/")[0]
        named = self._of_file(about(path)) if bundle.message else self._below(folder)
        if self.expected is None:
            return Judged(outcome=Outcome.COULD_NOT_CHECK, detail=_NOBODY), named
        judged = judge_signature(bundle, self._artifact(path, bundle), self.expected, self.root)
        if judged.payload is None:
            return judged, named
        if read_attestation(judged.payload).predicate_type not in (PREDICATE, OLD_PREDICATE):
            return judged, self._named_by(judged.payload)
        verdicts = self._compared(read_manifest(judged.payload), folder)
        outcome, detail = outcome_of(verdicts)
        if outcome is Outcome.VERIFIED:
            named = self._signed(named, verdicts, folder)
        return Judged(outcome=outcome, detail=detail, signer=judged.signer), named

    def _signed(
        self, ids: tuple[str, ...], verdicts: tuple[FileVerdict, ...], folder: str
    ) -> tuple[str, ...]:
        """Those without the components of which the signer left something out."""
        start = f"{folder}/" if folder else ""
        signed = {start + each.path for each in verdicts if each.state is FileState.VERIFIED}
        return tuple(
            each.id
            for each in self.components
            if each.id in ids and all(path in signed or self._is_free(path, start) for path in each.files)
        )

    def _is_free(self, path: str, start: str) -> bool:
        inside = path.removeprefix(start)
        return kind_of(_last(path)) is not None or any(glob.matches(inside) for glob in self.unsigned)

    def _artifact(self, path: str, bundle: Bundle) -> bytes | None:
        if bundle.message is None:
            return None
        file = self.files.get(about(path))
        if file is None or file.sha256 is None:
            raise UnreadableError(Reason.MISSING, "the file that it signs is not here")
        return bytes.fromhex(file.sha256)

    def _compared(self, manifest: Manifest, folder: str) -> tuple[FileVerdict, ...]:
        if manifest.method is not Method.FILES or manifest.hash_type != "sha256":
            how = f"signed as {manifest.method} by {manifest.hash_type}"
            raise UnreadableError(Reason.UNSUPPORTED, f"{how}; `aibom verify` reads the files for that")
        start = f"{folder}/" if folder else ""
        here = {name.removeprefix(start): file for name, file in self.files.items() if name.startswith(start)}
        digests: dict[Place, str | None] = {}
        for resource in manifest.resources:
            file = here.get(resource.name)
            digests[place_of(resource)] = file.sha256 if file else None
        left_out = [name for name in here if "/" not in name and kind_of(name) is not None]
        sizes = {name: file.entry.size for name, file in here.items()}
        # A gap of a file that was digested is about what is in it, and no matter of the signature.
        gaps = [
            replace(gap, path=gap.path.removeprefix(start))
            for gap in self.gaps
            if gap.path not in self.files and gap.path.startswith(start)
        ]
        return compare(manifest, digests, sizes, left_out, gaps)

    def _below(self, folder: str) -> tuple[str, ...]:
        start = f"{folder}/" if folder else ""
        return tuple(
            each.id
            for each in self.components
            if each.kind in _SIGNED and each.files and all(path.startswith(start) for path in each.files)
        )

    def _of_file(self, path: str) -> tuple[str, ...]:
        return tuple(each.id for each in self.components if each.files == (path,))

    def _named_by(self, payload: bytes) -> tuple[str, ...]:
        """The components whose files the statement knows.

        A signed bill of materials speaks of every file, by name and digest; other statements of weights.
        """
        attestation = read_attestation(payload)
        if isinstance(attestation.facts, BillOfMaterials) and attestation.facts.format == "CycloneDX":
            listed = {(_last(name), value) for name, value in read_digests(attestation.predicate).items()}
            return tuple(each.id for each in self.components if self._listed(each, listed))
        if isinstance(attestation.facts, VerificationSummary) and not attestation.facts.passed:
            return ()  # somebody signed that it failed, and vouches for nothing
        known = {subject.sha256() for subject in attestation.subjects}
        return tuple(each.id for each in self.components if self._named(each, known))

    def _listed(self, component: Component, listed: set[tuple[str, str]]) -> bool:
        files = [self.files.get(path) for path in component.files if kind_of(_last(path)) is None]
        return bool(files) and all(
            file is not None and (_last(file.path), file.sha256) in listed for file in files
        )

    def _named(self, component: Component, known: set[str | None]) -> bool:
        files = [self.files[path] for path in component.files if path in self.files]
        weights = [file for file in files if file.facts is not None and file.facts.kind is FileKind.WEIGHTS]
        return bool(weights) and all(file.sha256 is not None and file.sha256 in known for file in weights)


def _attested(path: str, judged: Judged, subjects: tuple[str, ...]) -> Iterator[Check]:
    """What a verified statement of another kind than a model signature attests about each component."""
    if judged.payload is None or not subjects:
        return
    attestation = read_attestation(judged.payload)
    facts = attestation.facts
    # A level is what somebody states who looked at the build; provenance alone has none.
    levels = facts.levels if isinstance(facts, VerificationSummary) else ()
    builder = facts.builder if isinstance(facts, Provenance) else ""
    signer = judged.signer
    for subject in subjects:
        yield Check(
            subject=subject,
            kind=CheckKind.PROVENANCE,
            outcome=judged.outcome,
            identity=builder or (signer.identity if signer else ""),
            detail=" ".join(levels),
            found=attestation.predicate_type,
            source=path,
            issuer=signer.issuer if signer else "",
            signed_at=signer.signed_at if signer else None,
        )


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _document(file: File, prefix: str, source: Source) -> bytes:
    if file.entry.size > BUNDLE_BYTES:
        raise over_limit(f"{file.entry.size:,} bytes, at most {BUNDLE_BYTES:,} are read of a signature")
    with source.open(replace(file.entry, path=file.path.removeprefix(prefix))) as reader:
        return reader.read_at(0, reader.size)


def _outcome_of(error: UnreadableError) -> Outcome:
    return Outcome.UNSUPPORTED if error.reason is Reason.UNSUPPORTED else Outcome.COULD_NOT_CHECK
