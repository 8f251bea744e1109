"""`aibom sign model|bom|file`: a key or an identity in, a sigstore bundle beside what it signs out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from aibom.cli.environment import processors
from aibom.cli.exit_codes import ExitCode
from aibom.cli.hands import hand, hand_options, not_done, place_in_target
from aibom.cli.progress import watcher
from aibom.cli.writing import to_file
from aibom.domain.errors import UnreadableError
from aibom.domain.publication import MODEL_SIGNATURE
from aibom.fingerprint.resources import ALGORITHMS
from aibom.workflows.sign import (
    Hand,
    ModelRequest,
    Signed,
    sign_any_file,
    sign_bom,
    sign_model,
)

_PATH: Final = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., object])


def _options(command: _F) -> _F:
    """What all three commands take."""
    quiet = click.option("-q", "--quiet", is_flag=True, envvar="AIBOM_QUIET", help="No progress, no hints.")
    signature = click.option("--signature", "out", type=_PATH, help="Where to write the bundle.")
    return hand_options(signature(quiet(command)))


@click.group("sign")
def command() -> None:
    """Sign a model, a bill of materials or any file.

    With --key (a password is taken from AIBOM_KEY_PASSWORD), with --key and --certificate, or
    --keyless. The result is a sigstore bundle that `aibom verify` and other verifiers read.
    """


@command.command("model")
@click.argument("target")
@_options
@click.option(
    "--ignore", multiple=True, metavar="PATH", help="Leave a path out; the signature says so. Repeatable."
)
@click.option(
    "--hash", "hash_type", type=click.Choice(ALGORITHMS), default="sha256", show_default=True,
    help="Digest of the files; model-signing's command reads sha256 only.",
)  # fmt: skip
@click.option("--shard-size", type=click.IntRange(1), metavar="BYTES", help="Sign pieces of this size.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), envvar="AIBOM_JOBS", metavar="N", help="Files at a time."
)
def model(**given: Any) -> int:
    """Sign every file of a model folder, or a model of one file (OpenSSF Model Signing v1.0)."""
    target: str = given["target"]
    default = Path(target) / MODEL_SIGNATURE if Path(target).is_dir() else Path(f"{target}.sig")

    def run(hand: Hand, own: str | None) -> Signed:
        # `model.sig` is never signed; a bundle of another name would be, the next time.
        apart = () if own in (None, MODEL_SIGNATURE) else (own,)
        request = ModelRequest(
            target=target,
            ignored=tuple(dict.fromkeys((*(path.rstrip("/") for path in given["ignore"]), *apart))),
            hash_type=given["hash_type"],
            shard_size=given["shard_size"],
            jobs=given["jobs"] or processors(),
        )
        with watcher(quiet=given["quiet"]) as progress:
            return sign_model(request, hand, progress)

    return _sign(given, default, run)


@command.command("bom")
@click.argument("target", metavar="BOM")
@_options
def bom(**given: Any) -> int:
    """Sign a CycloneDX document, as an in-toto statement about the weights that it lists."""
    return _sign(given, _beside(given["target"]), lambda hand, _: sign_bom(given["target"], hand))


@command.command("file")
@click.argument("target", metavar="FILE")
@_options
def file(**given: Any) -> int:
    """Sign the bytes of one file."""
    return _sign(given, _beside(given["target"]), lambda hand, _: sign_any_file(given["target"], hand))


def _beside(target: str) -> Path:
    return Path(f"{target}.sigstore.json")


def _sign(given: dict[str, Any], default: Path, run: Callable[[Hand, str | None], Signed]) -> int:
    out: Path = given["out"] or default
    own = place_in_target(out, given["target"])
    try:
        signed = run(hand(given), own)
    except UnreadableError as error:
        raise not_done("not signed", error) from error
    to_file(out, signed.bundle)
    if not given["quiet"]:
        count = "1 file" if signed.files == 1 else f"{signed.files:,} files"
        click.echo(f"signed {count}, wrote {out} ({len(signed.bundle):,} bytes)", err=True)
    return ExitCode.PASSED
