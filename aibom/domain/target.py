"""What was looked at, and by what. Apart from the report, which takes longer to import."""

from __future__ import annotations

from dataclasses import dataclass

from aibom.domain.ref import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One scanned place: what the user called it, and what is known about where it comes from."""

    name: str  # last part of the path or reference, never an absolute path
    ref: Ref | None = None
    dirty: bool | None = None  # of a repository: None when it could not be told
    attributes: tuple[tuple[str, str], ...] = ()
    is_local: bool = False  # read from this machine, whatever `ref` says about where that came from

    @property
    def place(self) -> str | None:
        """What a user types to name it, whatever its version; None for a place on this machine."""
        return self.ref.place if self.ref and not self.is_local else None

    @property
    def address(self) -> str | None:
        """What a user types to name it at its version; None for a place on this machine."""
        return self.ref.address if self.ref and not self.is_local else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    name: str
    version: str
