"""What the environment says: colours, processors, where the cache is."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import click

TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_CACHE_NAME = "digests.sqlite"


def colored(choice: str) -> bool:
    if choice == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")  # empty: not set (no-color.org)
    return choice == "always"


def processors() -> int:
    """How many processors this process may use; the second form is for systems without affinity."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_path() -> Path | None:
    """$AIBOM_CACHE_DIR, else the user's cache folder (XDG); None when there is no home."""
    own = os.environ.get("AIBOM_CACHE_DIR")
    if own:
        return Path(own) / _CACHE_NAME
    caches = os.environ.get("XDG_CACHE_HOME")
    home = os.environ.get("HOME")
    if not caches and not home:
        return None
    return (Path(caches) if caches else Path(home or "") / ".cache") / "aibom" / _CACHE_NAME


def source_date() -> str | None:
    """The time of SOURCE_DATE_EPOCH (reproducible-builds.org), when it is set."""
    text = os.environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC).strftime(TIME)
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(f"SOURCE_DATE_EPOCH is not a number of seconds: {text!r}") from None


def now() -> str:
    """The time to write into results."""
    return source_date() or datetime.now(UTC).strftime(TIME)


def today() -> date:
    """The day on which waivers and deadlines are judged: never the one of SOURCE_DATE_EPOCH.

    Whoever sets that variable for a reproducible build would bring expired waivers back to life.
    """
    return datetime.now(UTC).date()
