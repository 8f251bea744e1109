"""What the user typed for the Hugging Face Hub: one repository, or all of an organisation or a collection."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import quote, unquote

from aibom.domain.errors import Reason, UnreadableError, unsupported
from aibom.domain.text import capped, visible

BRANCH: Final = "main"  # what every repository of the Hub has
REVISION_CHARS: Final = 255

# Kind as the API spells it: scheme of its references, and what stands in front of the name in addresses.
_KINDS: Final = {
    "models": ("hf", ""),
    "datasets": ("hf-dataset", "datasets/"),
    "spaces": ("hf-space", "spaces/"),
}
_ELSEWHERE: Final = {
    "buckets": "a storage bucket has no versions that could be pinned; scan it through its S3 gateway",
    "kernels": "kernels are not read in this version",
    "papers": "a paper has no files",
}
# Names as the Hub allows them (huggingface_hub documentation, "Repo id").
_NAME: Final = r"(?!.*(?:--|\.\.))(?!.*\.git\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
_PART = re.compile(_NAME)
_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,96}/[A-Za-z0-9_.-]{1,160}")
_REVISION = re.compile(r"(?!.*\.\.)(?!/)[A-Za-z0-9_./+=-]{1,255}(?<!/)")
_WHAT: Final = (
    "type hf://org/name, hf://datasets/org/name or hf://spaces/org/name, each with or without @revision; "
    "hf://org/* for all models of an organisation, hf://collections/owner/slug for a collection"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """One repository. `name` is `org/name`, or one word for the few old models without an organisation."""

    kind: str  # models, datasets, spaces
    name: str
    revision: str | None = None  # as the user typed it

    @property
    def scheme(self) -> str:
        return _KINDS[self.kind][0]

    @property
    def api(self) -> str:
        return f"/api/{self.kind}/{self.name}"

    @property
    def typed(self) -> str:
        """How the user names it, without a revision."""
        return f"hf://{_KINDS[self.kind][1]}{self.name}"

    def resolve(self, commit: str, path: str) -> str:
        """Where the bytes of a file are."""
        return f"/{_KINDS[self.kind][1]}{self.name}/resolve/{commit}/{quote(path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """All repositories of one kind of an organisation or user, or all that are in a collection."""

    kind: str  # models, datasets, spaces, collections
    name: str


def parsed(target: str) -> Repo | Many:
    """Raises `UnreadableError`: malformed, with what to type; unsupported for what the Hub also has."""
    rest = target.partition("://")[2]
    place, at, revision = rest.partition("@")
    first, _, behind = place.partition("/")
    if first in _ELSEWHERE:
        raise unsupported(f"{_shown(target)}: {_ELSEWHERE[first]}")
    if first == "collections":
        return _collection(target, behind, pinned=bool(at))
    kind, name = (first, behind) if first in _KINDS else ("models", place)
    if name.endswith("/*") and not at and _PART.fullmatch(name[:-2]):
        return Many(kind=kind, name=name[:-2])
    if not is_name(name):
        _refuse(target, name)
    return Repo(kind=kind, name=name, revision=_revision(target, revision) if at else None)


def is_name(text: str) -> bool:
    """Whether it is the name of a repository."""
    parts = text.split("/")
    return len(parts) <= 2 and all(_PART.fullmatch(part) for part in parts)


def _collection(target: str, slug: str, *, pinned: bool) -> Many:
    if pinned or not _SLUG.fullmatch(slug):
        raise _malformed(target, "a collection is named by its owner and slug, and has no revisions")
    return Many(kind="collections", name=slug)


def _revision(target: str, text: str) -> str:
    revision = unquote(text)
    if not _REVISION.fullmatch(revision):
        raise _malformed(target, "a revision is a branch, a tag, a commit or refs/pr/<number>")
    return revision


def _refuse(target: str, name: str) -> NoReturn:
    if "*" in name:
        raise _malformed(target, "`*` stands for all names of an organisation and nothing else")
    parts = name.split("/")
    if len(parts) > 2 and is_name("/".join(parts[:2])):
        raise _malformed(target, "a repository is scanned as a whole, not a folder or file of it")
    raise _malformed(target, "not the name of a repository")


def _malformed(target: str, why: str) -> UnreadableError:
    return UnreadableError(Reason.MALFORMED, f"{_shown(target)}: {why}; {_WHAT}")


def _shown(target: str) -> str:
    # Whoever pastes an address with a password in it must not find that in a log.
    return capped(visible(re.sub(r"//[^/]*:[^/]*@", "//", target)), 200)
