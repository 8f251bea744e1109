"""What a signature or bill of materials says, held against the files that are here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aibom.domain.attestation import Subject
from aibom.domain.check import Outcome
from aibom.domain.errors import UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.limits import BOM_BYTES
from aibom.domain.signing import Bundle, Judged, Manifest, Resource
from aibom.domain.verification import FileState, FileVerdict
from aibom.fingerprint.resources import Range
from aibom.trust.bom import compare_with_bom, is_same
from aibom.trust.model import GIT_PATHS, compare, is_ignored, unreadable
from aibom.workflows.digesting import WHOLE, Found, Place
from aibom.workflows.documents import Document, kind_of

DIFFERS = "it is not the document that was signed, which counts: restore it, or sign it anew"


@dataclass(slots=True)
class Claim:
    """One document, what it says, and what has to be read to hold it against the bytes."""

    document: Document
    bundle: Bundle | None = None  # None for a bill of materials
    judged: Judged | None = None  # None for a bill of materials, and until the signed file is read
    manifest: Manifest | None = None
    listed: dict[str, str] | None = None  # SHA-256 by path, of a bill of materials
    signed: bytes | None = None  # the bill of materials itself
    subjects: tuple[Subject, ...] = ()  # of an attestation
    beside: tuple[FileVerdict, ...] = ()  # on the bill of materials that lies beside a signed one
    artifact: str | None = None  # path of the file that a message signature is about
    failed: UnreadableError | None = None

    @property
    def holds(self) -> bool:
        """Whether somebody that is expected signed it."""
        verified = self.judged is not None and self.judged.outcome is Outcome.VERIFIED
        return verified and self.failed is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What the claims are held against."""

    place: Place
    alone: str | None  # the path, when the target is one file
    left_out: tuple[str, ...]  # documents that vouch for others
    claims: tuple[Claim, ...]
    found: Found = field(default_factory=dict)


def local(manifest: Manifest, document: Document, here: Here) -> Manifest:
    """The manifest with the names that its files have here.

    A model of one file is known by its bytes: it may have another name here. Of a larger model the
    target may be one file, which is then held against its own name.
    """
    names = {each.name for each in manifest.resources}
    own = [path for path in here.place.entries if path not in here.left_out]
    if len(own) == 1 and names in ({manifest.name}, {"."}):
        return replace(manifest, resources=tuple(replace(each, name=own[0]) for each in manifest.resources))
    if here.alone is None:
        return manifest
    kept = (each for each in manifest.resources if each.name == document.target)
    return replace(manifest, resources=tuple(replace(each, name=here.alone) for each in kept))


def range_of(resource: Resource) -> Range:
    return Range(resource.algorithm, resource.start or 0, resource.end)


def verdicts(claim: Claim, here: Here) -> tuple[FileVerdict, ...]:
    if claim.manifest is not None:
        return _against_manifest(local(claim.manifest, claim.document, here), here)
    if claim.artifact is not None:
        return (FileVerdict(path=claim.artifact, state=FileState.VERIFIED),)
    verdicts = {each.path: each for each in _against_bom(claim, here)}
    verdicts |= {each.path: each for each in _against_subjects(claim, here)}
    verdicts |= {each.path: each for each in claim.beside}
    return tuple(verdicts[path] for path in sorted(verdicts))


def _against_manifest(manifest: Manifest, here: Here) -> tuple[FileVerdict, ...]:
    digests = {
        (each.name, each.start, each.end): here.found.get((each.name, range_of(each)))
        for each in manifest.resources
    }
    return compare(manifest, digests, here.place.sizes, here.left_out, here.place.gaps)


def _against_bom(claim: Claim, here: Here) -> tuple[FileVerdict, ...]:
    listed, place = claim.listed, here.place
    if listed is None:
        return ()
    found: dict[str, str | Gap] = {path: here.found.get((path, WHOLE)) or "" for path in place.entries}
    found |= {gap.path: gap for gap in place.gaps}
    if here.alone is None:
        return compare_with_bom(listed, found, here.left_out)
    value = found[here.alone]
    known = str(value) if value in listed.values() else listed.get(claim.document.target)
    return compare_with_bom({} if known is None else {here.alone: known}, found)


def _against_subjects(claim: Claim, here: Here) -> tuple[FileVerdict, ...]:
    """Subjects are known by their digest; the name in the statement is for people."""
    paths: dict[object, list[str]] = {}
    for (path, part), value in here.found.items():
        if part == WHOLE:
            paths.setdefault(value, []).append(path)
    stated = {subject.sha256(): subject.name for subject in claim.subjects}
    verdicts = [
        FileVerdict(path=path, state=FileState.VERIFIED)
        for digest in stated
        for path in paths.get(digest, ())
    ]
    listed = set((claim.listed or {}).values())  # which are compared by their path
    away = {name for digest, name in stated.items() if digest not in paths and digest not in listed}
    if here.alone is not None:
        away = set() if verdicts or claim.listed else {here.alone}
    return (*verdicts, *(_without(name, here) for name in sorted(away)))


def _without(name: str, here: Here) -> FileVerdict:
    value = here.found.get((name, WHOLE))
    if isinstance(value, Gap):
        return unreadable(name, value)
    state = FileState.MISSING if name not in here.place.entries else FileState.CHANGED
    return FileVerdict(path=name, state=state, detail="no file here has the digest that was attested")


def against_document(document: Document, signed: bytes, here: Here) -> tuple[FileVerdict, ...]:
    """The bill of materials beside a signed one: that which it is named after, else any of them."""
    boms = [each.document for each in here.claims if each.document.kind == "bom"]
    named = here.alone or document.about
    if named is not None and named in here.place.entries and named.endswith(".json"):
        boms = [each for each in boms if each.inside == named] or [_as_bom(named, here.place)]
    elif here.alone is not None:
        return ()  # the target is no document
    same = [each for each in boms if is_same(each.data, signed)]
    if same:
        return tuple(FileVerdict(path=_path(each), state=FileState.VERIFIED) for each in same)
    differing = [each for each in boms if here.alone is None or kind_of(here.alone) == "bom"]
    return tuple(FileVerdict(path=_path(each), state=FileState.CHANGED, detail=DIFFERS) for each in differing)


def _as_bom(path: str, place: Place) -> Document:
    try:
        return Document(kind="bom", name=path, data=place.document(path, BOM_BYTES), inside=path)
    except UnreadableError as error:
        return Document(kind="bom", name=path, inside=path, failed=error)


def _path(document: Document) -> str:
    return document.inside or document.name


def uncovered(here: Here, verdicts: Iterable[FileVerdict]) -> tuple[FileVerdict, ...]:
    vouched = {verdict.path for verdict in verdicts if verdict.state is FileState.VERIFIED}
    loose = sorted(here.place.entries.keys() - vouched - set(here.left_out))
    found = [
        FileVerdict(path=path, state=FileState.EXTRA, detail="nobody signed it")
        for path in loose
        if not is_ignored(path, GIT_PATHS)
    ]
    return (*found, *(unreadable(gap.path, gap) for gap in here.place.gaps if gap.path not in here.left_out))
