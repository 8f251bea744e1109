"""A git repository on a server: one commit of it, without its large files.

    git+https://host/path@revision#folder        also git+ssh:// and git+file:///path

A branch or tag is resolved to its commit first. From the commit on, every id is computed again: commit ->
tree -> blob, and for Git LFS blob -> SHA-256. Signatures of commits and tags are not checked.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Final

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit, unsupported
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import GIB
from aibom.domain.protocols import ByteReader
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef, is_commit
from aibom.domain.target import Target
from aibom.domain.text import visible
from aibom.readers.ranges import Memory
from aibom.sources import beside
from aibom.sources.git import public_url
from aibom.sources.git_remote_access import remote_of
from aibom.sources.git_remote_lfs import POINTER_BYTES, Pointer, Store, read_pointer
from aibom.sources.git_remote_program import Program
from aibom.sources.git_remote_target import Typed, names_of, parse_target
from aibom.sources.git_remote_tree import TREE_BYTES, Files, Node, tree_of
from aibom.sources.http import Secret
from aibom.sources.listing import SMALL_FILE_BYTES, Listed, Listing
from aibom.sources.local_file import LocalFile
from aibom.sources.opening import Opening, Place
from aibom.sources.remote_file import RemoteFile

FULL_BLOB_BYTES: Final = 2 * GIB  # of a file that lies in git itself, when all bytes are asked for

_SHORT = re.compile(r"[0-9a-f]{7,63}\Z")


class GitSource:
    """A `Source` over one commit of a repository."""

    def __init__(self, typed: Typed, opening: Opening) -> None:
        self._typed, self._opening = typed, opening
        remote, secret = remote_of(typed, opening)
        self._program = Program(remote, opening.environment, full=opening.full)
        commit, how = self._resolved()
        self._program.fetch(commit, FULL_BLOB_BYTES if opening.full else SMALL_FILE_BYTES + 1)
        self._sizes = self._program.objects()
        self._files = self._walkable(commit)
        self._store = _store(typed, opening, secret)
        self._found: dict[str, Node | Pointer] = {}
        self._excluded = 0
        location = public_url(typed.url) or typed.name
        self.target = Target(
            name=visible(typed.subpath.rpartition("/")[2] or typed.name),
            ref=PinnedRef(scheme="git", location=location, revision=commit, subpath=typed.subpath or None),
            attributes=(
                ("requested", typed.revision or "HEAD"),
                ("pinned", f"commit {how}"),
                ("commit-signature", "not checked"),
            ),
        )

    def _resolved(self) -> tuple[str, str]:
        """The commit, and where it is named."""
        revision = self._typed.revision
        if is_commit(revision):
            return str(revision), "that was named in full"
        names = names_of(revision)
        refs = self._program.advertised(names)
        # An annotated tag is an object of its own; `^{}` is the commit that it stands for.
        found = {
            name: refs.get(f"{name}^{{}}", refs.get(name, "")) for name in names if not name.endswith("}")
        }
        found = {name: commit for name, commit in found.items() if is_commit(commit)}
        if len(set(found.values())) > 1:
            raise malformed(
                f"{visible(str(revision))} is a branch and a tag: type refs/heads/ or refs/tags/ first"
            )
        for name, commit in found.items():
            told = refs.get(f"ref: {name}", name).removeprefix("ref: ")
            return commit, f"of {visible(told)} when it was looked up"
        short = " (a commit has to be named in full)" if _SHORT.match(revision or "") else ""
        wanted = f"branch or tag {visible(revision)}" if revision else "commit"
        raise UnreadableError(Reason.MISSING, f"the repository has no {wanted}{short}")

    def _walkable(self, commit: str) -> Files:
        """The trees of the commit, which one run of git reads."""
        wanted = [oid for oid, (kind, _) in self._sizes.items() if kind in ("commit", "tree")]
        if commit not in self._sizes:
            raise UnreadableError(Reason.CHANGED, "the server did not send the commit that it named")
        if sum(self._sizes[oid][1] for oid in wanted) > TREE_BYTES:
            raise over_limit(f"the folders of the commit take more than {TREE_BYTES} bytes")
        here = {oid: (kind, body) for oid, kind, body in self._program.contents(wanted)}
        files = Files(sizes=self._sizes)
        files.load(tree_of(*here[commit]), self._typed.subpath, here, self._program.contents)
        return files

    @property
    def excluded(self) -> int:
        return self._excluded

    def entries(self) -> Iterator[Entry | Gap]:
        """Every file of the commit; a pointer is the file that it stands for, if the LFS server has that."""
        exclude = re.compile("|".join(map(fnmatch.translate, self._opening.exclude)) or r"(?!)")
        listing = Listing(self._opening.exclude, full=self._opening.full)
        walked = list(self._files.walk())
        gaps = [item for item in walked if isinstance(item, Gap)]
        kept = [gap for gap in gaps if not exclude.match(gap.path)]
        nodes = dict(item for item in walked if not isinstance(item, Gap))
        trouble = self._place({path: node for path, node in nodes.items() if not exclude.match(path)})
        absent = [_absent(path) for path, place in self._found.items() if self._size(place) is None]
        listed = (self._listed(path, self._found.get(path, node)) for path, node in nodes.items())
        present = listing.entries(each for each in listed if each.size is not None)
        found = [*map(self._near, present), *kept, *absent, *trouble]
        self._excluded = listing.excluded + len(gaps) - len(kept)
        yield from sorted(found, key=lambda item: item.path)

    def _place(self, nodes: dict[str, Node]) -> list[Gap]:
        """Finds what stands behind every path, and tells why the LFS server could not be asked."""
        small = {node.oid for node in nodes.values() if (self._bytes(node) or POINTER_BYTES) < POINTER_BYTES}
        blobs = self._program.contents(sorted(small))
        pointers = {oid: found for oid, _, body in blobs if (found := read_pointer(body)) is not None}
        there: set[Pointer] = set()
        trouble: list[Gap] = []
        try:
            if pointers and self._store is not None:
                there = self._store.locate(pointers.values())
        except UnreadableError as error:
            if error.reason is not Reason.MISSING:
                detail = f"the LFS server could not be asked: {error.message}"
                trouble.append(Gap(path=".", stage=Stage.LIST, reason=error.reason, detail=detail))
        kept = {oid: pointer for oid, pointer in pointers.items() if pointer in there}
        self._found = {path: kept.get(node.oid, node) for path, node in nodes.items()}
        return trouble

    def _bytes(self, node: Node) -> int | None:
        kind, size = self._sizes.get(node.oid, ("", 0))
        return size if kind == "blob" else None

    def _size(self, place: Node | Pointer) -> int | None:
        return place.size if isinstance(place, Pointer) else self._bytes(place)

    def _listed(self, path: str, place: Node | Pointer) -> Listed:
        algorithm = (
            "sha256" if isinstance(place, Pointer) else "git-sha256" if len(place.oid) == 64 else "git-sha1"
        )
        claim = Digest(algorithm=algorithm, value=place.oid, grade=Grade.CHAINED)
        return Listed(path=path, size=self._size(place), claimed=(claim,), etag=f"{algorithm}:{place.oid}")

    def _near(self, item: Entry | Gap) -> Entry | Gap:
        """What lies in git itself is here already: all of it is read."""
        if isinstance(item, Entry) and isinstance(self._found.get(item.path), Node):
            return replace(item, header_only=False)
        return item

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        """The bytes of a file, from the temporary folder or from the LFS server."""
        place = self._found.get(entry.path)
        size = None if place is None else self._size(place)
        if place is None or size != entry.size:
            raise UnreadableError(Reason.VANISHED, "the commit does not list this file")
        if isinstance(place, Pointer):
            return nullcontext(self._remote_file(place, entry))
        if size <= SMALL_FILE_BYTES:
            ((_, _, body),) = self._program.contents([place.oid])
            return nullcontext(Memory(body))
        return LocalFile(self._program.spooled(place.oid, size))

    def _remote_file(self, pointer: Pointer, entry: Entry) -> RemoteFile:
        version = ""

        def fetch(start: int, length: int) -> bytes:
            nonlocal version
            assert self._store is not None
            part = self._store.part(pointer, start, length, version)
            version = version or part.version
            return part.data

        name = entry.path.rpartition("/")[2]
        return RemoteFile(fetch, pointer.size, name=name, whole=not entry.header_only)

    def attached(self) -> tuple[Attached, ...]:
        """The documents in the top folder of the target. Raises `UnreadableError`."""
        inside = {name: node for name, node in self._files.folders[""].items() if node.is_file}
        found = (self._document(name, inside[name]) for name in beside.chosen(list(inside), None))
        return beside.together(found)

    def _document(self, name: str, node: Node) -> Attached | None:
        size = self._bytes(node)
        if size is None or size > SMALL_FILE_BYTES:
            raise over_limit(f"{visible(name)!r} has more than {SMALL_FILE_BYTES:,} bytes")
        ((_, _, body),) = self._program.contents([node.oid])
        if read_pointer(body) is not None:
            message = f"{visible(name)!r} lies in Git LFS: commit documents without it"
            raise UnreadableError(Reason.LFS_POINTER, message)
        return beside.attached(name, body)

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:  # noqa: ARG002
        """Always raises unsupported: commits are made by those who answer for them."""
        names = ", ".join(each.name for each in documents) or "them"
        raise unsupported(
            f"documents are not written into git repositories: commit {names} beside the model yourself"
        )


def _absent(path: str) -> Gap:
    detail = f"a file of more than {SMALL_FILE_BYTES} bytes in git itself, not fetched without --full"
    return Gap(path=visible(path), stage=Stage.LIST, reason=Reason.LIMIT, detail=detail)


def _store(typed: Typed, opening: Opening, secret: Secret | None) -> Store | None:
    if typed.protocol == "file":
        return None
    url = public_url(typed.url) if typed.protocol == "ssh" else typed.url
    if url is None or not url.startswith(("https://", "http://")):
        return None
    opening.http().named(url)
    return Store(opening.http(), url, secret)


def _open(target: str, opening: Opening) -> GitSource:
    return GitSource(parse_target(target), opening)


PLACES: Final = tuple(
    Place(scheme=f"git+{protocol}", title="git repository", open=_open)
    for protocol in ("https", "http", "ssh", "file")
)
