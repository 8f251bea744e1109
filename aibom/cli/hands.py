"""Flags that say who signs, what they stand for, and where the signature may be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from aibom.cli.exit_codes import ExitCode
from aibom.cli.expectations import document
from aibom.cli.failure import Failure
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.text import visible
from aibom.trust.keyless_signing import ambient_token
from aibom.trust.pkcs11 import certified, pkcs11_signer
from aibom.trust.pkcs11_uri import PIN_VARIABLE, is_pkcs11
from aibom.trust.signers import BundleSigner, certificate_signer, key_signer
from aibom.trust.trust_root import embedded_config
from aibom.workflows.documents import kind_of
from aibom.workflows.sign import Hand, HeldKey, Keyless

PASSWORD_VARIABLE: Final = "AIBOM_KEY_PASSWORD"  # noqa: S105 - the name of a variable
_PATH: Final = click.Path(path_type=Path)
_F = TypeVar("_F", bound=Callable[..., object])
_WHO: Final = ("key", "certificate", "certificate_chain", "keyless")
_FOR_KEYLESS: Final = ("identity_token", "trust_config", "staging")
# Not the user's mistake: something could not be read or reached, or is more than is read.
_INCOMPLETE: Final = frozenset({Reason.LIMIT, Reason.IO_ERROR, Reason.DENIED, Reason.CHANGED})
_OPTIONS: Final = (
    click.option(
        "--key", type=click.Path(), metavar="FILE|URI", envvar="AIBOM_SIGNING_KEY",
        help="Private EC key: a file (PEM), or one on a token (pkcs11: URI).",
    ),
    click.option(
        "--pkcs11-module", type=_PATH, envvar="AIBOM_PKCS11_MODULE",
        help="Shared library for the token, unless the URI names it.",
    ),
    click.option(
        "--certificate", type=_PATH, envvar="AIBOM_SIGNING_CERTIFICATE",
        help="Certificate (PEM) of the key.",
    ),
    click.option(
        "--certificate-chain", type=_PATH, envvar="AIBOM_SIGNING_CERTIFICATE_CHAIN",
        help="Intermediate certificates (PEM).",
    ),
    click.option(
        "--keyless", is_flag=True, envvar="AIBOM_KEYLESS",
        help="Sign with an identity of the pipeline, by sigstore.",
    ),
    click.option(
        "--identity-token", metavar="TOKEN", envvar="AIBOM_IDENTITY_TOKEN",
        help="OIDC token for --keyless to use instead (better: the variable).",
    ),
    click.option(
        "--trust-config", type=_PATH, envvar="AIBOM_TRUST_CONFIG",
        help="Sigstore client trust configuration of other services for --keyless.",
    ),
    click.option(
        "--staging", is_flag=True, envvar="AIBOM_STAGING", help="Sigstore's staging services for --keyless."
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """The identity of the pipeline that this runs in.

    Its tokens live for minutes, and reading a model may take hours: each is asked for when it is used.
    """

    trust_config: bytes

    def statement(self, payload: bytes) -> bytes:
        return Keyless(ambient_token(), self.trust_config).statement(payload)

    def file(self, digest: bytes) -> bytes:
        return Keyless(ambient_token(), self.trust_config).file(digest)


def hand_options(command: _F) -> _F:
    """Adds the flags to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def is_named(given: dict[str, Any]) -> bool:
    """Whether anything asks for a signature, rightly or not."""
    # An empty --key is a mistake (of a variable that is not set), and no wish for no signature.
    asked = any(given[name] not in (None, False) for name in _WHO)
    return asked or any(map(typed, (*_FOR_KEYLESS, "pkcs11_module")))


