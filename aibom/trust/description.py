"""A certificate in words, for people who want to know what a signature says of itself."""

from __future__ import annotations

from collections.abc import Sequence

from aibom.trust.certificate_checks import from_bundle, names_of, shown


def described(ders: Sequence[bytes]) -> list[str]:
    """One text for each certificate: subject, issuer, names and validity. Nothing is verified."""
    texts = []
    for certificate in from_bundle(ders):
        names = ", ".join(names_of(certificate)) or "no names"
        since = certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        until = certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
        subject, issuer = shown(certificate.subject), shown(certificate.issuer)
        texts.append(f"{subject or 'no subject'}, issued by {issuer}, for {names}, from {since} to {until}")
    if len(texts) < len(ders):
        texts.append(f"number {len(texts) + 1} of {len(ders)} is not readable, and none after it is shown")
    return texts
