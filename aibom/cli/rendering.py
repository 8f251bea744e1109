"""Which result goes where: `-f FORMAT[=FILE]` and `-o FILE`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from aibom.cli.writing import to_file, to_stdout
from aibom.domain.finding import Severity
from aibom.domain.report import Report

_PLAIN_WIDTH = 80  # when standard output is not a terminal
_MAX_WIDTH = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How results look."""

    spec_version: str
    fail_on: Severity
    strict: bool
    color: bool

    @property
    def width(self) -> int:
        return min(shutil.get_terminal_size().columns, _MAX_WIDTH) if sys.stdout.isatty() else _PLAIN_WIDTH


def _table(report: Report, style: Style) -> bytes:
    from aibom.outputs import table  # noqa: PLC0415 - each output is imported when it is asked for

    return table.render(
        report, width=style.width, color=style.color, fail_on=style.fail_on, strict=style.strict
    )


def _json(report: Report, style: Style) -> bytes:  # noqa: ARG001 - one signature for all
    from aibom.outputs import json_report  # noqa: PLC0415

    return json_report.render(report)


def _cyclonedx(report: Report, style: Style) -> bytes:
    from aibom.outputs import cyclonedx  # noqa: PLC0415

    return cyclonedx.render(report, spec_version=style.spec_version)


def _markdown(report: Report, style: Style) -> bytes:
    from aibom.outputs import markdown  # noqa: PLC0415

    return markdown.render(report, fail_on=style.fail_on, strict=style.strict)


def _sarif(report: Report, style: Style) -> bytes:
    from aibom.outputs import sarif  # noqa: PLC0415
    from aibom.policy import REQUIREMENTS, RULES  # noqa: PLC0415

    return sarif.render(
        report,
        rules=(*RULES, *REQUIREMENTS),
        controls={each.id: each.controls for each in REQUIREMENTS},
        fail_on=style.fail_on,
        strict=style.strict,
    )


def _html(report: Report, style: Style) -> bytes:
    from aibom.outputs import html  # noqa: PLC0415
    from aibom.policy import REQUIREMENTS, RULES  # noqa: PLC0415

    return html.render(report, rules=(*RULES, *REQUIREMENTS), fail_on=style.fail_on, strict=style.strict)


def _junit(report: Report, style: Style) -> bytes:
    from aibom.outputs import junit  # noqa: PLC0415

    return junit.render(report, fail_on=style.fail_on, strict=style.strict)


def _gitlab(report: Report, style: Style) -> bytes:  # noqa: ARG001
    from aibom.outputs import gitlab  # noqa: PLC0415

    return gitlab.render(report)


def _github(report: Report, style: Style) -> bytes:
    from aibom.outputs import github  # noqa: PLC0415

    return github.render(report, fail_on=style.fail_on, strict=style.strict)


OUTPUTS: dict[str, Callable[[Report, Style], bytes]] = {
    "table": _table,
    "json": _json,
    "cyclonedx": _cyclonedx,
    "markdown": _markdown,
    "sarif": _sarif,
    "junit": _junit,
    "gitlab": _gitlab,
    "github": _github,
    "html": _html,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One result: its format, and its file or None for standard output."""

    format: str
    file: Path | None


def destinations(formats: Sequence[str], output: Path | None) -> list[Destination]:
    """What the flags ask for. Raises a usage error when two results want the same place."""
    found = [_destination(text) for text in formats or ("table",)]
    if output is not None:
        bare = [each for each in found if each.file is None]
        if len(bare) != 1:
            raise click.UsageError("-o needs exactly one -f without a file of its own")
        found[found.index(bare[0])] = _checked(Destination(format=bare[0].format, file=output))
    places = [each.file for each in found]
    if len(set(places)) != len(places):
        raise click.UsageError("two results go to the same place; write -f FORMAT=FILE for each")
    return found


def _destination(text: str) -> Destination:
    name, separator, file = text.partition("=")
    if name not in OUTPUTS:
        raise click.UsageError(f"no output format {name!r}; there are {', '.join(OUTPUTS)}")
    if separator and not file:
        raise click.UsageError(f"-f {text}: the file name is missing")
    return _checked(Destination(format=name, file=Path(file) if file else None))


def _checked(destination: Destination) -> Destination:
    """Before the scan, not after it: is there a folder to write into?"""
    file = destination.file
    if file is not None and not file.parent.is_dir():
        raise click.UsageError(f"cannot write {str(file)!r}: the folder {str(file.parent)!r} does not exist")
    return destination


def write_all(report: Report, wanted: Sequence[Destination], style: Style, *, quiet: bool) -> None:
    """Renders everything first and writes then, so that an error leaves nothing half done."""
    rendered = [(each, OUTPUTS[each.format](report, style)) for each in wanted]
    for each, data in rendered:
        if each.file is None:
            to_stdout(data)
        else:
            to_file(each.file, data)
            if not quiet:
                click.echo(f"wrote {each.file} ({len(data):,} bytes)", err=True)
