"""The policy packs that come with the program."""

from __future__ import annotations

from pathlib import Path

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure


def policy_pack(name: str) -> bytes:
    """The YAML of a pack: from inside the installed package, or from beside it in a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / "policies" / f"{name}.yaml", package.parent / "policies" / f"{name}.yaml"):
        if place.is_file():
            return place.read_bytes()
    raise Failure(f"the policy pack {name!r} is not installed", ExitCode.USAGE)
