"""Whom a short-lived certificate of Fulcio names.

Profile: github.com/sigstore/fulcio, docs/certificate-specification.md and docs/oid-info.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_ISSUER_V1: Final = "1.3.6.1.4.1.57264.1.1"  # plain bytes
_ISSUER_V2: Final = "1.3.6.1.4.1.57264.1.8"  # a DER UTF8String
_USER_NAME: Final = "1.3.6.1.4.1.57264.1.7"  # a DER UTF8String, for names that are not e-mail addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The subject and who vouches for it, as they stand in the certificate; "" for what is missing."""

    identity: str
    issuer: str


def names(certificate: Certificate) -> Names:
    """The one subject alternative name and the OIDC issuer. Several names count as none: one of them lies.

    Raises ValueError, and the errors of `cryptography.x509` for extensions that it does not read.
    """
    from cryptography import x509  # noqa: PLC0415 - 50 ms

    extensions = {extension.oid.dotted_string: extension.value for extension in certificate.extensions}
    plain, coded = extensions.get(_ISSUER_V1), extensions.get(_ISSUER_V2)
    issuer = plain.value.decode() if isinstance(plain, x509.UnrecognizedExtension) else ""
    if isinstance(coded, x509.UnrecognizedExtension):  # the newer one counts
        issuer = _utf8_string(coded.value)
    alternatives = extensions.get(x509.SubjectAlternativeName.oid.dotted_string)
    found = list(alternatives) if isinstance(alternatives, x509.SubjectAlternativeName) else []
    identity = ""
    if len(found) == 1 and isinstance(found[0], x509.RFC822Name | x509.UniformResourceIdentifier):
        identity = found[0].value
    elif len(found) == 1 and isinstance(found[0], x509.OtherName):
        identity = _utf8_string(found[0].value) if found[0].type_id.dotted_string == _USER_NAME else ""
    return Names(identity=identity, issuer=issuer)


def signs_code(certificate: Certificate) -> bool:
    """Whether the certificate is one for signatures over code."""
    from cryptography import x509  # noqa: PLC0415 - 50 ms

    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return usage.digital_signature and x509.oid.ExtendedKeyUsageOID.CODE_SIGNING in extended


def _utf8_string(value: bytes) -> str:
    from cryptography.hazmat.asn1 import decode_der  # noqa: PLC0415 - 50 ms

    return decode_der(str, value)
