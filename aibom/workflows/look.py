"""One open and one pass over one entry: identify, read the header, digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.evidence import Evidence
from aibom.domain.facts import Defect, Facts, FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import PROBE_BYTES, WHOLE_FILE_BYTES
from aibom.domain.protocols import ByteReader, Format, Match, Probe, Source
from aibom.domain.reference import Reference, Referred
from aibom.fingerprint.cache import CachedFingerprint
from aibom.fingerprint.one_pass import COMPUTABLE, Fingerprint, fingerprint
from aibom.formats import by_name, identify, named_like, remote_code
from aibom.formats.inside import examine
from aibom.readers.ranges import Budgeted, Memory
from aibom.workflows.described import Described, Description, key_of
from aibom.workflows.inside import with_inside
from aibom.workflows.references import Surroundings

_T = TypeVar("_T")
_PASSING = (Reason.IO_ERROR, Reason.CHANGED, Reason.VANISHED, Reason.DENIED, Reason.MISSING)
_WALKED = (Reason.UNRECOGNISED, Reason.NOT_READ, Reason.UNSUPPORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one entry: a file, gaps, or both; and what the cache should remember."""

    entry: Entry
    file: File | None = None
    gaps: tuple[Gap, ...] = ()
    references: tuple[Reference, ...] = ()
    referred: Referred | None = None  # what the cache should remember of it
    learnt: CachedFingerprint | None = None
    evidence: Evidence | None = None  # the sidecar that was written


