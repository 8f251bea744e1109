"""`aibom scan`: flags in, a `ScanRequest` out, the result where the user wants it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from aibom.cli import configuration
from aibom.cli.baseline import baseline_option, with_baseline
from aibom.cli.environment import cache_path, colored, now, processors, source_date, today
from aibom.cli.evidence_options import evidence_option
from aibom.cli.exit_codes import of_error, of_report
from aibom.cli.expectations import Expectation, expectation_options, take
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, full_option, network_options, offline_option, take_opening
from aibom.cli.packs import allowlist, policy, policy_option
from aibom.cli.progress import watcher
from aibom.cli.rendering import OUTPUTS, Style, destinations, write_all
from aibom.cli.row_options import check_columns, row_options, take_benchmarks, take_wanted
from aibom.domain.errors import UnreadableError
from aibom.domain.finding import Severity
from aibom.domain.text import visible
from aibom.fingerprint.dataset import Wanted
from aibom.sources.opening import Opening
from aibom.workflows.rows import RowsRequest
from aibom.workflows.scan import ScanRequest, scan

_LEVELS = {severity.label: severity for severity in Severity}
_NEUTRAL_NAME = "target"
_REMOTE_JOBS = 8  # targets at a time: they wait for the network more than they work
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flags:
    """What click hands over, with types."""

    targets: tuple[str, ...]
    formats: tuple[str, ...]
    output: Path | None
    spec_version: str
    fail_on: str
    exit_zero: bool
    strict: bool
    offline: bool
    reproducible: bool
    name: str | None
    jobs: int | None
    no_cache: bool
    exclude: tuple[str, ...]
    allowlist: tuple[Path, ...]
    policy: str | None
    baseline: Path | None
    rows: RowsRequest | None
    evidence: Path | None
    whom: Expectation
    opening: Opening
    targets_file: Path | None
    into: Path | None
    quiet: bool
    color: str


@click.command("scan")
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    envvar="AIBOM_FORMAT",
    help=f"What to write ({', '.join(OUTPUTS)}), and where; may be given several times. Default: table.",
)
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.", envvar="AIBOM_OUTPUT")
@click.option(
    "--spec-version",
    type=click.Choice(["1.6", "1.7"]),
    default="1.7",
    show_default=True,
    envvar="AIBOM_SPEC_VERSION",
    help="Version of CycloneDX.",
)
@click.option(
    "--fail-on",
    type=click.Choice(list(_LEVELS)),
    default="high",
    show_default=True,
    envvar="AIBOM_FAIL_ON",
    help="Exit with 1 when a finding is at least this severe.",
)
@click.option("--exit-zero", is_flag=True, envvar="AIBOM_EXIT_ZERO", help="Exit with 0 in spite of findings.")
@click.option("--strict", is_flag=True, envvar="AIBOM_STRICT", help="Exit with 4 when there are gaps.")
@offline_option
@full_option
@network_options
@click.option(
    "--reproducible",
    is_flag=True,
    envvar="AIBOM_REPRODUCIBLE",
    help="Same input, same bytes: no time stamp, no folder name, every file read anew.",
)
@click.option("--name", envvar="AIBOM_NAME", help="What to call the target in the results.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    envvar="AIBOM_JOBS",
    metavar="N",
    help="How many files to read at a time. Default: one per processor.",
)
@click.option(
    "--no-cache", is_flag=True, envvar="AIBOM_NO_CACHE", help="Neither use nor keep digests of other runs."
)
@click.option(
    "--exclude",
    multiple=True,
    metavar="GLOB",
    envvar="AIBOM_EXCLUDE",
    help="Leave out matching paths (counted).",
)
@click.option(
    "--allowlist",
    type=_PATH,
    multiple=True,
    envvar="AIBOM_ALLOWLIST",
    help="JSON file with further imports that pickles may make.",
)
@click.option(
    "--targets", "targets_file", type=_PATH, envvar="AIBOM_TARGETS",
    help="File with further targets, one a line; with --into.",
)  # fmt: skip
@click.option(
    "--into", type=_PATH, metavar="DIR", envvar="AIBOM_INTO",
    help="Look at each target by itself: one bill of materials each in this folder, and an index. Resumable.",
)  # fmt: skip
@click.option(
    "--rows", is_flag=True, envvar="AIBOM_ROWS", help="Fingerprint the rows of datasets, and look for poison."
)
@row_options
@click.option(
    "--benchmark", "benchmarks", type=_PATH, multiple=True, envvar="AIBOM_BENCHMARK",
    help="With --rows: digest set of a benchmark whose text must not be in the rows.",
)  # fmt: skip
@evidence_option("Write digests of each row and tensor to this folder, for later comparisons.")
@policy_option
@baseline_option
@expectation_options
@click.option(
    "--config",
    type=_PATH,
    callback=configuration.load,
    is_eager=True,
    expose_value=False,
    envvar="AIBOM_CONFIG",
    help="TOML file with defaults for these flags.",
)
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    envvar="AIBOM_COLOR", help="Colours in the table.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Find the models and datasets in TARGET, digest them and write their bill of materials.

    TARGET is a file or folder: a checkout, a model folder, the Hugging Face cache. Default: here.
    Nothing that is scanned is run, imported or unpickled, and nothing in it configures the scan.
    """
    opening = _take_opening(given)
    flags = _Flags(rows=_take_rows(given), whom=take(given), opening=opening, **given)
    if flags.into is not None or flags.targets_file is not None:
        return _many(flags)
    wanted = destinations(flags.formats, flags.output)
    style = _style(flags)
    request = _request(flags)
    try:
        with watcher(quiet=flags.quiet) as progress:
            report = scan(request, progress)
    except UnreadableError as error:
        raise Failure(visible(str(error)), of_error(error)) from error
    if flags.rows is not None:
        check_columns(flags.rows.wanted, report)
    report = with_baseline(report, flags.baseline)
    write_all(report, wanted, style, quiet=flags.quiet)
    return of_report(report, style.fail_on, strict=flags.strict, exit_zero=flags.exit_zero)


