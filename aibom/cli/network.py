"""Flags about remote places, and the one HTTP client of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from aibom.sources import scheme_of, shown
from aibom.sources.opening import Opening, client

_F = TypeVar("_F", bound=Callable[..., object])

_ALLOW: Final = click.option(
    "--allow-host", "allowed", multiple=True, metavar="HOST", envvar="AIBOM_ALLOW_HOST",
    help="Further host that may have a private address (host or host:port). May be given several times.",
)  # fmt: skip
_FULL: Final = click.option(
    "--full", is_flag=True, envvar="AIBOM_FULL",
    help="Read all bytes of remote files and verify them, instead of the headers of large ones.",
)  # fmt: skip


_OFFLINE: Final = click.option(
    "--offline", is_flag=True, envvar="AIBOM_OFFLINE", help="Open no network connection."
)


def offline_option(command: _F) -> _F:
    """`--offline`, for every command that could open a connection."""
    return _OFFLINE(command)


def network_options(command: _F) -> _F:
    """`--allow-host`, for every command that opens remote places."""
    return _ALLOW(command)


def full_option(command: _F) -> _F:
    """`--full`, for commands that do without all bytes."""
    return _FULL(command)


def check_targets(targets: tuple[str, ...], *, offline: bool) -> None:
    """Refuses what needs the network when that is forbidden, before anything is opened."""
    for target in targets:
        if offline and scheme_of(target) not in ("", "ollama", "git+file"):
            raise click.UsageError(f"{shown(target)!r} needs the network, and --offline forbids it")


def take_opening(
    given: dict[str, Any], *, exclude: tuple[str, ...] = (), surroundings: bool = True, full: bool = False
) -> Opening:
    """What sources may do, taken out of `given`; `--offline` stays there."""
    allowed: tuple[str, ...] = given.pop("allowed", ())
    return Opening(
        exclude=exclude,
        surroundings=surroundings,
        full=given.pop("full", full),
        network=None if given.get("offline") else client(allowed, os.environ),
        environment=dict(os.environ),
    )
