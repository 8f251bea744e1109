"""`aibom upload`: a bill of materials to OWASP Dependency-Track."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Final

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.cli.writing import to_stdout
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.domain.text import visible
from aibom.sources.dependency_track import DependencyTrack, base_url, is_uuid

UPLOAD_BYTES: Final = 128 * MIB
KEY_VARIABLE: Final = "AIBOM_DEPENDENCY_TRACK_KEY"
_PATH: Final = click.Path(path_type=Path)
_CODES: Final = {
    Reason.MALFORMED: ExitCode.VIOLATED,  # the server says that the document is invalid
    Reason.DENIED: ExitCode.USAGE,
    Reason.MISSING: ExitCode.USAGE,
}


@click.command("upload")
@click.argument("bom", type=_PATH)
@click.option(
    "--url", required=True, envvar="AIBOM_DEPENDENCY_TRACK_URL", help="Address of the API server, https://..."
)
@click.option(
    "--project", required=True, envvar="AIBOM_PROJECT", metavar="NAME|UUID", help="Project, by name or UUID."
)
@click.option("--project-version", envvar="AIBOM_PROJECT_VERSION", help="Its version; with a name.")
@click.option(
    "--parent", envvar="AIBOM_PARENT", metavar="NAME|UUID", help="Parent of a project that is created."
)
@click.option("--parent-version", envvar="AIBOM_PARENT_VERSION", help="Version of the parent; with a name.")
@click.option(
    "--no-create", is_flag=True, envvar="AIBOM_NO_CREATE", help="Fail when the project does not exist."
)
@click.option("--wait", is_flag=True, envvar="AIBOM_WAIT", help="Wait until the document is processed.")
@click.option(
    "--timeout", type=click.IntRange(1, 86_400), default=300, show_default=True, envvar="AIBOM_TIMEOUT",
    metavar="SECONDS", help="How long everything may take.",
)  # fmt: skip
@click.option("--offline", is_flag=True, envvar="AIBOM_OFFLINE", help="Open no network connection: refuses.")
@click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
def command(**given: Any) -> int:
    """Upload BOM, a CycloneDX JSON file, to OWASP Dependency-Track.

    The API key is taken from the environment variable AIBOM_DEPENDENCY_TRACK_KEY, and from nowhere else.
    The token of the upload goes to standard output.
    """
    if given["offline"]:
        raise click.UsageError("an upload needs the network, and --offline forbids it")
    fields = _fields(given)
    server = _server(given)
    bom: Path = given["bom"]
    data = _read(bom)
    try:
        token = server.upload(data, "bom.json", fields)
        to_stdout(f"{token}\n".encode())
        _say(given, f"uploaded {bom.name} ({len(data):,} bytes)")
        if given["wait"]:
            server.wait(token)
            _say(given, "processed")
    except UnreadableError as error:
        code = _CODES.get(error.reason, ExitCode.INCOMPLETE)
        raise Failure(f"{server.url}: {visible(str(error))}", code) from error
    return ExitCode.PASSED


def _say(given: dict[str, Any], text: str) -> None:
    if not given["quiet"]:
        click.echo(visible(text), err=True)


def _fields(given: dict[str, Any]) -> dict[str, str]:
    """The fields of the API that say which project is meant."""
    fields = _named("project", "project", given["project"], given["project_version"])
    if given["parent"] is not None:
        if is_uuid(given["project"]) or given["no_create"]:
            raise click.UsageError("--parent is for a project that is created, by name and version")
        fields |= _named("parent", "parentUUID", given["parent"], given["parent_version"])
    elif given["parent_version"] is not None:
        raise click.UsageError("--parent-version needs --parent")
    if not is_uuid(given["project"]):
        fields["autoCreate"] = "false" if given["no_create"] else "true"
    return fields


def _named(what: str, uuid: str, name: str, version: str | None) -> dict[str, str]:
    if not name.strip():
        raise click.UsageError(f"--{what} is empty")
    if is_uuid(name):
        if version is not None:
            raise click.UsageError(f"--{what}-version goes with a name, and --{what} is a UUID")
        return {uuid: name}
    if version is None or not version.strip():
        raise click.UsageError(f"--{what} {name!r} is a name: give --{what}-version, too")
    return {f"{what}Name": name, f"{what}Version": version}


def _server(given: dict[str, Any]) -> DependencyTrack:
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        raise click.UsageError(f"set the environment variable {KEY_VARIABLE} to a key of the API")
    until = time.monotonic() + given["timeout"]
    try:
        url = base_url(given["url"])
    except UnreadableError as error:
        raise click.UsageError(f"--url: {error}") from error
    try:
        return DependencyTrack(url, key, until)
    except UnreadableError as error:
        raise click.UsageError(f"{KEY_VARIABLE}: {error}") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(UPLOAD_BYTES + 1)
    except OSError as error:
        raise Failure(f"cannot read {str(path)!r}: {error.strerror}", ExitCode.USAGE) from error
    if len(data) > UPLOAD_BYTES:
        raise Failure(f"{str(path)!r} is larger than {UPLOAD_BYTES:,} bytes", ExitCode.INCOMPLETE)
    if data[:1] not in (b"{", b"\xef", b" ", b"\n", b"\t", b"\r") or b"CycloneDX" not in data:
        raise Failure(f"{str(path)!r} is no CycloneDX document in JSON", ExitCode.USAGE)
    return data
