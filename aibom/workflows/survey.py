"""Lists every source and looks at every entry, on as many threads as asked for."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from aibom.discovery import wanting
from aibom.domain.entry import Entry
from aibom.domain.evidence import Evidence
from aibom.domain.file import File
from aibom.domain.gap import Gap
from aibom.domain.limits import LARGE_FILE_BYTES, WHOLE_FILE_BYTES
from aibom.domain.protocols import Source
from aibom.domain.reference import Reference, Referred
from aibom.fingerprint.cache import CachedFingerprint, CacheUnusableError, DigestCache
from aibom.inventory.stated_digests import may_state, stated_digests, wanted_algorithms
from aibom.workflows.described import Described
from aibom.workflows.external import external_facts
from aibom.workflows.look import Keep, Looked, Lookout
from aibom.workflows.progress import Progress
from aibom.workflows.references import Surroundings
from aibom.workflows.remote_code import named_code

# A task per small file would cost more than the file; this many go together.
_SMALL_FILES_A_TASK = 128
_SPEAKING = (".onnx", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found in all targets; paths carry the name of their target when there are several."""

    files: tuple[File, ...]
    gaps: tuple[Gap, ...]
    references: tuple[Reference, ...]
    entries: tuple[str, ...]  # the path of each listed file, sorted
    listed: int
    looked_at: int  # entries of a kind that was asked for
    evidence: tuple[Evidence, ...] = ()  # sidecars of weights, by path


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the looking may use, and what it is for."""

    jobs: int = 1
    only_references: bool = False  # True: no file is identified or digested
    cache: DigestCache | None = None
    reread: bool = False  # True: the cache learns, and is not asked
    described: Described | None = None  # headers that were read already, of remote places
    keep: Keep | None = None  # writes sidecars of weights; paths carry the name of their target


@dataclass(slots=True)
class _Place:
    prefix: str
    source: Source
    entries: list[Entry] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


def survey(places: list[tuple[str, Source]], hands: Hands, progress: Progress) -> Survey:
    """Every entry of every place as a file or a gap, in order of path."""
    listed = [_listed(prefix, source) for prefix, source in places]
    entries = [entry for place in listed for entry in place.entries]
    progress.listed(len(entries), sum(entry.size for entry in entries))
    looks = [(place, looked) for place in listed for looked in _Looks(place, hands, progress).run()]
    files = [_moved_file(looked.file, place.prefix) for place, looked in looks if looked.file is not None]
    gaps = [_moved(gap, place.prefix) for place in listed for gap in place.gaps]
    gaps += [_moved(gap, place.prefix) for place, looked in looks for gap in looked.gaps]
    references = [_moved_reference(one, place.prefix) for place, looked in looks for one in looked.references]
    files.sort(key=lambda file: file.path)
    references.sort(key=lambda reference: reference.location.path)
    count = len(entries) + sum(len(place.gaps) for place in listed)
    paths = sorted(place.prefix + entry.path for place in listed for entry in place.entries)
    return Survey(
        files=tuple(files),
        gaps=tuple(gaps),
        references=tuple(references),
        entries=tuple(paths),
        listed=count,
        evidence=tuple(
            sorted((each.evidence for _, each in looks if each.evidence), key=lambda e: e.subject)
        ),
        looked_at=len({(place.prefix, looked.entry.path) for place, looked in looks}),
    )


def _prefixed(keep: Keep | None, prefix: str) -> Keep | None:
    """Sidecars of several targets stand apart."""
    if keep is None or not prefix:
        return keep
    return lambda entry, facts, done: keep(replace(entry, path=prefix + entry.path), facts, done)


def _listed(prefix: str, source: Source) -> _Place:
    place = _Place(prefix, source)
    for item in source.entries():
        if isinstance(item, Gap):
            place.gaps.append(item)
        else:
            place.entries.append(item)
    return place


def _moved(gap: Gap, prefix: str) -> Gap:
    return replace(gap, path=prefix + gap.path) if prefix else gap


def _moved_file(file: File, prefix: str) -> File:
    return replace(file, entry=replace(file.entry, path=prefix + file.entry.path)) if prefix else file


def _moved_reference(reference: Reference, prefix: str) -> Reference:
    if not prefix:
        return reference
    place = reference.location
    return replace(reference, location=replace(place, path=prefix + place.path))


class _StoppedError(BaseException):
    """The user gave up: leaves the loops of the other threads."""


class _Looks:
    """All looks of one place."""

    def __init__(self, place: _Place, hands: Hands, progress: Progress) -> None:
        self._place, self._hands, self._progress = place, hands, progress
        self._stop = threading.Event()
        entries = {entry.path: entry for entry in place.entries}
        self._around = Surroundings(source=place.source, entries=entries)
        self._lookout = Lookout(
            source=place.source,
            surroundings=self._around,
            advanced=self._advanced,
            keep=_prefixed(hands.keep, place.prefix),
            described=hands.described,
        )

    def run(self) -> Iterator[Looked]:
        """First what speaks of other files: ONNX of its external data, configurations of code."""
        entries = self._place.entries
        if self._hands.only_references:
            yield from self._look(
                self._lookout, [entry for entry in entries if wanting(entry.path, entry.size)]
            )
            return
        speaking = [entry for entry in entries if _speaks(entry)]
        looks = self._look(self._lookout, speaking)
        files = [looked.file for looked in looks if looked.file]
        elsewhere, missing = external_facts(files, entries)
        code, absent = named_code(files, {entry.path for entry in entries})
        paths = frozenset(entry.path for entry in entries)
        stated = wanted_algorithms(stated_digests(files, paths), paths)
        yield from looks
        for gap in (*missing, *absent):
            yield Looked(entry=speaking[0], gaps=(gap,))
        rest = [entry for entry in entries if not _speaks(entry)]
        lookout = replace(self._lookout, elsewhere=elsewhere, code=code, stated=stated)
        yield from self._look(lookout, rest)

    def _advanced(self, count: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        self._progress.advanced(count)

    def _look(self, lookout: Lookout, entries: list[Entry]) -> list[Looked]:
        jobs = self._hands.jobs
        known = self._fingerprints(entries)
        large = sum(entry.size >= LARGE_FILE_BYTES for entry in entries)
        with ThreadPoolExecutor(jobs) as pool, ThreadPoolExecutor(1) as spare:
            # With fewer large files than threads, the tensors of each get a thread of their own.
            companion = spare if 0 < large < jobs else None
            shared = replace(lookout, companion=companion, known=self._referred(entries))

            def look(task: list[Entry]) -> list[Looked]:
                if self._hands.only_references:
                    return [shared.refer(entry) for entry in task]
                return [shared.look(entry, known.get(_key(entry))) for entry in task]

            # What is known needs no bytes: threads would only take turns at it.
            done = [entry for entry in entries if _key(entry) in known]
            looks = self._gather(pool, look, [entry for entry in entries if _key(entry) not in known], done)
        self._remember(looks)
        return looks

    def _fingerprints(self, entries: list[Entry]) -> dict[str, CachedFingerprint]:
        """What earlier runs computed, by key."""
        cache, hands = self._hands.cache, self._hands
        if cache is None or hands.reread or hands.only_references:
            return {}
        return cache.get([_key(entry) for entry in entries])

    def _referred(self, entries: list[Entry]) -> dict[str, Referred]:
        """What earlier runs found that files refer to, by path, where nothing has changed since."""
        cache = self._hands.cache
        if cache is None or self._hands.reread:
            return {}
        found = cache.referred([(_path_key(entry), entry.path) for entry in entries])
        return {path: told for path, told in found.items() if self._around.holds(told)}

    def _gather(
        self,
        pool: ThreadPoolExecutor,
        look: Callable[[list[Entry]], list[Looked]],
        theirs: list[Entry],
        ours: list[Entry],
    ) -> list[Looked]:
        try:
            tasks = pool.map(look, _tasks(theirs))
            return look(ours) + [looked for task in tasks for looked in task]
        except BaseException:
            self._stop.set()
            pool.shutdown(cancel_futures=True)
            raise

    def _remember(self, looks: list[Looked]) -> None:
        cache = self._hands.cache
        if cache is None:
            return
        learnt = [
            (_key(looked.entry), looked.learnt)
            for looked in looks
            if looked.learnt is not None and looked.entry.cacheable and not looked.learnt.digests[0].cached
        ]
        referred = [(_path_key(looked.entry), looked.referred) for looked in looks if looked.referred]
        try:
            cache.put(learnt)
            cache.refer(referred)
        except CacheUnusableError as error:
            self._progress.hint(str(error))


def _speaks(entry: Entry) -> bool:
    return entry.path.endswith(_SPEAKING) or may_state(entry.path)


def _key(entry: Entry) -> str:
    """The version of the bytes, and a hash of the name: under another one (a link) they may be
    recognised as something else.
    """
    return _keyed(entry, entry.path.rpartition("/")[2])


def _path_key(entry: Entry) -> str:
    """The version of the bytes, and a hash of the path, which says what kind of file it is."""
    return _keyed(entry, entry.path)


def _keyed(entry: Entry, name: str) -> str:
    hashed = hashlib.blake2s(name.encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{entry.etag}-{hashed.hexdigest()}"


def _tasks(entries: list[Entry]) -> list[list[Entry]]:
    """Large files first, one a task, so that no thread is left alone with one at the end."""
    large = [entry for entry in entries if entry.size > WHOLE_FILE_BYTES]
    small = [entry for entry in entries if entry.size <= WHOLE_FILE_BYTES]
    large.sort(key=lambda entry: -entry.size)
    starts = range(0, len(small), _SMALL_FILES_A_TASK)
    return [[entry] for entry in large] + [small[at : at + _SMALL_FILES_A_TASK] for at in starts]
