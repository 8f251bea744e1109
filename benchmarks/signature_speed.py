"""How long signing and verifying take: python benchmarks/signature_speed.py FOLDER [--runs 3] [--peer PYTHON]

FOLDER is a model folder; `benchmarks/make_inputs.py` makes one of 4 GiB in four shards (`shards4`).
Each program runs as a whole process, in turn with the bare baseline: SHA-256 of the same files with as
many threads as there are processors. PYTHON is the interpreter of an environment with PyPI's
`model-signing`; without it one is made. Wall time is the median.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from run import AIBOM, Series, alone, bare, pair, row

PEER = ("model-signing==1.1.1", "sigstore==4.5.0")  # later versions of sigstore break its import


def keys(folder: Path) -> tuple[str, str]:
    """A new P-256 key: the paths of its private and public half."""
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "key.pem", folder / "key.pub"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(private), str(public)


def install_peer(folder: Path) -> str:
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", *PEER], check=True)
    return str(folder / "bin" / "python")


def measure(folder: Path, runs: int, peer: str | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        private, public = keys(home)
        signature = str(home / "model.sig")
        threads = len(os.sched_getaffinity(0))
        base = bare(folder, threads)
        sign = Series(
            [*AIBOM, "sign", "model", str(folder), "--key", private, "--signature", signature, "-q"]
        )
        ratio = pair(sign, base, runs)
        row(f"bare SHA-256, {threads} threads", base, 1.0, "")
        row("aibom sign model --key", sign, ratio, "ratio <= 1.15")
        check = Series([*AIBOM, "verify", str(folder), "--key", public, "--signature", signature, "-q"])
        row("aibom verify --key", check, pair(check, base, runs), "ratio <= 1.15")
        peers(folder, home, (private, public), base, runs, peer or install_peer(home / "peer"))
        start_up(home, (private, public), runs)


def peers(folder: Path, home: Path, key: tuple[str, str], base: Series, runs: int, python: str) -> None:
    signature = str(home / "peer.sig")
    command = [python, "-m", "model_signing"]
    sign = Series([*command, "sign", "key", str(folder), "--private_key", key[0], "--signature", signature])
    subprocess.run(sign.command, check=True, capture_output=True)  # a peer that fails is no fast one
    row("peer model-signing 1.1.1: sign key", sign, pair(sign, base, runs), "slower than ours")
    check = Series([*command, "verify", "key", str(folder), "--public_key", key[1], "--signature", signature])
    row("peer model-signing 1.1.1: verify key", check, pair(check, base, runs), "slower than ours")


def start_up(home: Path, key: tuple[str, str], runs: int) -> None:
    """One small file, so that nearly all of the time is that of the start."""
    small = home / "small"
    small.mkdir()
    (small / "weights.bin").write_bytes(b"0" * 1024)
    subprocess.run([*AIBOM, "sign", "model", small, "--key", key[0], "-q"], check=True)
    by_key = Series([*AIBOM, "verify", str(small), "--key", key[1], "-q"])
    alone(by_key, runs * 3)
    row("aibom verify, one small file, key", by_key, None, "< 0.4 s")
    keyless(small, runs)


def keyless(small: Path, runs: int) -> None:
    """The same signed with an identity, by services of the tests that stay on this machine."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.services.fake_sigstore import IDENTITY, ISSUER, FakeSigstore  # noqa: PLC0415

    root = small.parent / "root.json"
    with FakeSigstore() as services:
        (small.parent / "services.json").write_bytes(services.trust_config())
        root.write_bytes(services.trusted_root())
        sign = [*AIBOM, "sign", "model", str(small), "--keyless", "-q"]
        sign += ["--trust-config", str(small.parent / "services.json")]
        token = {**os.environ, "AIBOM_IDENTITY_TOKEN": services.token()}
        subprocess.run(sign, check=True, env=token)
    whom = ["--identity", IDENTITY, "--issuer", ISSUER, "--trust-root", str(root)]
    series = Series([*AIBOM, "verify", str(small), *whom, "-q"])
    alone(series, runs * 3)
    row("aibom verify, one small file, keyless", series, None, "< 1.2 s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter with model-signing")
    given = parser.parse_args()
    print(f"{'what':48} {'wall':>10} {'ratio':>6} {'peak':>10}   goal")
    measure(given.folder, given.runs, given.peer)


if __name__ == "__main__":
    main()
