"""Whose signature the caller expects, in the keywords that all functions take."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypedDict

from aibom.domain.limits import MIB
from aibom.domain.signing import Expected, ExpectedChain, ExpectedIdentity, ExpectedKey
from aibom.trust.trust_root import TrustRoot, read_trust_root

DOCUMENT_BYTES: Final = 4 * MIB  # of a key, a certificate chain, a policy or a trust root

Document = str | os.PathLike[str] | bytes  # a path, or what the file would hold


class Whom(TypedDict, total=False):
    """`key`, or `identity` and `issuer`, or `identity` and `certificate_chain`."""

    key: Document | None  # public key, PEM
    identity: str | None  # e-mail address or URI in the certificate
    issuer: str | None  # OIDC issuer that has to vouch for the identity
    pattern: bool  # identity and issuer are regular expressions for the whole text
    certificate_chain: Document | None  # root certificates, PEM
    trust_root: Document | None  # sigstore's trusted root, instead of the production one


def expected(whom: Whom) -> Expected | None:
    """Whom the keywords name, None when they name nobody. Raises ValueError for half a name."""
    unknown = sorted(whom.keys() - Whom.__annotations__.keys())
    if unknown:
        raise TypeError(f"unexpected keyword {unknown[0]!r}; known are {', '.join(Whom.__annotations__)}")
    key, chain = whom.get("key"), whom.get("certificate_chain")
    identity, issuer, pattern = whom.get("identity"), whom.get("issuer"), whom.get("pattern", False)
    if key is not None:
        if identity or issuer or chain is not None:
            raise ValueError("key= stands alone: a bare key has no identity")
        return ExpectedKey(public_key=document(key))
    if chain is not None:
        if not identity or issuer:
            raise ValueError("certificate_chain= goes with identity= and without issuer=")
        return ExpectedChain(roots=document(chain), identity=identity, pattern=pattern)
    if identity and issuer:
        return ExpectedIdentity(identity=identity, issuer=issuer, pattern=pattern)
    if identity or issuer:
        raise ValueError("identity= and issuer= go together: anybody can claim a name somewhere")
    return None


def somebody(whom: Whom) -> Expected:
    """The same, where nobody is not enough. Raises ValueError."""
    found = expected(whom)
    if found is None:
        raise ValueError(
            "say whose signature it has to be: key=, or identity= and issuer=, or "
            "identity= and certificate_chain="
        )
    return found


def trust_root(whom: Whom) -> TrustRoot | None:
    """The named root, None for the production one. Raises OSError, or `UnreadableError`."""
    named = whom.get("trust_root")
    return read_trust_root(document(named)) if named is not None else None


def document(given: Document) -> bytes:
    """What a small document holds. Raises OSError, or ValueError for what cannot be one."""
    if isinstance(given, bytes):
        return given
    if isinstance(given, str) and "-----BEGIN" in given:
        # As a path it would stand in the message of the error, and it may be a private key.
        raise ValueError("PEM as text is neither a path nor bytes: encode it")
    with Path(given).open("rb") as file:
        data = file.read(DOCUMENT_BYTES + 1)
    if len(data) > DOCUMENT_BYTES:
        raise ValueError(f"{os.fspath(given)!r} has more than {DOCUMENT_BYTES:,} bytes")
    return data


def jobs_or_all(jobs: int | None) -> int:
    """How many files to read at a time: as many as this process may use processors, unless said."""
    if jobs is not None:
        return jobs
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def texts(given: Iterable[str]) -> tuple[str, ...]:
    """Several paths or patterns. One text alone would be taken for as many as it has characters."""
    if isinstance(given, str):
        raise TypeError(f"a list of texts is wanted: [{given!r}]")
    return tuple(given)
