"""`aibom baseline`: what is known today, so that a pipeline fails on what is new."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.report import Report
from aibom.policy.baseline import (
    BASELINE_BYTES,
    BaselineError,
    apply_baseline,
    baseline_of,
    parse_baseline,
)

_PATH: Final = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., object])


def baseline_option(command: _F) -> _F:
    """Adds `--baseline` to a command."""
    return click.option(
        "--baseline", type=_PATH, envvar="AIBOM_BASELINE",
        help="Fail on findings only that are not in this file of `aibom baseline`.",
    )(command)  # fmt: skip


def with_baseline(report: Report, file: Path | None) -> Report:
    """The report with what the file knows set aside. Raises `Failure` for a file of something else."""
    if file is None:
        return report
    try:
        return apply_baseline(parse_baseline(_read(file)), report)
    except BaselineError as error:
        raise Failure(f"baseline {str(file)!r}: {error}", ExitCode.USAGE) from error


@click.command("baseline")
@click.argument("report", type=_PATH)
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.", envvar="AIBOM_OUTPUT")
def command(report: Path, output: Path | None) -> int:
    """Write the findings of REPORT, a JSON report of `aibom scan` or `aibom check`, as a baseline.

    Changed bytes, bad signatures and dangerous content are never part of one.
    """
    from aibom.outputs import baseline_json  # noqa: PLC0415 - each output is imported when it is asked for

    try:
        found = baseline_of(_read(report))
    except BaselineError as error:
        raise Failure(f"{report}: {error}", ExitCode.USAGE) from error
    data = baseline_json.render(found.policy, found.targets, found.fingerprints)
    if output is None:
        to_stdout(data)
    else:
        to_file(output, data)
        click.echo(f"wrote {output} ({len(found.fingerprints):,} known findings)", err=True)
    return ExitCode.PASSED


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(BASELINE_BYTES + 1)
    except OSError as error:
        raise Failure(f"cannot read {str(file)!r}: {error.strerror}", ExitCode.USAGE) from error
    if len(data) > BASELINE_BYTES:
        raise Failure(f"{str(file)!r} is larger than {BASELINE_BYTES:,} bytes", ExitCode.USAGE)
    return data
