"""Digests and sizes that other files state, compared with the bytes that were read."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.digest import HEX_CHARS, Grade
from aibom.domain.facts import FileKind
from aibom.domain.file import File
from aibom.domain.stated import Reach, Stated
from aibom.domain.text import capped, visible
from aibom.trust.dvc_folder import Folders

_SHOWN_CHARS: Final = 200
_HEX: Final = frozenset("0123456789abcdef")
# Formats whose bytes nobody takes for text.
_BINARY: Final = frozenset({
    "parquet", "arrow", "arrow-stream", "feather", "npy", "npz", "hdf5", "safetensors", "gguf",
})  # fmt: skip
_WEAK: Final = frozenset({"md5", "sha1"})
_UNREACHED: Final = {
    Reach.MISSING: "no such file is here",
    Reach.SET: "it names a set of files, of which there is no digest",
    Reach.OUTSIDE: "the name leads out of the folder of the file that states it",
    Reach.UNTOLD: "there are more statements than are compared",
}


def stated_checks(stated: Iterable[Stated], files: Sequence[File]) -> tuple[Check, ...]:
    """One check per stated digest, and one per size that does not fit, in the order of the statements.

    Only a digest that we computed decides. A name that stands for no file, a digest of the wrong length
    and one whose algorithm was not computed could not be checked: none of them passes.
    """
    content = _Content.of(files)
    return tuple(check for each in stated for check in _checks(each, content))


@dataclass(frozen=True, slots=True)
class _Content:
    """The files by path, and their paths by what we computed."""

    files: Mapping[str, File]
    paths: Mapping[tuple[str, str], list[str]]
    folders: Folders
    ignoring: bool  # DVC leaves out files that somebody named

    @classmethod
    def of(cls, files: Sequence[File]) -> _Content:
        paths: dict[tuple[str, str], list[str]] = defaultdict(list)
        by_path = {file.path: file for file in sorted(files, key=lambda file: file.path)}
        for file in by_path.values():
            for digest in file.digests:
                if digest.grade is Grade.COMPUTED:
                    paths[digest.algorithm, digest.value].append(file.path)
        ignoring = any(path.rpartition("/")[2] == ".dvcignore" for path in by_path)
        return cls(by_path, paths, Folders(by_path, list(by_path)), ignoring)

    def below(self, folder: str, algorithm: str, value: str) -> str | None:
        """The first path below a folder whose bytes have the digest."""
        paths = self.paths.get((algorithm, value), [])
        start = f"{folder}/" if folder else ""
        at = bisect_left(paths, start)
        return paths[at] if at < len(paths) and paths[at].startswith(start) else None


def _checks(stated: Stated, content: _Content) -> Iterator[Check]:
    digests = []
    for algorithm, value in stated.digests:
        problem = _malformed(algorithm, value)
        if problem:
            yield _check(stated, algorithm, Outcome.COULD_NOT_CHECK, problem, expected=value)
        else:
            digests.append((algorithm, value))
    file = content.files.get(stated.path) if stated.reach is Reach.HERE else None
    if file is not None:
        checks = [_compared(stated, file, algorithm, value) for algorithm, value in digests]
        yield from checks
        yield from _size(stated, file, any(check.outcome is Outcome.VERIFIED for check in checks))
    elif stated.reach is Reach.FOLDER:
        yield from (_folder(stated, content, *each) for each in digests)
    elif stated.reach is Reach.ADDRESS:
        yield from (_by_content(stated, content, *each) for each in digests)
    elif digests or stated.reach in (Reach.MISSING, Reach.OUTSIDE, Reach.UNTOLD):
        yield _unreached(stated, digests)


def _malformed(algorithm: str, value: str) -> str:
    expected = HEX_CHARS.get(algorithm)
    if expected is None:
        return f"{visible(capped(algorithm, 40))} is no digest algorithm that is known"
    if len(value) != expected:
        return f"a {algorithm} digest of {len(value)} characters, {expected} are expected"
    return "" if _HEX.issuperset(value) else f"a {algorithm} digest that is not hexadecimal"


def _compared(stated: Stated, file: File, algorithm: str, value: str) -> Check:
    computed = file.digest(algorithm, Grade.COMPUTED)
    if computed is None:
        outcome, detail = Outcome.COULD_NOT_CHECK, "the bytes were not read with this algorithm"
    elif computed.value == value:
        outcome, detail = Outcome.VERIFIED, "the bytes have the stated digest"
        if algorithm in _WEAK:
            detail = f"{detail}; whoever made the file can make another one with the same {algorithm}"
    elif stated.text_mode and file.format not in _BINARY:
        outcome = Outcome.COULD_NOT_CHECK
        detail = "the bytes differ, unless the digest was taken of the text with LF for CR LF"
    else:
        outcome, detail = Outcome.CONTENT_MISMATCH, "the bytes are not those that the digest names"
    found = computed.value if computed else ""
    return _check(stated, algorithm, outcome, detail, expected=value, found=found)


def _size(stated: Stated, file: File, proven: bool) -> Iterator[Check]:
    """A size is evidence against a file, never for it."""
    is_pointer = file.facts is not None and file.facts.kind is FileKind.POINTER
    if stated.size is None or stated.size == file.entry.size or is_pointer:
        return
    outcome, detail = Outcome.CONTENT_MISMATCH, "the file has another size than is stated"
    if proven:
        outcome = Outcome.COULD_NOT_CHECK
        detail = "the digest fits and the size does not: one of the two statements is not up to date"
    expected, found = f"{stated.size} bytes", f"{file.entry.size} bytes"
    yield _check(stated, "size", outcome, detail, expected=expected, found=found)


def _by_content(stated: Stated, content: _Content, algorithm: str, value: str) -> Check:
    """What stands for an address can only be told by its content: names of other places prove nothing."""
    path = content.below(stated.source.rpartition("/")[0], algorithm, value)
    if path is not None:
        detail = "the bytes have the digest that is stated for an address"
        return _check(stated, algorithm, Outcome.VERIFIED, detail, path=path, expected=value, found=value)
    detail, found = "it is stated for an address, and no file here has it", ""
    beside = content.files.get(stated.path)
    digest = beside.digest(algorithm, Grade.COMPUTED) if beside else None
    if digest is not None:
        detail, found = f"{detail}; a file of the same name has another one", digest.value
    return _check(stated, algorithm, Outcome.COULD_NOT_CHECK, detail, expected=value, found=found)


def _folder(stated: Stated, content: _Content, algorithm: str, value: str) -> Check:
    """A folder counts as changed only when nothing speaks for files that were not fetched or left out."""
    held = content.folders.digest(stated.path)
    outcome, found = Outcome.COULD_NOT_CHECK, held.md5 or ""
    if not held.files:
        detail = "no file of the folder is here"
    elif held.md5 is None:
        detail = "not every file of the folder was read with this algorithm"
    elif held.md5 == value:
        outcome, detail = Outcome.VERIFIED, f"the {held.files} files of the folder have the stated digest"
    elif stated.files is None or held.files < stated.files:
        detail = f"{held.files} files are here, and the folder has more or another number"
    elif stated.text_mode or content.ignoring:
        detail = "the files differ, unless DVC left some out or took LF for CR LF"
    else:
        outcome, detail = Outcome.CONTENT_MISMATCH, "the files of the folder are not those of the digest"
    return _check(stated, algorithm, outcome, detail, expected=value, found=found)


def _unreached(stated: Stated, digests: Sequence[tuple[str, str]]) -> Check:
    detail = _UNREACHED.get(stated.reach, "the file was not read")
    if stated.reach is Reach.MISSING and not stated.unpacked:
        detail = "it lies in an archive that is not unpacked here"
    if stated.name:
        detail = f"{visible(capped(stated.name, _SHOWN_CHARS))}: {detail}"
    algorithm, value = digests[0] if digests else ("file", "")
    return _check(stated, algorithm, Outcome.COULD_NOT_CHECK, detail, expected=value)


def _check(
    stated: Stated,
    what: str,
    outcome: Outcome,
    detail: str,
    *,
    path: str = "",
    expected: str = "",
    found: str = "",
) -> Check:
    # Something without a path of its own is about the file that speaks of it.
    return Check(
        subject=path or stated.path or stated.source,
        kind=CheckKind.DIGEST,
        outcome=outcome,
        identity=f"{visible(capped(what, 40))} that {visible(stated.source)} states",
        detail=detail,
        expected=visible(capped(expected, _SHOWN_CHARS)),
        found=found,
        source=stated.source,
    )
