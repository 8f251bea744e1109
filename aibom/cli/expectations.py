"""Flags that say whose signature one expects, and what they stand for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from aibom.cli.exit_codes import ExitCode
from aibom.cli.failure import Failure
from aibom.domain.errors import UnreadableError
from aibom.domain.limits import MIB
from aibom.domain.signing import Expected, ExpectedChain, ExpectedIdentity, ExpectedKey
from aibom.domain.text import visible

if TYPE_CHECKING:
    from aibom.trust.trust_root import TrustRoot

DOCUMENT_BYTES: Final = 4 * MIB  # of a key, a certificate chain or a trust root
_PATH: Final = click.Path(path_type=Path)
_NAMES: Final = ("key", "identity", "issuer", "pattern", "certificate_chain", "trust_root", "staging")
_F = TypeVar("_F", bound=Callable[..., object])

_OPTIONS: Final = (
    click.option(
        "--key", type=_PATH, envvar="AIBOM_KEY", help="Public key (PEM) that has to have signed."
    ),
    click.option(
        "--identity", envvar="AIBOM_IDENTITY",
        help="Who has to have signed: e-mail or URI in the certificate.",
    ),
    click.option(
        "--issuer", envvar="AIBOM_ISSUER",
        help="Who has to vouch for the identity, for keyless signatures.",
    ),
    click.option(
        "--pattern", is_flag=True, envvar="AIBOM_PATTERN",
        help="--identity and --issuer are regular expressions for the whole text.",
    ),
    click.option(
        "--certificate-chain", type=_PATH, envvar="AIBOM_CERTIFICATE_CHAIN",
        help="Root certificates (PEM) for signatures with a certificate; with --identity.",
    ),
    click.option(
        "--trust-root", type=_PATH, envvar="AIBOM_TRUST_ROOT",
        help="Sigstore trusted root or client trust configuration to use instead of the production one.",
    ),
    click.option(
        "--staging", is_flag=True, envvar="AIBOM_STAGING", help="Use the root of sigstore's staging services."
    ),
)  # fmt: skip


def expectation_options(command: _F) -> _F:
    """Adds the flags to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the flags of one command say."""

    expected: Expected | None
    root: TrustRoot | None


def take(given: dict[str, Any]) -> Expectation:
    """Takes the flags out of what click hands over."""
    try:
        found = Expectation(expected=expected(given), root=trust_root(given))
    except UnreadableError as error:
        raise Failure(visible(str(error)), ExitCode.USAGE) from error
    for name in _NAMES:
        del given[name]
    return found


def expected(given: dict[str, Any]) -> Expected | None:
    """Whom the flags name; None when they name nobody. Raises a usage error for half a name."""
    key, chain = given["key"], given["certificate_chain"]
    identity, issuer, pattern = given["identity"], given["issuer"], given["pattern"]
    if key is not None:
        if identity or issuer or chain or pattern:
            raise click.UsageError("--key stands alone: a bare key has no identity")
        from aibom.trust.public_key import read_public_key  # noqa: PLC0415 - 10 ms

        data = document(key)
        read_public_key(data)  # a mistake here is one of the user, and no verdict on a signature
        return ExpectedKey(public_key=data)
    if chain is not None:
        if not identity:
            raise click.UsageError("--certificate-chain needs --identity: a root vouches for many people")
        if issuer:
            raise click.UsageError(
                "--issuer is for keyless signatures: with --certificate-chain the roots vouch"
            )
        from aibom.trust.certificate_checks import COMMON_NAME, read_certificates  # noqa: PLC0415 - 20 ms
        from aibom.trust.identity import check_expected  # noqa: PLC0415 - 10 ms

        roots = document(chain)
        read_certificates(roots, "root certificates")
        check_expected(identity.removeprefix(COMMON_NAME), pattern=pattern)
        return ExpectedChain(roots=roots, identity=identity, pattern=pattern)
    if identity and issuer:
        from aibom.trust.identity import check_expected  # noqa: PLC0415 - 10 ms

        for name in (identity, issuer):
            check_expected(name, pattern=pattern)
        return ExpectedIdentity(identity=identity, issuer=issuer, pattern=pattern)
    if identity or issuer:
        raise click.UsageError("--identity and --issuer go together: anybody can claim a name somewhere")
    return None


def trust_root(given: dict[str, Any]) -> TrustRoot | None:
    """The root that the flags name, None for the production one. A file wins. Raises `UnreadableError`."""
    if given["trust_root"] is None and not given["staging"]:
        return None
    from aibom.trust.trust_root import embedded, read_trust_root  # noqa: PLC0415 - 20 ms

    if given["trust_root"] is not None:
        return read_trust_root(document(given["trust_root"]))
    return embedded("staging")


def document(path: Path) -> bytes:
    """A small file that the user named."""
    try:
        with path.open("rb") as file:
            data = file.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise Failure(f"cannot read {os.fspath(path)!r}: {error.strerror}", ExitCode.USAGE) from error
    if len(data) > DOCUMENT_BYTES:
        raise Failure(f"{os.fspath(path)!r} is too large for what it should be", ExitCode.USAGE)
    return data
