"""The policy and allowlist packs: those that come with the program, and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.policy import Policy, PolicyError, parse_policy
from aibom.policy.allowlist import PACK_BYTES, Allowlist, Pack, PackError, parse_pack
from aibom.policy.document import POLICY_BYTES

_ALLOWLISTS = "allowlists"


PACKS: Final = ("baseline", "strict", "production", "air-gapped", "iso42001")


_F = TypeVar("_F", bound=Callable[..., object])


def policy_option(command: _F) -> _F:
    """Adds `--policy` to a command."""
    return click.option(
        "--policy", metavar="FILE|PACK", envvar="AIBOM_POLICY",
        help=f"Policy to judge by: a YAML file, or {', '.join(PACKS)}. Default: baseline.",
    )(command)  # fmt: skip


def policy(named: str | None) -> Policy:
    """The policy that the user named, a file or a pack; the baseline when none is named.

    Nothing is looked for: what lies in a scanned place is never a policy unless it is named.
    Raises `Failure` when it cannot be used.
    """
    if named is None or named in PACKS:
        return _parsed(policy_pack(named or "baseline"), named or "baseline", Path())
    file = Path(named)
    return _parsed(_read(file, f"policy {named!r}{_near(named)}"), file.name, file.parent)


def _parsed(data: bytes, document: str, folder: Path) -> Policy:
    def opener(name: str) -> bytes:
        try:
            return _bytes(folder / name)
        except OSError as error:
            raise PolicyError(str(error.strerror)) from error

    try:
        return parse_policy(data, document=document, opener=opener)
    except PolicyError as error:
        raise Failure(str(error), ExitCode.USAGE) from error


def _read(file: Path, what: str) -> bytes:
    try:
        return _bytes(file)
    except OSError as error:
        raise Failure(f"{what}: {error.strerror}", ExitCode.USAGE) from error


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(POLICY_BYTES + 1)


def _near(named: str) -> str:
    """What may have been meant by a word that looks like no file."""
    near = get_close_matches(named, PACKS, n=1) if "." not in named and "/" not in named else []
    return f" (did you mean the pack {near[0]!r}?)" if near else ""


def policy_pack(name: str) -> bytes:
    """The YAML of a pack: from inside the installed package, or from beside it in a checkout."""
    for place in _places():
        file = place / f"{name}.yaml"
        if file.is_file():
            return file.read_bytes()
    raise Failure(f"the policy pack {name!r} is not installed", ExitCode.USAGE)


def allowlist(own: Iterable[Path]) -> Callable[[], Allowlist]:
    """The user's packs, read now, and the shipped ones, read when they are needed (40 ms).

    Raises `Failure` when one cannot be used.
    """
    theirs = tuple(_pack(file) for file in own)

    def whole() -> Allowlist:
        return Allowlist(packs=(*(_pack(file) for file in _shipped()), *theirs))

    return whole


def _shipped() -> Iterator[Path]:
    for place in _places():
        if (place / _ALLOWLISTS).is_dir():
            return iter(sorted((place / _ALLOWLISTS).glob("*.json")))
    raise Failure("the allowlist packs are not installed", ExitCode.USAGE)


def _pack(file: Path) -> Pack:
    try:
        with file.open("rb") as opened:
            return parse_pack(opened.read(PACK_BYTES + 1))
    except OSError as error:
        raise Failure(f"allowlist {file}: {error.strerror}", ExitCode.USAGE) from error
    except PackError as error:
        raise Failure(f"allowlist {file}: {error}", ExitCode.USAGE) from error


def _places() -> tuple[Path, ...]:
    package = Path(__file__).parent.parent
    return package / "policies", package.parent / "policies"
