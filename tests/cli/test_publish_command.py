"""`aibom publish`, `pull` and `verify` on a registry: round trips, and what a tampered registry shows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from aibom.cli.main import _run
from aibom.domain.publication import MEDIA_TYPES, DocumentKind
from tests.services.fake_hub import FakeHub, _ranged
from tests.services.fake_oci import TITLE, FakeRegistry
from tests.sources.test_hub import weights

Captured = pytest.CaptureFixture[str]
FILES = {
    "README.md": b"# A model",
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": weights(400_000),
}
OTHER = weights(400_001)
TARGET = "hf://org/model"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "HF_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AIBOM_NO_CACHE", "1")
    monkeypatch.chdir(tmp_path)
    for name in ("own", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        Path(f"{name}.key").write_bytes(secret)
        Path(f"{name}.pub").write_bytes(public)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub(tokens={"token"}) as fake:
        fake.add("org/model", FILES)
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        monkeypatch.setenv("HF_TOKEN", "token")
        monkeypatch.setenv("AIBOM_ALLOW_HOST", fake.cdn.removeprefix("http://"))
        yield fake


def run(capfd: Captured, *arguments: str) -> tuple[int, str]:
    code = _run(list(arguments))
    out, err = capfd.readouterr()
    return code, " ".join(f"{out} {err}".split())


def signed(capfd: Captured, key: str = "own", name: str = "bom.cdx.json", target: str = TARGET) -> str:
    assert run(capfd, "scan", target, "--full", "-q", "-f", f"cyclonedx={name}")[0] == 0
    assert run(capfd, "sign", "bom", name, "--key", f"{key}.key", "-q")[0] == 0
    return name


def published(capfd: Captured, target: str = TARGET) -> None:
    code, told = run(capfd, "publish", signed(capfd, target=target), target)
    assert (code, told.count("written")) == (0, 2)


def verified(capfd: Captured, *more: str, target: str = TARGET) -> tuple[int, str]:
    return run(capfd, "verify", target, "--key", "own.pub", *more)


def edit(hub: FakeHub, files: dict[str, bytes]) -> None:
    """A new commit with these files in place of the old ones."""
    repo = hub.repos["models", "org/model"]
    repo.commit({**repo.commits[repo.refs["main"]], **files})


def test_publish_pull_and_verify_make_a_round(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    code, told = verified(capfd)
    assert (code, "VERIFIED" in told) == (0, True)
    Path("pulled").mkdir()
    assert run(capfd, "pull", TARGET, "-o", "pulled")[0] == 0
    for name in ("bom.cdx.json", "bom.cdx.json.sigstore.json"):
        assert Path("pulled", name).read_bytes() == Path(name).read_bytes()
    # The bill of materials itself says where to look.
    Path("again").mkdir()
    assert run(capfd, "pull", "bom.cdx.json", "-o", "again")[0] == 0
    assert sorted(path.name for path in Path("again").iterdir()) == [
        "bom.cdx.json", "bom.cdx.json.sigstore.json",
    ]  # fmt: skip


def test_the_same_again_changes_nothing(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    commits = len(hub.repos["models", "org/model"].commits)
    code, told = run(capfd, "publish", "bom.cdx.json", TARGET)
    assert (code, told.count("unchanged")) == (0, 2)
    assert len(hub.repos["models", "org/model"].commits) == commits


def test_a_dry_run_writes_nothing_and_says_what_it_would(hub: FakeHub, capfd: Captured) -> None:
    signed(capfd)
    commits = len(hub.repos["models", "org/model"].commits)
    code, told = run(capfd, "publish", "bom.cdx.json", TARGET, "--dry-run", "-f", "json")
    assert code == 0
    assert [each["state"] for each in json.loads(told)["written"]] == ["planned", "planned"]
    assert len(hub.repos["models", "org/model"].commits) == commits


def test_a_pull_request_leaves_the_branch_alone(hub: FakeHub, capfd: Captured) -> None:
    signed(capfd)
    code, told = run(capfd, "publish", "bom.cdx.json", TARGET, "--pull-request")
    assert (code, "pull request" in told) == (0, True)
    assert verified(capfd)[0] == 3  # nobody vouches for the branch itself


def test_a_bill_of_materials_of_another_model_is_refused(hub: FakeHub, capfd: Captured) -> None:
    signed(capfd)
    edit(hub, {"model.safetensors": OTHER})
    code, told = run(capfd, "publish", "bom.cdx.json", TARGET)
    assert code == 1
    assert "is about another 'model.safetensors' than the target has" in told


def test_a_changed_file_is_a_mismatch(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    edit(hub, {"model.safetensors": OTHER})
    code, told = verified(capfd)
    assert (code, "content-mismatch" in told) == (1, True)
    assert "changed model.safetensors" in told


def test_a_file_more_is_a_mismatch(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    edit(hub, {"run.py": b"import os"})
    assert verified(capfd)[0] == 1


def test_bytes_that_are_not_those_of_the_listing_are_a_mismatch(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    swapped = FILES["model.safetensors"][:-1] + b"\1"
    # The registry goes on listing the old digest.
    hub.tamper = lambda request: _ranged(request, swapped) if "/cdn/" in request.path else None
    code, told = verified(capfd)
    assert (code, "content-mismatch" in told) == (1, True)


def test_a_swapped_bill_of_materials_is_not_the_one_that_was_signed(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    document = json.loads(Path("bom.cdx.json").read_text())
    document["components"][0]["name"] = "another name"
    edit(hub, {"bom.cdx.json": json.dumps(document).encode()})
    code, told = verified(capfd)
    assert (code, "it is not the document that was signed" in told) == (1, True)


def test_a_signature_of_somebody_else_is_untrusted(hub: FakeHub, capfd: Captured) -> None:
    signed(capfd, key="other")
    assert run(capfd, "publish", "bom.cdx.json", TARGET)[0] == 0
    code, told = verified(capfd)
    assert (code, "untrusted-signer" in told) == (1, True)


def test_an_old_signature_beside_new_weights_is_a_mismatch(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    old = {name: Path(name).read_bytes() for name in ("bom.cdx.json", "bom.cdx.json.sigstore.json")}
    edit(hub, {"model.safetensors": OTHER})
    run(capfd, "publish", signed(capfd), TARGET)
    assert verified(capfd)[0] == 0
    edit(hub, old)  # replayed
    code, told = verified(capfd)
    assert (code, "content-mismatch" in told) == (1, True)


def test_a_moved_branch_is_told_against_the_bill_of_materials_that_one_kept(
    hub: FakeHub, capfd: Captured
) -> None:
    published(capfd)
    kept = Path("kept.cdx.json")
    kept.write_bytes(Path("bom.cdx.json").read_bytes())
    Path("kept.cdx.json.sigstore.json").write_bytes(Path("bom.cdx.json.sigstore.json").read_bytes())
    edit(hub, {"model.safetensors": OTHER})
    run(capfd, "publish", signed(capfd), TARGET)
    code, told = verified(capfd, "--signature", "kept.cdx.json.sigstore.json", "--bom", "kept.cdx.json")
    assert (code, "content-mismatch" in told) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["publish", "none.cdx.json", TARGET], 2, "no such file or folder"),
        (["publish", "own.pub", TARGET], 2, "own.pub"),
        (["publish", "bom.cdx.json", "hf://org/none"], 2, "there is no hf://org/none"),
        (["publish", "bom.cdx.json", "https://example.org/model.gguf"], 4, "example.org"),
        (["publish", "bom.cdx.json", "ftp://host/x"], 2, "ftp:// is not supported"),
        (["publish", "bom.cdx.json", TARGET, "--signature", "own.pub"], 2, "own.pub"),
        (["pull", TARGET], 3, "there is no bill of materials and no signature beside it"),
        (["pull", TARGET, "-o", "nowhere"], 2, "there is no such folder"),
        (["pull", "hf://org/none"], 2, "there is no hf://org/none"),
        (["verify", TARGET, "--offline"], 2, "--offline forbids it"),
    ],
    ids=[
        "no-bom", "no-cyclonedx", "no-repo", "web", "scheme", "no-bundle", "nothing", "no-folder",
        "pull-no-repo", "offline",
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    arguments: list[str], code: int, words: str, hub: FakeHub, capfd: Captured
) -> None:
    signed(capfd)
    found, told = run(capfd, *arguments)
    assert (found, words in told) == (code, True), told
    assert "token" not in told.replace("HF_TOKEN", "").replace("to a token", "")


def test_a_file_that_is_there_with_other_content_is_not_replaced(hub: FakeHub, capfd: Captured) -> None:
    published(capfd)
    Path("pulled").mkdir()
    Path("pulled/bom.cdx.json").write_text("mine")
    code, told = run(capfd, "pull", TARGET, "-o", "pulled")
    assert (code, "--force replaces it" in told) == (2, True)
    assert [path.name for path in Path("pulled").iterdir()] == ["bom.cdx.json"]
    assert run(capfd, "pull", TARGET, "-o", "pulled", "--force")[0] == 0
    assert Path("pulled/bom.cdx.json").read_bytes() == Path("bom.cdx.json").read_bytes()


def test_a_file_that_nobody_signed_does_not_hide_behind_a_document_of_its_name(capfd: Captured) -> None:
    Path("model").mkdir()
    Path("model/config.json").write_bytes(FILES["config.json"])
    assert run(capfd, "sign", "model", "model", "--key", "own.key", "-q")[0] == 0
    with FakeRegistry() as registry:
        files = {"config.json": FILES["config.json"], "more.pkl": b"payload"}
        registry.manifest("v1", [registry.raw(name, data) for name, data in files.items()])
        subject = registry.descriptor(registry.tags["v1"])
        kind = MEDIA_TYPES[DocumentKind.SIGNATURE]
        for title in ("model.sig", "more.pkl"):
            layer = registry.blob(Path("model/model.sig").read_bytes(), kind, **{TITLE: title})
            registry.manifest("", [layer], subject=subject, artifactType=kind)
        code, told = verified(capfd, "--all", target=f"oci://{registry.host}/org/model:v1")
    assert (code, "extra more.pkl" in told) == (1, True), told


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "git+ssh://host/x.git", "/etc", "\x1b[2Jx"])
def test_a_document_does_not_choose_what_is_asked_in_the_network_of_the_user(
    address: str, capfd: Captured
) -> None:
    told = [{"name": "aibom:target:address", "value": address}]
    main = {"type": "application", "name": "x", "properties": told}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": {"component": main}}
    Path("x.cdx.json").write_text(json.dumps(document))
    code, said = run(capfd, "pull", "x.cdx.json")
    assert (code, "only when it is typed" in said, "\x1b" in said) == (2, True, False)


def test_a_folder_holds_documents_as_well(capfd: Captured) -> None:
    folder = Path("model")
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    published(capfd, target="model")
    assert verified(capfd, target="model")[0] == 0
    code, told = run(capfd, "publish", "bom.cdx.json", "model")
    assert (code, told.count("unchanged")) == (0, 2)
    Path("pulled").mkdir()
    assert run(capfd, "pull", "model", "-o", "pulled")[0] == 0
    (folder / "bom.cdx.json").write_bytes(b"weights")
    code, told = run(capfd, "publish", "bom.cdx.json", "model")
    assert (code, "is not replaced" in told) == (2, True)
    (folder / "bom.cdx.json").unlink()
    (folder / "bom.cdx.json").symlink_to("/etc/hostname")
    code, told = run(capfd, "publish", "bom.cdx.json", "model")
    assert (code, "a link or a folder" in told) == (2, True)


def test_a_registry_that_cannot_be_reached_is_no_pass_and_no_crash(
    hub: FakeHub, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    for arguments in (["scan", TARGET], ["verify", TARGET], ["pull", TARGET], ["refs", TARGET]):
        code, told = run(capfd, *arguments)
        assert (code, "Traceback" in told) == (4, False), (arguments, told)
