"""`aibom check`: a bill of materials in, a verdict out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from aibom.cli import configuration
from aibom.cli.baseline import baseline_option, with_baseline
from aibom.cli.environment import colored, now, today
from aibom.cli.exit_codes import ExitCode, of_report
from aibom.cli.failure import Failure
from aibom.cli.packs import policy, policy_option
from aibom.cli.rendering import OUTPUTS, Style, destinations, write_all
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.limits import BOM_BYTES
from aibom.policy.vex import Statement
from aibom.policy.vex_document import VEX_BYTES, VexError, parse_vex
from aibom.workflows.check import CheckRequest, check

_LEVELS = {severity.label: severity for severity in Severity}
_PATH = click.Path(path_type=Path)


@click.command("check")
@click.argument("bom", type=_PATH)
@policy_option
@baseline_option
@click.option(
    "--vex", type=_PATH, multiple=True, envvar="AIBOM_VEX",
    help="Statements about vulnerabilities (OpenVEX or CycloneDX JSON); may be given several times.",
)  # fmt: skip
@click.option(
    "-f", "--format", "formats", multiple=True, metavar="FORMAT[=FILE]", envvar="AIBOM_FORMAT",
    help=f"What to write ({', '.join(OUTPUTS)}), and where; may be given several times. Default: table.",
)  # fmt: skip
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.", envvar="AIBOM_OUTPUT")
@click.option(
    "--fail-on", type=click.Choice(list(_LEVELS)), default="high", show_default=True,
    envvar="AIBOM_FAIL_ON", help="Exit with 1 when a finding is at least this severe.",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, envvar="AIBOM_EXIT_ZERO", help="Exit with 0 in spite of findings.")
@click.option("--strict", is_flag=True, envvar="AIBOM_STRICT", help="Exit with 4 when there are gaps.")
@click.option(
    "--trust-bom", is_flag=True, envvar="AIBOM_TRUST_BOM",
    help="Take what the BOM records of signatures and vulnerabilities at its word.",
)  # fmt: skip
@click.option(
    "--reproducible", is_flag=True, envvar="AIBOM_REPRODUCIBLE", help="No time stamp in the results."
)
@click.option(
    "--config", type=_PATH, callback=configuration.load, is_eager=True, expose_value=False,
    envvar="AIBOM_CONFIG", help="TOML file with defaults for these flags.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    envvar="AIBOM_COLOR", help="Colours in the table.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Judge BOM, a CycloneDX 1.4 to 1.7 JSON file of any maker, by a policy.

    Nothing but the document is read. What it does not say is unknown, and unknown is never a pass.
    """
    wanted = destinations(given["formats"], given["output"])
    fail_on = _LEVELS[given["fail_on"]]
    bom: Path = given["bom"]
    style = Style(spec_version="1.7", fail_on=fail_on, strict=given["strict"], color=colored(given["color"]))
    request = CheckRequest(
        document=_read(bom),
        name=bom.name,
        policy=policy(given["policy"]),
        today=today(),
        timestamp=None if given["reproducible"] else now(),
        trusted=given["trust_bom"],
        vex=tuple(statement for file in given["vex"] for statement in _statements(file)),
    )
    try:
        report = check(request)
    except UnreadableError as error:
        code = ExitCode.INCOMPLETE if error.reason is Reason.LIMIT else ExitCode.USAGE
        raise Failure(f"{bom}: {error}", code) from error
    report = with_baseline(report, given["baseline"])
    write_all(report, wanted, style, quiet=given["quiet"])
    return of_report(report, fail_on, strict=given["strict"], exit_zero=given["exit_zero"])


def _statements(file: Path) -> tuple[Statement, ...]:
    try:
        with file.open("rb") as opened:
            return parse_vex(opened.read(VEX_BYTES + 1), file.name)
    except OSError as error:
        raise Failure(f"vex {str(file)!r}: {error.strerror}", ExitCode.USAGE) from error
    except VexError as error:
        raise Failure(f"vex {str(file)!r}: {error}", ExitCode.USAGE) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(BOM_BYTES + 1)
    except OSError as error:
        raise Failure(f"cannot read {str(path)!r}: {error.strerror}", ExitCode.USAGE) from error
    if len(data) > BOM_BYTES:
        raise Failure(f"{str(path)!r} is larger than {BOM_BYTES:,} bytes", ExitCode.INCOMPLETE)
    return data
