"""Keys that stay on a token: a smart card, a hardware security module or SoftHSM, by PKCS#11.

Talks to the token through the module (a shared library) that the user names; nothing is searched for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePath
from types import ModuleType
from typing import TYPE_CHECKING, Final

from aibom.domain.errors import Reason, UnreadableError, malformed, unsupported
from aibom.trust.certificate_checks import from_bundle, read_certificates, signer_fault
from aibom.trust.certificate_path import valid_at
from aibom.trust.pkcs11_uri import PIN_VARIABLE, TOKEN_ATTRIBUTES, KeyUri, read_uri
from aibom.trust.public_key import hash_by_curve, oms_hint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from pkcs11 import Attribute, Object, Session, Token  # type: ignore[import-not-found,unused-ignore]

# CKA_EC_PARAMS: the DER of the object identifier. The names are those of `cryptography`.
_CURVES: Final = {
    bytes.fromhex("06082a8648ce3d030107"): "SECP256R1",
    bytes.fromhex("06052b81040022"): "SECP384R1",
    bytes.fromhex("06052b81040023"): "SECP521R1",
}
_THE_PIN: Final = f"the PIN in {PIN_VARIABLE}"
_ANSWERS: Final = {
    "PinIncorrect": (Reason.ENCRYPTED, f"{_THE_PIN} is wrong; tokens lock themselves after a few of those"),
    "PinLocked": (Reason.ENCRYPTED, "the PIN is locked after too many wrong ones: unlock the token first"),
    "PinLenRange": (Reason.ENCRYPTED, f"{_THE_PIN} is too short or too long for it"),
    "PinInvalid": (Reason.ENCRYPTED, f"{_THE_PIN} has characters that it does not take"),
    "PinExpired": (Reason.ENCRYPTED, f"{_THE_PIN} has expired: set a new one first"),
    "UserPinNotInitialized": (Reason.ENCRYPTED, "no PIN has been set for its users"),
    "UserNotLoggedIn": (Reason.ENCRYPTED, f"the key needs the PIN: set {PIN_VARIABLE}"),
    "MechanismInvalid": (Reason.UNSUPPORTED, "it does not sign digests by ECDSA (CKM_ECDSA)"),
    "KeyTypeInconsistent": (Reason.UNSUPPORTED, "it does not sign by ECDSA with this key"),
    "DeviceRemoved": (Reason.VANISHED, "it was removed"),
    "TokenNotPresent": (Reason.VANISHED, "it was removed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pkcs11Signer:
    """A private key on a token, with or without a certificate. The token is opened for each signature."""

    uri: KeyUri
    module: str
    pin: str | None = field(repr=False)
    public_key: EllipticCurvePublicKey
    certificates: tuple[bytes, ...] = ()  # DER: leaf and intermediates, no root

    @property
    def key_hint(self) -> str:
        return "" if self.certificates else oms_hint(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """ECDSA over SHA-256, -384 or -512 by curve (OMS v1.0). Raises UnreadableError."""
        hashing = hash_by_curve(self.public_key.curve)
        return self._sign(hashlib.new(hashing.name, message).digest(), hashing)

    def sign_digest(self, digest: bytes) -> bytes:
        """ECDSA over the SHA-256 of a file, P-256 only. Raises UnreadableError."""
        hashing = hash_by_curve(self.public_key.curve)
        if hashing.name != "sha256":
            raise unsupported("a file is signed with a key on P-256, or as the subject of a statement")
        if len(digest) != hashing.digest_size:
            raise ValueError(f"a SHA-256 digest has 32 bytes, not {len(digest)}")
        return self._sign(digest, hashing)

    def _sign(self, digest: bytes, hashing: HashAlgorithm) -> bytes:
        with _opened(self.module, self.uri, self.pin) as session:
            raw = _raw_signature(_private_key(session, self.uri), digest, self.pin)
        return _checked_der(raw, digest, hashing, self.public_key)


def pkcs11_signer(uri: str, pin: str | None, module: str | None) -> Pkcs11Signer:
    """The signer with the key on a token that `uri` names, by `module` or the module of the URI.

    Logs in once, so that a wrong PIN is told before anything is hashed. Raises UnreadableError:
    unsupported (the extra `pkcs11` is not installed, not EC on one of the three curves), encrypted (the
    PIN is missing, wrong or locked), missing (module, token, key), malformed, limit, vanished, io-error.
    """
    wanted = read_uri(uri)
    path = _module_path(wanted.module, module)
    with _opened(path, wanted, pin or None) as session:
        public_key = _public_key(session, _private_key(session, wanted))
    return Pkcs11Signer(uri=wanted, module=path, pin=pin or None, public_key=public_key)


def certified(
    signer: Pkcs11Signer, certificate_pem: bytes, chain_pem: bytes = b"", *, now: datetime | None = None
) -> Pkcs11Signer:
    """The same signer with a certificate for its key, as `signers.certificate_signer` takes it."""
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - loaded already

    leaf, *others = read_certificates(certificate_pem, "certificate")
    fault = signer_fault(leaf)
    if fault is not None:
        raise unsupported(f"certificate: {fault.detail}")
    if not valid_at(leaf, now or datetime.now(UTC)):
        raise unsupported("certificate: it is not valid today, so that nobody could verify the signature")
    if leaf.public_key() != signer.public_key:
        raise malformed("the certificate is for another private key")
    if chain_pem:
        others += read_certificates(chain_pem, "certificate chain")
    intermediates = [other for other in others if other.issuer != other.subject]
    ders = tuple(each.public_bytes(Encoding.DER) for each in dict.fromkeys((leaf, *intermediates)))
    return replace(signer, certificates=ders)


def _module_path(in_uri: str | None, named: str | None) -> str:
    path = named or in_uri
    if path is None:
        raise malformed(
            "name the PKCS#11 module of the token: --pkcs11-module FILE, or `module-path` in the URI"
        )
    if named and in_uri and named != in_uri:
        raise malformed("the URI names another PKCS#11 module than --pkcs11-module does")
    if not PurePath(path).is_absolute():  # or the loader would search folders of its own
        raise malformed("the PKCS#11 module is named by its absolute path")
    if not path.isprintable():  # the library takes no path that is not UTF-8
        raise unsupported("the path of the PKCS#11 module has characters that cannot be shown")
    return path


def _library() -> ModuleType:
    try:
        import pkcs11  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional, 100 ms
    except ImportError:
        raise unsupported("keys on a token need an extra: pip install 'aibom[pkcs11]'") from None
    library: ModuleType = pkcs11
    return library


@contextmanager
def _opened(module: str, uri: KeyUri, pin: str | None) -> Iterator[Session]:
    """A session on the one token that the URI names. What the module answers becomes UnreadableError."""
    library = _library()
    try:
        token = _token(library.lib(module).get_tokens(), uri)
        with token.open(user_pin=_login(token, pin)) as session:
            yield session
    except library.PKCS11Error as error:
        if type(error) is library.PKCS11Error:  # no answer of a module, but one that cannot be loaded
            message = f"{module!r} is not there, or no PKCS#11 module for this machine"
            raise UnreadableError(Reason.MISSING, message) from None
        name = type(error).__name__
        reason, message = _ANSWERS.get(name, (Reason.IO_ERROR, f"the PKCS#11 module answered {name}"))
        raise UnreadableError(reason, f"token: {message}") from None


def _token(tokens: Iterator[Token], uri: KeyUri) -> Token:
    flag = _library().TokenFlag.TOKEN_INITIALIZED
    there = [token for token in tokens if token.flags & flag]
    found = [token for token in there if uri.token.items() <= _traits(token).items()]
    if len(found) == 1:
        return found[0]
    labels = ", ".join(sorted(repr(token.label) for token in found or there)) or "none"
    if found:
        message = f"{len(found)} tokens match the URI ({labels}): add `serial` to it"
        raise UnreadableError(Reason.UNSUPPORTED, message)
    raise UnreadableError(Reason.MISSING, f"no token matches the URI; there are: {labels}")


def _traits(token: Token) -> dict[str, str]:
    serial = token.serial.rstrip(b"\0").decode("utf-8", "replace")
    values = (token.label, token.manufacturer_id, serial, token.model)
    return dict(zip(TOKEN_ATTRIBUTES, values, strict=True))


def _login(token: Token, pin: str | None) -> object:
    """What to log in with: the PIN, the reader's own keys, or nothing where the token asks for nothing."""
    library = _library()
    if pin is not None and not _is_utf8(pin):  # a variable may hold any bytes
        raise UnreadableError(Reason.ENCRYPTED, f"token: {_THE_PIN} is not UTF-8")
    if pin is None and token.flags & library.TokenFlag.PROTECTED_AUTHENTICATION_PATH:
        return library.PROTECTED_AUTH
    if pin is None and token.flags & library.TokenFlag.LOGIN_REQUIRED:
        raise UnreadableError(Reason.ENCRYPTED, f"token {token.label!r} asks for its PIN: set {PIN_VARIABLE}")
    return pin


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= each <= "\udfff" for each in text)


