"""A Hub that others wrote: PyPI's olah 0.5.4, offline over a local git repository, and the real client.

olah answers for a revision, the tree and the files, and every answer is compared with what the library
`huggingface_hub` makes of the same server. It serves no ranges, no redirects, no lists of an organisation and
no commits: for these there is `tests.services.fake_hub`, which is our own. AIBOM_OLAH names an olah-cli;
otherwise pip makes an environment, since olah pins what this project does not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from aibom.domain.digest import Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import PROBE_BYTES
from aibom.domain.protocols import Probe
from aibom.formats import safetensors
from aibom.sources.http import Http
from aibom.sources.hub import PLACE, HubSource
from aibom.sources.opening import Opening
from aibom.workflows.look import Lookout
from tests.hostile import FIXTURES

pytestmark = pytest.mark.integration

START_SECONDS = 120.0
OLAH = "olah==0.5.4"
WEIGHTS = (FIXTURES / "safetensors" / "small.safetensors").read_bytes() + bytes(400_000)
SMALL = {"README.md": b"# A model\n", "config.json": b'{"model_type": "bert"}', "sub/a.txt": b"text"}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    named = os.environ.get("AIBOM_OLAH") or shutil.which("olah-cli")
    if named:
        return named
    if shutil.which("git") is None:
        pytest.skip("git is missing, and olah serves git repositories")
    folder = tmp_path_factory.mktemp("olah")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", OLAH]
    done = subprocess.run(install, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install {OLAH}: {done.stderr.strip()[-200:]}")
    return str(folder / "bin" / "olah-cli")


def git(folder: Path, *command: str) -> str:
    safe = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
    who = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    done = subprocess.run(
        ["git", "-C", folder, *who, *command],
        env=safe,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def repository(folder: Path) -> str:
    """A git repository with the weights in LFS, laid out without the LFS program; its commit."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    content = hashlib.sha256(WEIGHTS).hexdigest()
    stored = folder / ".git" / "lfs" / "objects" / content[:2] / content[2:4] / content
    stored.parent.mkdir(parents=True)
    stored.write_bytes(WEIGHTS)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{content}\nsize {len(WEIGHTS)}\n"
    for path, data in {**SMALL, "model.safetensors": pointer.encode()}.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=all")
    return git(folder, "rev-parse", "HEAD")


@dataclass(frozen=True)
class Olah:
    url: str
    commits: dict[str, str]  # of each target
    http: Http

    def source(self, target: str, *, full: bool = False) -> HubSource:
        environment = {"HF_ENDPOINT": self.url}
        found = PLACE.open(target, Opening(network=lambda: self.http, environment=environment, full=full))
        assert isinstance(found, HubSource)
        return found


@pytest.fixture(scope="module")
def olah(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Olah]:
    folder = tmp_path_factory.mktemp("hub")
    commits = {
        "hf://org/name": repository(folder / "mirrors" / "models" / "org" / "name"),
        "hf://datasets/org/data": repository(folder / "mirrors" / "datasets" / "org" / "data"),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config.toml").write_text(
        f'[basic]\nhost = "127.0.0.1"\nport = {port}\nrepos-path = "{folder}/repos"\n'
        f'mirrors-path = ["{folder}/mirrors"]\n[accessibility]\noffline = true\n',
        "utf-8",
    )
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, "--config", "config.toml"], cwd=folder, stdout=log, stderr=log,
            env={"HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        wait(url, server, folder / "log")
        yield Olah(url, commits, Http())
    finally:
        server.terminate()
        server.wait(30)


def wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/models/org/name/revision/main", timeout=10):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"olah does not answer: {log.read_text('utf-8', 'replace')[-2_000:]}")


TARGETS = ["hf://org/name", "hf://datasets/org/data"]


@pytest.mark.parametrize("target", TARGETS)
def test_the_listing_is_what_the_library_lists(olah: Olah, target: str) -> None:
    source = olah.source(target)
    assert source.target.ref is not None
    assert source.target.ref.revision == olah.commits[target]
    kind, name = ("dataset", "org/data") if "datasets" in target else ("model", "org/name")
    library = HfApi(endpoint=olah.url, token=False)
    theirs = {
        item.path: item
        for item in library.list_repo_tree(name, recursive=True, revision="main", repo_type=kind)
        if isinstance(item, RepoFile)
    }
    ours = {item.path: item for item in source.entries() if isinstance(item, Entry)}
    assert ours.keys() == theirs.keys() == {*SMALL, "model.safetensors"}
    for path, entry in ours.items():
        claims = {digest.algorithm: digest.value for digest in entry.claimed}
        lfs = theirs[path].lfs
        assert claims == ({"sha256": lfs.sha256} if lfs else {"git-sha1": theirs[path].blob_id})
        assert entry.size == theirs[path].size


@pytest.mark.parametrize("target", TARGETS)
def test_the_bytes_are_what_the_library_downloads(olah: Olah, target: str, tmp_path: Path) -> None:
    kind, name = ("dataset", "org/data") if "datasets" in target else ("model", "org/name")
    source = olah.source(target, full=True)
    for entry in source.entries():
        assert isinstance(entry, Entry)
        got = HfApi(endpoint=olah.url, token=False).hf_hub_download(
            name, entry.path, revision="main", repo_type=kind, cache_dir=tmp_path
        )
        with source.open(entry) as reader:
            assert reader.read_at(0, reader.size) == Path(got).read_bytes()


def test_every_claim_is_true_of_the_bytes(olah: Olah) -> None:
    source = olah.source("hf://org/name", full=True)
    for entry in source.entries():
        assert isinstance(entry, Entry)
        looked = Lookout(source=source).look(entry, None)
        assert looked.file is not None
        for claim in entry.claimed:
            computed = looked.file.digest(claim.algorithm, Grade.COMPUTED)
            assert computed is not None
            assert computed.value == claim.value


def test_a_server_without_ranges_is_cut_off_after_the_header(olah: Olah) -> None:
    source = olah.source("hf://org/name")
    entry = next(item for item in source.entries() if item.path == "model.safetensors")
    assert isinstance(entry, Entry)
    assert entry.header_only
    host = olah.url.removeprefix("http://")
    before = olah.http.counts()[host]
    assert safetensors.FORMAT.read is not None
    with source.open(entry) as reader:
        probe = Probe(name=entry.path, head=reader.read_at(0, PROBE_BYTES), reader=reader)
        assert safetensors.FORMAT.read(probe).tensors
    after = olah.http.counts()[host]
    assert after[0] - before[0] <= 3
    assert after[1] - before[1] <= 110_000


@pytest.mark.parametrize("target", ["hf://org/none", "hf://org/name@v9", "hf://datasets/org/name"])
def test_what_is_not_there_is_an_error_that_says_what_helps(olah: Olah, target: str) -> None:
    with pytest.raises(UnreadableError, match="set HF_TOKEN") as caught:
        olah.source(target)
    assert caught.value.reason in (Reason.DENIED, Reason.MISSING)