# Writes the sidecar of a weights file. Raises `UnreadableError`.
Keep = Callable[[Entry, Facts, Fingerprint], Evidence]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What every look of one scan shares."""

    source: Source
    surroundings: Surroundings | None = None  # None: nobody asks what the files refer to
    known: dict[str, Referred] = field(default_factory=dict)  # by path: what an earlier run found, still true
    companion: Executor | None = None
    advanced: Callable[[int], object] = abs
    elsewhere: dict[str, Facts] | None = None  # facts that another file states about this one
    stated: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by path: algorithms to compute
    code: frozenset[str] = frozenset()  # paths of the Python files that configurations name
    described: Described | None = None  # headers that were read already
    keep: Keep | None = None  # None: no sidecars

    def look(self, entry: Entry, cached: CachedFingerprint | None) -> Looked:
        """Never raises: whatever goes wrong is a gap."""
        if entry.path in self.code:
            # Whether the file is looked at as code depends on another file, so it is looked at each time.
            cached = None
        if cached is not None and not self._algorithms(entry) <= {d.algorithm for d in cached.digests}:
            cached = None
        if cached is not None and not cached.format and self._is_told(entry):
            self.advanced(entry.size)
            file = File(entry=entry, digests=(*entry.claimed, *cached.digests))
            return replace(self._told(entry), file=file)
        if entry.header_only and self.described is not None and entry.path not in (self.elsewhere or {}):
            return self._describe(entry, self.described)
        return self._open(entry, cached)

    def _open(self, entry: Entry, cached: CachedFingerprint | None) -> Looked:
        stage = Stage.OPEN
        try:
            with self.source.open(entry) as reader:
                stage = Stage.DIGEST
                return self._read(entry, reader, cached)
        except UnreadableError as error:
            return Looked(entry=entry, gaps=(Gap.of(entry.path, stage, error),))

    def _describe(self, entry: Entry, described: Described) -> Looked:
        """A look at the header alone, or what an earlier one of the same bytes found."""
        key = key_of(entry, self.source.target)
        known = described.get(key)
        if known is not None:
            self.advanced(entry.size)
            known = known.at(entry)
            return Looked(entry=entry, file=known.file, gaps=known.gaps)
        looked = self._open(entry, None)
        lost = any(gap.reason in _PASSING for gap in looked.gaps)
        if looked.file is not None and not looked.references and not lost:
            described.put(key, Description(file=looked.file, gaps=looked.gaps))
        return looked

    def _algorithms(self, entry: Entry) -> frozenset[str]:
        claimed = {d.algorithm for d in entry.claimed if d.algorithm in COMPUTABLE}
        return frozenset({"sha256", *claimed, *self.stated.get(entry.path, ())})

    def refer(self, entry: Entry) -> Looked:
        """What the file refers to and nothing else: no digest, no header. Never raises."""
        self.advanced(entry.size)
        if entry.path in self.known:
            return self._told(entry)
        try:
            with self.source.open(entry) as reader:
                return self._references(entry, reader)
        except UnreadableError as error:
            return Looked(entry=entry, gaps=(Gap.of(entry.path, Stage.OPEN, error),))

    def _is_told(self, entry: Entry) -> bool:
        """True when no other file speaks of this one, and it is known what this one refers to."""
        unspoken = entry.path not in (self.elsewhere or {})
        return unspoken and (self.surroundings is None or entry.path in self.known)

    def _told(self, entry: Entry) -> Looked:
        """The references that an earlier run found."""
        return _referring(entry, self.known.get(entry.path, Referred()))

    def _read(self, entry: Entry, opened: ByteReader, cached: CachedFingerprint | None) -> Looked:
        reader = Memory(opened.read_at(0, opened.size)) if opened.size <= WHOLE_FILE_BYTES else opened
        head = reader.read_at(0, min(PROBE_BYTES, reader.size))
        probe = Probe(name=entry.path.rpartition("/")[2], head=head, reader=Budgeted(reader))
        named = entry.path in self.code
        found, match = (remote_code.FORMAT, Match.NAME) if named else _recognised(probe, cached)
        facts, gaps = self._facts(entry, probe, reader, found)
        if facts is not None and facts.kind is FileKind.POINTER and not facts.unread:
            return _pointer(entry, facts)
        keeping = facts if self.keep and not entry.header_only and _has_tensors(facts) else None
        done = self._digest(entry, reader, facts, None if keeping else cached, evidence=bool(keeping))
        kept = self._kept(entry, keeping, done) if keeping else None
        if isinstance(kept, Gap):
            gaps, kept = (*gaps, kept), None
        gaps += tuple(_defect(entry, Stage.DIGEST, defect) for defect in done.defects)
        told = self._references(entry, reader)
        file = File(
            entry=entry,
            digests=(*entry.claimed, *done.digests),
            facts=facts,
            tensor_digests=done.tensor_digests,
            unindexed=done.unindexed,
            promised=_promised(probe, found) if match is Match.CONTENT else None,
        )
        learnt = None if named else _learnt(found, match, gaps, done, facts)
        return replace(told, file=file, gaps=(*gaps, *told.gaps), learnt=learnt, evidence=kept)

    def _kept(self, entry: Entry, facts: Facts, done: Fingerprint) -> Evidence | Gap:
        assert self.keep is not None
        try:
            return self.keep(entry, facts, done)
        except UnreadableError as error:
            return Gap.of(entry.path, Stage.DIGEST, error)

    def _references(self, entry: Entry, reader: ByteReader) -> Looked:
        around = self.surroundings
        if around is None or entry.path in self.known:
            return self._told(entry)
        told = _safely(entry, "reference", lambda: around.references(entry, reader), Stage.DISCOVER)
        if isinstance(told, Gap):
            return Looked(entry=entry, gaps=(told,))
        kept = told if around.keeps(entry, told) else None
        return replace(_referring(entry, told), referred=kept)

    def _facts(
        self, entry: Entry, probe: Probe, reader: ByteReader, found: Format | None
    ) -> tuple[Facts | None, tuple[Gap, ...]]:
        told = (self.elsewhere or {}).get(entry.path)
        if told is not None:
            return told, ()
        facts, gaps = _header(entry, probe, found)
        # With a budget of its own: a large header must not leave the content unseen.
        whole = replace(probe, reader=Budgeted(reader))
        inside = _safely(entry, "content", lambda: examine(whole, facts))
        if isinstance(inside, Gap):
            return facts, (*gaps, inside)
        if inside is None:
            return facts, gaps
        if inside.container:
            # Its format may not be read, or be none at all: what it holds was looked at.
            walked = _WALKED if facts is None or facts.unread else ()
            gaps = tuple(gap for gap in gaps if gap.reason not in walked)
        more = (_defect(entry, Stage.READ, defect) for defect in inside.defects)
        return with_inside(facts, inside), tuple(dict.fromkeys((*gaps, *more)))

    def _digest(
        self,
        entry: Entry,
        reader: ByteReader,
        facts: Facts | None,
        cached: CachedFingerprint | None,
        *,
        evidence: bool,
    ) -> Fingerprint:
        if entry.header_only:
            # What a server claims is not computed; whoever wants that asks for all bytes.
            return Fingerprint(digests=())
        if cached is not None and len(cached.tensor_digests) == (len(facts.tensors) if facts else 0):
            self.advanced(entry.size)
            return Fingerprint(
                digests=cached.digests, tensor_digests=cached.tensor_digests, unindexed=cached.unindexed
            )
        return fingerprint(
            reader,
            facts,
            algorithms=sorted(self._algorithms(entry)),
            leaves=evidence,
            header=evidence,
            companion=self.companion,
            advanced=self.advanced,
        )


def _has_tensors(facts: Facts | None) -> bool:
    return facts is not None and facts.kind is FileKind.WEIGHTS and bool(facts.tensors)


def _referring(entry: Entry, told: Referred) -> Looked:
    gaps = tuple(_defect(entry, Stage.DISCOVER, defect) for defect in told.defects)
    return Looked(entry=entry, gaps=gaps, references=told.references)


def _recognised(probe: Probe, cached: CachedFingerprint | None) -> tuple[Format | None, Match]:
    """The same bytes are of the same format as the last time."""
    if cached is not None and cached.format:
        return by_name(cached.format), Match.CONTENT if cached.certain else Match.NAME
    return identify(probe)


def _header(entry: Entry, probe: Probe, found: Format | None) -> tuple[Facts | None, tuple[Gap, ...]]:
    """What the reader of the format says, and what it could not."""
    if found is None:
        return None, _unrecognised(entry, probe)
    if found.read is None:
        message = f"{found.title} is recognised, its content is not read by this version"
        gap = Gap(path=entry.path, stage=Stage.READ, reason=Reason.NOT_READ, detail=message)
        return _unread(found), (gap,)
    facts = _safely(entry, found.name, partial(found.read, probe))
    if isinstance(facts, Gap):
        return _unread(found), (facts,)
    gaps = tuple(_defect(entry, Stage.READ, defect) for defect in facts.defects)
    # What was not read may do whatever the format allows.
    able = facts.capabilities | found.capabilities if gaps else facts.capabilities
    return replace(facts, capabilities=able), gaps


def _defect(entry: Entry, stage: Stage, defect: Defect) -> Gap:
    return Gap(
        path=entry.path, stage=stage, reason=defect.reason, detail=defect.message, offset=defect.offset
    )


def _safely(entry: Entry, reader: str, read: Callable[[], _T], stage: Stage = Stage.READ) -> _T | Gap:
    """What a reader returns, or the gap that its failure leaves."""
    try:
        return read()
    except UnreadableError as error:
        return Gap.of(entry.path, stage, error)
    except Exception as error:  # noqa: BLE001 - the plugin boundary: a crash must stay a gap
        detail = f"the {reader} reader failed: {type(error).__name__}: {error}"[:500]
        return Gap(path=entry.path, stage=stage, reason=Reason.INTERNAL, detail=detail)


def _unread(found: Format) -> Facts:
    return Facts(format=found.name, kind=found.kind, capabilities=found.capabilities, unread=True)


def _learnt(
    found: Format | None, match: Match, gaps: tuple[Gap, ...], done: Fingerprint, facts: Facts | None
) -> CachedFingerprint | None:
    """What to remember: nothing that came with a defect, which a later run must tell again."""
    # A file of no known format is not opened again: what else was found in it would be lost.
    if done.defects or not done.digests or (found is None and (gaps or facts is not None)):
        return None
    return CachedFingerprint(
        format=found.name if found else "",
        certain=match is Match.CONTENT,
        digests=done.digests,
        tensor_digests=done.tensor_digests,
        unindexed=done.unindexed,
    )


def _pointer(entry: Entry, facts: Facts) -> Looked:
    """A Git LFS pointer: its digest is a claim about content that is not here."""
    stated = dict(facts.metadata)
    # With extensions `oid` is that of the stored bytes; the first extension saw the content itself.
    first = next((key for key in sorted(stated) if key.startswith("ext-")), "oid")
    claim = Digest(algorithm="sha256", value=stated[first].removeprefix("sha256:"), grade=Grade.CLAIMED)
    detail = f"a Git LFS pointer to {stated['size']} bytes stands here; fetch them with `git lfs pull`"
    gap = Gap(path=entry.path, stage=Stage.READ, reason=Reason.LFS_POINTER, detail=detail)
    file = File(entry=replace(entry, claimed=()), digests=(*entry.claimed, claim), facts=facts)
    return Looked(entry=entry, file=file, gaps=(gap,))


def _promised(probe: Probe, found: Format | None) -> str | None:
    """The format that the name promises, when the content is another one."""
    promised = named_like(probe.name)
    if not promised or found is None or found in promised:
        return None
    return promised[0].name


def _unrecognised(entry: Entry, probe: Probe) -> tuple[Gap, ...]:
    """A file named like weights or data whose content is of no known format is a gap."""
    promised = named_like(probe.name)
    if not promised or probe.size == 0:
        return ()
    detail = f"named like {promised[0].title}, the content is of no known format"
    return (Gap(path=entry.path, stage=Stage.IDENTIFY, reason=Reason.UNRECOGNISED, detail=detail),)
