"""`aibom trust show|update`: which authorities and logs keyless signatures have to lead to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import click
import orjson

from aibom.cli import expectations
from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.hands import typed
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.errors import UnreadableError
from aibom.domain.text import visible
from aibom.trust.trust_root import embedded
from aibom.workflows.trust import show, update

_PATH: Final = click.Path(path_type=Path)


@click.group("trust")
def command() -> None:
    """Show the trust root of keyless signatures, or fetch the newest one.

    A root names the certificate authorities, transparency logs and timestamp authorities that count.
    Those of sigstore's public instances come with the program.
    """


@command.command("show", short_help="Show what a root holds.")
@click.option(
    "--trust-root", type=_PATH, envvar="AIBOM_TRUST_ROOT",
    help="Sigstore trusted root or client trust configuration to show instead of the production root.",
)  # fmt: skip
@click.option(
    "--staging", is_flag=True, envvar="AIBOM_STAGING", help="The root of sigstore's staging services."
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of lines.")
def show_command(*, as_json: bool, **given: Any) -> int:
    """Show authorities, logs, when they are valid, and the SHA-256 of a root. Uses no network."""
    named: Path | None = given["trust_root"]
    if typed("trust_root") and typed("staging"):
        raise click.UsageError("name one: --trust-root or --staging")
    try:
        root = expectations.trust_root(given) or embedded("production")
        lines = [(name, visible(text)) for name, text in show(root)]
    except UnreadableError as error:
        place = "" if named is None else f"{visible(os.fspath(named))}: "
        raise Failure(f"{place}{error}", ExitCode.USAGE) from error
    if as_json:
        rows = [{"name": name, "value": text} for name, text in lines]
        to_stdout(orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return ExitCode.PASSED
    width = max(len(name) for name, _ in lines)
    to_stdout("".join(f"{name:{width}}  {text}\n" for name, text in lines).encode())
    return ExitCode.PASSED


@command.command("update", short_help="Fetch the newest root.")
@click.option("-o", "--output", type=_PATH, help="Write the root to this file. Default: standard output.")
@click.option(
    "--staging", is_flag=True, envvar="AIBOM_STAGING", help="The root of sigstore's staging services."
)
@click.option(
    "--state", type=_PATH, metavar="DIR", envvar="AIBOM_TRUST_STATE",
    help="Keep in this folder what was seen, so that an older answer is refused the next time.",
)  # fmt: skip
@click.option("--offline", is_flag=True, envvar="AIBOM_OFFLINE", help="Refuse: an update needs the network.")
def update_command(*, output: Path | None, staging: bool, state: Path | None, offline: bool) -> int:
    """Fetch the newest root of sigstore and check it by TUF, from the root that comes with the program.

    Nothing else that aibom does changes or fetches a root. The file is for --trust-root.
    """
    if offline:
        raise click.UsageError("an update needs the network, and --offline forbids it")
    if output is not None and (output.is_dir() or not output.parent.is_dir()):
        why = "it is a folder" if output.is_dir() else "its folder does not exist"
        raise click.UsageError(f"cannot write {os.fspath(output)!r}: {why}")
    if state is not None and not state.is_dir():
        raise click.UsageError(f"--state {os.fspath(state)!r} is no folder; create it first")
    try:
        root = update("staging" if staging else "production", state)
    except UnreadableError as error:
        raise Failure(f"not updated: {error}", ExitCode.INCOMPLETE) from error
    if output is None:
        to_stdout(root.document)
    else:
        to_file(output, root.document)
    click.echo(f"sha256:{root.sha256}  {output or '-'}", err=output is None)
    return ExitCode.PASSED
