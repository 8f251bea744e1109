"""What a signature is made of, what it says about a model, and whom one expects to have signed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.check import Outcome


class Material(StrEnum):
    """How a bundle says which key made its signature."""

    KEY = "key"  # a hint; the verifier has the public key
    CERTIFICATE = "certificate"  # an X.509 chain
    KEYLESS = "keyless"  # a short-lived certificate of Fulcio, and a time from a log or authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A DSSE envelope with exactly one signature (github.com/secure-systems-lab/dsse)."""

    payload: bytes
    payload_type: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSignature:
    """A signature over the bytes of one file."""

    signature: bytes
    digest: bytes | None = None  # SHA-256 that the bundle states; never trusted on its own


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An entry of a transparency log, as the bundle states it."""

    kind: str  # hashedrekord, dsse, intoto
    version: str  # 0.0.1, 0.0.2
    integrated_time: int | None  # seconds since 1970; None where the log does not state one
    has_proof: bool  # of inclusion, with a checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A sigstore bundle (protobuf-specs, v0.1 to v0.3), read and not verified.

    Either `envelope` or `message` is there. `certificates` are DER, the leaf first.
    """

    media_type: str
    material: Material
    envelope: Envelope | None = None
    message: MessageSignature | None = None
    key_hint: str = ""
    certificates: tuple[bytes, ...] = ()
    log_entries: tuple[LogEntry, ...] = ()
    timestamp_count: int = 0  # RFC 3161
    raw: bytes = b""  # the document as it was read


class Method(StrEnum):
    """How a model is cut into resources (OMS v1.0)."""

    FILES = "files"
    SHARDS = "shards"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A file of a signed model, or a range of its bytes. `end` is not included."""

    name: str  # relative path with `/`; the basename for a model of one file
    algorithm: str  # sha256, blake2b, blake3
    digest: str  # lower-case hex
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a signature says about a model (OMS v1.0, and its predecessors v0.1 and v0.2)."""

    name: str
    resources: tuple[Resource, ...]  # by name, then start
    method: Method = Method.FILES
    hash_type: str = "sha256"
    shard_size: int | None = None  # bytes
    allow_symlinks: bool = False
    ignore_paths: tuple[str, ...] = ()  # what the signer chose not to sign
    root: str = ""  # hex SHA-256 that the subject states
    predicate_type: str = "https://model_signing/signature/v1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed, and by what evidence that is known."""

    material: Material
    identity: str  # subject alternative name, or `sha256:` of the public key
    issuer: str = ""  # OIDC issuer, or the name of the certificate authority
    key_sha256: str = ""  # of the DER SubjectPublicKeyInfo
    signed_at: str | None = None  # ISO 8601; None when nobody vouches for a time
    evidence: tuple[tuple[str, str], ...] = ()  # trust root, log index ... by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict on a signature alone. `payload` is there only when it is verified."""

    outcome: Outcome
    detail: str  # one clause: why, and what to do
    signer: Signer | None = None  # also of one that is not trusted, as far as it can be told
    payload: bytes | None = None  # of the envelope

    def __post_init__(self) -> None:
        if self.outcome is Outcome.VERIFIED and self.signer is None:
            raise ValueError("a verified signature has a signer")
        if self.outcome is not Outcome.VERIFIED and self.payload is not None:
            raise ValueError("only a verified payload is handed on")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedKey:
    """Signed by this key. `public_key` is PEM (SubjectPublicKeyInfo)."""

    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedIdentity:
    """Signed by this identity. With `pattern`, both are regular expressions that match the whole text."""

    identity: str
    issuer: str
    pattern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedChain:
    """Signed with a certificate that leads to one of these roots and names this identity.

    `roots` and `intermediates` are PEM, several in one text allowed.
    """

    roots: bytes
    identity: str
    intermediates: bytes = b""
    pattern: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAny:
    """Signed by one of these: whoever it is, the others do not matter."""

    signers: tuple[Expected, ...]

    def __post_init__(self) -> None:
        if not self.signers:
            raise ValueError("nobody in particular may sign")


Expected = ExpectedKey | ExpectedIdentity | ExpectedChain | ExpectedAny
