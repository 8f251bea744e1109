"""What a workflow tells whoever waits for it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called from several threads; must not raise."""

    def listed(self, files: int, size: int) -> None:
        """All entries of all targets are known: how many, and how many bytes."""
        ...

    def advanced(self, count: int) -> None:
        """`count` more bytes are done."""
        ...

    def hint(self, message: str) -> None:
        """Something the user should know that does not change the result."""
        ...


class Silent:
    """Tells nobody."""

    def listed(self, files: int, size: int) -> None:
        pass

    def advanced(self, count: int) -> None:
        pass

    def hint(self, message: str) -> None:
        pass
