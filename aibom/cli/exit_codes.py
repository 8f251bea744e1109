"""The exit codes: the same for every command and output format."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # `aibom --version` needs the codes and not the domain
    from aibom.domain.errors import UnreadableError
    from aibom.domain.finding import Severity
    from aibom.domain.report import Report


class ExitCode(IntEnum):
    PASSED = 0
    VIOLATED = 1  # a finding at or above --fail-on, a digest mismatch, an invalid BOM
    USAGE = 2  # a wrong flag, target, policy or configuration file
    NOTHING = 3  # nothing to scan or to verify
    INCOMPLETE = 4  # something needed could not be read, reached, decided or written
    INTERNAL = 70  # a bug of ours
    INTERRUPTED = 130


def of_error(error: UnreadableError) -> ExitCode:
    """The code for a target that could not be opened: a mistake of the user, or a place that failed."""
    from aibom.domain.errors import Reason  # noqa: PLC0415 - see above

    mistakes = (Reason.VANISHED, Reason.UNSUPPORTED, Reason.MALFORMED, Reason.MISSING)
    return ExitCode.USAGE if error.reason in mistakes else ExitCode.INCOMPLETE


def of_report(report: Report, fail_on: Severity, *, strict: bool, exit_zero: bool) -> ExitCode:
    """The code of the verdict; `exit_zero` forgives findings and nothing else."""
    from aibom.domain.verdict import judge, judge_forgiving  # noqa: PLC0415 - see above

    decide = judge_forgiving if exit_zero else judge
    return ExitCode[decide(report, fail_on, strict=strict).name]
