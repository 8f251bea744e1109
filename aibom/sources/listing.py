"""What a registry lists, made safe: names that climb, sizes that lie, listings that never end."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.digest import Digest
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import MIB, PATH_DEPTH, WHOLE_FILE_BYTES
from aibom.domain.text import capped, visible

REMOTE_ENTRY_COUNT: Final = 2_000_000  # files of one target
NAMES_BYTES: Final = 256 * MIB  # of all their paths
PATH_BYTES: Final = 4_096
SMALL_FILE_BYTES: Final = 16 * MIB  # documents and tokenizers up to this size are fetched and digested
FILE_BYTES: Final = 1 << 50  # of one file as a registry claims it: a petabyte
# Files that are weights or data by their names: of these only the header is fetched.
_LARGE: Final = (
    ".safetensors", ".gguf", ".ggml", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".hdf5", ".keras",
    ".msgpack", ".npz", ".npy", ".tflite", ".pb", ".mlmodel", ".parquet", ".arrow", ".tar", ".zip", ".gz",
    ".zst", ".joblib", ".pkl", ".pickle", ".csv", ".tsv", ".jsonl", ".tfrecord", ".ot", ".data", ".nemo",
    ".llamafile", ".pdparams",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One file as a registry lists it; nothing of it is believed."""

    path: str
    size: int | None  # None: not told
    claimed: tuple[Digest, ...] = ()
    etag: str = ""  # the version of the bytes, as unique as the registry has it; "" when there is none
    media_type: str | None = None


class Listing:
    """Turns what a registry lists into entries and gaps, in order of path."""

    def __init__(self, exclude: tuple[str, ...] = (), *, full: bool = False) -> None:
        self.excluded = 0  # known when `entries` is exhausted
        self._full = full
        self._exclude = re.compile("|".join(map(fnmatch.translate, exclude))) if exclude else None

    def entries(self, listed: Iterable[Listed]) -> Iterator[Entry | Gap]:
        """Each file once. Stops with a gap behind `REMOTE_ENTRY_COUNT` files and `NAMES_BYTES`."""
        found: dict[str, Entry | Gap] = {}
        self.excluded = 0
        names = NAMES_BYTES
        for count, item in enumerate(listed):
            names -= len(item.path)
            if count >= REMOTE_ENTRY_COUNT or names < 0:
                limits = f"{REMOTE_ENTRY_COUNT:,} files are listed, or {NAMES_BYTES:,} bytes of names"
                found["."] = _gap(".", Reason.LIMIT, f"more than {limits}")
                break
            if self._exclude is not None and self._exclude.match(item.path):
                self.excluded += 1
                continue
            entry = _entry(item, full=self._full)
            if entry.path in found:
                entry = _gap(entry.path, Reason.MALFORMED, "the registry lists this path more than once")
            found[entry.path] = entry
        yield from (found[path] for path in sorted(found))


def _entry(item: Listed, *, full: bool) -> Entry | Gap:
    shown = capped(visible(item.path), 200) or "?"
    if not _is_sound(item.path):
        return _gap(shown, Reason.OUTSIDE_TARGET, "the registry lists a name that is no path in the target")
    if item.size is None or not 0 <= item.size <= FILE_BYTES:
        return _gap(shown, Reason.MALFORMED, f"the registry states no possible size ({item.size})")
    return Entry(
        path=item.path,
        size=item.size,
        etag=item.etag,
        claimed=item.claimed,
        media_type=item.media_type,
        cacheable=False,  # what a registry claims must not stand for bytes that were read once
        header_only=not full and is_far(item.path, item.size),
    )


def is_far(path: str, size: int) -> bool:
    """Whether only the header of a remote file is fetched, unless all bytes are asked for."""
    return size > (WHOLE_FILE_BYTES if path.lower().endswith(_LARGE) else SMALL_FILE_BYTES)


def _is_sound(path: str) -> bool:
    if not path or len(path.encode("utf-8", "surrogatepass")) > PATH_BYTES or not path.isprintable():
        return False
    parts = path.split("/")
    return len(parts) <= PATH_DEPTH and not {"", ".", ".."} & set(parts) and "\\" not in path


def _gap(path: str, reason: Reason, detail: str) -> Gap:
    return Gap(path=path, stage=Stage.LIST, reason=reason, detail=detail)
