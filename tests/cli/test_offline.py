"""No command opens a connection or looks up a name with `--offline`, nor for a local target."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.domain.signing import Manifest, Resource
from aibom.trust.oms import write_manifest
from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore
from tests.services.sigstore_bytes import sha256
from tests.trust.certificates import ec_key, private_pem, public_pem

SERVICES = {rekor: FakeSigstore(rekor=rekor) for rekor in (1, 2)}
KEY = ec_key()
WEIGHTS = b"weights"
KEYLESS = ["--identity", IDENTITY, "--issuer", ISSUER]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "AIBOM_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    resource = Resource(name="w.bin", algorithm="sha256", digest=sha256(WEIGHTS).hex())
    payload = write_manifest(Manifest(name="model", resources=(resource,)))
    for rekor, services in SERVICES.items():
        folder = Path(f"model{rekor}")
        folder.mkdir()
        (folder / "w.bin").write_bytes(WEIGHTS)
        (folder / "model.sig").write_bytes(services.sign(payload))
        Path(f"trust{rekor}.json").write_bytes(services.trusted_root())
        Path(f"config{rekor}.json").write_bytes(services.trust_config())
    Path("k.pem").write_bytes(private_pem(KEY))
    Path("k.pub").write_bytes(public_pem(KEY))


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was tried, and refused.

    Not every socket: when it is imported, urllib3 binds one to the loopback address, to look for IPv6.
    """
    seen: list[str] = []
    for name in ("connect", "connect_ex", "sendto"):

        def refused(*_: object, name: str = name) -> None:
            seen.append(name)
            raise OSError(f"{name} is refused")

        monkeypatch.setattr(f"socket.socket.{name}", refused)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):

        def unknown(*_: object, name: str = name, **__: object) -> None:
            seen.append(name)
            raise OSError(f"{name} is refused")

        monkeypatch.setattr(f"socket.{name}", unknown)
    return seen


@pytest.mark.parametrize("flags", [[], ["--offline"]], ids=["as it is", "offline"])
@pytest.mark.parametrize("rekor", SERVICES)
def test_a_keyless_signature_is_verified_without_a_connection(
    rekor: int, flags: list[str], tried: list[str]
) -> None:
    place = [f"model{rekor}", *KEYLESS, *flags]
    assert _run(["verify", *place, "--trust-root", f"trust{rekor}.json"]) == 0
    assert _run(["verify", *place, "--trust-root", f"config{rekor}.json"]) == 0
    for root in ([], ["--staging"]):
        assert _run(["verify", *place, *root]) in (1, 4)  # a root that does not know these services
    assert _run(["inspect", f"model{rekor}/model.sig"]) == 0
    assert tried == []
    assert not Path("home").exists()


def test_every_other_look_at_a_signature_needs_none_either(tried: list[str]) -> None:
    assert _run(["sign", "model", "model1", "--key", "k.pem"]) == 0
    assert _run(["verify", "model1", "--key", "k.pub", "--offline"]) == 0
    assert _run(["scan", "model1", "--key", "k.pub", "--offline", "--no-cache"]) == 0
    assert _run(["scan", "model2", *KEYLESS, "--trust-root", "trust2.json", "--no-cache"]) == 0
    assert _run(["trust", "show"]) == 0
    assert tried == []


def test_the_refusal_of_this_test_would_be_seen(tried: list[str]) -> None:
    flags = ["--keyless", "--trust-config", "config1.json", "--identity-token", SERVICES[1].token()]
    assert _run(["sign", "model", "model1", *flags]) != 0
    assert tried


def works(*command: str) -> bool:
    """Whether the machine lets us do that."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0


VERIFY = [sys.executable, "-m", "aibom", "verify", "model1", *KEYLESS, "--trust-root", "trust1.json"]


@pytest.mark.skipif(not works("unshare", "-rn"), reason="no network namespace can be made here")
@pytest.mark.parametrize("flags", [[], ["--offline"]], ids=["as it is", "offline"])
def test_it_works_where_there_is_no_network(flags: list[str]) -> None:
    done = subprocess.run(["unshare", "-rn", *VERIFY, *flags], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not works("strace", "-o", "/dev/null"), reason="strace does not work here")
def test_the_system_sees_no_connection() -> None:
    wanted = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", "calls.txt"]
    done = subprocess.run([*wanted, *VERIFY, "--offline"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert Path("calls.txt").read_text() == ""


REMOTE = [
    "hf://org/name", "hf://org/*", "oci://registry.example/a:1", "s3://bucket/key", "models:/name/1",
    "runs:/id/model", "git+https://host.example/a.git", "gs://bucket/key", "az://container/key",
    "https://host.example/a.gguf",
]  # fmt: skip


@pytest.mark.parametrize("target", REMOTE)
@pytest.mark.parametrize(
    "command",
    [
        ["scan"],
        ["refs"],
        ["verify"],
        ["fingerprint"],
        ["diff", "model1"],
        ["scan", "--into", "."],
        ["publish", "bom.json"],
        ["pull"],
    ],
    ids=["scan", "refs", "verify", "fingerprint", "diff", "into", "publish", "pull"],
)
def test_a_remote_target_is_refused_offline(
    command: list[str], target: str, tried: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert _run([*command, target, "--offline"]) == 2
    assert "--offline forbids it" in capfd.readouterr().err
    assert tried == []


@pytest.mark.parametrize("command", [["scan", "model1"], ["refs", "model1"], ["diff", "model1", "model2"]])
def test_a_local_target_needs_no_connection(command: list[str], tried: list[str]) -> None:
    assert _run([*command, "--no-cache"]) in (0, 1)
    assert _run([*command, "--no-cache", "--offline"]) in (0, 1)
    assert tried == []
