"""The services of sigstore on this machine: authority (Fulcio), certificate log, log (Rekor) and clock.

They do what clients check and no more: everything is signed with keys that are made anew, and the token is
believed. `sign` makes a bundle without a client and without the network; within `with services:` clients
can sign over HTTP on the loopback address.
"""

from __future__ import annotations

import base64
import http.server
import json
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID, ObjectIdentifier

from tests.services.attack import HONEST, Attack
from tests.services.fake_clock import FakeClock
from tests.services.fake_log import FakeLog
from tests.services.sigstore_bytes import (
    PAYLOAD_TYPE,
    b64,
    canonical,
    der,
    der_length,
    dsse_entry,
    encoded,
    general_name,
    hashedrekord,
    hashedrekord_of,
    key_id,
    key_usage,
    pem64,
    sha256,
    spki,
    vector,
)  # fmt: skip

IDENTITY = "release@aibom.test"
ISSUER = "https://issuer.aibom.test"

ISSUER_V1 = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
ISSUER_V2 = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
TIMESTAMP_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
MEDIA_TYPES = {
    "0.1": "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "0.2": "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "0.3": "application/vnd.dev.sigstore.bundle.v0.3+json",
}


class FakeSigstore:
    """One instance with keys of its own, with a log of the first or second version of Rekor.

    Only the second has timestamps. Two instances do not trust each other.
    """

    def __init__(self, attack: Attack = HONEST, *, rekor: int = 1) -> None:
        self.attack = attack
        self.rekor = rekor
        self.url = "https://services.aibom.test"  # until they listen
        self.requests: list[str] = []  # paths, in order
        self._authority_key, self._ct_key, self._other_key = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
        )
        self._start = datetime.now(UTC) - timedelta(days=30)
        self.log = FakeLog()
        self.clock = FakeClock(self._start)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake authority")])
        self._root = self._root_certificate()
        self._server: http.server.ThreadingHTTPServer | None = None

    # What clients are told.

    def trusted_root(self) -> bytes:
        """The keys of these services, as a client is told to trust them."""
        return canonical(self._trusted_root())

    def trust_config(self) -> bytes:
        """The keys and the addresses of these services."""
        service = {"url": self.url, "majorApiVersion": 1, "operator": "aibom.test", "validFor": self._valid()}
        clocks = [service | {"url": f"{self.url}/clock"}] if self.rekor == 2 else []
        config = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": self._trusted_root(),
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [service],
                "rekorTlogUrls": [service | {"majorApiVersion": self.rekor}],
                "tsaUrls": clocks,
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }
        return canonical(config)

    def _trusted_root(self) -> dict[str, object]:
        authority = {
            "subject": {"organization": "aibom.test", "commonName": "fake authority"},
            "uri": self.url,
            "certChain": {"certificates": [{"rawBytes": b64(der(self._root))}]},
            "validFor": self._valid(),
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._log_instance(self.log.key)],
            "ctlogs": [self._log_instance(self._ct_key)],
            "certificateAuthorities": [authority],
            "timestampAuthorities": [self.clock.authority()],
        }

    def _valid(self) -> dict[str, str]:
        return {"start": self._start.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _log_instance(self, key: ec.EllipticCurvePrivateKey) -> dict[str, object]:
        return {
            "baseUrl": self.url,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(spki(key.public_key())),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": self._valid(),
            },
            "logId": {"keyId": b64(key_id(key))},
        }

    @staticmethod
    def token(identity: str = IDENTITY, issuer: str = ISSUER, *, seconds: int = 600, **claims: object) -> str:
        """An OIDC token that is valid for so many seconds. Its signature is one of nobody."""
        now = int(time.time())
        body = {"iss": issuer, "sub": identity, "aud": "sigstore", "iat": now, "exp": now + seconds} | claims
        parts = (canonical({"alg": "HS256", "typ": "JWT"}), canonical(body), b"not a signature")
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    # The authority and its log.

    def _root_certificate(self) -> x509.Certificate:
        usage = key_usage("key_cert_sign", "crl_sign")
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._authority_key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._authority_key.public_key())
            .serial_number(1)
            .not_valid_before(self._start)
            .not_valid_after(self._start + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(identifier, critical=False)
            .sign(self._authority_key, hashes.SHA256())
        )

    def certificate(
        self, key: CertificatePublicKeyTypes, identity: str = IDENTITY, issuer: str = ISSUER
    ) -> x509.Certificate:
        """A certificate for ten minutes, with the timestamp of the certificate log inside."""
        start = datetime.now(UTC) - self.attack.age - timedelta(seconds=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(minutes=10))
        )
        for extension, critical in self._extensions(key, identity, self.attack.issuer or issuer):
            builder = builder.add_extension(extension, critical)
        if self.attack.no_ct:
            return builder.sign(self._authority_key, hashes.SHA256())
        logged = builder.sign(self._authority_key, hashes.SHA256()).tbs_certificate_bytes
        stamp = x509.UnrecognizedExtension(TIMESTAMP_LIST, self._timestamp_list(logged))
        return builder.add_extension(stamp, critical=False).sign(self._authority_key, hashes.SHA256())

    def _extensions(
        self, key: CertificatePublicKeyTypes, identity: str, issuer: str
    ) -> list[tuple[x509.ExtensionType, bool]]:
        usage = key_usage("digital_signature")
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority_key.public_key())
        names = [general_name(name) for name in (identity, self.attack.second_name) if name is not None]
        newer = (self.attack.newer_issuer or issuer).encode()
        return [
            (usage, True),
            (x509.ExtendedKeyUsage([self.attack.usage]), False),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (authority, False),
            (x509.SubjectAlternativeName(names), True),
            (x509.UnrecognizedExtension(ISSUER_V1, issuer.encode()), False),
            (x509.UnrecognizedExtension(ISSUER_V2, b"\x0c" + der_length(len(newer)) + newer), False),
        ]

    def _timestamp_list(self, certificate: bytes) -> bytes:
        """A list of one signed certificate timestamp, in a DER OCTET STRING (RFC 6962, 3.2 and 3.3)."""
        key = self._other_key if self.attack.wrong_ct_key else self._ct_key
        milliseconds = int(time.time() * 1000)
        issuer = sha256(spki(self._authority_key.public_key()))
        length = len(certificate).to_bytes(3, "big")
        # v1, certificate_timestamp, time, precert_entry; no extensions
        signed = struct.pack("!BBQH", 0, 0, milliseconds, 1) + issuer + length + certificate + b"\0\0"
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        stamp = b"\0" + key_id(self._ct_key) + milliseconds.to_bytes(8, "big") + b"\0\0"
        stamp += b"\x04\x03" + vector(signature)  # SHA-256 with ECDSA
        listed = vector(vector(stamp))
        return b"\x04" + der_length(len(listed)) + listed

    # A signature without a client.

    def sign(
        self,
        payload: bytes | None = None,
        *,
        digest: bytes = b"",
        identity: str = IDENTITY,
        issuer: str = ISSUER,
        version: str = "0.3",
    ) -> bytes:
        """The bundle for an in-toto statement, or for a file with this SHA-256 digest."""
        key = ec.generate_private_key(self.attack.curve)
        certificate = self.certificate(key.public_key(), identity, issuer)
        algorithm = hashes.SHA256() if isinstance(self.attack.curve, ec.SECP256R1) else hashes.SHA384()
        if payload is None:
            signature = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
            stated = {"algorithm": "SHA2_256", "digest": b64(digest)}
            content = {"messageSignature": {"messageDigest": stated, "signature": b64(signature)}}
            body = hashedrekord(digest, signature, certificate, self.rekor)
        else:
            signature = key.sign(encoded(payload), ec.ECDSA(algorithm))
            signatures = [{"keyid": "", "sig": b64(signature)}]
            envelope = {"payload": b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
            content = {"dsseEnvelope": envelope}
            body = dsse_entry(canonical(envelope), pem64(certificate))
            if self.rekor == 2:
                body = hashedrekord(sha256(encoded(payload)), signature, certificate, 2)
        if self.attack.other_content:
            body = json.loads(canonical(body).replace(b64(signature).encode(), b64(b"another").encode()))
        material = self._material(certificate, body, version) | self._timestamps(signature)
        return canonical({"mediaType": MEDIA_TYPES[version], "verificationMaterial": material} | content)

    def _material(
        self, certificate: x509.Certificate, body: Mapping[str, object], version: str
    ) -> dict[str, object]:
        raw = {"rawBytes": b64(der(certificate))}
        chain = (
            {"certificate": raw} if version == "0.3" else {"x509CertificateChain": {"certificates": [raw]}}
        )
        return chain | {"tlogEntries": [self.log.entry(body, self.attack)]}

    def _timestamps(self, signature: bytes) -> dict[str, object]:
        if self.rekor == 1:
            return {}
        stamp = {"signedTimestamp": b64(self.timestamp(sha256(signature)))}
        return {"timestampVerificationData": {"rfc3161Timestamps": [stamp]}}

    def timestamp(self, digest: bytes) -> bytes:
        """The answer of the timestamp authority for something with this SHA-256 digest."""
        stamped = sha256(b"another") if self.attack.wrong_clock_message else digest
        return self.clock.response(stamped, datetime.now(UTC) + self.attack.clock_shift)

    def but(self, **attack: Any) -> FakeSigstore:
        """The same services with the same keys, doing this wrong."""
        other = FakeSigstore(replace(self.attack, **attack), rekor=self.rekor)
        kept = ("_authority_key", "_ct_key", "log", "clock", "_start", "_root")
        for name in kept:
            setattr(other, name, getattr(self, name))
        return other

    # Over HTTP.

    def __enter__(self) -> Self:
        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), type("_Bound", (_Services,), {"of": self})
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class _Services(http.server.BaseHTTPRequestHandler):
    of: FakeSigstore

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        pass

    def do_GET(self) -> None:
        """The addresses of OpenID, and what a GitHub runner gets its token from."""
        self.of.requests.append(self.path)
        addresses = {"authorization_endpoint": self.of.url, "token_endpoint": self.of.url}
        self._answer(200, addresses | {"value": self.of.token()})

    def do_POST(self) -> None:
        self.of.requests.append(self.path)
        data = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/clock":
            asked = data[data.index(b"\x04\x20") + 2 :][:32]  # the one OCTET STRING of this length
            return self._answer(200, self.of.timestamp(asked))
        request = json.loads(data)
        if self.path == "/api/v2/signingCert":
            return self._certify(request, self.headers["authorization"].removeprefix("Bearer "))
        if self.path == "/api/v1/log/entries":
            proposed = request["spec"].get("proposedContent")
            if proposed is not None:
                request = dsse_entry(proposed["envelope"].encode(), proposed["verifiers"][0])
            return self._answer(
                201, {sha256(canonical(request)).hex(): self.of.log.answer(request, self.of.attack)}
            )
        if self.path == "/api/v2/log/entries":
            body = hashedrekord_of(request["hashedRekordRequestV002"])
            return self._answer(201, self.of.log.entry(body, self.of.attack))
        return self._answer(404, {"message": "no such service"})

    def _certify(self, request: dict[str, str], token: str) -> None:
        if self.of.attack.refusal:
            return self._answer(403, {"message": f"no certificate for {token}"})
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        wish = x509.load_pem_x509_csr(base64.b64decode(request["certificateSigningRequest"]))
        chain = [self.of.certificate(wish.public_key(), claims["sub"], claims["iss"]), self.of._root]
        texts = [item.public_bytes(serialization.Encoding.PEM).decode() for item in chain]
        return self._answer(201, {"signedCertificateEmbeddedSct": {"chain": {"certificates": texts}}})

    def _answer(self, status: int, document: Mapping[str, object] | bytes) -> None:
        data = document if isinstance(document, bytes) else canonical(document)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
