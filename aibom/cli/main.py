"""The command group, and the one place where an unexpected error ends."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Final

import click

from aibom import __version__
from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure

# Imported when used: `aibom --version` must not wait for what `aibom scan` needs.
_COMMANDS: Final = {
    "scan": "aibom.cli.scan",
    "refs": "aibom.cli.refs",
    "check": "aibom.cli.check",
    "policy": "aibom.cli.policy",
    "baseline": "aibom.cli.baseline",
    "diff": "aibom.cli.diff",
    "fingerprint": "aibom.cli.fingerprint",
    "verify": "aibom.cli.verify",
    "sign": "aibom.cli.sign",
    "attest": "aibom.cli.attest",
    "inspect": "aibom.cli.inspect",
    "trust": "aibom.cli.trust",
    "admit": "aibom.cli.admit",
    "publish": "aibom.cli.publish",
    "pull": "aibom.cli.pull",
    "upload": "aibom.cli.upload",
    "validate": "aibom.cli.validate",
    "formats": "aibom.cli.formats",
    "explain": "aibom.cli.explain",
    "completion": "aibom.cli.completion",
}


# Frozen values without cycles: looking through a million of them again and again finds nothing.
GC_THRESHOLDS: Final = (200_000, 50, 1_000)


class _Commands(click.Group):
    """Finds each command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(_COMMANDS[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"no command {args[0]!r}{_nearest(args[0])}", ctx)
        return super().resolve_command(ctx, args)


def _nearest(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only after a typing error

    near = get_close_matches(name, _COMMANDS, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(_COMMANDS)}"


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 passed, 1 violated, 2 usage, 3 nothing to scan, 4 incomplete, 70 internal error.",
)
@click.version_option(__version__, prog_name="aibom", message="%(prog)s %(version)s")
def commands() -> None:
    """What is in your models and datasets, is it what it claims to be, and may you use it?"""


def main() -> None:
    """Runs the command line and exits with the code that `ExitCode` documents."""
    gc.set_threshold(*GC_THRESHOLDS)
    code = _run(sys.argv[1:])
    gc.freeze()  # the process ends: nobody needs the garbage sorted
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    try:
        result = commands.main(arguments, prog_name="aibom", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.code if isinstance(error, Failure) else ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted: nothing was written", err=True)
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the top: whatever comes here is a bug of ours
        return _bug(error)
    return int(result) if isinstance(result, int) else ExitCode.PASSED


def _bug(error: Exception) -> ExitCode:
    import traceback  # noqa: PLC0415 - only after a bug

    traceback.print_exception(error)
    click.echo(
        f"aibom {__version__}: internal error. This is a bug of ours; please report the lines above.",
        err=True,
    )
    return ExitCode.INTERNAL