def _style(flags: _Flags) -> Style:
    return Style(
        spec_version=flags.spec_version,
        fail_on=_LEVELS[flags.fail_on],
        strict=flags.strict,
        color=colored(flags.color),
    )


def _many(flags: _Flags) -> int:
    """Each target by itself; see `fleet`."""
    from aibom.cli import fleet  # noqa: PLC0415 - only for runs over many targets
    from aibom.workflows.fleet import FleetRequest  # noqa: PLC0415

    if flags.into is None:
        raise click.UsageError("--targets needs --into DIR, the folder for the bills of materials")
    if flags.formats or flags.output or flags.baseline:
        raise click.UsageError("--into writes CycloneDX documents: it goes without -f, -o and --baseline")
    targets = fleet.many(flags.targets, flags.targets_file)
    if not targets:
        raise click.UsageError("no targets: name some, or a file with --targets")
    request = FleetRequest(
        targets=targets, scanning=_request(replace(flags, targets=targets)), jobs=flags.jobs or _REMOTE_JOBS
    )
    return fleet.run(request, flags.into, _style(flags), exit_zero=flags.exit_zero, quiet=flags.quiet)


def _take_opening(given: dict[str, Any]) -> Opening:
    # Rows and evidence are about all bytes.
    given["full"] = given["full"] or given["evidence"] is not None or given["rows"]
    return take_opening(given, exclude=given["exclude"], surroundings=not given["reproducible"])


def _take_rows(given: dict[str, Any]) -> RowsRequest | None:
    wanted, asked, benchmarks = take_wanted(given, columns=False), given.pop("rows"), given.pop("benchmarks")
    if not asked and (benchmarks or wanted != Wanted(columns=False)):
        raise click.UsageError(
            "--label, --row-id, --salt-file and --benchmark are about --rows, which is not given"
        )
    if not asked:
        return None
    return RowsRequest(wanted=wanted, signals=True, benchmarks=take_benchmarks(benchmarks))


def _request(flags: _Flags) -> ScanRequest:
    targets = flags.targets or (".",)
    check_targets(targets, offline=flags.offline)
    epoch = source_date()
    return ScanRequest(
        targets=targets,
        policy=policy(flags.policy),
        allowlist=allowlist(flags.allowlist),
        opening=flags.opening,
        jobs=flags.jobs or processors(),
        cache=None if flags.no_cache else cache_path(),
        today=today(),
        timestamp=None if flags.reproducible else now(),
        name=flags.name or (_NEUTRAL_NAME if flags.reproducible else None),
        reread=flags.reproducible or epoch is not None,
        expected=flags.whom.expected,
        root=flags.whom.root,
        rows=flags.rows,
        evidence=flags.evidence,
    )
