"""What a git checkout says about itself: commit, branch, remote, and whether it was changed.

These are statements of the scanned place, not proof: whoever made the folder also made its `.git`.
The git program is never run (see `git_checkout`).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from aibom.domain.text import visible
from aibom.sources.git_checkout import Checkout, find

URL_CHARS: Final = 2_048

# host:path, the short form of ssh; one letter would be a Windows drive.
_SCP = re.compile(r"(?:[^/@:]+@)?([A-Za-z0-9][A-Za-z0-9.-]+):(?!/?/)([^:]+)\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?\Z")
_SCHEMES = ("https", "http", "ssh", "git")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFacts:
    """Facts of a checkout. None stands for what could not be told."""

    commit: str | None
    branch: str | None  # None also when HEAD is detached
    remote: str | None  # URL without credentials; None also for a path on this machine
    dirty: bool | None
    subpath: str | None  # of the target in the checkout; None at its top


def describe(root: Path) -> GitFacts | None:
    """The facts of the checkout that holds a folder or file, None when no commit knows of it.

    `root` is absolute and without links. Never raises.
    """
    checkout = find(root)
    if checkout is None:
        return None
    from aibom.sources.git_changes import Changes  # noqa: PLC0415 - only a checkout needs its readers

    below = os.fspath(root)[len(checkout.top) :].strip("/")
    commit, branch = checkout.head()
    changes = Changes(checkout=checkout, commit=commit, below=os.fsencode(below))
    dirty = changes.verdict()
    if not changes.knows:
        return None  # build output, a download: in the checkout's folder, but no part of it
    return GitFacts(
        commit=commit,
        branch=visible(branch) if branch else None,
        remote=_remote(checkout),
        dirty=dirty,
        subpath=visible(below) or None,
    )


def _remote(checkout: Checkout) -> str | None:
    """The URL of `origin`, or of the only remote."""
    urls = {name: values[0] for name, values in checkout.config.items() if _is_remote(name)}
    if "remote.origin.url" in urls:
        return public_url(urls["remote.origin.url"])
    return public_url(next(iter(urls.values()))) if len(urls) == 1 else None


def _is_remote(key: str) -> bool:
    return key.startswith("remote.") and key.endswith(".url") and key.count(".") > 1


def public_url(url: str) -> str | None:
    """A remote's URL without user, password, query and fragment; None for paths and other schemes.

    `git@host:path` and `ssh://git@host/path` become `https://host/path`, so that one repository has
    one name however it was cloned.
    """
    url = url.strip()
    if len(url) > URL_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        return None
    if short := _SCP.match(url):
        return _https(short[1], short[2])
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    # A password with a slash in it ends up in the path: what has an @ there is not shown.
    if parts.scheme not in _SCHEMES or not _HOST.match(host) or "@" in parts.path:
        return None
    if parts.scheme == "ssh" and ":" not in host:
        return _https(host, parts.path)
    return f"{parts.scheme}://{host}{parts.path}".rstrip("/")


def _https(host: str, path: str) -> str | None:
    return None if "@" in path else f"https://{host}/{path.strip('/')}"
