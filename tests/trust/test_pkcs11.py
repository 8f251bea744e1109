from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import SimpleNamespace
from typing import Self
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedKey
from aibom.trust.bundle import read_bundle
from aibom.trust.key import verify_key
from aibom.trust.pkcs11 import pkcs11_signer
from aibom.trust.pkcs11_uri import URI_CHARS, is_pkcs11, read_uri
from aibom.trust.signers import sign_statement
from tests.trust.certificates import PAYLOAD, ec_key, public_pem

SECRET = "8675309"
MODULE = "/opt/vendor/libtoken.so"
URI = "pkcs11:token=models;object=release"
SHARED_TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40)


def reason_of(uri: str, pin: str | None = None, module: str | None = MODULE) -> tuple[Reason, str]:
    with pytest.raises(UnreadableError) as caught:
        pkcs11_signer(uri, pin, module)
    assert SECRET not in str(caught.value)
    return caught.value.reason, caught.value.message


def test_a_uri_names_a_key_by_token_label_id_and_module() -> None:
    wanted = read_uri(
        "PKCS11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=0a1b;token=My%20models;"
        "id=%01%ff;object=caf%C3%A9;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so"
    )
    assert wanted.token == {
        "token": "My models", "manufacturer": "SoftHSM project", "serial": "0a1b", "model": "SoftHSM v2",
    }  # fmt: skip
    assert (wanted.label, wanted.id) == ("caf\u00e9", b"\x01\xff")
    assert wanted.module == "/usr/lib/softhsm/libsofthsm2.so"


@given(label=SHARED_TEXT, key_id=st.binary(min_size=1, max_size=40), token=SHARED_TEXT)
def test_whatever_is_percent_encoded_is_read_back(label: str, key_id: bytes, token: str) -> None:
    encoded = [quote(value, safe="") for value in (token, label, key_id)]
    wanted = read_uri("pkcs11:token={};object={};id={}".format(*encoded))
    assert (wanted.token, wanted.label, wanted.id) == ({"token": token}, label, key_id)


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(UnreadableError):
        read_uri(f"pkcs11:{text}")


@pytest.mark.parametrize(
    ("uri", "reason", "words"),
    [
        ("file:///key.pem", Reason.MALFORMED, "not a pkcs11: URI"),
        ("pkcs11:", Reason.MALFORMED, "object=LABEL"),
        ("pkcs11:token=models", Reason.MALFORMED, "object=LABEL"),
        ("pkcs11:object=a;object=b", Reason.MALFORMED, "`object` stands there twice"),
        ("pkcs11:object=", Reason.MALFORMED, "`object` is empty"),
        ("pkcs11:object", Reason.MALFORMED, "`object` is empty"),
        ("pkcs11:object=a b", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=a/b", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=caf\u00e9", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=%4", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=%zz", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=a\n", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=a#b", Reason.MALFORMED, "percent-encoded"),
        ("pkcs11:object=%ff", Reason.MALFORMED, "`object` is not UTF-8"),
        ("pkcs11:object=%00", Reason.MALFORMED, "control characters"),
        ("pkcs11:object=a;token=%1b[31m", Reason.MALFORMED, "control characters"),
        ("pkcs11:object=a;", Reason.UNSUPPORTED, "an attribute other than"),
        ("pkcs11:object=a;slot-id=3", Reason.UNSUPPORTED, "an attribute other than"),
        ("pkcs11:object=a;Token=b", Reason.UNSUPPORTED, "an attribute other than"),
        ("pkcs11:object=a;type=public", Reason.UNSUPPORTED, "type=private"),
        ("pkcs11:object=a?module-name=softhsm2", Reason.UNSUPPORTED, "an attribute other than"),
        ("pkcs11:object=a?module-path=/a&module-path=/b", Reason.MALFORMED, "twice"),
        ("pkcs11:object=a;module-path=/a", Reason.UNSUPPORTED, "an attribute other than"),
        ("pkcs11:object=a?module-path=/a%00b", Reason.MALFORMED, "control characters"),
        (f"pkcs11:object=a?pin-value={SECRET}", Reason.UNSUPPORTED, "AIBOM_PKCS11_PIN only"),
        (f"pkcs11:object=a;pin-value={SECRET}", Reason.UNSUPPORTED, "AIBOM_PKCS11_PIN only"),
        ("pkcs11:object=a?pin-source=file:/pin", Reason.UNSUPPORTED, "AIBOM_PKCS11_PIN only"),
        (f"pkcs11:object=a?{SECRET}", Reason.UNSUPPORTED, "an attribute other than"),
        (f"pkcs11:object=a;id={SECRET} ", Reason.MALFORMED, "percent-encoded"),
        pytest.param("pkcs11:object=" + "a" * URI_CHARS, Reason.LIMIT, "at most 4096", id="too long"),
    ],
)
def test_what_is_not_heeded_is_refused_without_its_value(uri: str, reason: Reason, words: str) -> None:
    found, message = reason_of(uri)
    assert found is reason
    assert words in message


