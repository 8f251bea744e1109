"""Certificates of signers and authorities: reading them, and what each has to be allowed to do.

Rules: RFC 5280. Stricter than it: a signer needs the key usage digitalSignature and the extended
key usage codeSigning, both written down (absent means anything in the RFC; "any" does not count).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from aibom.domain.check import Outcome
from aibom.domain.errors import malformed, over_limit
from aibom.domain.limits import KIB, MIB
from aibom.domain.text import capped, visible
from aibom.trust.public_key import Fault, fault_of

if TYPE_CHECKING:
    from cryptography.x509 import (
        Certificate,
        ExtensionType,
        Name,
    )

    ExtensionT = TypeVar("ExtensionT", bound=ExtensionType)

CERTIFICATE_BYTES: Final = 64 * KIB
PEM_BYTES: Final = 1 * MIB
PEM_COUNT: Final = 64
NAME_COUNT: Final = 64  # subject alternative names of one certificate
SHOWN_CHARS: Final = 200
SIGNATURE_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
COMMON_NAME: Final = "CN="


def read_certificates(pem: bytes, what: str) -> tuple[Certificate, ...]:
    """Certificates of the caller, at least one, in order; `what` names them in errors.

    Raises UnreadableError (malformed, limit).
    """
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    if len(pem) > PEM_BYTES or pem.count(b"-----BEGIN ") > PEM_COUNT:
        raise over_limit(f"{what}: more than {PEM_BYTES} bytes or {PEM_COUNT} certificates")
    try:
        with warnings.catch_warnings(action="ignore"):
            return tuple(x509.load_pem_x509_certificates(pem))
    except (ValueError, x509.InvalidVersion):
        raise malformed(f"{what}: not certificates in PEM (`-----BEGIN CERTIFICATE-----`)") from None


def from_bundle(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    """The certificates of a bundle, read from DER; fewer than there are when one is not readable."""
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    found: list[Certificate] = []
    for der in ders:
        try:
            # Odd serial numbers are a matter for the verifier, not for standard error. A certificate that
            # is too long is cut, and thereby not readable.
            with warnings.catch_warnings(action="ignore"):
                certificate = x509.load_der_x509_certificate(der[: CERTIFICATE_BYTES + 1])
        except (ValueError, x509.InvalidVersion):
            break
        # The parser takes a signature that ends in a zero bit for one of fewer bits, too.
        if der[-len(certificate.signature) - 1] != 0:
            break
        found.append(certificate)
    return tuple(found)


def signer_fault(leaf: Certificate) -> Fault | None:
    """Why nothing that this certificate signed is relied on, whoever issued it."""
    from cryptography import x509  # noqa: PLC0415 - 330 ms
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415

    try:
        with warnings.catch_warnings(action="ignore"):
            detail = _usage_fault(leaf) or _form_fault(leaf)
            key_fault = fault_of(leaf.public_key())
            # Names are read late, and fail late.
            common_name(leaf)
            leaf.issuer.rfc4514_string()
    except UnsupportedAlgorithm:
        return Fault(outcome=Outcome.UNSUPPORTED, detail="the certificate uses an algorithm that is not read")
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        detail, key_fault = "an extension of the certificate is malformed", None
    if detail:
        return Fault(outcome=Outcome.UNTRUSTED_SIGNER, detail=detail)
    return key_fault


def _usage_fault(leaf: Certificate) -> str:
    from cryptography import x509  # noqa: PLC0415 - 330 ms
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415

    usage = _extension(leaf, x509.KeyUsage)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    # An authority by its constraints alone is let through: the reference tool's own test chain has
    # such a signer, and without keyCertSign it cannot issue anything.
    if usage is not None and usage.key_cert_sign:
        return "the first certificate is one of an authority: the one of the signer has to stand first"
    if usage is None or not usage.digital_signature:
        return "the certificate does not allow signing (key usage digitalSignature): use another"
    if purposes is None or ExtendedKeyUsageOID.CODE_SIGNING not in purposes:
        return "the certificate is not one for signing code (extended key usage codeSigning): use another"
    return ""


def _form_fault(leaf: Certificate) -> str:
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    algorithm = leaf.signature_hash_algorithm
    if algorithm is None or algorithm.name not in SIGNATURE_HASHES:
        name = "an unknown hash" if algorithm is None else algorithm.name.upper()
        return f"its authority signed the certificate with {name}: it needs SHA-256 or better"
    alternative = _extension(leaf, x509.SubjectAlternativeName)
    if alternative is not None and len(list(alternative)) > NAME_COUNT:
        return f"the certificate has more than {NAME_COUNT} names"
    return ""


def _extension(certificate: Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def names_of(leaf: Certificate) -> tuple[str, ...]:
    """The URIs, e-mail addresses and DNS names of a certificate without `signer_fault`.

    A name that does not look like its kind is left out: an authority that lets people choose the
    one kind freely must not be able to vouch for another.
    """
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    alternative = _extension(leaf, x509.SubjectAlternativeName)
    if alternative is None:
        return ()
    uris = (name for name in alternative.get_values_for_type(x509.UniformResourceIdentifier) if ":" in name)
    mails = (
        name
        for name in alternative.get_values_for_type(x509.RFC822Name)
        if name.count("@") == 1 and ":" not in name
    )
    hosts = (name for name in alternative.get_values_for_type(x509.DNSName) if not set(name) & set("@:/"))
    return (*uris, *mails, *hosts)


def common_name(certificate: Certificate) -> str:
    """The common name of the subject; "" unless there is exactly one."""
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    with warnings.catch_warnings(action="ignore"):
        found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    value = found[0].value if len(found) == 1 else ""
    return value if isinstance(value, str) else ""


def constrained(authorities: Sequence[Certificate]) -> bool:
    """Whether one of them may issue for some names only, or has extensions that are not read."""
    from cryptography import x509  # noqa: PLC0415 - 330 ms

    try:
        return any(_extension(authority, x509.NameConstraints) is not None for authority in authorities)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return True


def shown(name: Name) -> str:
    """A distinguished name, safe to show."""
    return capped(visible(name.rfc4514_string()), SHOWN_CHARS)
