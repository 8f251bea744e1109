"""Remote git repositories: real ones over `git+file://`, and a git program that lies."""

from __future__ import annotations

import gc
import hashlib
import itertools
import json
import os
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.digest import Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import Source
from aibom.domain.publication import Attached, DocumentKind
from aibom.domain.ref import PinnedRef
from aibom.sources import git_remote, git_remote_access, git_remote_lfs, git_remote_program, git_remote_tree
from aibom.sources.git_remote import PLACES, GitSource
from aibom.sources.git_remote_lfs import Pointer, Store, read_pointer
from aibom.sources.git_remote_target import Typed, parse_target
from aibom.sources.git_remote_tree import Files, Node, parse_tree
from aibom.sources.http import Answer, Http, Part, Secret
from aibom.sources.local import LocalSource
from aibom.sources.opening import Opening

GIT = shutil.which("git") or ""
pytestmark = pytest.mark.skipif(not GIT, reason="the git program is not installed")
WEIGHTS = b"\x08\0\0\0\0\0\0\0{}      "
POINTER = (
    f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(WEIGHTS).hexdigest()}\n"
    f"size {len(WEIGHTS)}\n"
).encode()


def git(folder: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000",
    }  # fmt: skip
    identity = ("-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        [GIT, *identity, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def filled(folder: Path, algorithm: str = "sha1") -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main", f"--object-format={algorithm}")
    (folder / "sub" / "deep").mkdir(parents=True)
    for name, data in {
        "README.md": b"hello\n", "config.json": b"{}\n", "sub/a.txt": b"a\n", "sub/deep/b.txt": b"b\n",
        "model.safetensors": POINTER, "model.cdx.json": b'{"bomFormat":"CycloneDX"}', "model.sig": b"{}",
    }.items():  # fmt: skip
        (folder / name).write_bytes(data)
    for name, leads in {
        "abs": "/etc/passwd", "again": "sub", "dangling": "nowhere", "loop": ".", "one": "two",
        "out": "../..", "sub/up": "../README.md", "two": "one", "through": "again/deep/b.txt",
        "beyond": "README.md/x",
    }.items():  # fmt: skip
        (folder / name).symlink_to(leads)
    git(folder, "add", ".")
    oid = "1" * (64 if algorithm == "sha256" else 40)
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{oid},module")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "tag", "-a", "v1", "-m", "tag")
    (folder / "later.txt").write_bytes(b"later\n")
    git(folder, "add", "later.txt")
    git(folder, "commit", "-q", "-m", "two")
    return folder


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repo = filled(tmp_path_factory.mktemp("git") / "model")
    git(repo, "branch", "twice", "v1^{commit}")
    git(repo, "tag", "twice", "main")
    return repo


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where sources put their folders; nothing may be left of them."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    if any(folder.iterdir()):
        gc.collect()  # what an exception kept alive
    assert list(folder.iterdir()) == []


def opened(target: str, **opening: object) -> GitSource:
    scheme = target.partition("://")[0]
    (place,) = [place for place in PLACES if place.scheme == scheme]
    source = place.open(
        target, Opening(environment={"PATH": os.environ["PATH"]}) if not opening else Opening(**opening)
    )  # type: ignore[arg-type]
    assert isinstance(source, GitSource)
    return source


def refused(target: str, **opening: object) -> UnreadableError:
    with pytest.raises(UnreadableError) as raised:
        opened(target, **opening)
    return raised.value


def entries(source: GitSource) -> dict[str, Entry]:
    return {item.path: item for item in source.entries() if isinstance(item, Entry)}


def gaps(source: GitSource) -> dict[str, Reason]:
    return {item.path: item.reason for item in source.entries() if isinstance(item, Gap)}


