"""Flags about the rows of datasets, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from aibom.cli.evidence_options import read_file, read_salt
from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.domain.dataset import Schema
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import DOCUMENT_BYTES, MIB
from aibom.domain.report import Report
from aibom.domain.text import visible
from aibom.fingerprint.contamination import Benchmark, read_ngrams
from aibom.fingerprint.dataset import Wanted
from aibom.readers.row_schema import parse_schema

_SET_BYTES: Final = 32 * MIB
_PATH: Final = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., object])

_OPTIONS: Final = (
    click.option(
        "--label", "labels", multiple=True, metavar="COLUMN", envvar="AIBOM_LABEL",
        help="Column that holds a label, so that flipped labels are told. May be given several times.",
    ),
    click.option(
        "--row-id", "row_ids", multiple=True, metavar="COLUMN", envvar="AIBOM_ROW_ID",
        help="Column that names a row, so that changed rows are told. May be given several times.",
    ),
    click.option(
        "--salt-file", type=_PATH, envvar="AIBOM_SALT_FILE",
        help="Key the digests of rows with these bytes, so that nobody without them can test a guess.",
    ),
)  # fmt: skip


def row_options(command: _F) -> _F:
    """Adds the flags to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_wanted(given: dict[str, Any], *, columns: bool) -> Wanted:
    """What the flags ask for, taken out of `given`."""
    labels, row_ids, salt = (given.pop(name) for name in ("labels", "row_ids", "salt_file"))
    return Wanted(
        labels=frozenset(labels),
        identity=frozenset(row_ids),
        salt=read_salt(salt),
        columns=columns,
    )


def take_benchmarks(paths: Sequence[Path]) -> tuple[Benchmark, ...]:
    """The benchmarks of all digest sets. Raises `Failure`."""
    found: list[Benchmark] = []
    for path in paths:
        try:
            found += read_ngrams(read_file(path, _SET_BYTES, "digest set"))
        except UnreadableError as error:
            raise Failure(f"the digest set {str(path)!r}: {error}", ExitCode.USAGE) from error
    return tuple(found)


def check_columns(wanted: Wanted, report: Report) -> None:
    """Refuses columns that no file has: a typing error would leave flipped labels unseen."""
    found = {name for rows in report.rows for name in (*rows.labels, *rows.identity)}
    missing = sorted((wanted.labels | wanted.identity) - found)
    if missing and report.rows:
        raise Failure(f"no file has a column {visible(missing[0])!r}", ExitCode.USAGE)


def schema(path: Path | None) -> Schema | None:
    """The schema that a file declares."""
    if path is None:
        return None
    try:
        return parse_schema(read_file(path, DOCUMENT_BYTES, "schema"))
    except UnreadableError as error:
        raise Failure(f"the schema {str(path)!r}: {error}", ExitCode.USAGE) from error