def hand(given: dict[str, Any]) -> Hand:
    """Whoever the flags say. Raises a usage error unless they say exactly one, and `UnreadableError`."""
    if given["keyless"] == (given["key"] is not None):
        raise click.UsageError(f"name one: --key FILE, --key with --certificate, or --keyless{_variables()}")
    if given["certificate"] is None and given["certificate_chain"] is not None:
        raise click.UsageError("--certificate-chain needs --certificate")
    if typed("pkcs11_module") and not is_pkcs11(given["key"] or ""):
        raise click.UsageError("--pkcs11-module is for a key on a token: --key pkcs11:...")
    if given["keyless"]:
        return _keyless(given)
    for name in filter(typed, _FOR_KEYLESS):
        raise click.UsageError(f"--{name.replace('_', '-')} is for --keyless, and --key signs without it")
    try:
        return HeldKey(signer=_held(given))
    except UnreadableError as error:
        if error.reason is not Reason.ENCRYPTED or is_pkcs11(given["key"]):
            raise
        raise UnreadableError(error.reason, f"{error.message} (in {PASSWORD_VARIABLE})") from None


def _keyless(given: dict[str, Any]) -> Hand:
    if given["certificate"] is not None:
        raise click.UsageError("--certificate needs --key: --keyless gets a certificate of its own")
    if given["trust_config"] is None:
        config = embedded_config("staging" if given["staging"] else "production")
    elif typed("staging") and typed("trust_config"):
        raise click.UsageError("name one: --staging or --trust-config")
    else:
        config = document(given["trust_config"])
    if given["identity_token"]:
        return Keyless(given["identity_token"], config)
    ambient_token()  # whether there is one is told now, and not when everything has been read
    return _Pipeline(config)


def _held(given: dict[str, Any]) -> BundleSigner:
    if is_pkcs11(given["key"]):
        return _on_token(given)
    password = os.environ.get(PASSWORD_VARIABLE)
    secret = os.fsencode(password) if password else None
    key = document(Path(given["key"]))
    if given["certificate"] is None:
        return key_signer(key, secret)
    return certificate_signer(key, secret, *_certificates(given))


def _on_token(given: dict[str, Any]) -> BundleSigner:
    named: Path | None = given["pkcs11_module"]
    module = os.fspath(named.absolute()) if named is not None else None
    signer = pkcs11_signer(given["key"], os.environ.get(PIN_VARIABLE), module)
    return signer if given["certificate"] is None else certified(signer, *_certificates(given))


def _certificates(given: dict[str, Any]) -> tuple[bytes, bytes]:
    chain: Path | None = given["certificate_chain"]
    return document(given["certificate"]), document(chain) if chain is not None else b""


def _source(name: str) -> ParameterSource | None:
    return click.get_current_context().get_parameter_source(name)


def typed(name: str) -> bool:
    """Whether the user typed the flag: a variable may be set for other commands."""
    return _source(name) is ParameterSource.COMMANDLINE


def _variables() -> str:
    """Which variables count, for somebody who has forgotten that they are set."""
    options = click.get_current_context().command.params
    told = [
        str(option.envvar)
        for option in options
        if option.name in _WHO and _source(option.name) is ParameterSource.ENVIRONMENT
    ]
    return f" (set in the environment: {', '.join(told)})" if told else ""


def place_in_target(out: Path, target: str) -> str | None:
    """The path of the result in the target, None when it lies elsewhere.

    Raises a usage error, before anything is read, when the result cannot be written there, or would
    replace a file that it is about.
    """
    if not out.parent.is_dir():
        raise click.UsageError(f"cannot write {os.fspath(out)!r}: its folder does not exist")
    if out.is_dir():
        raise click.UsageError(f"cannot write {os.fspath(out)!r}: it is a folder")
    root, place = _absolute(Path(target)), _absolute(out)
    if not place.is_relative_to(root):
        return None
    if place == root or (out.exists() and kind_of(out.name) != "signature"):
        hint = "write the result elsewhere, or to a name that ends in .sigstore.json"
        raise click.UsageError(f"{os.fspath(out)!r} is a file of the target: {hint}")
    return place.relative_to(root).as_posix()


def _absolute(path: Path) -> Path:
    # A result replaces a link, and not what it leads to.
    return path.resolve() if path.is_dir() else path.parent.resolve() / path.name


def not_done(what: str, error: UnreadableError) -> Failure:
    """The end of a command that made nothing because of the error."""
    code = ExitCode.INCOMPLETE if error.reason in _INCOMPLETE else ExitCode.USAGE
    return Failure(visible(f"{what}: {error}"), code)
