"""Documents about a model, published in its repository on the Hub in one commit or one pull request.

The commit names its parent, so that the Hub refuses it when somebody else was faster; then everything is
looked at again. What is published is about the model as it was at one commit: when the model itself is
another by now, nothing is written.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind, Receipt, WriteState, Written
from aibom.domain.ref import PinnedRef, is_commit
from aibom.domain.text import visible
from aibom.readers import json
from aibom.sources.hub_api import Hub, quoted
from aibom.sources.hub_commit import REGULAR_BYTES, Commit
from aibom.sources.hub_documents import fetched, identities, is_older, kind_of
from aibom.sources.hub_file import Remote, opened
from aibom.sources.hub_listing import listed
from aibom.sources.hub_target import BRANCH, Repo
from aibom.sources.listing import Listing

ATTEMPT_COUNT: Final = 5  # commits that are tried while others are faster
PAUSE_SECONDS: Final = 0.5  # before another attempt, on average and times its number
WAITING_COUNT: Final = 5  # open pull requests with our title that are looked into

Files = Mapping[str, Entry | Gap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Documents about one commit of a repository, on their way into it."""

    hub: Hub
    repo: Repo
    commit: str  # of the model that the documents are about
    documents: tuple[Attached, ...]
    pull_request: bool

    @property
    def branch(self) -> str:
        """The branch that the user named; for a commit the one where everybody looks."""
        revision = self.repo.revision
        return BRANCH if revision is None or is_commit(revision) else revision

    def run(self, *, dry_run: bool) -> Receipt:
        """Writes what is not there yet. Raises `UnreadableError`: see `domain.publication.Registry`."""
        _check_names(self.documents)
        model = self._files(self.commit)
        for attempt in range(ATTEMPT_COUNT):
            time.sleep(PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            head = self._head()
            files = model if head == self.commit else self._files(head)
            self._check_model(model, files)
            missing = tuple(each for each in self.documents if not _is_there(each, files))
            self._check_free(missing, head, files)
            if not missing or dry_run:
                return self._receipt(missing, head, WriteState.PLANNED)
            receipt = self._written(missing, head)
            if receipt is not None:
                return receipt
        message = f"{self.branch} of {self.repo.typed} moved {ATTEMPT_COUNT} times before our commit"
        raise UnreadableError(Reason.CHANGED, message)

    def _written(self, missing: tuple[Attached, ...], head: str) -> Receipt | None:
        """None when somebody else was faster."""
        commit = Commit(
            hub=self.hub,
            repo=self.repo,
            branch=self.branch,
            parent=head,
            about=self.commit,
            documents=missing,
            pull_request=self.pull_request,
        )
        waiting = self._waiting(commit) if self.pull_request else None
        if waiting is not None:
            return self._receipt(missing, head, WriteState.UNCHANGED, waiting)
        made = commit.write()
        return made and self._receipt(missing, made[0], WriteState.WRITTEN, made[1])

    def _waiting(self, commit: Commit) -> int | None:
        """The open pull request that holds these very documents, so that the same again changes nothing."""
        path = f"{self.repo.api}/discussions?type=pull_request&status=open"
        told = self.hub.member(path, self.repo.typed).get("discussions")
        all_of_them = map(json.members, told if isinstance(told, list) else [])
        # Anybody may give a pull request our title: what counts is what it holds.
        ours = [json.integer(each.get("num")) for each in all_of_them if each.get("title") == commit.title]
        for number in filter(None, ours[:WAITING_COUNT]):
            there = self._files(quoted(f"refs/pr/{number}"), recursive=False)
            if all(_is_there(each, there) for each in commit.documents):
                return number
        return None

    def _head(self) -> str:
        path = f"{self.repo.api}/revision/{quoted(self.branch)}?expand=sha"
        head = json.text(self.hub.member(path, self.repo.typed, self.branch).get("sha"))
        if head is None or not is_commit(head):
            raise malformed(f"the Hub names no commit for {self.branch} of {self.repo.typed}")
        return head

    def _files(self, revision: str, *, recursive: bool = True) -> Files:
        items = Listing(full=True).entries(listed(self.hub, self.repo, revision, recursive=recursive))
        return {item.path: item for item in items}

    def _check_model(self, model: Files, files: Files) -> None:
        """Raises changed when the branch holds another model than the one the documents are about."""
        before, now = _own(model), _own(files)
        if before != now:
            path = min(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
            message = f"{self.branch} holds another model than commit {self.commit}: {visible(path)} differs"
            raise UnreadableError(Reason.CHANGED, f"{message}; look at it anew")

    def _check_free(self, missing: tuple[Attached, ...], head: str, files: Files) -> None:
        """Raises when a name belongs to the model itself. An older document of the kind is replaced."""

        def read(entry: Entry) -> bytes:
            reader = opened(Remote(hub=self.hub, repo=self.repo, commit=head, entry=entry))
            return reader.read_at(0, reader.size)

        folders = {path.partition("/")[0] for path in files if "/" in path}
        for document in missing:
            there = files.get(document.name)
            is_free = there is None or is_older(document, fetched(there, read))
            if document.name in folders or not is_free:
                raise unsupported(f"{document.name} is a part of the model itself, and is not replaced")

    def _receipt(
        self, missing: tuple[Attached, ...], revision: str, state: WriteState, number: int | None = None
    ) -> Receipt:
        what = "was opened" if state is WriteState.WRITTEN else "holds them already"
        note = f"pull request {number} {what}; it counts when it is merged"
        place = f"{self.repo.typed}{f'@refs/pr/{number}' if number else ''}"
        written = [
            Written(
                name=each.name,
                place=f"{place if each in missing else self.repo.typed}/{each.name}",
                sha256=hashlib.sha256(each.data).hexdigest(),
                state=state if each in missing else WriteState.UNCHANGED,
            )
            for each in self.documents
        ]
        subject = PinnedRef(scheme=self.repo.scheme, location=self.repo.name, revision=self.commit)
        notes = (note,) if number else ()
        return Receipt(subject=subject, written=tuple(written), revision=revision, notes=notes)


def _check_names(documents: tuple[Attached, ...]) -> None:
    """Raises unsupported for names under which nobody would find the documents again, or their model."""
    if len({each.name for each in documents}) != len(documents):
        raise unsupported("two documents have the same name")
    for each in documents:
        if not _is_found(each):
            raise unsupported(f"{visible(each.name)} is no name under which a {each.kind} is looked for")
        if len(each.data) > REGULAR_BYTES:
            raise unsupported(f"{each.name}: the Hub takes more than {REGULAR_BYTES:,} bytes in LFS only")


def _is_found(document: Attached) -> bool:
    """Whether its name says what it is. An attestation is a bundle, or a plain statement."""
    named = kind_of(document.name)
    if document.kind is not DocumentKind.ATTESTATION:
        return named is not None and named[0] is document.kind
    return document.name.endswith((".sig", ".sigstore", ".json", ".jsonl"))


def _own(files: Files) -> dict[str, object]:
    """What identifies the files of the model itself, by path."""
    return {
        path: (item.size, item.claimed) if isinstance(item, Entry) else item
        for path, item in files.items()
        if "/" in path or kind_of(path) is None
    }


def _is_there(document: Attached, files: Files) -> bool:
    there = files.get(document.name)
    if not isinstance(there, Entry) or there.size != len(document.data):
        return False
    return any(digest.value in identities(document.data) for digest in there.claimed)