def read(source: GitSource, entry: Entry) -> bytes:
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("git+https://h/o/r", ("https", "h", "/o/r", None, "")),
        ("git+https://h:1/o/r.git@main", ("https", "h:1", "/o/r.git", "main", "")),
        ("git+https://h/o/r@feature/x#a/b/", ("https", "h", "/o/r", "feature/x", "a/b")),
        ("GIT+HTTPS://h/o/r@v1", ("https", "h", "/o/r", "v1", "")),
        ("git+ssh://git@h/o/r@v1", ("ssh", "git@h", "/o/r", "v1", "")),
        ("git+file:///a/b.git#c", ("file", "", "/a/b.git", None, "c")),
        ("git+https://[::1]:8/r", ("https", "[::1]:8", "/r", None, "")),
    ],
    ids=["plain", "port", "folder", "upper", "ssh", "file", "ipv6"],
)
def test_a_target_has_protocol_host_path_revision_and_folder(text: str, typed: tuple[str, ...]) -> None:
    names = ("protocol", "authority", "path", "revision", "subpath")
    assert parse_target(text) == Typed(**dict(zip(names, typed, strict=True)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("git+https://", "type git+https"),
        ("git+https://h", "type git+https"),
        ("git+https://h/", "a host and a path"),
        ("git+https:///o/r", "a host and a path"),
        ("git+ftp://h/o/r", "type git+https"),
        ("git+https://user:secret@h/o/r", "no user or password"),
        ("git+https://secret@h/o/r", "no user or password"),
        ("git+ssh://u:secret@h/o/r", "no user or password"),
        ("git+ssh://-oProxyCommand=x/r", "a host and a path"),
        ("git+ssh://-u@h/r", "no user or password"),
        ("git+file://h/a", "a host and a path"),
        ("git+https://h/o/r?x=1", "type git+https"),
        ("git+https://h/o/r x", "type git+https"),
        ("git+https://h/o/r\n", "type git+https"),
        ("git+https://h/o/r@", "no commit"),
        ("git+https://h/o/r@--upload-pack=x", "no commit"),
        ("git+https://h/o/r@a..b", "no commit"),
        ("git+https://h/o/r@*", "no commit"),
        ("git+https://h/o/r@HEAD^", "no commit"),
        ("git+https://h/o/r@a:b", "no commit"),
        ("git+https://h/o/r@x.lock", "no commit"),
        ("git+https://h/o/r@" + "x" * 251, "no commit"),
        ("git+https://h/o/r#../x", "no folder"),
        ("git+https://h/o/r#a//b", "no folder"),
        ("git+https://h/" + "x" * 5_000, "type git+https"),
    ],
    ids=range(25),
)
def test_what_is_no_target_is_refused_with_what_to_type(text: str, words: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        parse_target(text)
    assert words in str(raised.value)
    assert raised.value.reason is Reason.MALFORMED
    assert "secret" not in str(raised.value)


@given(st.text(max_size=40))
def test_no_text_makes_the_target_parser_fail_otherwise(text: str) -> None:
    try:
        typed = parse_target(f"git+https://h/{text}")
    except UnreadableError:
        return
    assert not (typed.revision or "").startswith("-")


@pytest.mark.parametrize("revision", ["", "@main", "@refs/heads/main", "@v1", "@refs/tags/v1", "@commit"])
def test_a_revision_is_pinned_to_its_commit(repo: Path, revision: str) -> None:
    named = "v1^{commit}" if "v1" in revision else "main"
    commit = git(repo, "rev-parse", named)
    source = opened(f"git+file://{repo}{revision.replace('commit', commit)}")
    ref = source.target.ref
    assert isinstance(ref, PinnedRef)
    assert (ref.scheme, ref.location, ref.revision) == ("git", "model", commit)
    attributes = dict(source.target.attributes)
    assert attributes["requested"] == (revision.removeprefix("@").replace("commit", commit) or "HEAD")
    where = {"@commit": "that was named in full", "": "of refs/heads/main when it was looked up"}
    assert attributes["pinned"].startswith(
        "commit of refs/" if revision not in where else f"commit {where[revision]}"
    )
    assert attributes["commit-signature"] == "not checked"
    assert ("later.txt" in entries(source)) == ("v1" not in revision)


@pytest.mark.parametrize(
    ("revision", "words"),
    [("nowhere", "no branch or tag nowhere"), ("abc1234", "named in full"), ("refs/heads/no", "no branch"),
     ("0" * 40, "no such commit"), ("tree", "no commit"), ("twice", "a branch and a tag")],
)  # fmt: skip
def test_a_revision_that_names_no_single_commit_is_refused(repo: Path, revision: str, words: str) -> None:
    error = refused(
        f"git+file://{repo}@{git(repo, 'rev-parse', 'main^{tree}') if revision == 'tree' else revision}"
    )
    assert words in str(error)
    assert str(repo) not in str(error)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_files_links_and_submodules_are_listed_as_in_a_folder(tmp_path: Path, algorithm: str) -> None:
    repo = filled(tmp_path / "model", algorithm)
    source = opened(f"git+file://{repo}")
    listed = list(source.entries())
    assert [item.path for item in listed] == sorted(item.path for item in listed)
    found = entries(source)
    assert list(found) == [
        "README.md", "again/a.txt", "again/deep/b.txt", "again/up", "config.json", "later.txt",
        "model.cdx.json", "model.safetensors", "model.sig", "sub/a.txt", "sub/deep/b.txt", "sub/up",
        "through",
    ]  # fmt: skip
    assert gaps(source) == {
        "abs": Reason.OUTSIDE_TARGET, "beyond": Reason.VANISHED, "dangling": Reason.VANISHED,
        "loop": Reason.LINK_LOOP, "module": Reason.MISSING, "one": Reason.LINK_LOOP,
        "out": Reason.OUTSIDE_TARGET, "two": Reason.LINK_LOOP,
    }  # fmt: skip
    for path, entry in found.items():
        data = (repo / path).read_bytes()
        assert read(source, entry) == data
        (claim,) = entry.claimed
        header = b"blob %d\0" % len(data)
        assert claim.value == hashlib.new(algorithm, header + data).hexdigest()
        assert (claim.algorithm, claim.grade) == (f"git-{algorithm}", Grade.CHAINED)
        assert (entry.etag, entry.header_only) == (f"git-{algorithm}:{claim.value}", False)


@pytest.mark.parametrize("below", ["", "sub"])
def test_the_listing_is_that_of_a_checkout(repo: Path, below: str) -> None:
    def seen(source: Source) -> dict[str, int | Reason]:
        return {item.path: item.size if isinstance(item, Entry) else item.reason for item in source.entries()}

    remote = seen(opened(f"git+file://{repo}{below and '#'}{below}"))
    assert {path: what for path, what in remote.items() if path != "module"} == seen(
        LocalSource(repo / below)
    )


def test_a_folder_of_the_commit_is_a_target_of_its_own(repo: Path) -> None:
    source = opened(f"git+file://{repo}#sub")
    assert list(entries(source)) == ["a.txt", "deep/b.txt"]
    assert gaps(source) == {"up": Reason.OUTSIDE_TARGET}
    assert source.target.name == "sub"
    assert source.target.ref is not None
    assert source.target.ref.subpath == "sub"


def test_a_file_of_the_commit_is_a_target_of_its_own(repo: Path) -> None:
    source = opened(f"git+file://{repo}#sub/deep/b.txt")
    assert list(entries(source)) == ["b.txt"]
    assert refused(f"git+file://{repo}#sub/no").reason is Reason.MISSING


def test_what_is_excluded_is_counted_gaps_included(repo: Path) -> None:
    source = opened(f"git+file://{repo}", exclude=("again*", "abs", "sub/a.txt"))
    assert not {"again/a.txt", "abs", "sub/a.txt"} & {item.path for item in source.entries()}
    assert source.excluded == 5


def test_a_repository_without_commits_or_none_at_all_is_missing(tmp_path: Path) -> None:
    assert refused(f"git+file://{tmp_path}/none").reason is Reason.MISSING
    git(tmp_path, "init", "-q", "empty")
    assert "has no commit" in str(refused(f"git+file://{tmp_path}/empty"))


@pytest.mark.parametrize("name", ["extensions.partialClone", "remote.x.promisor", "include.path"])
def test_a_repository_that_could_make_git_run_something_is_refused(tmp_path: Path, name: str) -> None:
    repo = filled(tmp_path / "model")
    git(repo, "config", name, "true")
    assert refused(f"git+file://{repo}").reason is Reason.UNSUPPORTED


def test_documents_in_the_top_folder_are_attached(repo: Path) -> None:
    found = opened(f"git+file://{repo}").attached()
    assert [(each.name, each.kind, each.data) for each in found] == [
        ("model.cdx.json", DocumentKind.BOM, b'{"bomFormat":"CycloneDX"}'),
        ("model.sig", DocumentKind.SIGNATURE, b"{}"),
    ]


@pytest.mark.parametrize(("data", "reason"), [(POINTER, Reason.LFS_POINTER), (b" " * 2_000, Reason.LIMIT)],
                         ids=["pointer", "large"])  # fmt: skip
def test_a_document_that_is_not_here_is_no_missing_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, reason: Reason
) -> None:
    repo = filled(tmp_path / "model")
    (repo / "bom.json").write_bytes(data)
    git(repo, "add", "bom.json")
    git(repo, "commit", "-q", "-m", "bom")
    monkeypatch.setattr(git_remote, "SMALL_FILE_BYTES", 1_000)
    with pytest.raises(UnreadableError) as raised:
        opened(f"git+file://{repo}").attached()
    assert raised.value.reason is reason


