"""How a source is opened: what every kind of place is told, and what it offers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.protocols import Source

if TYPE_CHECKING:  # 100 ms
    from aibom.sources.http import Http


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a source may do. `environment` holds credentials: it is shown nowhere."""

    exclude: tuple[str, ...] = ()  # patterns of `fnmatch` for paths; `*` also matches `/`
    surroundings: bool = True  # False: what lies around a local target (its repository) is left out
    full: bool = False  # read all bytes of remote files, instead of the headers of large ones
    network: Callable[[], Http] | None = field(default=None, repr=False)  # None: --offline
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def http(self) -> Http:
        """The one client of this run. Raises `UnreadableError` (io-error) under --offline."""
        if self.network is None:
            raise UnreadableError(
                Reason.IO_ERROR, "the place is remote, and no connection may be opened here"
            )
        return self.network()


def client(allowed: Collection[str], environment: Mapping[str, str]) -> Callable[[], Http]:
    """Makes the client when the first remote place is opened, and only once."""

    @cache
    def make() -> Http:
        from aibom.sources.http import Http  # noqa: PLC0415 - 100 ms

        return Http(allowed=allowed, environment=dict(environment))

    return make


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of place: which scheme names it, and how a source for one of them is made.

    `expand` names the targets that a pattern such as `hf://org/*` stands for, or yields the target itself.
    """

    scheme: str  # in front of `://` or `:`; empty for a path
    title: str
    open: Callable[[str, Opening], Source]
    expand: Callable[[str, Opening], Iterator[str]] | None = None
