"""Every package of npm whose calls are known."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from aibom.discovery import javascript_frameworks, javascript_hosted, javascript_hub
from aibom.discovery.javascript_loader import Loader

_PACKAGES: Final = {**javascript_hub.PACKAGES, **javascript_hosted.PACKAGES}
_NAMES: Final = sorted((*_PACKAGES, *javascript_frameworks.PACKAGES), key=len, reverse=True)
_NAMED: Final = "|".join((*map(re.escape, _NAMES), r"@(?:ai-sdk|langchain|llamaindex)/[\w.-]+"))
# An import of one of them, also from an address that serves packages to browsers.
IMPORT: Final = re.compile(
    rb"(?:\bfrom|\bimport|\brequire)\s{0,20}\(?\s{0,20}['\"`](?:[\w:/.-]{0,60}[/:])?(?:%b)(?:[@/][^'\"`\n]{0,200})?['\"`]"
    % _NAMED.encode()
)


@cache
def loaders_of(package: str) -> tuple[Loader, ...]:
    """The loaders of a package; none for one that is not known."""
    return _PACKAGES.get(package) or javascript_frameworks.loaders_of(package)


def find(package: str, path: str) -> Loader | None:
    """The loader for something of a package: the first one that fits."""
    return next((each for each in loaders_of(package) if each.pattern.match(path)), None)
