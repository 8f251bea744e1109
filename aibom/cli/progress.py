"""A progress bar on standard error, with bytes, rate and time left."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import click


class Bar:
    """The `Progress` of a terminal; a context manager that removes the bar at the end."""

    def __init__(self) -> None:
        # rich costs 60 ms to import, and only a person at a terminal needs it.
        from rich.console import Console  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("listing", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._progress.stop()

    def listed(self, files: int, size: int) -> None:
        self._progress.update(self._task, description=f"{files:,} files", total=size)

    def advanced(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def hint(self, message: str) -> None:
        self._progress.console.print(f"hint: {message}", markup=False, highlight=False)


class Hints:
    """The `Progress` when nobody watches: only hints, and those on standard error."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        pass

    def listed(self, files: int, size: int) -> None:
        pass

    def advanced(self, count: int) -> None:
        pass

    def hint(self, message: str) -> None:
        if not self._quiet:
            click.echo(f"hint: {message}", err=True)


def watcher(*, quiet: bool) -> Bar | Hints:
    """A bar for a person at a terminal, hints only for everybody else."""
    return Bar() if sys.stderr.isatty() and not quiet else Hints(quiet=quiet)
