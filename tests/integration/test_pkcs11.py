"""A key on a token signs, and `aibom verify`, openssl and `cryptography` verify: with SoftHSM."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from aibom.domain.errors import Reason, UnreadableError
from aibom.trust.dsse import INTOTO_TYPE, pae
from aibom.trust.pkcs11 import certified, pkcs11_signer
from tests.trust.certificates import MAIL, SIGNER, authority, ec_key, issue

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("softhsm2-util") is None, reason="no softhsm2-util: install softhsm2"),
]

PIN = "8675309"
MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
CURVES = {"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1", "koblitz": "secp256k1"}
HASHES = {"p256": hashes.SHA256(), "p384": hashes.SHA384(), "p521": hashes.SHA512()}


@dataclass(frozen=True, kw_only=True)
class Held:
    """Tokens of SoftHSM. `public` are the exported keys in PEM, by label."""

    module: str
    public: dict[str, bytes]
    certificate: bytes
    root: bytes

    def uri(self, label: str, token: str = "models") -> str:
        return f"pkcs11:token={token};object={label}"

    def refused(self, uri: str, pin: str | None = PIN) -> tuple[Reason, str]:
        with pytest.raises(UnreadableError) as caught:
            pkcs11_signer(uri, pin, self.module).sign(b"message")
        assert PIN not in str(caught.value)
        return caught.value.reason, caught.value.message


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    """A token `models` with keys of all kinds, and two tokens that are called `twin`."""
    pkcs11 = pytest.importorskip("pkcs11", reason="the extra `pkcs11` is not installed")
    module = next((path for path in MODULES if Path(path).is_file()), None)
    assert module, f"softhsm2-util is there, its module is none of {MODULES}"
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        for label in ("models", "twin", "twin"):
            initialise = ["softhsm2-util", "--init-token", "--free", "--label", label]
            subprocess.run([*initialise, "--so-pin", "5678", "--pin", PIN], check=True, timeout=30)
        yield _filled(module)
        pkcs11.unload(module)


def _filled(module: str) -> Held:
    import pkcs11  # noqa: PLC0415 - optional
    from pkcs11.util.ec import (  # noqa: PLC0415
        decode_ec_private_key,
        encode_ec_public_key,
        encode_named_curve_parameters,
    )

    name, classes = pkcs11.Attribute, pkcs11.ObjectClass
    public: dict[str, bytes] = {}
    token = pkcs11.lib(module).get_token(token_label="models")
    with token.open(rw=True, user_pin=PIN) as session:

        def generate(
            label: str, number: int, curve: str = "secp256r1", **more: bool
        ) -> tuple[object, object]:
            values = {name.EC_PARAMS: encode_named_curve_parameters(curve)}
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, values, local=True)
            halves = parameters.generate_keypair(
                store=True, label=label, id=bytes([number]),
                private_template={name[each]: value for each, value in more.items()},
            )  # fmt: skip
            key = serialization.load_der_public_key(encode_ec_public_key(halves[0]))
            assert isinstance(key, ec.EllipticCurvePublicKey)
            public[label] = key.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            return halves

        for number, (label, curve) in enumerate(CURVES.items(), start=1):
            generate(label, number, curve)
        generate("careful", 10, ALWAYS_AUTHENTICATE=True)
        generate("mute", 11, SIGN=False)
        for number in (12, 13):
            generate("double", number)
        generate("lonely", 14)[0].destroy()
        generate("strange", 15)[0].destroy()
        generate("other", 16)[0][name.ID] = bytes([15])
        session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="rsa", id=b"\x11")

        own = ec_key(ec.SECP256R1())
        root = issue("root", authority(), days=(-365, 3650))
        leaf = issue("release", SIGNER, root, key=own, days=(-60, 3650))
        der = own.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        identity = {name.LABEL: "certified", name.ID: b"\x12", name.TOKEN: True}
        session.create_object(
            decode_ec_private_key(der) | identity | {name.CLASS: classes.PRIVATE_KEY, name.SIGN: True}
        )
        session.create_object(
            identity | {
                name.CLASS: classes.CERTIFICATE, name.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                name.VALUE: leaf.der, name.SUBJECT: leaf.certificate.subject.public_bytes(),
            }
        )  # fmt: skip
    return Held(module=module, public=public, certificate=leaf.pem, root=root.pem)


def aibom(*arguments: str | Path, pin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aibom", *map(str, arguments)]
    return subprocess.run(
        command,
        env=os.environ | {"AIBOM_PKCS11_PIN": pin},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def verifies_elsewhere(folder: Path, public: bytes, label: str, signature: bytes, message: bytes) -> bool:
    """Whether both openssl's command and `cryptography` say so."""
    key = serialization.load_pem_public_key(public)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, message, ec.ECDSA(HASHES[label]))
    for name, data in (("key.pem", public), ("signature", signature), ("message", message)):
        (folder / name).write_bytes(data)
    command = ["openssl", "dgst", f"-{HASHES[label].name}", "-verify", "key.pem", "-signature", "signature"]
    done = subprocess.run([*command, "message"], cwd=folder, capture_output=True, timeout=30, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("label", HASHES)
def test_openssl_and_cryptography_verify_what_a_token_signs(held: Held, tmp_path: Path, label: str) -> None:
    signature = pkcs11_signer(held.uri(label), PIN, held.module).sign(b"message")
    assert verifies_elsewhere(tmp_path, held.public[label], label, signature, b"message")


@pytest.mark.parametrize("label", HASHES)
def test_the_public_key_is_the_exported_one(held: Held, label: str) -> None:
    hint = hashlib.sha256(held.public[label]).hexdigest()
    assert pkcs11_signer(held.uri(label), PIN, held.module).key_hint == hint


@pytest.mark.parametrize("label", HASHES)
def test_aibom_verifies_a_model_with_the_exported_public_key(held: Held, tmp_path: Path, label: str) -> None:
    model, public = tmp_path / "model", tmp_path / "key.pub"
    model.mkdir()
    (model / "model.safetensors").write_bytes(bytes(5000))
    public.write_bytes(held.public[label])
    signed = aibom("sign", "model", model, "--key", held.uri(label), "--pkcs11-module", held.module, pin=PIN)
    assert signed.returncode == 0, signed.stderr
    assert aibom("verify", model, "--key", public).returncode == 0
    envelope = json.loads((model / "model.sig").read_bytes())["dsseEnvelope"]
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    message = pae(INTOTO_TYPE, base64.b64decode(envelope["payload"]))
    assert verifies_elsewhere(tmp_path, held.public[label], label, signature, message)
    (model / "model.safetensors").write_bytes(bytes(4999) + b"x")
    assert aibom("verify", model, "--key", public).returncode == 1


def test_aibom_verifies_a_file_with_the_exported_public_key(held: Held, tmp_path: Path) -> None:
    file, public = tmp_path / "weights.bin", tmp_path / "key.pub"
    file.write_bytes(b"weights")
    public.write_bytes(held.public["p256"])
    signed = aibom("sign", "file", file, "--key", f"{held.uri('p256')}?module-path={held.module}", pin=PIN)
    assert signed.returncode == 0, signed.stderr
    bundle = tmp_path / "weights.bin.sigstore.json"
    assert aibom("verify", file, "--signature", bundle, "--key", public).returncode == 0
    signature = base64.b64decode(json.loads(bundle.read_bytes())["messageSignature"]["signature"])
    assert verifies_elsewhere(tmp_path, held.public["p256"], "p256", signature, b"weights")


def test_a_certificate_on_the_token_stands_for_the_public_key(held: Held, tmp_path: Path) -> None:
    file, leaf, root = (tmp_path / name for name in ("weights.bin", "certificate.pem", "root.pem"))
    file.write_bytes(b"weights")
    leaf.write_bytes(held.certificate)
    root.write_bytes(held.root)
    key = ("--key", held.uri("certified"), "--pkcs11-module", held.module, "--certificate", leaf)
    signed = aibom("sign", "file", file, *key, pin=PIN)
    assert signed.returncode == 0, signed.stderr
    bundle = tmp_path / "weights.bin.sigstore.json"
    expected = ("--signature", bundle, "--certificate-chain", root, "--identity")
    assert aibom("verify", file, *expected, MAIL).returncode == 0
    assert aibom("verify", file, *expected, "other@example.com").returncode == 1


def test_a_certificate_for_another_key_is_refused(held: Held) -> None:
    signer = pkcs11_signer(held.uri("p256"), PIN, held.module)
    with pytest.raises(UnreadableError, match="another private key"):
        certified(signer, held.certificate)


def test_a_key_that_asks_for_the_pin_each_time_signs(held: Held, tmp_path: Path) -> None:
    signature = pkcs11_signer(held.uri("careful"), PIN, held.module).sign(b"message")
    key = serialization.load_pem_public_key(held.public["careful"])
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, b"message", ec.ECDSA(hashes.SHA256()))