def test_documents_are_not_committed(repo: Path) -> None:
    document = Attached(name="a.cdx.json", kind=DocumentKind.BOM, media_type="x/y", data=b"{}")
    with pytest.raises(UnreadableError, match=r"commit a\.cdx\.json beside the model yourself") as raised:
        opened(f"git+file://{repo}").publish((document,), dry_run=True, pull_request=False)
    assert raised.value.reason is Reason.UNSUPPORTED


def test_a_file_over_the_bound_is_a_gap_or_is_spooled(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(200_000)
    copy = tmp_path / "copy"
    shutil.copytree(repo, copy, symlinks=True)
    (copy / "large.bin").write_bytes(data)
    git(copy, "add", ".")
    git(copy, "commit", "-q", "-m", "large")
    monkeypatch.setattr(git_remote, "SMALL_FILE_BYTES", 100_000)
    source = opened(f"git+file://{copy}")
    assert read(source, entries(source)["large.bin"]) == data
    git(copy, "config", "uploadpack.allowFilter", "true")
    source = opened(f"git+file://{copy}")
    assert gaps(source)["large.bin"] is Reason.LIMIT
    source = opened(f"git+file://{copy}", full=True)
    assert read(source, entries(source)["large.bin"]) == data


def lying(folder: Path, script: str) -> str:
    """A PATH whose git is a script; `$REAL` in it is git."""
    folder.mkdir(exist_ok=True)
    program = folder / "git"
    program.write_text(f"#!/bin/sh\nREAL={GIT}\n{script}\n")
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_bytes_that_are_not_what_their_id_says_are_refused(repo: Path, tmp_path: Path) -> None:
    path = lying(
        tmp_path / "bin", 'case "$*" in *--batch) $REAL "$@" | sed s/hello/HELLO/;; *) exec $REAL "$@";; esac'
    )
    source = opened(f"git+file://{repo}", environment={"PATH": path})
    with pytest.raises(UnreadableError, match="not what its id says") as raised:
        read(source, Entry(path="README.md", size=6)) if list(source.entries()) else None
    assert raised.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("word", ["sub", "tree"], ids=["a name in a tree", "the tree of the commit"])
def test_a_tree_or_commit_that_is_not_what_its_id_says_is_refused(
    repo: Path, tmp_path: Path, word: str
) -> None:
    change = f"s/{word}/{word[::-1]}/"
    path = lying(
        tmp_path / "bin", f'case "$*" in *--batch) $REAL "$@" | sed {change};; *) exec $REAL "$@";; esac'
    )
    assert refused(f"git+file://{repo}", environment={"PATH": path}).reason is Reason.MALFORMED


def test_git_sees_nothing_of_this_machine_and_no_token_among_its_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    path = lying(
        tmp_path / "bin",
        f'env > {seen}; printf "%s\\n" "$@" >> {seen}.args; ls -A "$HOME" > {seen}.home; exit 1',
    )
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    environment = {
        "PATH": path, "HOME": "/home/somebody", "GIT_SSL_NO_VERIFY": "1", "GIT_SSH": "x", "LD_PRELOAD": "y",
        "AIBOM_GIT_TOKEN": "tok-12345", "AIBOM_GIT_HOST": "127.0.0.1:1",
    }  # fmt: skip
    http = Http()
    refused("git+http://127.0.0.1:1/o/r", environment=environment, network=lambda: http)
    given = dict(line.partition("=")[::2] for line in seen.read_text().splitlines())
    count = int(given["GIT_CONFIG_COUNT"])
    settings = {given[f"GIT_CONFIG_KEY_{n}"]: given[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)}
    assert settings["protocol.allow"] == "never"
    assert settings["protocol.http.allow"] == "always"
    assert settings["http.followRedirects"] == "false"
    assert settings["transfer.fsckObjects"] == "true"
    assert settings["http.http://127.0.0.1:1/.extraHeader"].startswith("Authorization: Basic ")
    assert settings["http.curloptResolve"] == "127.0.0.1:1:127.0.0.1"
    assert (given["GIT_CONFIG_NOSYSTEM"], given["GIT_CONFIG_GLOBAL"], given["GIT_TERMINAL_PROMPT"]) == (
        "1",
        "/dev/null",
        "0",
    )
    assert not {"GIT_DIR", "GIT_SSL_NO_VERIFY", "GIT_SSH", "LD_PRELOAD", "AIBOM_GIT_TOKEN"} & given.keys()
    assert (tmp_path / "seen.home").read_text() == ""
    arguments = (tmp_path / "seen.args").read_text()
    assert "tok-12345" not in arguments
    assert "Authorization" not in arguments


@pytest.mark.parametrize(
    ("environment", "url", "result"),
    [
        ({}, "https://h/r", None),
        ({"AIBOM_GIT_TOKEN": "t", "AIBOM_GIT_HOST": "other"}, "https://h/r", None),
        ({"AIBOM_GIT_TOKEN": "t", "AIBOM_GIT_HOST": "h:1"}, "https://h/r", None),
        ({"AIBOM_GIT_TOKEN": "t", "AIBOM_GIT_HOST": "H"}, "https://h/r", "Basic eC1hY2Nlc3MtdG9rZW46dA=="),
        ({"AIBOM_GIT_TOKEN": "u:t", "AIBOM_GIT_HOST": "h"}, "https://h/r", "Basic dTp0"),
        ({"AIBOM_GIT_TOKEN": "t", "AIBOM_GIT_HOST": "h"}, "http://h/r", Reason.DENIED),
        ({"AIBOM_GIT_TOKEN": "t"}, "https://h/r", Reason.MALFORMED),
        ({"AIBOM_GIT_TOKEN": "t\n", "AIBOM_GIT_HOST": "h"}, "https://h/r", Reason.MALFORMED),
    ],
    ids=["none", "other host", "other port", "token", "user and token", "plain", "no host", "line end"],
)
def test_a_token_goes_to_the_host_that_it_is_for(
    environment: dict[str, str], url: str, result: str | Reason | None
) -> None:
    opening = Opening(environment=environment)
    if isinstance(result, Reason):
        with pytest.raises(UnreadableError) as raised:
            git_remote_access._secret(url, opening)
        assert raised.value.reason is result
    else:
        secret = git_remote_access._secret(url, opening)
        assert (secret.value if secret else None) == result


@pytest.mark.parametrize("target", ["git+https://127.0.0.1:1/o/r", "git+ssh://127.0.0.1/o/r"])
def test_without_a_network_nothing_is_asked(target: str) -> None:
    error = refused(target)
    assert error.reason is Reason.IO_ERROR
    assert "no connection may be opened" in str(error)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0"])
def test_an_address_of_metadata_is_never_connected_to(host: str, tmp_path: Path) -> None:
    path = lying(tmp_path / "bin", f"touch {tmp_path}/ran; exit 1")
    http = Http()
    error = refused(f"git+https://{host}/o/r", environment={"PATH": path}, network=lambda: http)
    assert error.reason is Reason.DENIED
    assert not (tmp_path / "ran").exists()


def test_a_machine_without_git_says_so(repo: Path) -> None:
    error = refused(f"git+file://{repo}", environment={"PATH": "/nonexistent"})
    assert error.reason is Reason.IO_ERROR
    assert "git program is not installed" in str(error)


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ("fatal: Authentication failed for 'x'", Reason.DENIED),
        ("fatal: could not read Username for 'https://h': terminal prompts disabled", Reason.DENIED),
        ("fatal: unable to access 'x': The requested URL returned error: 403", Reason.DENIED),
        ("fatal: unable to access 'x': The requested URL returned error: 301", Reason.UNSUPPORTED),
        ("fatal: repository 'x' not found", Reason.MISSING),
        ("fatal: unable to access 'x': Could not resolve host: h", Reason.IO_ERROR),
        ("fatal: unable to access 'x': SSL certificate problem: self signed", Reason.DENIED),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", Reason.DENIED),
        ("fatal: remote error: upload-pack: not our ref 00", Reason.MISSING),
        ("error: object 00: hasDotgit\nfatal: fsck error in packed object", Reason.MALFORMED),
        ("fatal: Out of memory, malloc failed", Reason.LIMIT),
        ("fatal: \x1b[31msomething else", Reason.IO_ERROR),
        ("", Reason.IO_ERROR),
    ],
    ids=range(13),
)
def test_what_git_says_becomes_a_reason_and_a_clean_sentence(
    repo: Path, tmp_path: Path, errors: str, reason: Reason
) -> None:
    (tmp_path / "said").write_text(errors)
    error = refused(
        f"git+file://{repo}",
        environment={"PATH": lying(tmp_path / "bin", f"cat {tmp_path}/said >&2; exit 128")},
    )
    assert error.reason is reason
    assert "\x1b" not in str(error)
    assert str(tmp_path) not in str(error)


