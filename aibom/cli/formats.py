"""`aibom formats`: which file formats are read, and which are only recognised."""

from __future__ import annotations

import click
import orjson

from aibom.cli.exit_codes import ExitCode
from aibom.formats import FORMATS


@click.command("formats")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of a table.")
def command(*, as_json: bool) -> int:
    """List every file format, what it is for, and whether its content is read."""
    if as_json:
        rows = [
            {
                "name": each.name,
                "title": each.title,
                "kind": each.kind,
                "suffixes": each.suffixes,
                "read": each.read is not None,
            }
            for each in FORMATS
        ]
        click.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return ExitCode.PASSED
    width = max(len(each.name) for each in FORMATS)
    for each in FORMATS:
        read = "read" if each.read else "digested, not read"
        click.echo(f"{each.name:{width}}  {each.kind:9}  {read:18}  {each.title}")
    return ExitCode.PASSED
