"""Names of places: a `Ref` may move, a `PinnedRef` cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_USERINFO = re.compile(r"//[^/@]*@")


# Type of the purl specification and how many parts its names have at least, by scheme.
_TYPES: Final = {
    "hf": ("huggingface", 2), "hf-dataset": ("huggingface", 2), "git": ("github", 2), "pypi": ("pypi", 1),
    "npm": ("npm", 1), "conda": ("conda", 1), "docker": ("docker", 1),
}  # fmt: skip
_GITHUB: Final = "https://github.com/"


def _quoted(text: str) -> str:
    return quote(text, safe="/:", errors="surrogatepass")


def _segments(path: str) -> list[str]:
    """The quoted parts of a path; what only says "here" or "above" is none."""
    parts = (part.strip() for part in path.split("/"))
    return [_quoted(part) for part in parts if part not in ("", ".", "..")]


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
        """The package URL of the place in canonical form, where the purl specification defines one."""
        if self.scheme not in _TYPES:
            return None
        name, qualifier = self._package()
        type_, least = _TYPES[self.scheme]
        parts = _segments(name)
        if len(parts) < least:
            return None
        revision = (self.revision or "").strip()
        version = f"@{_quoted(revision.lower() if type_ == 'huggingface' else revision)}" if revision else ""
        subpath = "/".join(_segments(self.subpath or ""))
        return f"pkg:{type_}/{'/'.join(parts)}{version}{qualifier}{f'#{subpath}' if subpath else ''}"

    def _package(self) -> tuple[str, str]:
        """Namespace and name as the type wants them, and the qualifier."""
        if self.scheme == "git":
            known = self.location.startswith(_GITHUB)
            return self.location.removeprefix(_GITHUB).removesuffix(".git").lower() if known else "", ""
        if self.scheme == "pypi":
            return self.location.lower().replace("_", "-"), ""
        if self.scheme in ("npm", "conda"):
            return self.location.lower(), ""
        if self.scheme == "docker":
            return self._image()
        # The specification defines models only; datasets get a qualifier (purl-spec PR 534).
        return self.location, "?repo_type=dataset" if self.scheme == "hf-dataset" else ""

    def _image(self) -> tuple[str, str]:
        """An image; a first part with a dot or a port is a registry (reference grammar of Docker)."""
        host, _, name = self.location.partition("/")
        if name and (set(".:") & set(host) or host == "localhost"):
            return name, f"?repository_url={_quoted(host)}"
        return self.location, ""


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
