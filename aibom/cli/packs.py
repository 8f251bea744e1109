"""The policy and allowlist packs: those that come with the program, and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.policy.allowlist import PACK_BYTES, Allowlist, Pack, PackError, parse_pack

_ALLOWLISTS = "allowlists"


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
