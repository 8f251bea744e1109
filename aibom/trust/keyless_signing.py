"""Keyless signing: an authority certifies a key for an identity, and a log keeps the signature.

The one module of this room that opens sockets: to the services that a trust configuration names. The
token goes to the authority alone, and into no message: what the library says about a failure may repeat
what a server said, so that only its kind is told.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError, malformed
from aibom.domain.signing import ExpectedIdentity
from aibom.readers.json import Json, members, parse, text
from aibom.trust.bundle import read_bundle
from aibom.trust.fulcio import Names, names
from aibom.trust.keyless import verify_keyless
from aibom.trust.keyless_reason import library_errors
from aibom.trust.trust_root import read_trust_root

if TYPE_CHECKING:
    from sigstore import models
    from sigstore.sign import Signer

TOKEN_CHARS: Final = 16_384
_SERVICES: Final = ("caUrls", "rekorTlogUrls", "tsaUrls")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def ambient_token() -> str:
    """The identity token of the pipeline that this runs in: GitHub, GitLab, Google, Buildkite, CircleCI.

    Some of them are asked over the network. Raises UnreadableError: missing, or denied.
    """
    from sigstore.oidc import IdentityError, detect_credential  # noqa: PLC0415 - 600 ms

    token, denied = None, False
    try:
        token = detect_credential()
    except (IdentityError, OSError, ValueError, LookupError):
        denied = True
    # Raised outside of the handler, so that the error does not carry the other one along.
    if denied:
        message = "the pipeline gave no identity token; may the job ask for one (GitHub: id-token: write)?"
        raise UnreadableError(Reason.DENIED, message)
    if token is None:
        raise UnreadableError(Reason.MISSING, "no identity token, and no pipeline here that gives one")
    return token


def sign_keyless(
    token: str, trust_config: bytes, *, statement: bytes | None = None, digest: bytes | None = None
) -> bytes:
    """A bundle v0.3 over an in-toto Statement v1, or over a file with this SHA-256 `digest` (32 bytes).

    `trust_config` is a client trust configuration, for example `trust_root.embedded_config`. A bundle that
    `verify_keyless` would not take is not handed out. Raises UnreadableError, and ValueError unless there
    is exactly one of `statement` and `digest`.
    """
    if (statement is None) == (digest is None):
        raise ValueError("sign a statement or a digest")
    if digest is not None and len(digest) != hashlib.sha256().digest_size:
        raise ValueError("a SHA-256 digest has 32 bytes")
    root = read_trust_root(trust_config)
    made: tuple[bytes, Names] | UnreadableError
    try:
        made = _signed(token, _services(trust_config), statement, digest)
    except _signing_errors() as error:
        made = _told(error)
    # Raised outside of the handler, so that the error does not carry the other one along.
    if isinstance(made, UnreadableError):
        raise made
    data, signer = made
    expected = ExpectedIdentity(identity=signer.identity, issuer=signer.issuer)
    judged = verify_keyless(read_bundle(data), digest, expected, root)
    if judged.outcome is not Outcome.VERIFIED or judged.payload != statement:
        raise malformed(f"the services made a signature that does not verify: {judged.detail}")
    return data


def _services(trust_config: bytes) -> bytes:
    """The configuration, when the token can go to its services without being read on the way."""
    document = parse(trust_config)
    config = members(members(document).get("signingConfig"))
    for kind in _SERVICES:
        services = config.get(kind)
        for service in services if isinstance(services, list) else ():
            _check_address(service)
    if not config:
        raise malformed("the trust configuration names no services to sign with")
    # What was looked at is what the library gets, whatever else the bytes could be read as.
    return json.dumps(document).encode()


def _check_address(service: Json) -> None:
    address = urlsplit(text(members(service).get("url")) or "")
    if address.scheme != "https" and address.hostname not in _LOOPBACK:
        raise malformed("the trust configuration names a service without https")


def _signed(
    token: str, trust_config: bytes, statement: bytes | None, digest: bytes | None
) -> tuple[bytes, Names]:
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415 - 600 ms
    from sigstore.oidc import IdentityToken  # noqa: PLC0415
    from sigstore.sign import SigningContext  # noqa: PLC0415

    if len(token) > TOKEN_CHARS or not token.isascii() or not token.isprintable():
        raise malformed("the identity token is not one")
    identity = IdentityToken(token)
    context = SigningContext.from_trust_config(ClientTrustConfig.from_json(trust_config.decode()))
    with context.signer(identity) as signer:
        bundle = _content(signer, statement, digest)
    return bundle.to_json().encode() + b"\n", names(bundle.signing_certificate)


def _content(signer: Signer, statement: bytes | None, digest: bytes | None) -> models.Bundle:
    from sigstore.dsse import Statement  # noqa: PLC0415 - 600 ms
    from sigstore.hashes import Hashed  # noqa: PLC0415
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415

    if statement is not None:
        return signer.sign_dsse(Statement(statement))
    return signer.sign_artifact(Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest or b""))


def _signing_errors() -> tuple[type[Exception], ...]:
    from sigstore._internal.fulcio.client import ExpiredCertificate, FulcioClientError  # noqa: PLC0415 - 600 ms
    from sigstore._internal.rekor import RekorClientError  # noqa: PLC0415
    from sigstore.oidc import ExpiredIdentity  # noqa: PLC0415

    # Errors of `requests` are OSErrors.
    of_services = (ExpiredCertificate, FulcioClientError, RekorClientError, ExpiredIdentity)
    return (UnreadableError, *of_services, *library_errors())


def _told(error: Exception) -> UnreadableError:
    """The kind of an error as a sentence of ours."""
    from sigstore._internal.fulcio.client import FulcioClientError  # noqa: PLC0415 - 600 ms
    from sigstore._internal.rekor import RekorClientError  # noqa: PLC0415
    from sigstore.errors import VerificationError  # noqa: PLC0415
    from sigstore.oidc import ExpiredIdentity, IdentityError  # noqa: PLC0415

    if isinstance(error, UnreadableError):
        return error
    if isinstance(error, IdentityError | ExpiredIdentity):
        return malformed("the identity token is malformed, expired or for another audience; get a new one")
    if isinstance(error, FulcioClientError):
        message = "the authority gave no certificate for this identity token; does it trust its issuer?"
        return UnreadableError(Reason.DENIED, message)
    if isinstance(error, RekorClientError):
        return UnreadableError(Reason.DENIED, "the transparency log did not take the signature")
    if isinstance(error, VerificationError):
        return malformed("the certificate is not in the log that the trust configuration names (SCT)")
    if isinstance(error, OSError):
        return UnreadableError(Reason.IO_ERROR, "a signing service cannot be reached; try again")
    kind = type(error).__name__
    return malformed(f"the statement, the configuration or an answer of a service cannot be used ({kind})")
