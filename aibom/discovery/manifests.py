"""Frameworks and client libraries in dependency manifests and lock files, with their versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from aibom.discovery import manifests_npm as npm
from aibom.discovery import manifests_python as python
from aibom.discovery.dependency import Dependency, kind_of, library
from aibom.discovery.found import Discoverer, Found, Text
from aibom.domain.errors import over_limit
from aibom.domain.limits import MIB

MANIFEST_BYTES: Final = 16 * MIB

_Read = Callable[[Text], Iterator[Dependency]]
_READERS: Final[dict[str, _Read]] = {
    **dict.fromkeys(("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"), python.toml_lock),
    "pyproject.toml": python.pyproject,
    "Pipfile": python.pipfile,
    "Pipfile.lock": python.pipfile_lock,
    "setup.cfg": python.setup_cfg,
    "package.json": npm.package_json,
    **dict.fromkeys(("package-lock.json", "npm-shrinkwrap.json"), npm.package_lock),
    "yarn.lock": npm.yarn_lock,
    "pnpm-lock.yaml": npm.pnpm_lock,
}
# By path, for files that have no fixed name.
_PATTERNS: Final[tuple[tuple[re.Pattern[str], _Read], ...]] = (
    (
        re.compile(r"(?:.*/)?(?:[^/]*[-_.])?requirements(?:[-_.][^/]*)?\.(?:txt|in|lock)\Z"),
        python.requirements,
    ),
    (re.compile(r"(?:.*/)?requirements/[^/]+\.(?:txt|in)\Z"), python.requirements),
    (re.compile(r"(?:.*/)?(?:[^/]*[-_.])?constraints(?:[-_.][^/]*)?\.txt\Z"), python.requirements),
    (re.compile(r"(?:.*/)?pylock\.[^/.]+\.toml\Z"), python.toml_lock),
    (re.compile(r"(?:.*/)?(?:[^/]*[-_.])?(?:environment|conda)(?:[-_.][^/]*)?\.ya?ml\Z"), python.conda),
    (re.compile(r"(?:.*/)?meta\.yaml\Z"), python.conda),
)


def _reader(path: str) -> _Read | None:
    fixed = _READERS.get(path.rpartition("/")[2])
    return fixed or next((read for pattern, read in _PATTERNS if pattern.match(path)), None)


def discover(text: Text, found: Found) -> None:
    """Every dependency of the manifest that loads, trains or serves models."""
    if len(text.data) > MANIFEST_BYTES:
        raise over_limit(f"{len(text.data)} bytes of manifest, more than {MANIFEST_BYTES}")
    read = _reader(text.path)
    for dependency in read(text) if read is not None else ():
        if found.full:
            break
        target = library(dependency)
        if target is not None:
            found.add(kind_of(target), target.ref, text.name, dependency.line, flags=target.flags)


DISCOVERER = Discoverer(
    name="manifests",
    title="Dependency manifests and lock files",
    wants=lambda path: _reader(path) is not None,
    discover=discover,
)
