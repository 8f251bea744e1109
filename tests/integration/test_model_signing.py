"""The reference tool verifies what we sign, and we verify what it signs: keys, certificates, identities.

It is PyPI's model-signing 1.1.1, in an environment of its own, since it does not import beside the newest
sigstore. AIBOM_MODEL_SIGNING names the python of such an environment; otherwise pip makes one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aibom.domain.check import Outcome
from aibom.domain.signing import ExpectedChain, ExpectedIdentity, ExpectedKey, Judged, Manifest, Resource
from aibom.trust.bundle import read_bundle
from aibom.trust.chain import verify_chain
from aibom.trust.key import verify_key
from aibom.trust.keyless import verify_keyless
from aibom.trust.keyless_signing import sign_keyless
from aibom.trust.oms import read_manifest, root_digest, write_manifest
from aibom.trust.signers import certificate_signer, key_signer, sign_statement
from aibom.trust.trust_root import read_trust_root
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.trust.certificates import MAIL, SIGNER, authority, ec_key, issue, private_pem, public_pem

pytestmark = pytest.mark.integration

REQUIREMENTS = ("model-signing==1.1.1", "sigstore==4.5.0")
FILES = {
    "model.safetensors": b"\x10" + bytes(5000),
    "config.json": b'{"a": 1}',
    "sub folder/tokenizer-\u00e9.json": b"{}",
    "sub folder/empty": b"",
}
YEARS = (-60, 3650)  # of certificates, in days


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The python that has the reference tool. Fails, and never skips, when pip cannot install it."""
    named = os.environ.get("AIBOM_MODEL_SIGNING")
    if named:
        return named
    folder = tmp_path_factory.mktemp("model-signing")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"pip could not install {REQUIREMENTS}\n{done.stderr}"
    return python


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to sign: what the tool is told, and what does the same here."""

    name: str
    signs: list[str]
    verifies: list[str]
    sign: Callable[[bytes], bytes]
    verify: Callable[[bytes], Judged]
    expects_others: list[str]  # as `verifies`, for somebody else


@pytest.fixture(scope="module", params=["key", "certificate", "keyless, Rekor v1", "keyless, Rekor v2"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    folder = tmp_path_factory.mktemp("keys")
    if request.param == "key":
        yield with_key(folder)
    elif request.param == "certificate":
        yield with_certificate(folder)
    else:
        with FakeSigstore(rekor=int(request.param[-1])) as services:
            yield keyless(folder, services)


def written(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def with_key(folder: Path) -> Way:
    key = ec_key()
    private, public = private_pem(key), public_pem(key)
    other = written(folder / "other.pub", public_pem(ec_key()))
    return Way(
        name="key",
        signs=["--private_key", written(folder / "key.pem", private)],
        verifies=["--public_key", written(folder / "key.pub", public)],
        sign=lambda statement: sign_statement(key_signer(private), statement),
        verify=lambda data: verify_key(read_bundle(data), None, ExpectedKey(public_key=public)),
        expects_others=["--public_key", other],
    )


def with_certificate(folder: Path) -> Way:
    root = issue("root", authority(), days=YEARS)
    middle = issue("middle", authority(0), root, days=YEARS)
    leaf = issue("leaf", SIGNER, middle, days=YEARS)
    private, roots = private_pem(leaf.key), root.pem
    other = issue("root", authority(), days=YEARS)
    chain = written(folder / "chain.pem", middle.pem)
    signer = certificate_signer(private, None, leaf.pem, middle.pem)
    expected = ExpectedChain(roots=roots, identity=MAIL)
    return Way(
        name="certificate",
        signs=[
            "--private_key", written(folder / "leaf.key", private),
            "--signing_certificate", written(folder / "leaf.pem", leaf.pem), "--certificate_chain", chain,
        ],
        verifies=["--certificate_chain", written(folder / "root.pem", roots)],
        sign=lambda statement: sign_statement(signer, statement),
        verify=lambda data: verify_chain(read_bundle(data), None, expected),
        expects_others=["--certificate_chain", written(folder / "other.pem", other.pem)],
    )  # fmt: skip


def keyless(folder: Path, services: FakeSigstore) -> Way:
    config = services.trust_config()
    trust = ["--trust_config", written(folder / "trust.json", config)]
    expected = ExpectedIdentity(identity=IDENTITY, issuer=ISSUER)
    root = read_trust_root(services.trusted_root())
    return Way(
        name="sigstore",
        signs=["--identity_token", services.token(), *trust],
        verifies=["--identity", IDENTITY, "--identity_provider", ISSUER, *trust],
        sign=lambda statement: sign_keyless(services.token(), config, statement=statement),
        verify=lambda data: verify_keyless(read_bundle(data), None, expected, root),
        expects_others=["--identity", "x@aibom.test", "--identity_provider", ISSUER, *trust],
    )


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def tool(reference: str, action: str, way: Way, model: Path, options: list[str]) -> tuple[bool, str]:
    """Whether the tool succeeded, and what it said."""
    home = model.parent / "home"
    home.mkdir(exist_ok=True)
    signature = ["--signature", str(model.parent / "model.sig")]
    done = subprocess.run(
        [reference, "-m", "model_signing", action, way.name, str(model), *signature, *options],
        capture_output=True, text=True, timeout=120, check=False, cwd=model.parent,
        env={"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return done.returncode == 0, done.stdout + done.stderr


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def manifest_of(files: dict[str, bytes], name: str) -> Manifest:
    resources = tuple(
        Resource(name=path, algorithm="sha256", digest=digest)
        for path, digest in sorted(digests(files).items())
    )
    return Manifest(name=name, resources=resources)


def test_we_verify_what_the_tool_signs(reference: str, way: Way, model: Path) -> None:
    done, said = tool(reference, "sign", way, model, way.signs)
    assert done, said
    judged = way.verify((model.parent / "model.sig").read_bytes())
    assert judged.outcome is Outcome.VERIFIED, judged.detail
    assert judged.payload is not None
    manifest = read_manifest(judged.payload)
    assert {each.name: each.digest for each in manifest.resources} == digests(FILES)
    assert manifest.root == root_digest(manifest.resources)


def test_the_tool_verifies_what_we_sign_and_nothing_else(reference: str, way: Way, model: Path) -> None:
    signature = model.parent / "model.sig"
    signature.write_bytes(way.sign(write_manifest(manifest_of(FILES, "model"))))
    done, said = tool(reference, "verify", way, model, way.verifies)
    assert done, said
    done, said = tool(reference, "verify", way, model, way.expects_others)
    assert not done, said
    (model / "config.json").write_bytes(b'{"a": 2}')
    done, said = tool(reference, "verify", way, model, way.verifies)
    assert not done
    assert "config.json" in said


def test_a_model_of_one_file_goes_both_ways(reference: str, way: Way, tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"weights")
    signature = tmp_path / "model.sig"
    done, said = tool(reference, "sign", way, file, way.signs)
    assert done, said
    judged = way.verify(signature.read_bytes())
    assert judged.outcome is Outcome.VERIFIED, judged.detail
    (resource,) = read_manifest(judged.payload or b"").resources
    assert resource.digest == hashlib.sha256(b"weights").hexdigest()
    signature.write_bytes(way.sign(write_manifest(manifest_of({".": b"weights"}, "model.bin"))))
    done, said = tool(reference, "verify", way, file, way.verifies)
    assert done, said
