"""Flags about evidence: the folder of sidecars, and the salt of their digests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.domain.evidence import SALT_BYTES
from aibom.domain.limits import KIB

SALT_FILE_BYTES: Final = 64 * KIB
_F = TypeVar("_F", bound=Callable[..., object])


def evidence_option(help_text: str) -> Callable[[_F], _F]:
    """`--evidence DIR`, which some commands write and others read."""
    path = click.Path(path_type=Path)
    return click.option("--evidence", type=path, metavar="DIR", envvar="AIBOM_EVIDENCE", help=help_text)


def read_salt(path: Path | None) -> bytes | None:
    """The bytes of a salt. Raises `Failure` for one that could be guessed."""
    if path is None:
        return None
    data = read_file(path, SALT_FILE_BYTES, "salt")
    if len(data) < SALT_BYTES:
        message = f"the salt {str(path)!r} has {len(data)} bytes, at least {SALT_BYTES} random ones are due"
        raise Failure(message, ExitCode.USAGE)
    return data


def read_file(path: Path, most: int, what: str) -> bytes:
    """A file that the user named. Raises `Failure`."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Failure(f"cannot read the {what} {str(path)!r}: {error.strerror}", ExitCode.USAGE) from error
    if len(data) > most:
        raise Failure(f"the {what} {str(path)!r} has more than {most:,} bytes", ExitCode.USAGE)
    return data
