"""HDF5 files, walked by hand: every dataset that hard links reach, and the root's attributes.

Format: HDF5 File Format Specification 3.0, superblocks 0 to 3. Nothing is decompressed, no link is
followed out of the file, and no filter or driver is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.facts import Layout
from aibom.domain.limits import DOCUMENT_DEPTH, METADATA_COUNT, MIB, TENSOR_COUNT
from aibom.domain.protocols import ByteReader
from aibom.readers.defects import Defects
from aibom.readers.hdf5_attributes import Attribute, AttributeReader
from aibom.readers.hdf5_datasets import Dataset, read_dataset
from aibom.readers.hdf5_file import File, Message, messages, open_file
from aibom.readers.hdf5_groups import LinkKind, links

_PATH_CHARS: Final = 1_024
_PATHS_CHARS: Final = 16 * MIB  # of all links together


@dataclass(slots=True)
class Walk:
    """One walk over a file; everything but `file` is complete when `datasets` is exhausted."""

    file: File
    attributes: tuple[Attribute, ...] = ()  # of the root group
    outside: bool = False  # a link or a dataset refers to another file
    defects: Defects = field(default_factory=Defects)
    _chars: int = 0

    def datasets(self) -> Iterator[Dataset]:
        """Every dataset once, under its first path by name; what cannot be read is a defect.

        Raises limit when there are too many.
        """
        stack: list[tuple[str, int | None]] = [("", self.file.root)]
        count = 0
        while stack:
            path, address = stack.pop()
            if address is None or not self.file.first(address):
                continue
            try:
                header = messages(self.file, address)
                if address == self.file.root:
                    self._read_attributes(header)
                dataset = read_dataset(self.file, path, header)
                stack += self._members(path, header) if dataset is None else ()
            except UnreadableError as error:
                self.defects.caught(f"'/{path[:80]}'", error)
                continue
            if dataset is None:
                continue
            if dataset.layout is Layout.EXTERNAL:
                self._leaves(path, "data of another file")
            count += 1
            if count > TENSOR_COUNT:
                raise over_limit(f"more than {TENSOR_COUNT} datasets")
            yield dataset

    def _read_attributes(self, header: list[Message]) -> None:
        found = AttributeReader(self.file, self.defects).read(header)
        self.attributes = tuple(sorted(islice(found, METADATA_COUNT), key=attrgetter("name")))
        if len({attribute.name for attribute in self.attributes}) != len(self.attributes):
            self.defects.add("two attributes of one name")
        if next(found, None) is not None:
            self.defects.add(f"more than {METADATA_COUNT} attributes", None, Reason.LIMIT)

    def _members(self, path: str, header: list[Message]) -> Iterator[tuple[str, int | None]]:
        """Paths and addresses of a group's hard links, the last one first."""
        later = None
        for link in reversed(links(self.file, header)):
            name = f"{path}/{link.name}" if path else link.name
            self._chars += len(name)
            if len(name) > _PATH_CHARS or name.count("/") > DOCUMENT_DEPTH or self._chars > _PATHS_CHARS:
                raise over_limit("paths of too many levels or characters")
            if link.name == later:
                self.defects.add(f"'/{name[:80]}' is there twice")
            later = link.name
            if "/" in link.name or link.name in ("", ".", ".."):
                self.defects.add(f"'/{name[:80]}' has a part that is no name")
            if link.kind is LinkKind.EXTERNAL:
                self._leaves(name, f"a link into {link.target[:80]!r}")
            elif link.kind is LinkKind.HARD:
                yield name, link.address

    def _leaves(self, path: str, what: str) -> None:
        self.outside = True
        self.defects.add(f"'/{path[:80]}': {what} is not followed", None, Reason.NOT_READ)


def open_walk(reader: ByteReader) -> Walk:
    """A walk over the file. Raises malformed, truncated or unsupported for its superblock.

    Bytes behind the end that the superblock claims, or missing ones, are defects.
    """
    file = open_file(reader)
    walk = Walk(file)
    if file.end is not None and file.end < reader.size:
        walk.defects.add(f"{reader.size - file.end} bytes behind the end of the HDF5 file", file.end)
    elif file.end is not None and file.end > reader.size:
        walk.defects.add(f"the HDF5 file ends at byte {file.end}, not here", reader.size, Reason.TRUNCATED)
    return walk