def test_a_fetch_that_takes_too_long_is_ended_with_all_that_it_started(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_remote_program, "FETCH_SECONDS", 0.3)
    path = lying(tmp_path / "bin", f"sleep 60 & echo $! > {tmp_path}/child; wait")
    start = time.monotonic()
    assert "too long" in str(refused(f"git+file://{repo}", environment={"PATH": path}))
    assert time.monotonic() - start < 10
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    time.sleep(0.1)
    assert not child.exists() or ") Z " in child.read_text()


def test_a_repository_that_fills_the_disk_is_cut_off(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_remote_program, "REPOSITORY_BYTES", 2_000_000)
    path = lying(tmp_path / "bin", "for n in 1 2 3 4; do head -c 900000 /dev/zero > part$n; done; sleep 60")
    assert refused(f"git+file://{repo}", environment={"PATH": path}).reason is Reason.LIMIT
    one = lying(tmp_path / "bin", "exec head -c 9000000 /dev/zero")
    assert refused(f"git+file://{repo}", environment={"PATH": one}).reason is Reason.LIMIT


def test_a_commit_of_too_many_objects_is_cut_off(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_remote_program, "OBJECT_COUNT", 2)
    assert refused(f"git+file://{repo}").reason is Reason.LIMIT


def test_ssh_goes_through_a_client_without_configuration_or_prompts(repo: Path, tmp_path: Path) -> None:
    """The stand-in for ssh notes what it is told and runs the other end here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ssh"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/said\nfor last; do :; done\nexec sh -c "$last"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    http = Http()
    source = opened(f"git+ssh://git@h.example{repo}@main", environment=environment, network=lambda: http)
    said = (tmp_path / "said").read_text()
    assert "-F none -o BatchMode=yes -o StrictHostKeyChecking=yes" in said
    assert source.target.ref is not None
    assert source.target.ref.location == f"https://h.example{repo}"


def tree(*names: tuple[bytes, bytes, bytes]) -> bytes:
    return b"".join(mode + b" " + name + b"\0" + oid for mode, name, oid in names)


def load(trees: dict[str, bytes], first: str) -> None:
    """Reads made-up trees, whose ids nobody checks."""
    here = {oid: ("tree", body) for oid, body in trees.items()}
    Files(sizes={}).load(first, "", here, lambda _: iter(()))


@pytest.mark.parametrize(
    "body",
    [b"100644", b"100644 a\0short", b"10x644 a\0" + b"1" * 20, b"100644 \0" + b"1" * 20,
     b"100644 a/b\0" + b"1" * 20,
     tree((b"100644", b"a", b"1" * 20), (b"100644", b"a", b"2" * 20)), b"1" * 10_000],
    ids=["cut", "short id", "mode", "no name", "slash", "twice", "endless"],
)  # fmt: skip
def test_what_is_no_tree_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableError) as raised:
        parse_tree(body, 20)
    assert raised.value.reason is Reason.MALFORMED


@given(st.binary(max_size=200))
def test_no_bytes_make_the_tree_parser_fail_otherwise(body: bytes) -> None:
    try:
        found = parse_tree(body, 20)
    except UnreadableError:
        return
    assert all(name and "/" not in name for name in found)


def test_a_tree_in_many_places_is_bounded() -> None:
    """Ten names for one tree, thirty levels deep: 10^30 files in 15 kB."""
    trees = {}
    for level in range(30):
        inner = bytes.fromhex(f"{level + 1:040x}")
        trees[f"{level:040x}"] = tree(*((b"40000", b"%d" % n, inner) for n in range(10)))
    with pytest.raises(UnreadableError, match="more than 200,000 files"):
        load(trees, f"{0:040x}")


def test_folders_that_never_end_are_bounded() -> None:
    loop = "ab" * 20
    with pytest.raises(UnreadableError, match="256 deep"):
        load({loop: tree((b"40000", b"a", bytes.fromhex(loop)))}, loop)


def test_links_to_folders_that_multiply_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder n has nine links to folder n + 1: 9^12 paths."""
    monkeypatch.setattr(git_remote_tree, "FILE_COUNT", 5_000)
    monkeypatch.setattr(git_remote_tree, "LINKED_FOLDER_COUNT", 10_000)
    files = Files(sizes={})
    names = [f"f{n}" for n in range(12)]
    files.folders = {"": dict.fromkeys(names, Node(0o40000, "")), **{name: {} for name in names}}
    for name, following in itertools.pairwise(names):
        files.folders[name] = {f"l{n}": Node(0o120000, following) for n in range(9)}
        files.links[following] = f"../{following}"
    found = list(files.walk())
    assert len(found) <= 5_001
    assert found[-1] == Gap(
        path=".",
        stage=Stage.LIST,
        reason=Reason.LIMIT,
        detail="more than 5,000 files, those through links included",
    )
    monkeypatch.setattr(git_remote_tree, "LINKED_FOLDER_COUNT", 20)
    found = list(files.walk())
    assert len(found) < 5_000
    assert {item.reason for item in found if isinstance(item, Gap)} == {Reason.LIMIT}


