"""`aibom verify`: flags in, a verdict on signatures and bills of materials out."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aibom.cli.environment import colored, processors, today
from aibom.cli.evidence_options import evidence_option, read_salt
from aibom.cli.exit_codes import ExitCode, of_report
from aibom.cli.expectations import expectation_options, take
from aibom.cli.failure import Failure
from aibom.cli.network import check_targets, network_options, offline_option, take_opening
from aibom.cli.progress import watcher
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.text import visible
from aibom.domain.verification import Verification
from aibom.workflows.digesting import Kept
from aibom.workflows.progress import Progress
from aibom.workflows.verify import NobodyExpectedError, VerifyRequest, verify

if TYPE_CHECKING:  # 60 ms
    from aibom.domain.report import Report

_PATH: Final = click.Path(path_type=Path)
_FILE: Final = click.Path(path_type=Path, dir_okay=False)
# The user named something that is not there, or a kind of place that is not read.
_MISTAKES: Final = (Reason.VANISHED, Reason.UNSUPPORTED)
_PLAIN_WIDTH: Final = 80
_CODES: Final = {
    Outcome.VERIFIED: ExitCode.PASSED,
    Outcome.CONTENT_MISMATCH: ExitCode.VIOLATED,
    Outcome.SIGNATURE_INVALID: ExitCode.VIOLATED,
    Outcome.UNTRUSTED_SIGNER: ExitCode.VIOLATED,
    Outcome.EXPIRED: ExitCode.VIOLATED,
    Outcome.UNSIGNED: ExitCode.NOTHING,
    Outcome.UNSUPPORTED: ExitCode.INCOMPLETE,
    Outcome.COULD_NOT_CHECK: ExitCode.INCOMPLETE,
}
_NOBODY: Final = (
    "there is a signature, and it is not said whose it has to be: name --key FILE, or --identity and "
    "--issuer, or --certificate-chain FILE and --identity (`aibom inspect` shows what it says)"
)


@click.command("verify")
@click.argument("target")
@click.option(
    "--signature", type=_FILE, envvar="AIBOM_SIGNATURE",
    help="Sigstore bundle. Default: model.sig or *.sigstore.json beside the model.",
)  # fmt: skip
@click.option("--bom", type=_FILE, envvar="AIBOM_BOM", help="CycloneDX document. Default: *.cdx.json.")
@expectation_options
@click.option(
    "--policy", metavar="FILE|PACK", envvar="AIBOM_POLICY",
    help="Look at the target as `aibom scan` does, and judge it by this policy, too.",
)  # fmt: skip
@evidence_option("Folder with sidecars of `aibom scan`: say which rows and tensors changed.")
@click.option("--salt-file", type=_PATH, envvar="AIBOM_SALT_FILE", help="The salt of the digests of rows.")
@click.option(
    "--allow-extra", is_flag=True, envvar="AIBOM_ALLOW_EXTRA",
    help="Files that nobody vouches for are told, and are no mismatch.",
)  # fmt: skip
@click.option(
    "-f", "--format", "output_format", type=click.Choice(["table", "json"]), default="table",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.")
@click.option("--all", "every", is_flag=True, help="Show verified files in the table, too.")
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
    """Check who vouches for TARGET, a model folder or a file, and that its bytes are those.

    Signatures first, then bills of materials, each against every file. Nothing is fetched: keyless
    signatures are held against a trust root that comes with the program or that you name. With --policy
    the target has to keep the policy as well, which may say whose signature it has to be.
    """
    target: str = given["target"]
    check_targets((target,), offline=given["offline"])
    output: Path | None = given["output"]
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"cannot write {os.fspath(output)!r}: its folder does not exist")
    request = _request(target, given)
    report: Report | None = None
    try:
        with watcher(quiet=given["quiet"]) as progress:
            if given["policy"] is None:
                found = verify(request, progress)
            else:
                found, report = _gated(request, given["policy"], progress)
    except NobodyExpectedError:
        raise click.UsageError(_NOBODY) from None
    except UnreadableError as error:
        code = ExitCode.USAGE if error.reason in _MISTAKES else ExitCode.INCOMPLETE
        raise Failure(visible(str(error)), code) from error
    _write(found, report, given)
    code = _CODES[found.outcome]
    if report is None or code is not ExitCode.PASSED:
        return code
    from aibom.domain.finding import Severity  # noqa: PLC0415 - 10 ms

    return of_report(report, Severity.HIGH, strict=False, exit_zero=False)


def _gated(request: VerifyRequest, policy: str, progress: Progress) -> tuple[Verification, Report]:
    from aibom.cli import packs  # noqa: PLC0415 - 100 ms with the next, and not without a policy
    from aibom.workflows.gate import gate  # noqa: PLC0415
    from aibom.workflows.scan import ScanRequest  # noqa: PLC0415

    scanning = ScanRequest(
        targets=(request.target,),
        policy=packs.policy(policy),
        allowlist=packs.allowlist(()),
        jobs=request.jobs,
        opening=replace(request.opening, surroundings=True),
        today=today(),
    )
    found = gate(request, scanning, progress)
    return found.verification, found.report


def _request(target: str, given: dict[str, Any]) -> VerifyRequest:
    whom = take(given)
    return VerifyRequest(
        target=target,
        expected=whom.expected,
        signature=given["signature"],
        bom=given["bom"],
        root=whom.root,
        extra_allowed=given["allow_extra"],
        jobs=given["jobs"] or processors(),
        opening=take_opening(given, surroundings=False, full=True),
        kept=Kept(evidence=given["evidence"], salt=read_salt(given["salt_file"])),
    )


def _write(found: Verification, report: Report | None, given: dict[str, Any]) -> None:
    if given["output_format"] == "json":
        from aibom.outputs import verification_json  # noqa: PLC0415 - each output when it is asked for

        data = verification_json.render(found, report)
    else:
        from aibom.outputs import verification_table  # noqa: PLC0415

        to_terminal = given["output"] is None
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _PLAIN_WIDTH
        data = verification_table.render(
            found,
            report,
            width=width,
            color=to_terminal and colored(given["color"]),
            every=given["every"],
        )
    if given["output"] is None:
        to_stdout(data)
    else:
        to_file(given["output"], data)
        if not given["quiet"]:
            click.echo(f"wrote {visible(os.fspath(given['output']))} ({len(data):,} bytes)", err=True)
