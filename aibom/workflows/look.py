"""One open and one pass over one entry: identify, read the header, digest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import PROBE_BYTES, WHOLE_FILE_BYTES
from aibom.domain.protocols import ByteReader, Format, Match, Probe, Source
from aibom.fingerprint.cache import CachedFingerprint
from aibom.fingerprint.one_pass import Fingerprint, fingerprint
from aibom.formats import by_name, identify, named_like
from aibom.readers.ranges import Budgeted, Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of one entry: a file, gaps, or both; and what the cache should remember."""

    entry: Entry
    file: File | None = None
    gaps: tuple[Gap, ...] = ()
    learnt: CachedFingerprint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What every look of one scan shares."""

    source: Source
    companion: Executor | None = None
    advanced: Callable[[int], object] = abs
    elsewhere: dict[str, Facts] | None = None  # facts that another file states about this one

    def look(self, entry: Entry, cached: CachedFingerprint | None) -> Looked:
        """Never raises: whatever goes wrong is a gap."""
        if cached is not None and not cached.format and entry.path not in (self.elsewhere or {}):
            self.advanced(entry.size)
            return Looked(entry=entry, file=File(entry=entry, digests=(*entry.claimed, *cached.digests)))
        stage = Stage.OPEN
        try:
            with self.source.open(entry) as reader:
                stage = Stage.DIGEST
                return self._read(entry, reader, cached)
        except UnreadableError as error:
            return Looked(entry=entry, gaps=(Gap.of(entry.path, stage, error),))

    def _read(self, entry: Entry, opened: ByteReader, cached: CachedFingerprint | None) -> Looked:
        reader = Memory(opened.read_at(0, opened.size)) if opened.size <= WHOLE_FILE_BYTES else opened
        head = reader.read_at(0, min(PROBE_BYTES, reader.size))
        probe = Probe(name=entry.path.rpartition("/")[2], head=head, reader=Budgeted(reader))
        found, match = _recognised(probe, cached)
        facts, gaps = self._facts(entry, probe, found)
        if facts is not None and facts.kind is FileKind.POINTER and not facts.unread:
            return _pointer(entry, facts)
        done = self._digest(entry, reader, facts, cached)
        gaps += tuple(
            Gap(path=entry.path, stage=Stage.DIGEST, reason=d.reason, detail=d.message, offset=d.offset)
            for d in done.defects
        )
        file = File(
            entry=entry,
            digests=(*entry.claimed, *done.digests),
            facts=facts,
            tensor_digests=done.tensor_digests,
            unindexed=done.unindexed,
            promised=_promised(probe, found) if match is Match.CONTENT else None,
        )
        return Looked(entry=entry, file=file, gaps=gaps, learnt=_learnt(found, match, gaps, done))

    def _facts(
        self, entry: Entry, probe: Probe, found: Format | None
    ) -> tuple[Facts | None, tuple[Gap, ...]]:
        told = (self.elsewhere or {}).get(entry.path)
        if told is not None:
            return told, ()
        if found is None:
            return None, _unrecognised(entry, probe)
        if found.read is None:
            message = f"{found.title} is recognised, its content is not read by this version"
            gap = Gap(path=entry.path, stage=Stage.READ, reason=Reason.NOT_READ, detail=message)
            return _unread(found), (gap,)
        try:
            facts = found.read(probe)
        except UnreadableError as error:
            return _unread(found), (Gap.of(entry.path, Stage.READ, error),)
        except Exception as error:  # noqa: BLE001 - the plugin boundary: a crash must stay a gap
            detail = f"the {found.name} reader failed: {type(error).__name__}: {error}"[:500]
            gap = Gap(path=entry.path, stage=Stage.READ, reason=Reason.INTERNAL, detail=detail)
            return _unread(found), (gap,)
        gaps = tuple(
            Gap(path=entry.path, stage=Stage.READ, reason=d.reason, detail=d.message, offset=d.offset)
            for d in facts.defects
        )
        return facts, gaps

    def _digest(
        self, entry: Entry, reader: ByteReader, facts: Facts | None, cached: CachedFingerprint | None
    ) -> Fingerprint:
        if cached is not None and len(cached.tensor_digests) == (len(facts.tensors) if facts else 0):
            self.advanced(entry.size)
            return Fingerprint(
                digests=cached.digests, tensor_digests=cached.tensor_digests, unindexed=cached.unindexed
            )
        algorithms = {"sha256"} | {d.algorithm for d in entry.claimed if d.algorithm == "git-sha1"}
        return fingerprint(
            reader,
            facts,
            algorithms=sorted(algorithms),
            companion=self.companion,
            advanced=self.advanced,
        )


def _recognised(probe: Probe, cached: CachedFingerprint | None) -> tuple[Format | None, Match]:
    """The same bytes are of the same format as the last time."""
    if cached is not None and cached.format:
        return by_name(cached.format), Match.CONTENT if cached.certain else Match.NAME
    return identify(probe)


def _unread(found: Format) -> Facts:
    return Facts(format=found.name, kind=found.kind, unread=True)


def _learnt(
    found: Format | None, match: Match, gaps: tuple[Gap, ...], done: Fingerprint
) -> CachedFingerprint | None:
    """What to remember: nothing that came with a defect, which a later run must tell again."""
    # A file of no known format is not opened again, so its gap could not be told again either.
    if done.defects or (found is None and gaps):
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
