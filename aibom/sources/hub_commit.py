"""How a commit is written to the Hub, and how it refuses one that somebody else was faster than."""

from __future__ import annotations

import base64
import hashlib
import json as encoding
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, unsupported
from aibom.domain.limits import MIB
from aibom.domain.publication import Attached
from aibom.domain.ref import is_commit
from aibom.domain.text import visible
from aibom.readers import json
from aibom.sources.hub_api import Hub, members, quoted
from aibom.sources.hub_target import Repo

REGULAR_BYTES: Final = 10 * MIB  # of a file outside LFS: the Hub's own bound
SAMPLE_BYTES: Final = 512  # of a file that the Hub is shown to decide where it belongs

_MOVED: Final = (409, 412)
_SEEN: Final = (200, 201, 400, 401, 403, 404)  # what `Hub.judged` takes
_PULL_REQUEST = re.compile(r"(?:.*/discussions/)?([0-9]{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What is to be written: files at the top of a repository, on top of one commit of a branch."""

    hub: Hub
    repo: Repo
    branch: str
    parent: str
    about: str  # the commit that the documents are about
    documents: tuple[Attached, ...]
    pull_request: bool

    @property
    def title(self) -> str:
        """The same for the same documents only."""
        names = ", ".join(each.name for each in self.documents)
        total = hashlib.sha256()
        for each in self.documents:
            total.update(f"{each.name}\0{hashlib.sha256(each.data).hexdigest()}\0".encode())
        return f"Add {names[:100]} ({total.hexdigest()[:12]})"

    def write(self) -> tuple[str, int | None] | None:
        """The id of the new commit, and the number of the pull request; None when the branch moved.

        Hub API Endpoints, `/commit/{rev}`; huggingface_hub documentation, `create_commit`.
        """
        self._check_regular()
        lines = b"".join(encoding.dumps(line).encode() + b"\n" for line in self._lines())
        answer = self._post("commit", "application/x-ndjson", lines)
        if answer is None:
            return None
        commit = json.text(answer.get("commitOid"))
        if commit is None or not is_commit(commit):
            raise malformed("the Hub says that it wrote the documents, and names no commit")
        if not self.pull_request:
            return commit, None
        number = _PULL_REQUEST.fullmatch(json.text(answer.get("pullRequestUrl")) or "")
        if number is None:
            raise malformed("the Hub says that it wrote the documents, and names no pull request")
        return commit, int(number[1])

    def _check_regular(self) -> None:
        """Raises unsupported when the Hub wants a document in LFS (Hub API Endpoints, `/preupload/{rev}`)."""
        files = [
            {"path": each.name, "size": len(each.data), "sample": _base64(each.data[:SAMPLE_BYTES])}
            for each in self.documents
        ]
        answer = self._post("preupload", "application/json", encoding.dumps({"files": files}).encode())
        told = (answer or {}).get("files")
        for each in map(json.members, told if isinstance(told, list) else []):
            name = visible(json.text(each.get("path")) or "a document")
            if each.get("uploadMode") != "regular":
                raise unsupported(f"the Hub wants {name} in LFS, which this version does not write")
            if each.get("shouldIgnore") is True:
                raise unsupported(f"the repository's own .gitignore leaves {name} out")

    def _lines(self) -> Iterator[dict[str, object]]:
        description = f"About the model at commit {self.about}."
        header = {"summary": self.title, "description": description, "parentCommit": self.parent}
        yield {"key": "header", "value": header}
        for each in self.documents:
            content = {"path": each.name, "content": _base64(each.data), "encoding": "base64"}
            yield {"key": "file", "value": content}

    def _post(self, what: str, media_type: str, body: bytes) -> dict[str, json.Json] | None:
        query = "?create_pr=1" if self.pull_request else ""
        answer = self.hub.http.send(
            "POST",
            f"{self.hub.origin}{self.repo.api}/{what}/{quoted(self.branch)}{query}",
            body,
            headers={"Content-Type": media_type},
            secret=self.hub.secret,
            accepted=(*_SEEN, *_MOVED),
        )
        if answer.status in _MOVED:
            return None
        return members(self.hub.judged(answer, self.repo.typed, self.branch))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