def test_a_file_is_not_signed_on_a_larger_curve(held: Held) -> None:
    signer = pkcs11_signer(held.uri("p384"), PIN, held.module)
    with pytest.raises(UnreadableError, match="a file is signed with a key on P-256"):
        signer.sign_digest(bytes(32))


def test_two_keys_of_one_label_are_told_apart_by_their_id(held: Held) -> None:
    reason, message = held.refused(held.uri("double"))
    assert reason is Reason.UNSUPPORTED
    assert message.startswith("2 private keys on token 'models' match the URI")
    signer = pkcs11_signer(held.uri("double") + ";id=%0d", PIN, held.module)
    assert signer.key_hint == hashlib.sha256(held.public["double"]).hexdigest()


@pytest.mark.parametrize(
    ("token", "label", "reason", "words"),
    [
        ("nobody", "p256", Reason.MISSING, "there are: 'models', 'twin', 'twin'"),
        ("twin", "p256", Reason.UNSUPPORTED, "2 tokens match the URI"),
        ("models", "nothing", Reason.MISSING, "no private key on token 'models' matches the URI"),
        ("models", "rsa", Reason.UNSUPPORTED, "P-256, P-384 or P-521"),
        ("models", "koblitz", Reason.UNSUPPORTED, "not this curve"),
        ("models", "mute", Reason.UNSUPPORTED, "does not let this key sign"),
        ("models", "lonely", Reason.MISSING, "no public key or certificate"),
        ("models", "strange", Reason.MALFORMED, "not that of the private key"),
    ],
)
def test_what_cannot_sign_says_why(held: Held, token: str, label: str, reason: Reason, words: str) -> None:
    found, message = held.refused(held.uri(label, token))
    assert found is reason
    assert words in message


