"""The Hugging Face Hub: models, datasets and Spaces at a commit, described without downloading the weights.

What is asked for is resolved to a commit first, and everything else is asked at that commit. The listing
claims a SHA-256 for files in LFS, a Git blob id for the others, and a Xet hash where there is one. Its
interface: `hub_api`. Its files: `hub_file`. What is published beside a model: `hub_publish`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote

from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader, Source
from aibom.domain.publication import Attached, Receipt
from aibom.domain.ref import PinnedRef, is_commit
from aibom.domain.target import Target
from aibom.domain.text import capped, visible
from aibom.readers import json
from aibom.sources.hub_api import PUBLIC, Hub, quoted
from aibom.sources.hub_documents import attached
from aibom.sources.hub_file import Remote, opened
from aibom.sources.hub_listing import listed
from aibom.sources.hub_publish import Publication
from aibom.sources.hub_target import BRANCH, Many, Repo, is_name, parsed
from aibom.sources.listing import Listed, Listing
from aibom.sources.opening import Opening, Place

FLAGGED_COUNT: Final = 20  # files that the Hub's own scanners object to, by name

_LEVELS: Final = ("unsafe", "suspicious", "caution", "error", "queued", "unscanned")
# What a dataset or a Space is asked for; a model is asked with the state of its scan, and tells all it has.
_FIELDS: Final = "expand=sha&expand=gated&expand=private&expand=disabled"


@dataclass(slots=True, kw_only=True)
class HubSource:
    """One repository at one commit."""

    hub: Hub
    repo: Repo
    commit: str
    target: Target
    opening: Opening = field(repr=False)
    excluded: int = 0

    def entries(self) -> Iterator[Entry | Gap]:
        """Every file of the commit. What cannot be listed to its end ends in a gap."""
        listing = Listing(self.opening.exclude, full=self.opening.full)
        broken: list[Gap] = []
        # All is listed before anything is yielded, so `broken` is complete when its turn comes.
        found = (*listing.entries(self._listed(broken)), *broken)
        self.excluded = listing.excluded
        yield from sorted(found, key=lambda item: item.path)

    def _listed(self, broken: list[Gap]) -> Iterator[Listed]:
        try:
            yield from listed(self.hub, self.repo, self.commit)
        except UnreadableError as error:
            broken.append(Gap.of(".", Stage.LIST, error))

    @contextmanager
    def open(self, entry: Entry) -> Iterator[ByteReader]:
        yield opened(Remote(hub=self.hub, repo=self.repo, commit=self.commit, entry=entry))

    def _read(self, entry: Entry) -> bytes:
        with self.open(entry) as reader:
            return reader.read_at(0, reader.size)

    def attached(self) -> tuple[Attached, ...]:
        """The documents at the top of the repository, at this very commit."""
        top = listed(self.hub, self.repo, self.commit, recursive=False)
        return attached(Listing(full=True).entries(top), self._read)

    def publish(self, documents: tuple[Attached, ...], *, dry_run: bool, pull_request: bool) -> Receipt:
        """One commit with all documents, or a pull request of one, on the branch that was asked for."""
        return Publication(
            hub=self.hub,
            repo=self.repo,
            commit=self.commit,
            documents=documents,
            pull_request=pull_request,
        ).run(dry_run=dry_run)


def _open(target: str, opening: Opening) -> Source:
    asked = parsed(target)
    if isinstance(asked, Many):
        raise UnreadableError(
            Reason.UNSUPPORTED, f"{visible(target)} names several repositories, and one is wanted"
        )
    hub = Hub.of(opening)
    wanted = asked.revision or BRANCH
    about = _about(hub, asked, wanted)
    commit = json.text(about.get("sha"))
    if not is_commit(commit) or commit is None:
        raise malformed(f"the Hub names no commit for {asked.typed}: is HF_ENDPOINT the address of a Hub?")
    if is_commit(wanted) and commit != wanted:
        raise UnreadableError(Reason.CHANGED, f"the Hub answers for another commit than {wanted}")
    repo = _renamed(asked, json.text(about.get("id")))
    ref = PinnedRef(scheme=repo.scheme, location=repo.name, revision=commit)
    told = _attributes(hub, asked, repo, about)
    named = Target(name=repo.name.rpartition("/")[2], ref=ref, attributes=told)
    return HubSource(hub=hub, repo=repo, commit=commit, target=named, opening=opening)


def _about(hub: Hub, repo: Repo, revision: str) -> dict[str, json.Json]:
    path = f"{repo.api}/revision/{quoted(revision)}"
    try:
        fields = "securityStatus=true" if repo.kind == "models" else _FIELDS
        return hub.member(f"{path}?{fields}", repo.typed, revision)
    except UnreadableError as error:
        if error.reason is not Reason.LIMIT:
            raise
    # It names every file, and there are very many: what the scanners say is done without.
    return hub.member(f"{path}?{_FIELDS}", repo.typed, revision)


def _renamed(asked: Repo, name: str | None) -> Repo:
    """The repository under the name that it has now; an old name costs a redirect each time."""
    return replace(asked, name=name) if name is not None and "/" in name and is_name(name) else asked


def _attributes(
    hub: Hub, asked: Repo, repo: Repo, about: dict[str, json.Json]
) -> tuple[tuple[str, str], ...]:
    told = [("requested", asked.revision or BRANCH)]
    if hub.origin != PUBLIC:
        told.append(("endpoint", hub.origin))
    if repo.name != asked.name:
        told.append(("renamed", f"asked for as {asked.name}"))
    gate = about.get("gated")
    if gate:
        told.append(("gated", capped(visible(gate), 40) if isinstance(gate, str) else "yes"))
    told += [(name, "yes") for name in ("private", "disabled") if about.get(name) is True]
    return (*told, *_scanned(json.members(about.get("securityRepoStatus"))))


def _scanned(status: dict[str, json.Json]) -> Iterator[tuple[str, str]]:
    """What the Hub's own scanners say: evidence of somebody else, and nothing before they are done."""
    done = status.get("scansDone")
    if not isinstance(done, bool):
        return
    files = status.get("filesWithIssues")
    flagged = [json.members(item) for item in files] if isinstance(files, list) else []
    count = f"{len(flagged):,} files with issues" if flagged else "no file with issues"
    yield "hub-scan", f"finished: {count}" if done else "not finished"
    for item in flagged[:FLAGGED_COUNT]:
        level = json.text(item.get("level"))
        path = capped(visible(json.text(item.get("path")) or "?"), 200)
        yield f"hub-scan:{level if level in _LEVELS else 'unknown'}", path