def _private_key(session: Session, uri: KeyUri) -> Object:
    library = _library()
    wanted = {library.Attribute.CLASS: library.ObjectClass.PRIVATE_KEY}
    if uri.label is not None:
        wanted[library.Attribute.LABEL] = uri.label
    if uri.id is not None:
        wanted[library.Attribute.ID] = uri.id
    found = list(session.get_objects(wanted))
    where = f"on token {session.token.label!r}"
    if not found:
        raise UnreadableError(Reason.MISSING, f"no private key {where} matches the URI")
    if len(found) > 1:
        raise unsupported(f"{len(found)} private keys {where} match the URI: give `object` and `id`")
    if _value(found[0], library.Attribute.KEY_TYPE) != library.KeyType.EC:
        raise unsupported("models are signed with EC keys on P-256, P-384 or P-521 (OMS v1.0), not this key")
    return found[0]


def _value(thing: Object, attribute: Attribute) -> object:
    """An attribute; None when the token has none of it, or a value that PKCS#11 does not know."""
    try:
        return thing[attribute]
    except (_library().PKCS11Error, ValueError):
        return None


def _raw_signature(key: Object, digest: bytes, pin: str | None) -> bytes:
    """Both numbers of an ECDSA signature; of a digest, since not every token can hash."""
    library = _library()
    if not isinstance(key, library.SignMixin):
        raise unsupported("the token does not let this key sign (CKA_SIGN)")
    again = _value(key, library.Attribute.ALWAYS_AUTHENTICATE)  # as the signing key of a PIV card
    if again and pin is None:
        raise unsupported(f"the key asks for the PIN at each signature: set {PIN_VARIABLE}")
    raw: bytes = key.sign(digest, mechanism=library.Mechanism.ECDSA, pin=pin if again else None)
    return raw


