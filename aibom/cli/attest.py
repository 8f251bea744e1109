"""`aibom attest`: a verdict on a model, or its bill of materials, as a statement that can be signed."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click

from aibom.cli.environment import now, processors, today
from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.hands import hand, hand_options, is_named, not_done, place_in_target
from aibom.cli.network import check_targets, offline_option
from aibom.cli.packs import PACKS, allowlist, policy, policy_option
from aibom.cli.progress import watcher
from aibom.cli.writing import to_file, to_stdout
from aibom.domain.errors import UnreadableError
from aibom.domain.report import Report
from aibom.domain.verdict import Verdict
from aibom.sources.opening import Opening
from aibom.workflows.attest import AIBOM, Attested, AttestRequest, attest
from aibom.workflows.scan import ScanRequest
from aibom.workflows.sign import Hand

_PATH: Final = click.Path(path_type=Path)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]+\Z")
_URI_CHARS: Final = 2_048


def _uri(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and (len(value) > _URI_CHARS or not _URI.match(value)):
        raise click.BadParameter(f"{value[:80]!r} is no URI (scheme:rest, RFC 3986)", ctx, param)
    return value


@click.command("attest")
@click.argument("target")
@click.option(
    "--predicate", type=click.Choice(["summary", "cyclonedx"]), default="summary", show_default=True,
    envvar="AIBOM_PREDICATE", help="What to attest: the verdict (SLSA VSA), or the bill of materials.",
)  # fmt: skip
@click.option(
    "--verifier-id", metavar="URI", default=AIBOM, show_default=True, callback=_uri,
    envvar="AIBOM_VERIFIER_ID", help="Who gives the verdict.",
)  # fmt: skip
@click.option(
    "--resource-uri", metavar="URI", callback=_uri, envvar="AIBOM_RESOURCE_URI",
    help="Where the model is fetched from. Default: file:NAME.",
)  # fmt: skip
@policy_option
@click.option("--strict", is_flag=True, envvar="AIBOM_STRICT", help="Any gap makes the verdict FAILED.")
@click.option("-o", "--output", type=_PATH, help="Write the result to this file.")
@hand_options
@offline_option
@click.option(
    "--jobs", type=click.IntRange(1, 256), envvar="AIBOM_JOBS", metavar="N",
    help="How many files to read at a time. Default: one per processor.",
)  # fmt: skip
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
def command(**given: Any) -> int:
    """Scan TARGET, judge it by a policy and attest the verdict on its weight files.

    The result is an in-toto statement: a SLSA verification summary that says PASSED or FAILED. It is
    signed into a sigstore bundle with --key, --key and --certificate, or --keyless. A verdict FAILED
    is written as well, and the exit code says so.
    """
    output: Path | None = given["output"]
    if given["offline"] and given["keyless"]:
        raise click.UsageError("--keyless needs the network, and --offline forbids it")
    request = _request(given)
    try:
        signer = hand(given) if is_named(given) else None
        with watcher(quiet=given["quiet"]) as progress:
            attested = attest(request, progress)
        data = _signed(attested, signer)
    except UnreadableError as error:
        raise not_done("not attested", error) from error
    _write(data, output)
    if not given["quiet"]:
        _tell(attested, output)
    return ExitCode[attested.verdict.name]


def _request(given: dict[str, Any]) -> AttestRequest:
    target: str = given["target"]
    check_targets((target,), offline=given["offline"])
    output: Path | None = given["output"]
    own = place_in_target(output, target) if output is not None else None
    scan = ScanRequest(
        targets=(target,),
        policy=policy(given["policy"]),
        today=today(),
        allowlist=allowlist(()),
        # The result of an earlier run is about to be replaced: a bill that lists it would be wrong.
        opening=Opening(exclude=(glob.escape(own),) if own is not None else ()),
        jobs=given["jobs"] or processors(),
        timestamp=now(),
        reread=True,  # nobody may attest what an earlier run saw
    )
    return AttestRequest(
        scan=scan,
        verifier=given["verifier_id"],
        policy=_policy_uri(given["policy"]),
        resource=given["resource_uri"],
        strict=given["strict"],
        bom=_cyclonedx if given["predicate"] == "cyclonedx" else None,
    )


def _policy_uri(named: str | None) -> str:
    """A pack by its place in this program, a file by its name; the digest says which one it was."""
    if named is None or named in PACKS:
        return f"{AIBOM}#policies/{named or 'baseline'}.yaml"
    return f"file:{quote(Path(named).name, safe='')}"


def _cyclonedx(report: Report) -> bytes:
    from aibom.outputs import cyclonedx  # noqa: PLC0415 - each output is imported when it is asked for

    return cyclonedx.render(report)


def _signed(attested: Attested, signer: Hand | None) -> bytes:
    if attested.statement is None:
        if attested.verdict is Verdict.NOTHING:
            raise Failure("not attested: the target holds no files", ExitCode.NOTHING)
        raise Failure("not attested: no file could be digested; `aibom scan` says why", ExitCode.INCOMPLETE)
    return attested.statement + b"\n" if signer is None else signer.statement(attested.statement)


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        to_stdout(data)
    else:
        to_file(output, data)


def _tell(attested: Attested, output: Path | None) -> None:
    result = "PASSED" if attested.verdict is Verdict.PASSED else "FAILED"
    count = "1 file" if attested.subjects == 1 else f"{attested.subjects:,} files"
    why = f"failing findings: {attested.findings:,}, gaps: {attested.gaps:,}"
    click.echo(f"{result} for {count} ({why})" + (f", wrote {output}" if output else ""), err=True)
