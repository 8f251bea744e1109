"""`aibom pull`: fetches the bill of materials and the signatures that lie beside a model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import click

from aibom.cli.exit_codes import ExitCode, of_error
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, network_options, offline_option, take_opening
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.errors import UnreadableError
from aibom.domain.publication import Attached
from aibom.domain.text import visible
from aibom.workflows.publish import address_of, pull

_PATH: Final = click.Path(path_type=Path)


@click.command("pull")
@click.argument("target", metavar="BOM_OR_TARGET")
@click.option("-o", "--output", type=_PATH, default=Path(), help="Folder to write to. Default: here.")
@click.option("--force", is_flag=True, help="Replace files that are there with other content.")
@offline_option
@network_options
def command(**given: Any) -> int:
    """Fetch what is published beside a model: its bill of materials, signatures and attestations.

    The argument is a place in a registry, or a bill of materials that says where its target is. Nothing that
    is fetched is believed: verify it (`aibom verify`).
    """
    folder: Path = given["output"]
    if not folder.is_dir():
        raise click.UsageError(f"cannot write to {str(folder)!r}: there is no such folder")
    try:
        target = _target(given["target"])
        check_targets((target,), offline=given["offline"])
        found = pull(target, take_opening(given, surroundings=False))
    except UnreadableError as error:
        raise Failure(f"not fetched: {visible(str(error))}", of_error(error)) from error
    if not found:
        raise Failure("there is no bill of materials and no signature beside it", ExitCode.NOTHING)
    _check_free(found, folder, force=given["force"])
    for document in found:
        to_file(folder / document.name, document.data)
        digest = hashlib.sha256(document.data).hexdigest()
        to_stdout(f"{visible(str(folder / document.name))}\n  sha256:{digest}\n".encode())
    return ExitCode.PASSED


def _target(given: str) -> str:
    return address_of(Path(given)) if Path(given).is_file() and given.endswith(".json") else given


def _check_free(found: tuple[Attached, ...], folder: Path, *, force: bool) -> None:
    """Nothing is written when something would be lost."""
    for document in found:
        path = folder / document.name
        if path.exists() and not force and (path.is_dir() or path.read_bytes() != document.data):
            message = f"{str(path)!r} is there with other content: --force replaces it"
            raise Failure(message, ExitCode.USAGE)
