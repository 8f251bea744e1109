"""The files of one commit: its trees, and where links in them lead. Every object was checked against its id.

Formats: git's "commit" and "tree" objects (gitformat-index(5) has the modes; "Git Internals").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from aibom.domain.errors import Reason, UnreadableError, malformed, over_limit
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import MIB, PATH_DEPTH
from aibom.domain.text import visible

FILE_COUNT: Final = 200_000  # of one commit; one tree may stand in many places
TREE_BYTES: Final = 64 * MIB  # of all trees of one commit
LINK_BYTES: Final = 4_096
LINK_COUNT: Final = 40  # on the way to one file
LINKED_FOLDER_COUNT: Final = 1_000

_FOLDER, _LINK, _SUBMODULE = 0o040000, 0o120000, 0o160000
_MODE = re.compile(rb"[0-7]{5,6}\Z")
_TREE = re.compile(rb"tree ([0-9a-f]{40}(?:[0-9a-f]{24})?)\n")

Objects = Mapping[str, tuple[str, bytes]]  # kind and bytes by id
Contents = Callable[[Iterable[str]], Iterator[tuple[str, str, bytes]]]


@dataclass(frozen=True, slots=True)
class Node:
    """One name in a tree."""

    mode: int
    oid: str

    @property
    def is_folder(self) -> bool:
        return self.mode == _FOLDER

    @property
    def is_file(self) -> bool:
        return self.mode >> 12 == 0o10

    @property
    def is_link(self) -> bool:
        return self.mode == _LINK

    @property
    def is_submodule(self) -> bool:
        return self.mode == _SUBMODULE


def tree_of(kind: str, commit: bytes) -> str:
    """The id of the tree of a commit. Raises malformed."""
    found = _TREE.match(commit)
    if kind != "commit" or found is None:
        raise malformed(f"the revision is a {kind or 'thing'} of git, and no commit")
    return found[1].decode()


def parse_tree(body: bytes, id_bytes: int) -> dict[str, Node]:
    """The names in one tree. Raises malformed."""
    found: dict[str, Node] = {}
    at = 0
    while at < len(body):
        mode, _, name = body[at : at + 8_192].partition(b"\0")[0].partition(b" ")
        end = at + len(mode) + len(name) + 2
        oid = body[end : end + id_bytes]
        text = name.decode("utf-8", "surrogateescape")
        if not _MODE.match(mode) or len(oid) != id_bytes or not name or b"/" in name or text in found:
            raise malformed("not a git tree", at)
        found[text] = Node(int(mode, 8), oid.hex())
        at = end + id_bytes
    return found


def _tree(here: Objects, oid: str) -> dict[str, Node]:
    kind, body = here.get(oid, ("", b""))
    if kind != "tree":
        raise malformed(f"the git object {oid} is not here, or is no tree")
    return parse_tree(body, len(oid) // 2)


@dataclass(slots=True, kw_only=True)
class Files:
    """What lies below one folder of a commit."""

    sizes: dict[str, tuple[str, int]]
    folders: dict[str, dict[str, Node]] = field(default_factory=dict)  # by path; "" is the target
    links: dict[str, str] = field(default_factory=dict)  # what the blob of a link says, by id
    _left: int = FILE_COUNT
    _links_left: int = LINKED_FOLDER_COUNT

    def load(self, tree: str, subpath: str, here: Objects, contents: Contents) -> None:
        """Reads the trees below `subpath`, level by level, and what links say.

        Raises missing, malformed or limit.
        """
        node = self._descend(Node(_FOLDER, tree), subpath, here)
        level = {"": node.oid} if node.is_folder else {}
        if not level:
            self.folders[""] = {subpath.rpartition("/")[2]: node}
        for _ in range(PATH_DEPTH):
            trees = {oid: _tree(here, oid) for oid in dict.fromkeys(level.values())}
            for path, oid in level.items():
                self.folders[path] = trees[oid]
                self._spend(len(trees[oid]))
            level = {_joined(path, name): inner.oid for path in level
                     for name, inner in self.folders[path].items() if inner.is_folder}  # fmt: skip
            if not level:
                break
        else:
            raise over_limit(f"folders in the repository are more than {PATH_DEPTH} deep")
        links = [node.oid for inside in self.folders.values() for node in inside.values() if node.is_link]
        short = (oid for oid in links if self.sizes.get(oid, ("", LINK_BYTES + 1))[1] <= LINK_BYTES)
        self.links = {oid: body.decode("utf-8", "surrogateescape") for oid, _, body in contents(short)}

    def _descend(self, node: Node, subpath: str, here: Objects) -> Node:
        for name in subpath.split("/") if subpath else ():
            inside = _tree(here, node.oid) if node.is_folder else {}
            if name not in inside:
                raise UnreadableError(Reason.MISSING, f"the commit has nothing at {visible(subpath)}")
            node = inside[name]
        return node

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise over_limit(f"more than {FILE_COUNT:,} files in the commit")

    def walk(self) -> Iterator[tuple[str, Node] | Gap]:
        """Every file under every path that leads to it; gaps for links that lead nowhere, and submodules."""
        self._left, self._links_left = FILE_COUNT, LINKED_FOLDER_COUNT
        todo = [("", "", frozenset([""]))]  # shown path, real path, real paths on the way
        while todo:
            shown, real, chain = todo.pop()
            for name, node in self.folders[real].items():
                path, own = _joined(shown, name), _joined(real, name)
                self._left -= 1
                if self._left < 0:
                    message = f"more than {FILE_COUNT:,} files, those through links included"
                    yield Gap.of(".", Stage.LIST, over_limit(message))
                    return
                try:
                    if node.is_link:
                        own = self._resolve(own)
                        node = self._node(own)  # noqa: PLW2901 - what the link stands for
                        if node.is_folder:
                            self._check_loop(own, chain)
                    if node.is_folder:
                        todo.append((path, own, chain | {own}))
                        continue
                    _check_file(node)
                    yield path, node
                except UnreadableError as error:
                    yield Gap.of(visible(path), Stage.LIST, error)

    def _check_loop(self, real: str, chain: frozenset[str]) -> None:
        if real in chain:
            raise UnreadableError(Reason.LINK_LOOP, "a link to a folder that it lies in")
        self._links_left -= 1
        if self._links_left < 0 or len(chain) >= PATH_DEPTH:
            raise over_limit(f"more than {LINKED_FOLDER_COUNT} links to folders, not followed")

    def _node(self, path: str) -> Node:
        if path in self.folders:
            return Node(_FOLDER, "")
        folder, _, name = path.rpartition("/")
        return self.folders[folder][name]

    def _resolve(self, link: str) -> str:
        """The real path that a link in the target leads to. Raises outside-target, link-loop, vanished."""
        at, todo, left = link.split("/")[:-1], [link.rpartition("/")[2]], LINK_COUNT
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not at:
                    raise UnreadableError(Reason.OUTSIDE_TARGET, "a link that leads out of the target")
                at.pop()
                continue
            node = self.folders.get("/".join(at), {}).get(part)
            if node is None:
                raise UnreadableError(Reason.VANISHED, "a link that points to nothing")
            if not node.is_link:
                at.append(part)
                continue
            left -= 1
            if left < 0:
                raise UnreadableError(Reason.LINK_LOOP, f"more than {LINK_COUNT} links lead to each other")
            todo += self._text(node).split("/")[::-1]
        return "/".join(at)

    def _text(self, link: Node) -> str:
        text = self.links.get(link.oid)
        if text is None:
            raise over_limit(f"a link of more than {LINK_BYTES} bytes")
        if text.startswith("/"):
            raise UnreadableError(Reason.OUTSIDE_TARGET, "a link that leads out of the target")
        return text


def _check_file(node: Node) -> None:
    if node.is_submodule:
        message = f"a submodule at commit {node.oid}, which is not fetched: scan its repository by itself"
        raise UnreadableError(Reason.MISSING, message)
    if not node.is_file:
        raise UnreadableError(Reason.SPECIAL_FILE, f"a name of the unknown mode {node.mode:o}")


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
