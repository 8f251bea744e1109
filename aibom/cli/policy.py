"""`aibom policy`: write, check, try, explain and compare policies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.text import visible

if TYPE_CHECKING:
    from aibom.domain.report import Report
    from aibom.policy import Policy

# What a command needs is imported when it runs: `aibom policy lint` stands in editors and hooks.
_PATH: Final = click.Path(path_type=Path)
_NOTHING: Final = "version: 1\nname: nothing\nrules: {digest-mismatch: critical}\n"


@click.group("policy")
def command() -> None:
    """Write, check, try, explain and compare policies.

    Where FILE|PACK is taken, it is a YAML file or the name of a pack that comes with the program.
    """


@command.command("lint")
@click.argument("files", metavar="FILE|PACK...", nargs=-1, required=True)
def lint_command(*, files: tuple[str, ...]) -> int:
    """Say whether each policy is well-formed, and warn of what does not bind today."""
    from aibom.cli.environment import today  # noqa: PLC0415 - see above
    from aibom.workflows.policy import warnings  # noqa: PLC0415

    for file in files:
        found = _policy(file)
        for warning in warnings(found, today()):
            click.echo(f"warning: {visible(warning)}", err=True)
        counts = f"{len(found.sections)} sections, {len(found.waivers)} waivers"
        click.echo(f"{visible(found.name)}: all is well ({counts})")
    return ExitCode.PASSED


@command.command("schema")
def schema_command() -> int:
    """Print the JSON Schema of the document, for editors and generators."""
    import orjson  # noqa: PLC0415 - see above

    from aibom.policy.schema import document_schema  # noqa: PLC0415

    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    to_stdout(orjson.dumps(document_schema(), option=option))
    return ExitCode.PASSED


@command.command("explain")
@click.argument("file", metavar="FILE|PACK")
@click.argument("section", required=False)
def explain_command(*, file: str, section: str | None) -> int:
    """Say in words what a policy demands, or one SECTION of it, and why."""
    from aibom.cli.policy_text import explained  # noqa: PLC0415 - see above
    from aibom.policy import PolicyError  # noqa: PLC0415
    from aibom.workflows.policy import explain  # noqa: PLC0415

    try:
        parts = explain(_policy(file), section)
    except PolicyError as error:
        raise Failure(visible(str(error)), ExitCode.USAGE) from error
    to_stdout(explained(parts))
    return ExitCode.PASSED


@command.command("test")
@click.argument("file", metavar="FILE|PACK")
@click.argument("cases", type=_PATH)
def test_command(*, file: str, cases: Path) -> int:
    """Try a policy on CASES, a YAML file that says what is expected of what."""
    from aibom.cli.environment import today  # noqa: PLC0415 - see above
    from aibom.cli.policy_text import results  # noqa: PLC0415
    from aibom.policy import PolicyError  # noqa: PLC0415
    from aibom.policy.cases import CASES_BYTES, parse_cases  # noqa: PLC0415
    from aibom.workflows.policy import try_cases  # noqa: PLC0415

    judge = _policy(file)
    try:
        known = parse_cases(_read(cases, CASES_BYTES), visible(cases.name))
        found = try_cases(judge, known, _beside(cases), today())
    except PolicyError as error:
        raise Failure(visible(str(error)), ExitCode.USAGE) from error
    to_stdout(results(found))
    return ExitCode.PASSED if all(each.as_expected for each in found) else ExitCode.VIOLATED


@command.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--bom", type=_PATH, help="Say which verdicts change for what this CycloneDX file lists.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of lines.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when there is a difference.")
def diff_command(*, old: str, new: str, bom: Path | None, as_json: bool, exit_code: bool) -> int:
    """Say what the policy NEW demands otherwise than OLD, setting by setting."""
    from aibom.cli.environment import today  # noqa: PLC0415 - see above
    from aibom.cli.policy_text import difference, difference_json  # noqa: PLC0415
    from aibom.workflows.policy import compare  # noqa: PLC0415

    before, after = _policy(old), _policy(new)
    found = compare(before, after, _inventory(bom) if bom else None, today())
    to_stdout(difference_json(found) if as_json else difference(found))
    return ExitCode.VIOLATED if exit_code and (found.changes or found.verdicts) else ExitCode.PASSED


@command.command("init")
@click.option("--from", "bom", type=_PATH, required=True, help="CycloneDX file of what is there today.")
@click.option("-o", "--output", type=_PATH, help="Write the policy to this file. Default: standard output.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init_command(*, bom: Path, output: Path | None, force: bool) -> int:
    """Write a policy that today's estate passes, for somebody to go through."""
    from aibom.policy.proposal import propose  # noqa: PLC0415 - see above

    if output is not None and os.path.lexists(output) and not force:
        raise Failure(f"{_shown(output)} is there already; --force replaces it", ExitCode.USAGE)
    found = propose(_inventory(bom))
    if output is None:
        to_stdout(found.document)
    else:
        to_file(output, found.document)
        click.echo(f"wrote {visible(os.fspath(output))} ({len(found.document):,} bytes)", err=True)
    for rule in sorted({each.rule for each in found.unmet}):
        click.echo(f"warning: {rule} was found and cannot be let pass: `aibom explain {rule}`", err=True)
    return ExitCode.PASSED


def _policy(named: str) -> Policy:
    from aibom.cli.packs import policy  # noqa: PLC0415 - see above

    try:
        return policy(named)
    except Failure as error:  # names of files and values of the document stand in it
        raise Failure(visible(error.message), error.code) from error


def _inventory(bom: Path) -> Report:
    from aibom.domain.errors import Reason, UnreadableError  # noqa: PLC0415 - see above
    from aibom.domain.limits import BOM_BYTES  # noqa: PLC0415
    from aibom.policy import parse_policy  # noqa: PLC0415
    from aibom.workflows.policy import inventory  # noqa: PLC0415

    try:
        return inventory(_read(bom, BOM_BYTES), bom.name, parse_policy(_NOTHING.encode()))
    except UnreadableError as error:
        code = ExitCode.INCOMPLETE if error.reason is Reason.LIMIT else ExitCode.USAGE
        raise Failure(f"{_shown(bom)}: {visible(str(error))}", code) from error


def _beside(cases: Path) -> Callable[[str], bytes]:
    """Opens the files that cases name: those in the folder of the cases, and below it."""
    from aibom.domain.limits import BOM_BYTES  # noqa: PLC0415 - see above
    from aibom.policy import PolicyError  # noqa: PLC0415

    def opener(name: str) -> bytes:
        try:
            folder = cases.parent.resolve()
            file = (folder / name).resolve()
        except (OSError, RuntimeError, ValueError):  # links in a circle, a zero byte
            raise PolicyError(f"{name!r} is not the name of a file") from None
        if not file.is_relative_to(folder):
            raise PolicyError(f"{name!r} leads out of the folder of the cases")
        if not file.is_file():
            raise PolicyError(f"there is no file {name!r} beside the cases")
        try:
            return _read(file, BOM_BYTES)
        except Failure as error:
            raise PolicyError(error.message) from error

    return opener


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Failure(f"cannot read {_shown(path)}: {reason}", ExitCode.USAGE) from error
    if len(data) > limit:
        raise Failure(f"{_shown(path)} is larger than {limit:,} bytes", ExitCode.USAGE)
    return data


def _shown(path: Path) -> str:
    return f"'{visible(os.fspath(path))}'"
