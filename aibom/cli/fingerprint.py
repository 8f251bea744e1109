"""`aibom fingerprint`: which rows a dataset holds, whatever the format of its files."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import click

from aibom.cli.environment import colored, processors
from aibom.cli.evidence_options import evidence_option
from aibom.cli.exit_codes import ExitCode, of_error
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, network_options, offline_option, take_opening
from aibom.cli.packs import policy
from aibom.cli.progress import watcher
from aibom.cli.row_options import check_columns, row_options, schema, take_wanted
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.dataset import RowForm
from aibom.domain.errors import UnreadableError
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.fingerprint.contamination import NgramSet
from aibom.workflows.fingerprint import fingerprint
from aibom.workflows.rows import RowsRequest
from aibom.workflows.scan import ScanRequest

_PLAIN_WIDTH = 80
_NAME_CHARS = 80  # of a benchmark
_PATH = click.Path(path_type=Path)


@click.command("fingerprint")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.")
@row_options
@click.option(
    "--schema", "declared", type=_PATH, envvar="AIBOM_SCHEMA",
    help="JSON file with the types of the columns of CSV and JSON Lines, which name none.",
)  # fmt: skip
@click.option(
    "--lines", is_flag=True, envvar="AIBOM_LINES", help="Take JSON Lines as lines: the bytes, not the values."
)
@click.option("--columns", is_flag=True, envvar="AIBOM_COLUMNS", help="Tell a digest per column as well.")
@click.option(
    "--benchmark-set", "ngrams", type=_PATH, metavar="FILE", envvar="AIBOM_BENCHMARK_SET",
    help="Write the digests of all sequences of 13 words to FILE, for `aibom scan --benchmark`.",
)  # fmt: skip
@evidence_option("Write the digest of each row to this folder, for later comparisons.")
@click.option(
    "--exclude", multiple=True, metavar="GLOB", envvar="AIBOM_EXCLUDE", help="Leave out matching paths."
)
@offline_option
@network_options
@click.option(
    "--jobs", type=click.IntRange(1, 256), envvar="AIBOM_JOBS", metavar="N",
    help="How many files to read at a time. Default: one per processor.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    envvar="AIBOM_COLOR", help="Colours in the table.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Say which rows the data files in TARGET hold.

    The same rows have the same fingerprint in Parquet, Arrow, JSON Lines and CSV, when their types are the
    same or declared with --schema. Nothing is run, and no row leaves the machine.
    """
    wanted = take_wanted(given, columns=given["columns"])
    if given["lines"] and (wanted.labels or wanted.identity or wanted.columns or given["declared"]):
        raise click.UsageError(
            "lines have no columns: --lines goes without --label, --row-id, --columns, --schema"
        )
    check_targets(given["targets"], offline=given["offline"])
    texts = NgramSet() if given["ngrams"] else None
    request = ScanRequest(
        targets=given["targets"],
        policy=policy(None),
        opening=take_opening(given, exclude=given["exclude"], full=True),
        jobs=given["jobs"] or processors(),
        rows=RowsRequest(
            wanted=wanted,
            schema=schema(given["declared"]),
            form=RowForm.LINES if given["lines"] else RowForm.TYPED,
            watch=texts,
        ),
        evidence=given["evidence"],
    )
    try:
        with watcher(quiet=given["quiet"]) as progress:
            report = fingerprint(request, progress)
    except UnreadableError as error:
        raise Failure(visible(str(error)), of_error(error)) from error
    check_columns(wanted, report)
    if texts is not None:
        to_file(given["ngrams"], texts.render(report.targets[0].name[:_NAME_CHARS]))
    _write(report, given)
    return _code(report)


def _write(report: Report, given: dict[str, Any]) -> None:
    data = _rendered(report, given)
    if given["output"] is None:
        to_stdout(data)
    else:
        to_file(given["output"], data)


def _rendered(report: Report, given: dict[str, Any]) -> bytes:
    if given["output_format"] == "json":
        from aibom.outputs import fingerprint_json  # noqa: PLC0415 - each output when it is asked for

        return fingerprint_json.render(report)
    from aibom.outputs import fingerprint_table  # noqa: PLC0415

    is_screen = given["output"] is None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_screen else _PLAIN_WIDTH
    color = colored(given["color"]) and given["output"] is None
    return fingerprint_table.render(report, width=width, color=color)


def _code(report: Report) -> ExitCode:
    if report.gaps:
        return ExitCode.INCOMPLETE
    return ExitCode.PASSED if report.rows else ExitCode.NOTHING
