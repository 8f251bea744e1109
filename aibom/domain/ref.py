"""Names of places: a `Ref` may move, a `PinnedRef` cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_USERINFO = re.compile(r"//[^/@]*@")


def _quoted(text: str) -> str:
    return quote(text, safe="/", errors="surrogatepass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A place in a scheme, for instance `hf` and `org/name`, at a revision that may move."""

    scheme: str  # file, git, hf, hf-dataset, oci, mlflow, s3, ollama, https
    location: str
    revision: str | None = None
    subpath: str | None = None

    def __post_init__(self) -> None:
        if not self.scheme or not self.location:
            raise ValueError("a reference needs a scheme and a location")
        if _USERINFO.search(self.location):
            raise ValueError("a reference must not carry credentials")

    @property
    def purl(self) -> str | None:
        """The package URL of the place, where the purl specification defines one."""
        version = f"@{self.revision.lower()}" if self.revision else ""
        suffix = f"#{_quoted(self.subpath)}" if self.subpath else ""
        if self.scheme in ("hf", "hf-dataset") and "/" in self.location:
            # The specification defines models only; datasets get a qualifier (purl-spec PR 534).
            kind = "?repo_type=dataset" if self.scheme == "hf-dataset" else ""
            return f"pkg:huggingface/{_quoted(self.location)}{version}{kind}{suffix}"
        if self.scheme == "git" and self.location.startswith("https://github.com/"):
            name = self.location.removeprefix("https://github.com/").removesuffix(".git").lower()
            return f"pkg:github/{_quoted(name)}{version}{suffix}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRef(Ref):
    """A place at a commit, digest or version id that cannot move."""

    def __post_init__(self) -> None:
        # `super()` needs a closure cell that `slots=True` breaks.
        Ref.__post_init__(self)
        if not self.revision:
            raise ValueError("a pinned reference needs a revision")


def is_commit(revision: str | None) -> bool:
    """True for a full Git commit id (SHA-1 or SHA-256)."""
    return revision is not None and _COMMIT.match(revision) is not None
