"""`aibom scan --into DIR`: many targets, one bill of materials each, and an index."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from aibom import __version__
from aibom.cli.exit_codes import ExitCode, of_report
from aibom.cli.failure import Failure
from aibom.cli.progress import watcher
from aibom.cli.rendering import OUTPUTS, Style
from aibom.cli.writing import to_file
from aibom.domain.errors import UnreadableError
from aibom.domain.fleet import Line, State
from aibom.domain.limits import MIB
from aibom.domain.report import Report
from aibom.domain.target import Tool
from aibom.domain.text import visible
from aibom.outputs import index_bom
from aibom.sources import shown
from aibom.workflows.fleet import FleetRequest, fleet, read_targets
from aibom.workflows.ledger import Ledger, LedgerError

INDEX: Final = "index.cdx.json"
_LEDGER: Final = "ledger.sqlite"
_TARGETS_BYTES: Final = 256 * MIB
_SHOWN: Final = 20
_WORDS: Final = {
    ExitCode.PASSED: "passed", ExitCode.VIOLATED: "violated", ExitCode.NOTHING: "nothing to scan",
    ExitCode.INCOMPLETE: "incomplete",
}  # fmt: skip
_CODES: Final = {word: code for code, word in _WORDS.items()}


def many(targets: Sequence[str], file: Path | None) -> tuple[str, ...]:
    """The targets of the command line, and behind them those of `--targets FILE`."""
    if file is None:
        return tuple(targets)
    try:
        with file.open("rb") as opened:
            data = opened.read(_TARGETS_BYTES + 1)
        if len(data) > _TARGETS_BYTES:
            raise click.UsageError(f"--targets: {str(file)!r} has more than {_TARGETS_BYTES:,} bytes")
        return (*targets, *read_targets(data.decode()))
    except (OSError, UnicodeDecodeError, UnreadableError) as error:
        reason = getattr(error, "strerror", None) or error
        raise click.UsageError(f"--targets: cannot read {str(file)!r}: {reason}") from error


def run(request: FleetRequest, folder: Path, style: Style, *, exit_zero: bool, quiet: bool) -> ExitCode:
    """Does what is left to do in the folder, and writes the index."""
    if not folder.is_dir():
        raise click.UsageError(f"--into: there is no folder {str(folder)!r}: make it first")

    def render(report: Report) -> tuple[bytes, str]:
        code = of_report(report, style.fail_on, strict=style.strict, exit_zero=exit_zero)
        return OUTPUTS["cyclonedx"](report, style), _WORDS[code]

    try:
        with Ledger(folder / _LEDGER, _options(request, style, exit_zero=exit_zero)) as ledger:
            with watcher(quiet=quiet) as progress:
                fleet(request, ledger, render, lambda name, data: to_file(folder / name, data), progress)
            lines = [replace(line, target=shown(line.target)) for line in ledger.lines()]
    except LedgerError as error:
        raise Failure(str(error), ExitCode.USAGE) from error
    except UnreadableError as error:
        raise Failure(visible(str(error)), ExitCode.INCOMPLETE) from error
    tool = Tool(name="aibom", version=__version__)
    index = index_bom.render(lines, tool, request.scanning.timestamp, style.spec_version)
    to_file(folder / INDEX, index)
    if not quiet:
        _tell(lines, folder)
    return _code(lines)


def _options(request: FleetRequest, style: Style, *, exit_zero: bool) -> str:
    """What decides the results, as a digest."""
    scanning = request.scanning
    told = (
        __version__, scanning.policy.use.sha256, scanning.opening.exclude, scanning.opening.full,
        style.spec_version, style.fail_on.label, style.strict, exit_zero, repr(scanning.expected),
        scanning.timestamp is None, scanning.today.isoformat() if scanning.policy.waivers else "",
    )  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _tell(lines: Sequence[Line], folder: Path) -> None:
    counts = Counter(line.verdict if line.state is State.DONE else line.state.value for line in lines)
    told = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))
    click.echo(f"{len(lines):,} targets: {told}; wrote {folder / INDEX}", err=True)
    failed = [line for line in lines if line.state is not State.DONE]
    for line in failed[:_SHOWN]:
        click.echo(f"  {visible(line.target)}: {line.detail or 'not looked at'}", err=True)
    if len(failed) > _SHOWN:
        click.echo(f"  ... and {len(failed) - _SHOWN:,} more; the index has all", err=True)


def _code(lines: Sequence[Line]) -> ExitCode:
    """Findings win over gaps, gaps never hide findings."""
    codes = {_CODES[line.verdict] if line.state is State.DONE else ExitCode.INCOMPLETE for line in lines}
    order = (ExitCode.VIOLATED, ExitCode.INCOMPLETE, ExitCode.PASSED, ExitCode.NOTHING)
    return next((code for code in order if code in codes), ExitCode.NOTHING)