@pytest.mark.parametrize("pin", ["", "123456", "\u00b5"])
def test_a_missing_or_wrong_pin_is_told_and_never_shown(held: Held, tmp_path: Path, pin: str) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"weights")
    key = ("--key", held.uri("p256"), "--pkcs11-module", held.module)
    refused = aibom("sign", "file", file, *key, pin=pin)
    assert refused.returncode == 2
    assert "not signed: token" in refused.stderr
    assert "AIBOM_PKCS11_PIN" in refused.stderr
    assert not pin or pin not in refused.stdout + refused.stderr
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("who", [("--key", "key.pem"), ("--keyless",), ()], ids=["file", "keyless", "nobody"])
def test_a_module_without_a_key_on_a_token_is_a_mistake(held: Held, tmp_path: Path, who: tuple[str]) -> None:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    refused = aibom("sign", "file", tmp_path / "weights.bin", *who, "--pkcs11-module", held.module)
    assert refused.returncode == 2
    assert "name one" in refused.stderr if not who else "--key pkcs11:" in refused.stderr


@pytest.mark.parametrize("name", ["nothing.so", "text.so", "."])
def test_what_is_no_module_is_refused(held: Held, tmp_path: Path, name: str) -> None:
    (tmp_path / "text.so").write_text("text")
    with pytest.raises(UnreadableError, match="no PKCS#11 module") as caught:
        pkcs11_signer(held.uri("p256"), PIN, str(tmp_path / name))
    assert caught.value.reason is Reason.MISSING


def test_a_library_of_another_kind_is_refused(held: Held) -> None:
    from cryptography.hazmat.bindings import _rust  # noqa: PLC0415 - any shared library

    with pytest.raises(UnreadableError, match="no PKCS#11 module"):
        pkcs11_signer(held.uri("p256"), PIN, _rust.__file__)
