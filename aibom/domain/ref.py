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
    "npm": ("npm", 1), "conda": ("conda", 1), "docker": ("docker", 1), "oci": ("oci", 1),
}  # fmt: skip
_ADDRESSES: Final = {
    "hf": "hf://", "hf-dataset": "hf://datasets/", "hf-space": "hf://spaces/", "oci": "oci://",
    "gs": "gs://", "az": "az://", "abfs": "abfs://", "s3": "s3://",
}  # fmt: skip
_VERSIONS: Final = {"mlflow": "/", "s3": "?versionId="}  # what stands before a version; else an `@`
_FRONTS: Final = {
    **_ADDRESSES,
    "mlflow": "models:/",
    "mlflow-run": "runs:/",
    "git": "git+",
    "https": "https://",
}
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
    def place(self) -> str | None:
        """What a user types to name the remote place, whatever its version; None for one on this machine."""
        if self.scheme in _ADDRESSES:
            return f"{_ADDRESSES[self.scheme]}{self.location}"
        if self.scheme == "mlflow":  # the server is named by the environment
            above, _, name = self.location.rpartition("/")
            is_run = above.endswith("/runs") and not self.revision
            return (
                f"runs:/{name}{f'/{self.subpath}' if self.subpath else ''}" if is_run else f"models:/{name}"
            )
        if self.scheme == "git" and "://" in self.location:
            return f"git+{self.location}"
        return self.location if self.scheme == "https" else None

    @property
    def address(self) -> str | None:
        """What a user types to name the remote place at this revision; None for a place on this machine."""
        place, revision = self.place, self.revision
        if place is None:
            return None
        if self.scheme == "git":
            within = f"#{self.subpath}" if self.subpath else ""
            return f"{place}@{revision}{within}" if revision else f"{place}{within}"
        if not revision:
            return place
        if self.scheme == "https":
            return f"{place}#{revision.replace(':', '=', 1)}"
        return f"{place}{_VERSIONS.get(self.scheme, '@')}{revision}"

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
        if self.scheme == "oci":  # no namespace: the whole repository stands in the qualifier
            place = quote(self.location.lower(), safe=":", errors="surrogatepass")
            return self.location.rpartition("/")[2].lower(), f"?repository_url={place}"
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


def ref_at(address: str) -> Ref | None:
    """The place and revision that an address names, as `Ref.address` spells it; None for any other text."""
    for scheme, front in sorted(_FRONTS.items(), key=lambda item: -len(item[1])):
        if address.startswith(front):
            try:
                return _ref(scheme, address.removeprefix(front))
            except ValueError:  # without a location, or with credentials
                return None
    return None


def _ref(scheme: str, rest: str) -> Ref:
    location, revision, subpath = rest, "", ""
    if scheme == "mlflow":
        location, _, revision = rest.partition("/")
        location = location and f"/{location}"
    elif scheme == "mlflow-run":
        run, _, subpath = rest.partition("/")
        scheme, location = "mlflow", run and f"/runs/{run}"
    elif scheme == "git":
        rest, _, subpath = rest.partition("#")
        above, _, commit = rest.rpartition("@")
        location, revision = (above, commit) if is_commit(commit) else (rest, "")
    elif scheme == "https":
        location, _, revision = f"https://{rest}".partition("#")
        revision = revision.replace("=", ":", 1)
    elif scheme == "s3":
        location, _, revision = rest.partition(_VERSIONS["s3"])
    elif scheme.startswith(("hf", "oci")) and "@" in rest:
        location, _, revision = rest.rpartition("@")
    return Ref(scheme=scheme, location=location, revision=revision or None, subpath=subpath or None)
