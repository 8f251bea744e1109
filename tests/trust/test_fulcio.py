"""Whom a certificate of Fulcio names: one subject, and the newer of two notes of its issuer."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from aibom.trust.fulcio import names, signs_code
from tests.trust.certificates import CODE, SIGNS, TLS, issue, usage

USER_NAME = ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
OLDER, NEWER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1"), ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
MAIL, URI = x509.RFC822Name("a@aibom.test"), x509.UniformResourceIdentifier("https://aibom.test/a")


def certificate(*extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
    return issue("", extensions).certificate


def of(*found: x509.GeneralName) -> str:
    return names(certificate((x509.SubjectAlternativeName(found), True))).identity


def noted(**values: bytes) -> str:
    kinds = {"older": OLDER, "newer": NEWER}
    notes = [(x509.UnrecognizedExtension(kinds[kind], value), False) for kind, value in values.items()]
    return names(certificate(*notes)).issuer


@pytest.mark.parametrize(
    ("found", "identity"),
    [
        ([MAIL], "a@aibom.test"),
        ([URI], "https://aibom.test/a"),
        ([x509.OtherName(USER_NAME, b"\x0c\x06user!a")], "user!a"),
        ([x509.OtherName(ObjectIdentifier("1.2.3"), b"\x0c\x06user!a")], ""),
        ([x509.DNSName("aibom.test")], ""),
        ([x509.DirectoryName(x509.Name([]))], ""),
        ([MAIL, URI], ""),
        ([MAIL, MAIL], ""),
        ([MAIL, x509.DNSName("aibom.test")], ""),
    ],
)
def test_one_name_of_a_known_kind_is_the_identity(found: list[x509.GeneralName], identity: str) -> None:
    assert of(*found) == identity


def test_a_certificate_without_names_names_nobody() -> None:
    found = names(certificate(SIGNS))
    assert (found.identity, found.issuer) == ("", "")


def test_the_newer_note_of_the_issuer_counts() -> None:
    assert noted(older=b"https://old.test") == "https://old.test"
    assert noted(newer=b"\x0c\x03new") == "new"
    assert noted(older=b"https://old.test", newer=b"\x0c\x03new") == "new"
    assert noted(older=b"https://old.test", newer=b"\x0c\x00") == ""


@pytest.mark.parametrize(
    "values",
    [
        {"older": b"\xff"},
        {"newer": b"plain"},
        {"newer": b"\x0c\x02x"},
        {"newer": b"\x0c\x01\xff"},
        {"newer": b""},
    ],
)
def test_a_note_that_is_no_text_is_an_error(values: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        noted(**values)


@pytest.mark.parametrize(
    ("extensions", "allowed"),
    [
        ([SIGNS, CODE], True),
        ([SIGNS, TLS], False),
        ([SIGNS], False),
        ([CODE], False),
        ([(usage(key_cert_sign=True), True), CODE], False),
        ([SIGNS, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]), False)], False),
    ],
)
def test_only_a_certificate_for_code_signs_code(
    extensions: list[tuple[x509.ExtensionType, bool]], allowed: bool
) -> None:
    assert signs_code(certificate(*extensions)) is allowed