@pytest.mark.parametrize(
    ("uri", "module", "words"),
    [
        (URI, None, "--pkcs11-module FILE"),
        (URI, "libtoken.so", "absolute path"),
        (f"{URI}?module-path=libtoken.so", None, "absolute path"),
        (f"{URI}?module-path=/other.so", MODULE, "another PKCS#11 module"),
    ],
)
def test_the_module_is_named_by_the_user_once_and_in_full(uri: str, module: str | None, words: str) -> None:
    reason, message = reason_of(uri, module=module)
    assert reason is Reason.MALFORMED
    assert words in message


@pytest.mark.parametrize("module", ["/opt/\udcff.so", "/opt/a\0b.so"], ids=["surrogate", "null"])
def test_a_path_that_the_library_cannot_take_is_refused(module: str) -> None:
    assert reason_of(URI, module=module)[0] is Reason.UNSUPPORTED


def test_a_path_is_no_uri() -> None:
    assert is_pkcs11("pkcs11:object=a")
    assert not is_pkcs11("keys/pkcs11:object=a")
    assert not is_pkcs11("./pkcs11:")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    reason, message = reason_of(URI, SECRET)
    assert reason is Reason.UNSUPPORTED
    assert "pip install 'aibom[pkcs11]'" in message


# What SoftHSM cannot show: other tokens, made up of the names that the library has.


class TokenFlag(enum.IntFlag):
    LOGIN_REQUIRED = 4
    PROTECTED_AUTHENTICATION_PATH = 0x100
    TOKEN_INITIALIZED = 0x400


Attribute = enum.Enum("Attribute", "CLASS LABEL ID KEY_TYPE ALWAYS_AUTHENTICATE EC_PARAMS EC_POINT VALUE")
ObjectClass = enum.Enum("ObjectClass", "PRIVATE_KEY PUBLIC_KEY CERTIFICATE")
READER = object()


class PKCS11Error(RuntimeError):
    pass


class SignMixin:
    def __init__(self, values: Mapping[Attribute, object], key: ec.EllipticCurvePrivateKey) -> None:
        self.values = values
        self.key = key
        self.pins: list[str | None] = []

    def __getitem__(self, name: Attribute) -> object:
        if name not in self.values:
            raise PKCS11Error(name.name)
        return self.values[name]

    def sign(self, digest: bytes, mechanism: str, pin: str | None) -> bytes:
        assert mechanism == "ECDSA"
        self.pins.append(pin)
        der = self.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        return b"".join(number.to_bytes(32) for number in decode_dss_signature(der))


class Token:
    """A token with one key, that is its own library, session and context."""

    def __init__(self, flags: TokenFlag = TokenFlag.TOKEN_INITIALIZED, **values: object) -> None:
        self.flags, self.label, self.serial = flags, "models", b"0042"
        self.manufacturer_id, self.model = "vendor", "card"
        self.key = ec_key()
        self.refusal: str | None = None
        self.logins: list[object] = []
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        own: dict[Attribute, object] = {
            Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.LABEL: "release", Attribute.ID: b"",
            Attribute.KEY_TYPE: "EC", Attribute.EC_PARAMS: bytes.fromhex("06082a8648ce3d030107"),
            Attribute.EC_POINT: point,
        }  # fmt: skip
        self.held = SignMixin(own | {Attribute[name]: value for name, value in values.items()}, self.key)

    def open(self, user_pin: object) -> Token:
        self.logins.append(user_pin)
        if self.refusal:
            raise type(self.refusal, (PKCS11Error,), {})
        return self

    @property
    def token(self) -> Token:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def get_tokens(self) -> Iterator[Token]:
        yield self

    def get_objects(self, wanted: Mapping[Attribute, object]) -> Iterator[SignMixin]:
        if wanted.items() <= self.held.values.items():
            yield self.held


Insert = Callable[[Token], Token]


@pytest.fixture
def insert(monkeypatch: pytest.MonkeyPatch) -> Insert:
    def load(token: Token) -> Token:
        library = SimpleNamespace(
            PKCS11Error=PKCS11Error, TokenFlag=TokenFlag, Attribute=Attribute, ObjectClass=ObjectClass,
            KeyType=SimpleNamespace(EC="EC"), Mechanism=SimpleNamespace(ECDSA="ECDSA"),
            SignMixin=SignMixin, PROTECTED_AUTH=READER, lib=lambda path: token,
        )  # fmt: skip
        monkeypatch.setitem(sys.modules, "pkcs11", library)
        return token

    return load


def test_a_signature_of_a_token_is_verified_with_its_public_key(insert: Insert) -> None:
    token = insert(Token())
    bundle = read_bundle(sign_statement(pkcs11_signer(URI, None, MODULE), PAYLOAD))
    expected = ExpectedKey(public_key=public_pem(token.key))
    assert verify_key(bundle, None, expected).outcome is Outcome.VERIFIED
    assert token.logins == [None, None]  # it asks for no PIN, so none is sent


