"""Errors that end a command with a message of one line and an exit code of their own."""

from __future__ import annotations

import click

from aibom.cli.exit_codes import ExitCode


class Failure(click.ClickException):
    """What went wrong, where, and what to do next; `code` is what the command exits with."""

    def __init__(self, message: str, code: ExitCode) -> None:
        super().__init__(message)
        self.code = code
