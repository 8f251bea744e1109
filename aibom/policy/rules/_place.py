"""Where something comes from, as package URLs that are compared by their parts and never as texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from aibom.domain.component import Component
from aibom.domain.ref import PinnedRef, Ref, is_commit
from aibom.policy.glob import Glob
from aibom.policy.setting import Setting

_PURL: Final = re.compile(r"pkg:/*([a-z][a-z0-9.+-]*)/([^?#]+)(?:\?([^#]*))?", re.ASCII | re.IGNORECASE)
_PLAIN: Final = re.compile(r"pkg:([a-z]+)/(\w[\w.-]*(?:/\w[\w.-]*)*)(?:@([\w.-]+))?\Z", re.ASCII)
_PATTERN: Final = re.compile(r"pkg:[a-z][a-z0-9.+-]*/.", re.ASCII)
# With one of these a package comes from somewhere else than its type and name say.
_MOVING: Final = frozenset({"download_url", "repository_url", "vcs_url"})

_GIT: Final = frozenset({"bitbucket", "github", "gitlab", "huggingface"})
_IMAGES: Final = frozenset({"docker", "oci"})
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}\Z")
_FLOATING: Final = frozenset(
    {
        "champion", "dev", "develop", "edge", "head", "latest", "main", "master", "nightly", "production",
        "snapshot", "stable", "staging", "trunk",
    }
)  # fmt: skip
_EXACT: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_:-]*\Z", re.ASCII)  # no range, no path


class Purl(NamedTuple):
    """The parts of a package URL that say where something comes from, decoded."""

    type: str
    name: str  # with its namespace
    version: str = ""
    qualifiers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str) -> Purl | None:
        """None for what is no package URL, or whose name leads upwards or looks like a qualifier."""
        # Nearly all of them have nothing to decode, and every component is asked several times.
        plain = _PLAIN.match(text)
        if plain is not None:
            return cls(plain[1], plain[2], plain[3] or "")
        found = _PURL.match(text)
        if found is None:
            return None
        path, sign, version = found[2].rpartition("@")
        name, version = unquote(path if sign else version).strip("/"), unquote(version if sign else "")
        if "?" in name + version or any(part in ("", ".", "..") for part in name.split("/")):
            return None
        pairs = (pair.partition("=") for pair in (found[3] or "").split("&"))
        qualifiers = sorted((key.lower(), unquote(value)) for key, _, value in pairs if value)
        return cls(found[1].lower(), name, version, tuple(qualifiers))

    def spellings(self) -> Iterator[str]:
        """The texts that a pattern may match: with the version, and without one that is a plain word."""
        names = [f"pkg:{self.type}/{self.name}"]
        if self.version:
            names.append(f"{names[0]}@{self.version}")
        if "/" in self.version:  # `refs/pr/1` is a place of its own, which anybody can fill
            del names[0]
        moving = [pair for pair in self.qualifiers if pair[0] in _MOVING]
        if not moving:
            yield from names
        for pairs in (moving, self.qualifiers):
            query = "&".join(f"{key}={value}" for key, value in pairs)
            yield from (f"{name}?{query}" for name in names if query)


@dataclass(frozen=True, slots=True)
class Places:
    """Allowed places: patterns of package URLs, and patterns of names for what has none."""

    purls: tuple[Glob, ...]
    names: tuple[Glob, ...]

    @classmethod
    def of(cls, setting: Setting) -> Places:
        """Raises `PolicyError`, also for a pattern that lets every package in."""
        globs = setting.each(_pattern)
        purls = tuple(glob for glob in globs if glob.text.startswith("pkg:"))
        return cls(purls, tuple(glob for glob in globs if glob not in purls))

    def allow(self, purl: str) -> bool:
        parts = Purl.of(purl)
        return parts is not None and any(
            _matches(glob, spelling) for spelling in parts.spellings() for glob in self.purls
        )

    def allow_name(self, name: str) -> bool:
        return any(glob.matches(name) for glob in self.names)

    @property
    def texts(self) -> str:
        return ", ".join(glob.text for glob in (*self.purls, *self.names))


def _pattern(entry: Setting) -> Glob:
    glob = entry.glob()
    if not glob.text.startswith("pkg:"):
        return glob
    if not _PATTERN.match(glob.text):
        raise entry.error("a package URL begins with its type, such as pkg:huggingface/acme/*")
    return Glob.of(unquote(glob.text))  # written as package URLs are, and compared decoded


def _matches(glob: Glob, spelling: str) -> bool:
    # A star of the name must not swallow the question mark, and with it another registry.
    return ("?" in glob.text) == ("?" in spelling) and glob.matches(spelling)


@lru_cache(maxsize=4_096)  # many models have the same base
def purl_of(ref: Ref) -> str | None:
    """The package URL of a place outside of the inventory."""
    if ref.scheme == "purl":  # of a type that has no scheme of its own
        return f"pkg:{ref.location}{f'@{ref.revision}' if ref.revision else ''}"
    return ref.purl


def is_pinned(component: Component) -> bool | None:
    """Whether its place cannot move; None when no place is known."""
    if isinstance(component.ref, PinnedRef):
        return True
    purl = Purl.of(component.purl or "")
    if purl is None:
        return None
    version = (purl.version or revision_of(component)).lower()
    if purl.type in _GIT:
        return is_commit(version)
    if purl.type in _IMAGES:
        return _DIGEST.match(version) is not None
    if purl.type == "mlflow":  # everything else is an alias or a stage
        return version.isdecimal()
    return version not in _FLOATING and _EXACT.match(version) is not None


def revision_of(component: Component) -> str:
    """What is told about the version of a component, empty when nothing is."""
    purl = Purl.of(component.purl or "")
    told = component.ref.revision if component.ref else None
    return (purl.version if purl else "") or told or component.version or ""
