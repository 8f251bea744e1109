"""Git repositories over HTTP from the real `git http-backend`; LFS from a stand-in of its documentation."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from aibom.domain.digest import Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.protocols import Source
from aibom.sources.git_remote import PLACES
from aibom.sources.http import Http
from aibom.sources.opening import Opening
from tests.services.git_server import GitServer, backend

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(backend() is None, reason="git and its git-http-backend are not installed"),
]
WEIGHTS = save({"w": np.zeros((400, 400), np.float32)})
OTHER = b"not uploaded"
LARGE = os.urandom(17 << 20)


def pointer(data: bytes) -> bytes:
    digest = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(data)}\n".encode()


def git(folder: Path, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=folder, env=environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bare repositories."""
    folder = tmp_path_factory.mktemp("served")
    work = folder / "work"
    work.mkdir()
    git(work, "init", "-q", "-b", "main", f"--object-format={request.param}")
    for name, data in {
        "config.json": b'{"model_type": "bert"}', "model.safetensors": pointer(WEIGHTS), "large.bin": LARGE,
        "absent.safetensors": pointer(OTHER), ".gitattributes": b"*.safetensors filter=lfs\n",
        ".lfsconfig": b"[lfs]\n\turl = http://127.0.0.1:1/elsewhere\n", "café.txt": b"x",
    }.items():  # fmt: skip
        (work / name).write_bytes(data)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "one")
    git(work, "tag", "-a", "v1", "-m", "one")
    (work / "config.json").write_text('{"model_type": "gpt2"}')
    git(work, "commit", "-q", "-a", "-m", "two")
    git(folder, "clone", "-q", "--bare", str(work), "model.git")
    git(folder / "model.git", "config", "uploadpack.allowFilter", "true")
    return folder


@pytest.fixture
def server(root: Path) -> Iterator[GitServer]:
    with GitServer(root, {hashlib.sha256(WEIGHTS).hexdigest(): WEIGHTS}) as started:
        yield started


def opened(server: GitServer, revision: str = "", *, full: bool = False, **environment: str) -> Source:
    http = Http(environment=environment)
    given = {"PATH": os.environ["PATH"], **environment}
    opening = Opening(full=full, network=lambda: http, environment=given)
    (place,) = [each for each in PLACES if each.scheme == "git+http"]
    return place.open(f"git+{server.url}/model.git{revision}", opening)


def found(source: Source) -> dict[str, Entry | Gap]:
    return {item.path: item for item in source.entries()}


def read(source: Source, entry: Entry | Gap) -> bytes:
    assert isinstance(entry, Entry)
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


def test_a_repository_is_walked_without_its_large_files(server: GitServer, root: Path) -> None:
    source = opened(server)
    items = found(source)
    assert list(items) == [
        ".gitattributes", ".lfsconfig", "absent.safetensors", "café.txt", "config.json", "large.bin",
        "model.safetensors",
    ]  # fmt: skip
    large = items["large.bin"]
    assert isinstance(large, Gap)
    assert large.reason is Reason.LIMIT
    assert read(source, items["config.json"]) == b'{"model_type": "gpt2"}'
    assert read(source, items["absent.safetensors"]) == pointer(OTHER)
    assert source.target.ref is not None
    assert source.target.ref.revision == git(root / "model.git", "rev-parse", "main")
    assert source.target.ref.location == f"{server.url}/model.git"
    assert len([path for _, path in server.requests if "/storage/" in path]) == 0


@pytest.mark.parametrize("full", [False, True], ids=["header", "full"])
def test_a_pointer_is_the_file_that_it_stands_for_and_its_digest_is_chained(
    server: GitServer, full: bool
) -> None:
    source = opened(server, full=full)
    entry = found(source)["model.safetensors"]
    assert isinstance(entry, Entry)
    assert (entry.size, entry.header_only) == (len(WEIGHTS), not full)
    (claim,) = entry.claimed
    assert (claim.algorithm, claim.value) == ("sha256", hashlib.sha256(WEIGHTS).hexdigest())
    assert claim.grade is Grade.CHAINED
    assert entry.etag == f"sha256:{claim.value}"
    with source.open(entry) as reader:
        length = int.from_bytes(reader.read_at(0, 8), "little")
        assert reader.read_at(8, length) == WEIGHTS[8 : 8 + length]
        if full:
            assert reader.read_at(0, reader.size) == WEIGHTS
    assert len(server.ranges) == 1
    assert "bytes=0-" in server.ranges[0]


