"""Many targets in one run: each looked at by itself, one bill of materials each, resumable at any time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.fleet import Line, State
from aibom.domain.report import Report
from aibom.domain.text import capped, visible
from aibom.sources import place_of, shown
from aibom.sources.opening import Opening
from aibom.workflows.described import Described
from aibom.workflows.ledger import Ledger
from aibom.workflows.progress import Progress, Silent
from aibom.workflows.scan import ScanRequest, scan

TARGET_COUNT: Final = 5_000_000  # of one run
LINE_CHARS: Final = 4_096
_BATCH: Final = 500
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_CHARS: Final = 120

# What the command makes of a report: the document, and the word of its verdict.
Render = Callable[[Report], tuple[bytes, str]]
Write = Callable[[str, bytes], None]  # name of the file in the folder, its bytes; whole or not at all


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequest:
    """What the user asked for. `scanning` is how each target is looked at; its targets do not count."""

    targets: tuple[str, ...]  # may be patterns
    scanning: ScanRequest
    jobs: int = 1  # targets at a time


def fleet(
    request: FleetRequest, ledger: Ledger, render: Render, write: Write, progress: Progress | None = None
) -> None:
    """Does what the ledger has not done yet. A target that cannot be opened is `failed` in it, with why.

    Raises `UnreadableError` when a pattern cannot be listed, and what `write` raises.
    """
    told = progress or Silent()
    _list(request, ledger)
    left = ledger.left()
    told.listed(len(left), len(left))
    scanning = replace(request.scanning, described=Described(), jobs=1)

    def one(target: str) -> Line:
        line = _one(target, scanning, render, write, told)
        ledger.finish(line)
        told.advanced(1)
        return line

    with ThreadPoolExecutor(request.jobs) as pool:
        _drain(pool, one, iter(left), request.jobs)


def _drain(pool: ThreadPoolExecutor, one: Callable[[str], Line], targets: Iterator[str], jobs: int) -> None:
    """Keeps twice as many tasks waiting as run, so that a stop is quick and memory does not grow."""
    waiting: set[Future[Line]] = set()
    try:
        while True:
            waiting |= {pool.submit(one, target) for target in islice(targets, 2 * jobs - len(waiting))}
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


def _list(request: FleetRequest, ledger: Ledger) -> None:
    count = 0
    for pattern in request.targets:
        if ledger.is_listed(pattern):
            continue
        for batch in _batches(expanded(pattern, request.scanning.opening)):
            count += len(batch)
            if count > TARGET_COUNT:
                raise over_limit(f"more than {TARGET_COUNT:,} targets")
            ledger.add(batch)
        ledger.listed(pattern)


def _batches(targets: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(targets)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def expanded(target: str, opening: Opening) -> Iterator[str]:
    """The targets that a pattern stands for; what is none stands for itself. Raises `UnreadableError`."""
    place = place_of(target)
    if place.expand is None:
        yield target
    else:
        yield from place.expand(target, opening)


def _one(target: str, scanning: ScanRequest, render: Render, write: Write, progress: Progress) -> Line:
    try:
        evidence = scanning.evidence / file_name(target) if scanning.evidence else None
        report = scan(replace(scanning, targets=(target,), evidence=evidence))
        data, verdict = render(report)
    except UnreadableError as error:
        return _failed(target, f"{error.reason}: {error}")
    except Exception as error:  # noqa: BLE001 - a bug that one target meets must not cost all others
        # What a library says of its own may hold a signed address: its words are kept nowhere.
        progress.hint(f"a bug of ours at {visible(shown(target))}: {type(error).__name__}; please report it")
        return _failed(target, f"{Reason.INTERNAL}: {type(error).__name__}")
    file = file_name(target)
    write(file, data)
    return Line(
        target=target,
        state=State.DONE,
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        address=report.targets[0].address or shown(target),
        verdict=verdict,
    )


def _failed(target: str, detail: str) -> Line:
    return Line(target=target, state=State.FAILED, detail=capped(visible(detail), 500))


def file_name(target: str) -> str:
    """A name that tells people which target it is of, and that no other target has."""
    readable = _UNSAFE.sub("_", shown(target)).strip("._-")[:_NAME_CHARS]
    digest = hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable or 'target'}-{digest}.cdx.json"


def read_targets(text: str) -> tuple[str, ...]:
    """One target a line; blank lines and those that begin with `#` are none."""
    lines = (line.strip() for line in text.splitlines())
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if any(len(line) > LINE_CHARS for line in found):
        raise over_limit(f"a target of more than {LINE_CHARS:,} characters")
    return found
