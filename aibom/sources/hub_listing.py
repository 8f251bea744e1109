"""What a commit of a repository on the Hub holds, as its listing claims it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import over_limit
from aibom.readers import json
from aibom.sources.hub_api import Hub
from aibom.sources.hub_target import Repo
from aibom.sources.listing import Listed

FILE_COUNT: Final = 250_000  # of one repository: some 200 MB; the Hub recommends fewer than 100,000

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def listed(hub: Hub, repo: Repo, commit: str, *, recursive: bool = True) -> Iterator[Listed]:
    """The files of a commit, or those at its top (Hub API Endpoints, `/tree/{rev}`).

    Without `expand`, which makes pages of a tenth of the length. Raises `UnreadableError` where the listing
    breaks off.
    """
    path = f"{repo.api}/tree/{commit}?recursive={str(recursive).lower()}&expand=false"
    count = 0
    for page in hub.pages(path, repo.typed, commit):
        for item in page:
            members = json.members(item)
            if members.get("type") == "directory":
                continue
            count += 1
            if count > FILE_COUNT:
                raise over_limit(f"more than {FILE_COUNT:,} files are listed")
            yield _file(hub, repo, commit, members)


def _file(hub: Hub, repo: Repo, commit: str, members: dict[str, json.Json]) -> Listed:
    path = json.text(members.get("path")) or ""
    large = json.members(members.get("lfs"))
    content = _SHA256.fullmatch(json.text(large.get("oid")) or "")
    claims = [("xet", json.text(members.get("xetHash")))]
    if content:
        claims.insert(0, ("sha256", content[1]))
    elif not large:  # of a large file it is the digest of the pointer
        claims.insert(0, ("git-sha1", json.text(members.get("oid"))))
    # What is no file, such as a link to another repository, has no bytes here and no size.
    size = json.integer(large.get("size", members.get("size"))) if members.get("type") == "file" else None
    version = f"{hub.origin}/{repo.kind}/{repo.name}@{commit}/{path}"
    return Listed(
        path=path,
        size=size,
        claimed=tuple(_claimed(claims)),
        etag=f"sha256:{content[1]}" if content else version,
    )


def _claimed(claims: Iterable[tuple[str, str | None]]) -> Iterator[Digest]:
    for algorithm, value in claims:
        try:
            yield Digest(algorithm=algorithm, value=value or "", grade=Grade.CLAIMED)
        except ValueError:
            continue  # nothing that could be compared was claimed
