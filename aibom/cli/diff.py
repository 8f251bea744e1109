"""`aibom diff`: two places or bills of materials in, what changed between them out."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import click

from aibom.cli.environment import cache_path, colored, processors, today
from aibom.cli.exit_codes import ExitCode
from aibom.cli.expectations import expectation_options, take
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, full_option, network_options, offline_option, take_opening
from aibom.cli.packs import allowlist, policy, policy_option
from aibom.cli.progress import watcher
from aibom.cli.row_options import row_options, take_wanted
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.difference import CLASSES, Difference
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.text import visible
from aibom.workflows.diff import DiffRequest, diff
from aibom.workflows.scan import ScanRequest

_PATH: Final = click.Path(path_type=Path)
_NAMES: Final = tuple(map(str, CLASSES))
_ANY: Final = "any"
_PLAIN_WIDTH: Final = 80
# Not the user's mistake: there is something, and it could not be read.
_INCOMPLETE: Final = (Reason.LIMIT, Reason.DENIED, Reason.IO_ERROR, Reason.CHANGED)


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json", "markdown"]), default="table",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.")
@click.option(
    "--fail-on", multiple=True, metavar="CLASS[,CLASS]", envvar="AIBOM_DIFF_FAIL_ON",
    help=f"Exit with 1 when there is such a change: {_ANY}, {', '.join(_NAMES)}.",
)  # fmt: skip
@row_options
@click.option(
    "--old-evidence", type=_PATH, metavar="DIR", envvar="AIBOM_OLD_EVIDENCE",
    help="Folder with the sidecars that OLD, a bill of materials, names.",
)  # fmt: skip
@click.option(
    "--new-evidence", type=_PATH, metavar="DIR", envvar="AIBOM_NEW_EVIDENCE",
    help="Folder with the sidecars that NEW, a bill of materials, names.",
)  # fmt: skip
@policy_option
@expectation_options
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out matching paths of folders.")
@offline_option
@full_option
@network_options
@click.option(
    "--jobs", type=click.IntRange(1, 256), envvar="AIBOM_JOBS", metavar="N",
    help="How many files to read at a time. Default: one per processor.",
)  # fmt: skip
@click.option(
    "--no-cache", is_flag=True, envvar="AIBOM_NO_CACHE", help="Neither use nor keep digests of other runs."
)
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True,
    envvar="AIBOM_COLOR", help="Colours in the table.",
)  # fmt: skip
def command(**given: Any) -> int:
    """Say what changed from OLD to NEW, each a folder, a file, or a CycloneDX JSON document of any maker.

    Where the bytes of both are at hand, changed weights are compared number by number. Nothing that is
    compared is run, imported or unpickled.
    """
    check_targets((given["old"], given["new"]), offline=given["offline"])
    wanted = _classes(given["fail_on"])
    output: Path | None = given["output"]
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"cannot write {os.fspath(output)!r}: its folder does not exist")
    request = _request(given)
    try:
        with watcher(quiet=given["quiet"]) as progress:
            found = diff(request, progress)
    except UnreadableError as error:
        code = ExitCode.INCOMPLETE if error.reason in _INCOMPLETE else ExitCode.USAGE
        raise Failure(visible(f"{error}{_hint(given, error)}"), code) from error
    _write(found, given)
    return _code(found, wanted)


def _hint(given: dict[str, Any], error: UnreadableError) -> str:
    """For somebody who types a revision as git takes it."""
    typed = any(":" in given[side] and "://" not in given[side] for side in ("old", "new"))
    if error.reason is not Reason.VANISHED or not typed:
        return ""
    return "; for a revision of git name the repository and the commit: git+file:///path/to/repository@v1.0"


def _classes(given: tuple[str, ...]) -> frozenset[str]:
    """The classes of the gate. Raises a usage error for a name that is none."""
    # The variable is split at spaces, the flag at commas.
    names = [name.strip() for each in given for name in each.split(",")]
    wrong = next((name for name in names if name not in (*_NAMES, _ANY)), None)
    if wrong is not None:
        raise click.UsageError(f"--fail-on: no class {wrong!r}; there are {_ANY}, {', '.join(_NAMES)}")
    return frozenset(_NAMES if _ANY in names else names)


def _request(given: dict[str, Any]) -> DiffRequest:
    whom, wanted = take(given), take_wanted(given, columns=False)
    scanning = ScanRequest(
        targets=(),
        policy=policy(given["policy"]),
        allowlist=allowlist(()),
        opening=take_opening(given, exclude=given["exclude"]),
        jobs=given["jobs"] or processors(),
        cache=None if given["no_cache"] else cache_path(),
        today=today(),
        expected=whom.expected,
        root=whom.root,
    )
    return DiffRequest(
        old=given["old"],
        new=given["new"],
        scanning=scanning,
        today=today(),
        wanted=wanted,
        old_evidence=given["old_evidence"],
        new_evidence=given["new_evidence"],
    )


def _write(found: Difference, given: dict[str, Any]) -> None:
    data = _rendered(found, given)
    if given["output"] is None:
        to_stdout(data)
    else:
        to_file(given["output"], data)
        if not given["quiet"]:
            click.echo(f"wrote {visible(os.fspath(given['output']))} ({len(data):,} bytes)", err=True)


def _rendered(found: Difference, given: dict[str, Any]) -> bytes:
    from aibom.outputs import (  # noqa: PLC0415 - after the work
        difference_json,
        difference_markdown,
        difference_table,
    )

    if given["output_format"] == "json":
        return difference_json.render(found)
    if given["output_format"] == "markdown":
        return difference_markdown.render(found)
    to_terminal = given["output"] is None
    width = shutil.get_terminal_size().columns if to_terminal and sys.stdout.isatty() else _PLAIN_WIDTH
    return difference_table.render(found, width=width, color=to_terminal and colored(given["color"]))


def _code(found: Difference, wanted: frozenset[str]) -> ExitCode:
    """A change that was found is told before what could not be compared."""
    if any(change.kind in wanted for change in found.changes):
        return ExitCode.VIOLATED
    return ExitCode.INCOMPLETE if found.missed else ExitCode.PASSED