def test_a_reader_with_keys_of_its_own_asks_for_the_pin(insert: Insert) -> None:
    flags = TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED | TokenFlag.PROTECTED_AUTHENTICATION_PATH
    token = insert(Token(flags))
    pkcs11_signer(URI, None, MODULE)
    pkcs11_signer(URI, "", MODULE)
    pkcs11_signer(URI, SECRET, MODULE)
    assert token.logins == [READER, READER, SECRET]


def test_a_key_that_asks_each_time_gets_the_pin_each_time(insert: Insert) -> None:
    token = insert(Token(ALWAYS_AUTHENTICATE=True))
    sign_statement(pkcs11_signer(URI, SECRET, MODULE), PAYLOAD)
    assert token.held.pins == [SECRET]
    with pytest.raises(UnreadableError, match="at each signature: set AIBOM_PKCS11_PIN"):
        sign_statement(pkcs11_signer(URI, None, MODULE), PAYLOAD)


def test_the_pin_is_not_part_of_what_is_shown(insert: Insert) -> None:
    insert(Token())
    assert SECRET not in repr(pkcs11_signer(URI, SECRET, MODULE))


@pytest.mark.parametrize(
    ("refusal", "reason", "words"),
    [
        ("PinIncorrect", Reason.ENCRYPTED, "PIN is wrong"),
        ("PinLocked", Reason.ENCRYPTED, "unlock the token"),
        ("UserNotLoggedIn", Reason.ENCRYPTED, "set AIBOM_PKCS11_PIN"),
        ("TokenNotPresent", Reason.VANISHED, "removed"),
        ("DeviceError", Reason.IO_ERROR, "answered DeviceError"),
    ],
)
def test_what_a_token_answers_is_told(insert: Insert, refusal: str, reason: Reason, words: str) -> None:
    insert(Token()).refusal = refusal
    found, message = reason_of(URI, SECRET)
    assert found is reason
    assert words in message


def test_a_pin_that_is_no_text_is_refused(insert: Insert) -> None:
    token = insert(Token())
    assert reason_of(URI, f"{SECRET}\udcff") == (
        Reason.ENCRYPTED, "token: the PIN in AIBOM_PKCS11_PIN is not UTF-8",
    )  # fmt: skip
    assert token.logins == []


def test_a_token_that_wants_a_pin_is_not_opened_without_one(insert: Insert) -> None:
    token = insert(Token(TokenFlag.TOKEN_INITIALIZED | TokenFlag.LOGIN_REQUIRED))
    reason, message = reason_of(URI)
    assert reason is Reason.ENCRYPTED
    assert "'models' asks for its PIN: set AIBOM_PKCS11_PIN" in message
    assert token.logins == []


def test_a_pin_never_goes_to_a_token_that_does_not_match(insert: Insert) -> None:
    token = insert(Token())
    for trait in ("token=other", "serial=0043", "model=hsm", "manufacturer=nobody"):
        reason, message = reason_of(f"pkcs11:{trait};object=release", SECRET)
        assert reason is Reason.MISSING
        assert "there are: 'models'" in message
    assert token.logins == []


def test_a_token_that_is_not_initialised_is_none(insert: Insert) -> None:
    insert(Token(TokenFlag(0)))
    assert reason_of(URI) == (Reason.MISSING, "no token matches the URI; there are: none")


@pytest.mark.parametrize(
    ("values", "reason", "words"),
    [
        ({"KEY_TYPE": "RSA"}, Reason.UNSUPPORTED, "P-256, P-384 or P-521"),
        ({"EC_PARAMS": bytes.fromhex("06052b8104000a")}, Reason.UNSUPPORTED, "not this curve"),
        ({"EC_POINT": b""}, Reason.MALFORMED, "no point of its curve"),
        ({"EC_POINT": b"\x04" + bytes(64)}, Reason.MALFORMED, "no point of its curve"),
        ({"EC_POINT": bytes(67)}, Reason.MALFORMED, "no point of its curve"),
        ({"EC_POINT": None}, Reason.MISSING, "no public key or certificate"),
        ({"EC_PARAMS": None}, Reason.MISSING, "no public key or certificate"),
        ({"LABEL": "other"}, Reason.MISSING, "no private key on token 'models' matches"),
    ],
)
def test_a_key_that_cannot_sign_models_is_refused_at_once(
    insert: Insert, values: dict[str, object], reason: Reason, words: str
) -> None:
    insert(Token(**values))
    found, message = reason_of(URI)
    assert found is reason
    assert words in message


def test_a_signature_by_another_key_is_not_handed_out(insert: Insert) -> None:
    token = insert(Token())
    signer = pkcs11_signer(URI, None, MODULE)
    token.held.key = ec_key()
    with pytest.raises(UnreadableError, match="not that of the private key"):
        signer.sign(b"message")


def test_a_signature_of_the_wrong_length_is_not_handed_out(
    insert: Insert, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(Token())
    signer = pkcs11_signer(URI, None, MODULE)
    monkeypatch.setattr(SignMixin, "sign", lambda *arguments, **named: bytes(70))
    with pytest.raises(UnreadableError, match="70 bytes, not 64"):
        signer.sign(b"message")
