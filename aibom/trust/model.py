"""The files of a model, compared with what a signature or a bill of materials says about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from aibom.domain.check import Outcome
from aibom.domain.gap import Gap
from aibom.domain.signing import Manifest, Method, Resource
from aibom.domain.verification import FileState, FileVerdict

# Never part of a signed model (OMS v1.0, section on ignored paths; model-signing does the same).
GIT_PATHS: Final = (".git", ".gitattributes", ".github", ".gitignore")

Place = tuple[str, int | None, int | None]  # name, start, end


def place_of(resource: Resource) -> Place:
    return resource.name, resource.start, resource.end


def is_ignored(path: str, ignored: Iterable[str]) -> bool:
    """True for one of the paths, and for everything below it."""
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in ignored)


def compare(
    manifest: Manifest,
    found: Mapping[Place, str | Gap | None],
    sizes: Mapping[str, int],
    left_out: Iterable[str] = (),
    gaps: Iterable[Gap] = (),
) -> tuple[FileVerdict, ...]:
    """A verdict for every file that is signed or here, by path.

    `found` has the digest of each signed resource that is here, None when the file is too short for
    it, or why it could not be read; `sizes` has every file that is here, in bytes; `left_out` are the
    signature and what lies beside it; `gaps` is what could not be listed, files or whole folders.
    """
    lost = tuple(gaps)
    signed: dict[str, list[Resource]] = {}
    for resource in manifest.resources:
        signed.setdefault(resource.name, []).append(resource)
    ignored = (*GIT_PATHS, *manifest.ignore_paths, *left_out)
    verdicts = [_signed(name, parts, found, sizes.get(name), lost) for name, parts in signed.items()]
    verdicts += [
        unreadable(gap.path, gap)
        for gap in lost
        if gap.path not in signed and not is_ignored(gap.path, ignored)
    ]
    for name in sizes.keys() - signed.keys():
        if manifest.method is Method.SHARDS and sizes[name] == 0:
            verdicts.append(FileVerdict(path=name, state=FileState.IGNORED, detail="empty: it has no shard"))
        elif is_ignored(name, ignored):
            detail = "the signer left it out" if is_ignored(name, manifest.ignore_paths) else ""
            verdicts.append(FileVerdict(path=name, state=FileState.IGNORED, detail=detail))
        else:
            verdicts.append(FileVerdict(path=name, state=FileState.EXTRA, detail="nobody signed it"))
    return tuple(sorted(verdicts, key=lambda verdict: verdict.path))


def unreadable(path: str, gap: Gap) -> FileVerdict:
    return FileVerdict(path=path, state=FileState.UNREADABLE, detail=gap.detail)


def absent(path: str, gaps: Iterable[Gap], detail: str) -> FileVerdict:
    """The verdict on a file that is not listed: missing, unless it may lie where nobody could look."""
    for gap in gaps:
        if gap.path in (path, ".") or (gap.path.endswith("/") and path.startswith(gap.path)):
            return unreadable(path, gap)
    return FileVerdict(path=path, state=FileState.MISSING, detail=detail)


def _signed(
    name: str,
    parts: list[Resource],
    found: Mapping[Place, str | Gap | None],
    size: int | None,
    gaps: Iterable[Gap],
) -> FileVerdict:
    if size is None:
        return absent(name, gaps, "it was signed and is not here")
    covered = max((part.end for part in parts if part.end is not None), default=size)
    if size != covered:
        detail = f"{size:,} bytes, {covered:,} were signed"
        return FileVerdict(path=name, state=FileState.CHANGED, detail=detail)
    for part in parts:
        value = found.get(place_of(part))
        if isinstance(value, Gap):
            return unreadable(name, value)
        if value != part.digest:
            return _changed(part, value)
    return FileVerdict(path=name, state=FileState.VERIFIED)


def _changed(part: Resource, found: str | None) -> FileVerdict:
    where = "" if part.start is None else f"bytes {part.start:,} to {part.end:,}: "
    return FileVerdict(
        path=part.name,
        state=FileState.CHANGED,
        detail=f"{where}the bytes are not those that were signed",
        expected=f"{part.algorithm}:{part.digest}",
        found=f"{part.algorithm}:{found}" if found else "",
    )


def outcome_of(verdicts: Iterable[FileVerdict], *, extra_allowed: bool = False) -> tuple[Outcome, str]:
    """What the files amount to, and in words. Extra files are a mismatch unless they are allowed."""
    counts: dict[FileState, int] = {}
    for verdict in verdicts:
        counts[verdict.state] = counts.get(verdict.state, 0) + 1
    bad = [FileState.CHANGED, FileState.MISSING, *(() if extra_allowed else (FileState.EXTRA,))]
    told = ", ".join(f"{counts[state]:,} {state}" for state in FileState if counts.get(state))
    if any(counts.get(state) for state in bad):
        detail = f"the files are not those that it vouches for ({told}): do not load them, get them again"
        return Outcome.CONTENT_MISMATCH, detail
    if counts.get(FileState.UNREADABLE):
        return Outcome.COULD_NOT_CHECK, f"not every file could be read ({told}): make them readable"
    if not counts.get(FileState.VERIFIED):
        return Outcome.COULD_NOT_CHECK, "it vouches for no file that is here: name the model that it is about"
    return Outcome.VERIFIED, told