def _expand(target: str, opening: Opening) -> Iterator[str]:
    """The repositories of an organisation, user or collection, page by page; else the target itself."""
    asked = parsed(target)
    if isinstance(asked, Repo):
        yield target
        return
    hub = Hub.of(opening)
    found = False
    for repo in _collected(hub, asked) if asked.kind == "collections" else _owned(hub, asked):
        found = True
        yield repo.typed
    if not found:
        message = (
            f"{visible(target)}: nothing is listed; the name may be wrong, or all of it private: see HF_TOKEN"
        )
        raise UnreadableError(Reason.MISSING, message)


def _owned(hub: Hub, asked: Many) -> Iterator[Repo]:
    path = f"/api/{asked.kind}?author={quote(asked.name)}"
    for page in hub.pages(path, f"{asked.kind} of {asked.name}"):
        for item in page:
            name = json.text(json.members(item).get("id")) or ""
            owner = name.partition("/")[0]
            if not is_name(name) or ("/" in name and owner.lower() != asked.name.lower()):
                raise malformed(
                    f"the Hub lists {capped(visible(name), 200)!r} as {asked.kind} of {asked.name}"
                )
            yield Repo(kind=asked.kind, name=name)


def _collected(hub: Hub, asked: Many) -> Iterator[Repo]:
    slug = asked.name
    items = hub.member(f"/api/collections/{slug}", f"hf://collections/{slug}").get("items")
    for item in items if isinstance(items, list) else []:
        members = json.members(item)
        kind = f"{json.text(members.get('type')) or '?'}s"
        name = json.text(members.get("id")) or ""
        if kind in ("models", "datasets", "spaces"):
            if not is_name(name):
                raise malformed(
                    f"the collection {slug} lists {capped(visible(name), 200)!r} as one of its {kind}"
                )
            yield Repo(kind=kind, name=name)


PLACE: Final = Place(scheme="hf", title="Hugging Face Hub", open=_open, expand=_expand)