def test_a_pointer_is_read_only_in_its_one_spelling() -> None:
    assert read_pointer(POINTER) == Pointer(hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    for other in (
        POINTER.replace(b"\n", b"\r\n"), POINTER + b"x", POINTER[:-1], POINTER.replace(b"size 1", b"size 01"),
        POINTER.replace(b"oid", b"ext-0-a sha256:" + b"1" * 64 + b"\noid"), b"", POINTER + b" " * 2_000,
        POINTER.replace(b"sha256:", b"sha256:A"), POINTER.replace(b"size 1", b"size 1" + b"0" * 30),
    ):  # fmt: skip
        assert read_pointer(other) is None


class LfsHttp(Http):
    """Answers as docs/api/batch.md and basic-transfers.md of git-lfs say."""

    def __init__(self, answer: Callable[[dict[str, list[dict[str, object]]]], object]) -> None:
        super().__init__()
        self.answer = answer
        self.questions: list[tuple[str, dict[str, object], Secret | None]] = []
        self.parts: list[tuple[str, dict[str, str], Secret | None]] = []
        self.denied = 0

    def send(self, method: str, url: str, body: bytes = b"", **options: object) -> Answer:  # type: ignore[override]
        self.questions.append((url, json.loads(body), options["secret"]))  # type: ignore[arg-type]
        told = self.answer(json.loads(body))
        return Answer(
            status=200,
            headers={},
            body=told if isinstance(told, bytes) else json.dumps(told).encode(),
            url=url,
        )

    def part(self, url: str, start: int, length: int, **options: object) -> Part:  # type: ignore[override]
        self.parts.append((url, options["headers"], options["secret"]))  # type: ignore[arg-type]
        if self.denied:
            self.denied -= 1
            raise UnreadableError(Reason.DENIED, "expired")
        return Part(
            data=WEIGHTS[start : start + length], start=start, total=len(WEIGHTS), version='"1"', url=url
        )


def having(**download: object) -> Callable[[dict[str, list[dict[str, object]]]], object]:
    action = {"href": "https://store.example/x?signature=s", **download}
    return lambda asked: {
        "transfer": "basic",
        "objects": [{**each, "actions": {"download": action}} for each in asked["objects"]],
    }


def with_headers(headers: dict[str, str]) -> dict[str, object]:
    download = {"href": "https://h/x", "header": headers}
    return {"objects": [{"oid": PLACE.oid, "size": PLACE.size, "actions": {"download": download}}]}


PLACE = Pointer(hashlib.sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
TOKEN = Secret(header="Authorization", value="Basic own")


@pytest.mark.parametrize("url", ["https://h/o/r", "https://h/o/r.git", "https://h/o/r/"])
def test_the_lfs_server_is_asked_at_its_documented_address_with_the_token(url: str) -> None:
    http = LfsHttp(having())
    assert Store(http, url, TOKEN).locate([PLACE, PLACE]) == {PLACE}
    ((asked, question, secret),) = http.questions
    assert asked == "https://h/o/r.git/info/lfs/objects/batch"
    assert question == {
        "operation": "download", "transfers": ["basic"], "hash_algo": "sha256",
        "objects": [{"oid": PLACE.oid, "size": PLACE.size}],
    }  # fmt: skip
    assert secret == TOKEN


def test_many_files_are_asked_for_by_the_hundred() -> None:
    http = LfsHttp(having())
    pointers = {Pointer(f"{n:064x}", n) for n in range(1, 251)}
    assert Store(http, "https://h/r", None).locate(pointers) == pointers
    assert [len(question["objects"]) for _, question, _ in http.questions] == [100, 100, 50]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("href", "header", "sent", "value"),
    [
        ("https://store.example/x", {}, {}, None),
        ("https://h/x", {}, {}, "Basic own"),
        ("https://h:1/x", {}, {}, None),
        ("http://h/x", {}, {}, None),
        ("https://store.example/x", {"authorization": "Bearer t"}, {}, "Bearer t"),
        ("https://store.example/x", {"X-A": "1", "Accept": "a/b", "Host": "evil", "Range": "bytes=0-1"},
         {"X-A": "1", "Accept": "a/b"}, None),
        ("https://[broken", {}, {}, None),
    ],
    ids=["signed", "own origin", "other port", "downgrade", "its own", "others", "broken"],
)  # fmt: skip
def test_credentials_of_a_download_stay_where_they_belong(
    href: str, header: dict[str, str], sent: dict[str, str], value: str | None
) -> None:
    http = LfsHttp(having(href=href, header=header))
    store = Store(http, "https://h/r", TOKEN)
    assert store.part(PLACE, 0, 4, "").data == WEIGHTS[:4]
    ((url, headers, secret),) = http.parts
    assert (url, headers, secret.value if secret else None) == (href, sent, value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>", Reason.MALFORMED), ([], Reason.MALFORMED), ({}, Reason.MALFORMED),
        ({"transfer": "ssh", "objects": []}, Reason.UNSUPPORTED),
        ({"hash_algo": "md5", "objects": []}, Reason.UNSUPPORTED),
        ({"objects": [{}, {}]}, Reason.MALFORMED),
        (with_headers({"X-A": "a\nb"}), Reason.MALFORMED),
        (with_headers({f"X-{n}": "a" for n in range(17)}), Reason.MALFORMED),
    ],
    ids=["no json", "list", "empty", "transfer", "hash", "too many", "line end", "too many headers"],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(answer: object, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as raised:
        Store(LfsHttp(lambda _: answer), "https://h/r", None).locate([PLACE])
    assert raised.value.reason is reason


@pytest.mark.parametrize(
    "told",
    [{}, {"error": {"code": 404, "message": "no"}}, {"actions": {}}, {"actions": {"download": {"href": 1}}},
     {"oid": "0" * 64, "actions": {"download": {"href": "h"}}},
     {"size": 3, "actions": {"download": {"href": "h"}}}],
    ids=["nothing", "error", "no actions", "no address", "another", "another size"],
)  # fmt: skip
def test_a_file_that_the_server_does_not_have_is_not_there(told: dict[str, object]) -> None:
    answer = {"objects": [{"oid": PLACE.oid, "size": PLACE.size, **told}]}
    store = Store(LfsHttp(lambda _: answer), "https://h/r", None)
    assert store.locate([PLACE]) == set()
    with pytest.raises(UnreadableError) as raised:
        store.part(PLACE, 0, 1, "")
    assert raised.value.reason is Reason.LFS_POINTER


def test_an_address_that_is_denied_or_old_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    http = LfsHttp(having(expires_in=3600))
    store = Store(http, "https://h/r", None)
    http.denied = 1
    assert store.part(PLACE, 0, 1, "").data == WEIGHTS[:1]
    assert len(http.questions) == 2
    http.denied = 2
    with pytest.raises(UnreadableError):
        store.part(PLACE, 0, 1, "")
    store.part(PLACE, 0, 1, "")
    asked = len(http.questions)
    now = time.monotonic()
    monkeypatch.setattr(git_remote_lfs.time, "monotonic", lambda: now + 300)
    store.part(PLACE, 0, 1, "")
    assert len(http.questions) == asked + 1


def test_credentials_and_signed_addresses_are_in_no_repr() -> None:
    http = LfsHttp(having(header={"Authorization": "Bearer hidden"}))
    store = Store(http, "https://h/r", TOKEN)
    store.locate([PLACE])
    shown = repr(store._actions) + repr(
        git_remote_program.Remote(url="u", protocol="https", settings=(("a", "hidden"),))
    )
    assert "hidden" not in shown
    assert "signature" not in shown
