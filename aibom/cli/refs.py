"""`aibom refs`: what code and configuration refer to, as a table, JSON or CSV."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from aibom.cli.environment import cache_path, colored, processors
from aibom.cli.exit_codes import ExitCode, of_error
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, network_options, offline_option, take_opening
from aibom.cli.progress import watcher
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.component import ComponentKind
from aibom.domain.errors import UnreadableError
from aibom.domain.reference import Flag
from aibom.domain.report import ReferenceReport
from aibom.domain.text import visible
from aibom.sources.opening import Opening
from aibom.workflows.refs import ReferencesRequest, find_references

_PLAIN_WIDTH = 80
_FORMATS = ("table", "json", "csv")
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """What click hands over, with types."""

    targets: tuple[str, ...]
    output_format: str
    output: Path | None
    kinds: tuple[str, ...]
    flagged: tuple[str, ...]
    strict: bool
    offline: bool
    jobs: int | None
    no_cache: bool
    exclude: tuple[str, ...]
    quiet: bool
    color: str
    opening: Opening


@click.command("refs")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(_FORMATS), default="table", show_default=True,
    help="What to write.",
)  # fmt: skip
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.")
@click.option(
    "--kind", "kinds", multiple=True, type=click.Choice([kind.value for kind in ComponentKind]),
    help="Only references of this kind; may be given several times.",
)  # fmt: skip
@click.option(
    "--flag", "flagged", multiple=True, type=click.Choice([flag.value for flag in Flag]),
    help="Only references with this flag; may be given several times.",
)  # fmt: skip
@click.option("--strict", is_flag=True, envvar="AIBOM_STRICT", help="Exit with 4 when there are gaps.")
@offline_option
@network_options
@click.option(
    "--jobs", type=click.IntRange(1, 256), envvar="AIBOM_JOBS", metavar="N",
    help="How many files to read at a time. Default: one per processor.",
)  # fmt: skip
@click.option(
    "--no-cache", is_flag=True, envvar="AIBOM_NO_CACHE", help="Neither use nor keep what other runs found."
)
@click.option(
    "--exclude", multiple=True, metavar="GLOB", envvar="AIBOM_EXCLUDE", help="Leave out matching paths."
)
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    envvar="AIBOM_COLOR", help="Colours in the table.",
)  # fmt: skip
def command(**given: Any) -> int:
    """List the models, datasets, services and libraries that code and configuration in TARGET refer to.

    Each with its file and line, the revision that is asked for, and what to know about it. Only code
    and configuration are read: no weights, no data. Nothing is run. Default: here.
    """
    flags = _Flags(opening=take_opening(given, exclude=given["exclude"]), **given)
    targets = flags.targets or (".",)
    check_targets(targets, offline=flags.offline)
    if flags.output is not None and not flags.output.parent.is_dir():
        raise click.UsageError(f"cannot write {str(flags.output)!r}: its folder does not exist")
    request = ReferencesRequest(
        targets=targets,
        opening=flags.opening,
        jobs=flags.jobs or processors(),
        cache=None if flags.no_cache else cache_path(),
    )
    try:
        with watcher(quiet=flags.quiet) as progress:
            report = find_references(request, progress)
    except UnreadableError as error:
        raise Failure(visible(str(error)), of_error(error)) from error
    _write(_filtered(report, flags), flags)
    if not report.listed:
        return ExitCode.NOTHING
    return ExitCode.INCOMPLETE if flags.strict and report.gaps else ExitCode.PASSED


def _filtered(report: ReferenceReport, flags: _Flags) -> ReferenceReport:
    kept = tuple(
        one
        for one in report.references
        if (not flags.kinds or one.kind in flags.kinds)
        and (not flags.flagged or one.flags.intersection(flags.flagged))
    )
    return replace(report, references=kept)


def _write(report: ReferenceReport, flags: _Flags) -> None:
    data = _rendered(report, flags)
    if flags.output is None:
        to_stdout(data)
        return
    to_file(flags.output, data)
    if not flags.quiet:
        click.echo(f"wrote {flags.output} ({len(data):,} bytes)", err=True)


def _rendered(report: ReferenceReport, flags: _Flags) -> bytes:
    # Each output is imported when it is asked for.
    if flags.output_format == "json":
        from aibom.outputs import reference_json  # noqa: PLC0415

        return reference_json.render(report)
    if flags.output_format == "csv":
        from aibom.outputs import reference_csv  # noqa: PLC0415

        return reference_csv.render(report)
    from aibom.outputs import reference_table  # noqa: PLC0415

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PLAIN_WIDTH
    return reference_table.render(report, width=width, color=colored(flags.color) and flags.output is None)