def _checked_der(raw: bytes, digest: bytes, hashing: HashAlgorithm, key: EllipticCurvePublicKey) -> bytes:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: PLC0415

    size = (key.curve.key_size + 7) // 8
    if len(raw) != 2 * size:
        raise malformed(f"the token made a signature of {len(raw)} bytes, not {2 * size}")
    der = utils.encode_dss_signature(int.from_bytes(raw[:size]), int.from_bytes(raw[size:]))
    try:
        key.verify(der, digest, ec.ECDSA(utils.Prehashed(hashing)))
    except InvalidSignature:
        raise malformed("the public key on the token is not that of the private key") from None
    return der


def _public_key(session: Session, key: Object) -> EllipticCurvePublicKey:
    """The other half of a key: in an object or certificate with the same id, or on the key itself."""
    library = _library()
    name, kind = library.Attribute.ID, library.ObjectClass
    if not _value(key, name):
        name = library.Attribute.LABEL
    same = {name: key[name]}
    points = [*session.get_objects({library.Attribute.CLASS: kind.PUBLIC_KEY, **same}), key]
    certificates = session.get_objects({library.Attribute.CLASS: kind.CERTIFICATE, **same})
    found = [*map(_from_point, points), *map(_from_certificate, certificates)]
    known = [each for each in found if each is not None]
    if not known:
        raise UnreadableError(Reason.MISSING, "the token has no public key or certificate with the key's id")
    if any(each != known[0] for each in known):
        raise unsupported("several public keys on the token have the id of the private key")
    return known[0]


def _from_point(thing: Object) -> EllipticCurvePublicKey | None:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - 120 ms

    attribute = _library().Attribute
    curve_name, point = _value(thing, attribute.EC_PARAMS), _value(thing, attribute.EC_POINT)
    if not (isinstance(curve_name, bytes) and isinstance(point, bytes)):
        return None
    if curve_name not in _CURVES:
        raise unsupported("models are signed with keys on P-256, P-384 or P-521 (OMS v1.0), not this curve")
    curve: ec.EllipticCurve = getattr(ec, _CURVES[curve_name])()
    size = 2 * ((curve.key_size + 7) // 8) + 1
    header = b"\x04" + (bytes([size]) if size < 128 else bytes([0x81, size]))
    # An OCTET STRING by the standard; some tokens leave its header out.
    encoded = point if len(point) == size else point.removeprefix(header)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, encoded)
    except ValueError:
        raise malformed("the public key on the token is no point of its curve") from None


def _from_certificate(thing: Object) -> EllipticCurvePublicKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - 120 ms with the next
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    der = _value(thing, _library().Attribute.VALUE)
    try:
        keys = [each.public_key() for each in from_bundle([der] if isinstance(der, bytes) else [])]
    except (ValueError, UnsupportedAlgorithm):
        return None
    return next((key for key in keys if isinstance(key, ec.EllipticCurvePublicKey)), None)
