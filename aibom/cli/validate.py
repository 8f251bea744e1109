"""`aibom validate`: is a bill of materials valid, by the schema and beyond it?"""

from __future__ import annotations

from pathlib import Path

import click
import orjson

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.domain.limits import BOM_BYTES
from aibom.domain.text import visible

_SHOWN = 50


@click.command("validate")
@click.argument("boms", nargs=-1, required=True, metavar="BOM...", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Write the problems as JSON.")
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="Write nothing, only exit.")
def command(*, boms: tuple[Path, ...], as_json: bool, quiet: bool) -> int:
    """Check each BOM, a CycloneDX 1.4 to 1.7 JSON file of any maker.

    First by the schema of its version, then for what no schema sees: references that lead
    nowhere, digests of the wrong length, package URLs and licences that are none.
    """
    found = {bom: _problems(_read(bom)) for bom in boms}
    if as_json and not quiet:
        document = {str(bom): problems for bom, problems in found.items()}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    elif not quiet:
        for bom, problems in found.items():
            _tell(bom, problems)
    return ExitCode.VIOLATED if any(found.values()) else ExitCode.PASSED


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > BOM_BYTES:
            raise Failure(f"{str(path)!r} is larger than {BOM_BYTES} bytes", ExitCode.USAGE)
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {str(path)!r}: {error.strerror}", ExitCode.USAGE) from error


def _problems(document: bytes) -> list[dict[str, str]]:
    from aibom.outputs import lint, schema  # noqa: PLC0415 - the schemas take time to compile

    try:
        parsed = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        return [{"code": "not-json", "pointer": "", "message": f"not JSON: {error}", "severity": "high"}]
    invalid = [
        {"code": "schema", "pointer": pointer, "message": message, "severity": "high"}
        for pointer, message in schema.errors_in(parsed)
    ]
    return invalid + [
        {"code": p.code, "pointer": p.pointer, "message": p.message, "severity": p.severity.label}
        for p in lint.problems_in(parsed)
    ]


def _tell(bom: Path, problems: list[dict[str, str]]) -> None:
    name = visible(str(bom))
    if not problems:
        click.echo(f"{name}: valid")
    for problem in problems[:_SHOWN]:
        place = problem["pointer"] or "/"
        click.echo(
            f"{name}: {place}: {visible(problem['message'])} [{problem['code']}, {problem['severity']}]"
        )
    if len(problems) > _SHOWN:
        click.echo(f"{name}: ... and {len(problems) - _SHOWN} more; --json shows all")
