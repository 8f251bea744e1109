"""What is kept beside a bill of materials, so that a later look can say what changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aibom.domain.dataset import DatasetFingerprint
from aibom.domain.entry import check_relative

SALT_BYTES: Final = 16  # at least; fewer could be guessed together with the rows


class EvidenceKind(StrEnum):
    """What a sidecar holds the digests of."""

    ROWS = "rows"
    TENSORS = "tensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sidecar: a file in the folder of evidence. `proof` is the digest that the sidecar ends with."""

    kind: EvidenceKind
    subject: str  # path of the weights, or name of the rows
    name: str  # relative to the folder of evidence
    sha256: str  # of all its bytes
    proof: str = ""

    def __post_init__(self) -> None:
        check_relative(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRows:
    """The rows of the files of one split, or of one file."""

    name: str  # `config/split` or `split` behind the folder of the dataset, else the path of the file
    files: tuple[tuple[str, int], ...]  # in the order of the rows, with how many each file holds
    fingerprint: DatasetFingerprint
    labels: tuple[str, ...] = ()  # columns that the key leaves out, sorted
    identity: tuple[str, ...] = ()  # columns that name a row, sorted

    def place(self, number: int) -> tuple[str, int]:
        """In which file a row stands, by its number from 0, and as which row of it."""
        for path, rows in self.files:
            if number < rows:
                return path, number
            number -= rows
        raise IndexError(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """Rows by their numbers, from 0: of the old dataset, of the new one, or of both.

    Of each kind the first are told; the counts are complete.
    """

    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    changed: tuple[tuple[int, int], ...] = ()  # one identity, other values
    flipped: tuple[tuple[int, int], ...] = ()  # other labels only
    added_count: int = 0
    removed_count: int = 0
    changed_count: int = 0
    flipped_count: int = 0
    moved: bool = False  # the same rows in another order
    digests_read: int = 0  # of rows, keys and identities, beside the two lists of blocks
