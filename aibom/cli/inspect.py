"""`aibom inspect`: what a signature says about itself."""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.writing import to_stdout
from aibom.domain.errors import UnreadableError
from aibom.domain.text import visible
from aibom.workflows.inspect import inspect


@click.command("inspect")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of lines.")
def command(*, bundle: Path, as_json: bool) -> int:
    """Show what a sigstore bundle says: who signed, when, and what about.

    NOTHING of it is verified: anybody can write such a file. `aibom verify` verifies.
    """
    try:
        lines = [(name, visible(text)) for name, text in inspect(bundle)]
    except UnreadableError as error:
        raise Failure(visible(f"{bundle}: {error}"), ExitCode.USAGE) from error
    if as_json:
        rows = [{"name": name, "value": text} for name, text in lines]
        options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        to_stdout(orjson.dumps({"verified": False, "says": rows}, option=options))
        return ExitCode.PASSED
    width = max(len(name) for name, _ in lines)
    to_stdout("".join(f"{name:{width}}  {text}\n" for name, text in lines).encode())
    click.echo("nothing of this is verified; `aibom verify` does that", err=True)
    return ExitCode.PASSED