def test_a_branch_a_tag_and_a_commit_are_pinned(server: GitServer, root: Path) -> None:
    first = git(root / "model.git", "rev-parse", "v1^{commit}")
    for revision in ("@v1", "@refs/tags/v1", f"@{first}"):
        source = opened(server, revision)
        assert source.target.ref is not None
        assert source.target.ref.revision == first
        assert read(source, found(source)["config.json"]) == b'{"model_type": "bert"}'
    with pytest.raises(UnreadableError) as raised:
        opened(server, f"@{'0' * len(first)}")
    assert raised.value.reason is Reason.MISSING


def test_large_files_of_git_itself_are_fetched_on_request(server: GitServer) -> None:
    source = opened(server, full=True)
    assert read(source, found(source)["large.bin"]) == LARGE


def test_without_an_lfs_server_a_pointer_stays_one(server: GitServer) -> None:
    server.lfs = False
    source = opened(server)
    assert read(source, found(source)["model.safetensors"]) == pointer(WEIGHTS)


def test_a_download_that_is_denied_is_asked_for_again(server: GitServer) -> None:
    source = opened(server)
    entry = found(source)["model.safetensors"]
    server.expire = 1
    assert isinstance(entry, Entry)
    with source.open(entry) as reader:
        assert reader.read_at(0, 8) == WEIGHTS[:8]


def test_a_file_of_another_size_is_changed(server: GitServer) -> None:
    source = opened(server)
    entry = found(source)["model.safetensors"]
    server.objects[hashlib.sha256(WEIGHTS).hexdigest()] = WEIGHTS + b"x"
    with pytest.raises(UnreadableError) as raised:
        read(source, entry)
    assert raised.value.reason is Reason.CHANGED
    assert "hidden" not in str(raised.value)


def test_a_token_opens_a_private_repository_and_its_lfs_server(server: GitServer) -> None:
    server.password = "secret"
    with pytest.raises(UnreadableError, match="AIBOM_GIT_TOKEN") as raised:
        opened(server)
    assert raised.value.reason is Reason.DENIED
    source = opened(server, AIBOM_GIT_TOKEN="secret", AIBOM_GIT_HOST=server.host)
    assert read(source, found(source)["model.safetensors"])[:8] == WEIGHTS[:8]
    with pytest.raises(UnreadableError) as raised:
        opened(server, AIBOM_GIT_TOKEN="wrong", AIBOM_GIT_HOST=server.host)
    assert "wrong" not in str(raised.value)


def test_a_redirect_is_not_followed_and_takes_no_token_with_it(server: GitServer, root: Path) -> None:
    with GitServer(root) as other:
        server.redirect = other.url
        with pytest.raises(UnreadableError, match="not followed") as raised:
            opened(server, AIBOM_GIT_TOKEN="secret", AIBOM_GIT_HOST=server.host)
        assert raised.value.reason is Reason.UNSUPPORTED
        assert other.requests == []


def test_a_repository_that_is_not_there_is_missing(server: GitServer) -> None:
    http = Http()
    opening = Opening(network=lambda: http, environment={"PATH": os.environ["PATH"]})
    with pytest.raises(UnreadableError) as raised:
        PLACES[1].open(f"git+{server.url}/other.git", opening)
    assert raised.value.reason is Reason.MISSING


def test_a_server_that_is_gone_is_not_reached(root: Path) -> None:
    with GitServer(root) as server:
        pass
    with pytest.raises(UnreadableError) as raised:
        opened(server)
    assert raised.value.reason is Reason.IO_ERROR


def test_a_repository_with_a_git_folder_in_a_tree_is_refused(server: GitServer, root: Path) -> None:
    """`transfer.fsckObjects`: such a name could overwrite the configuration of a careless client."""
    bare = root / "model.git"
    blob = git(bare, "rev-parse", "main:config.json")
    made = subprocess.run(
        ["git", "mktree"],
        cwd=bare,
        input=f"100644 blob {blob}\t.git\n",
        capture_output=True,
        text=True,
        check=True,
    )
    commit = git(bare, "commit-tree", made.stdout.strip(), "-m", "bad")
    git(bare, "update-ref", "refs/heads/bad", commit)
    with pytest.raises(UnreadableError) as raised:
        opened(server, "@bad")
    assert raised.value.reason is Reason.MALFORMED
