"""A git checkout: the same answers as the real git program, which is never run on the target."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from aibom.domain.limits import MIB
from aibom.domain.ref import PinnedRef
from aibom.sources import git_changes, git_checkout
from aibom.sources.git import GitFacts, describe, public_url
from aibom.sources.local import LocalSource

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="the oracle is the real git program")

ALONE = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
    "GIT_ALLOW_PROTOCOL": "file",
}


def git(folder: Path, *words: str, given: str = "") -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, env=ALONE, input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def made(folder: Path, *options: str) -> Path:
    """A checkout with one commit of three files, one of them in a folder."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main", *options)
    (folder / "a").write_text("one\n")
    (folder / "b").write_text("two\n")
    (folder / "sub").mkdir()
    (folder / "sub/c").write_text("three\n")
    (folder / "sub.d").write_text("sorts before sub/\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def settled(folder: Path) -> None:
    """Makes the files older than the index, so that their stat data are trusted."""
    for path in [p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts]:
        os.utime(path, ns=(10**18, 10**18))
    git(folder, "update-index", "--refresh")


def facts(folder: Path) -> GitFacts:
    found = describe(folder.resolve())
    assert found is not None
    return found


def dirty(folder: Path) -> bool | None:
    return facts(folder).dirty


def status(folder: Path) -> bool:
    """What the real program says, without untracked files."""
    return git(folder, "status", "--porcelain", "--untracked-files=no") != ""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("template") / "repo")


@pytest.fixture
def repo(tmp_path: Path, template: Path) -> Path:
    return shutil.copytree(template, tmp_path / "repo")


def test_commit_branch_and_state_are_those_of_git(repo: Path) -> None:
    assert facts(repo) == GitFacts(
        commit=git(repo, "rev-parse", "HEAD"), branch="main", remote=None, dirty=False, subpath=None
    )


def test_a_detached_head_has_no_branch(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "--detach")
    assert (facts(repo).commit, facts(repo).branch) == (git(repo, "rev-parse", "HEAD"), None)


def test_a_branch_without_a_commit_is_told_and_nothing_else(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=new/branch")
    assert facts(tmp_path) == GitFacts(
        commit=None, branch="new/branch", remote=None, dirty=None, subpath=None
    )


def test_no_checkout_has_no_facts(tmp_path: Path) -> None:
    assert describe(tmp_path.resolve()) is None
    (tmp_path / ".git").mkdir()
    assert describe(tmp_path.resolve()) is None


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)])
def test_packed_refs_and_objects_are_read(tmp_path: Path, options: tuple[str, ...]) -> None:
    repo = made(tmp_path / "repo", *options)
    git(repo, "tag", "v1")
    git(repo, "pack-refs", "--all", "--prune")
    git(repo, "gc", "--quiet", "--prune=now")
    assert not (repo / ".git/refs/heads/main").exists()
    assert len(list(repo.glob(".git/objects/pack/*.pack"))) == 1
    assert (facts(repo).commit, facts(repo).dirty) == (git(repo, "rev-parse", "HEAD"), False)
    (repo / "a").write_text("two\n")
    assert dirty(repo) is True


@pytest.mark.parametrize("base", ["offset", "reference"])
def test_a_commit_that_is_stored_as_a_delta_is_read(repo: Path, base: str) -> None:
    chance = random.Random(1)
    text = "\n".join(chance.choice("abcdef") * 40 for _ in range(40))
    messages = [f"{number}\n\n{text}\n" for number in range(12)]
    who = "commit refs/heads/main\ncommitter A <a@example.org> 0 +0000"
    stream = [f"{who}\ndata {len(message)}\n{message}" for message in messages]
    stream[0] += "from refs/heads/main^0\n"
    git(repo, "fast-import", "--quiet", given="".join(stream))
    git(repo, "-c", f"repack.useDeltaBaseOffset={base == 'offset'}", "repack", "-adfq", "--depth=10")
    (index,) = repo.glob(".git/objects/pack/*.idx")
    packed = [line.split() for line in git(repo, "verify-pack", "-v", str(index)).splitlines()]
    deltas = [words[0] for words in packed if len(words) == 7 and words[1] == "commit"]
    assert len(deltas) > 3
    for commit in deltas:
        (repo / ".git/HEAD").write_text(commit)
        assert (facts(repo).commit, facts(repo).dirty) == (commit, False)


def stage(repo: Path) -> None:
    (repo / "a").write_text("staged\n")
    git(repo, "add", "a")


def stage_and_undo_on_disk(repo: Path) -> None:
    stage(repo)
    (repo / "a").write_text("one\n")


def stage_a_new_file(repo: Path) -> None:
    (repo / "new").touch()
    git(repo, "add", "new")


def stage_a_removal(repo: Path) -> None:
    git(repo, "rm", "--quiet", "--cached", "a")


def modify(repo: Path) -> None:
    (repo / "sub/c").write_text("something longer\n")


def modify_same_size(repo: Path) -> None:
    (repo / "a").write_text("two\n")


def delete(repo: Path) -> None:
    (repo / "b").unlink()


def delete_folder(repo: Path) -> None:
    shutil.rmtree(repo / "sub")


def folder_becomes_a_link(repo: Path) -> None:
    (repo / "sub").rename(repo / "elsewhere")
    (repo / "sub").symlink_to("elsewhere")


def file_becomes_a_link(repo: Path) -> None:
    (repo / "a").rename(repo / "elsewhere")
    (repo / "a").symlink_to("elsewhere")


def file_becomes_a_folder(repo: Path) -> None:
    (repo / "a").unlink()
    (repo / "a").mkdir()


def make_executable(repo: Path) -> None:
    (repo / "a").chmod(0o755)


def intend_to_add(repo: Path) -> None:
    (repo / "new").touch()
    git(repo, "add", "--intent-to-add", "new")


def conflict(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "-b", "other")
    (repo / "a").write_text("theirs\n")
    git(repo, "commit", "--quiet", "-am", "theirs")
    git(repo, "checkout", "--quiet", "main")
    (repo / "a").write_text("ours\n")
    git(repo, "commit", "--quiet", "-am", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "other")


def untracked(repo: Path) -> None:
    (repo / "new").touch()
    (repo / "sub/new").mkdir()


def touch(repo: Path) -> None:
    settled(repo)
    os.utime(repo / "a")


def rewrite_the_same(repo: Path) -> None:
    (repo / "a").unlink()
    (repo / "a").write_text("one\n")


def stage_and_unstage(repo: Path) -> None:
    stage(repo)
    git(repo, "reset", "--quiet", "--hard")


def mode_that_does_not_count(repo: Path) -> None:
    git(repo, "config", "core.fileMode", "off")
    make_executable(repo)


def sparse(repo: Path) -> None:
    git(repo, "update-index", "--refresh")
    git(repo, "sparse-checkout", "set", "--no-cone", "/a")
    assert not (repo / "b").exists()


def sparse_index(repo: Path) -> None:
    git(repo, "update-index", "--refresh")
    git(repo, "sparse-checkout", "set", "--cone", "--sparse-index")
    assert not (repo / "sub").exists()
    assert b"sdir" in (repo / ".git/index").read_bytes()


def sparse_index_version_4(repo: Path) -> None:
    for name in ("sub/a", "sub2/b", "sub3"):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).touch()
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "more")
    sparse_index(repo)
    index_version_4(repo)


def sparse_and_changed(repo: Path) -> None:
    git(repo, "sparse-checkout", "set", "--no-cone", "/a")
    (repo / "a").write_text("two\n")


def index_version_4(repo: Path) -> None:
    git(repo, "update-index", "--index-version=4")
    assert (repo / ".git/index").read_bytes()[7] == 4


def index_version_4_and_changed(repo: Path) -> None:
    index_version_4(repo)
    (repo / "sub.d").write_text("x")


def index_version_3(repo: Path) -> None:
    git(repo, "update-index", "--skip-worktree", "b")
    assert (repo / ".git/index").read_bytes()[7] == 3
    (repo / "b").unlink()


@pytest.mark.parametrize(
    "act",
    [
        stage, stage_and_undo_on_disk, stage_a_new_file, stage_a_removal, modify, modify_same_size, delete,
        delete_folder, folder_becomes_a_link, file_becomes_a_link,
        file_becomes_a_folder, make_executable, intend_to_add, conflict, sparse_and_changed,
        index_version_4_and_changed,
    ],
)  # fmt: skip
def test_what_git_calls_changed_is_dirty(repo: Path, act: Callable[[Path], None]) -> None:
    act(repo)
    assert dirty(repo) is True
    assert status(repo)


@pytest.mark.parametrize(
    "act",
    [
        untracked, touch, rewrite_the_same, stage_and_unstage, mode_that_does_not_count, sparse, sparse_index,
        sparse_index_version_4, index_version_4, index_version_3, settled,
    ],
)  # fmt: skip
def test_what_git_calls_clean_is_not_dirty(repo: Path, act: Callable[[Path], None]) -> None:
    act(repo)
    assert dirty(repo) is False
    assert not status(repo)


def test_a_file_that_git_was_told_not_to_look_at_is_looked_at(repo: Path) -> None:
    git(repo, "update-index", "--assume-unchanged", "a")
    assert dirty(repo) is False
    (repo / "a").write_text("two\n")
    assert not status(repo)
    assert dirty(repo) is True


def test_a_change_that_keeps_size_and_time_is_found(repo: Path) -> None:
    """Git itself compares ctime in whole seconds and would miss it for one."""
    settled(repo)
    before = (repo / "a").stat()
    (repo / "a").write_text("two\n")
    os.utime(repo / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert dirty(repo) is True


def test_settled_files_are_not_read_again(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(repo)
    monkeypatch.setattr(git_changes, "open_in", lambda *_: pytest.fail("a file was opened"))
    assert dirty(repo) is False


def test_files_as_young_as_the_index_are_read_whatever_their_times(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(repo)
    os.utime(repo / "a", ns=(4 * 10**18, 4 * 10**18))
    git(repo, "update-index", "--refresh")
    read: list[str | bytes] = []
    really = git_changes.open_in
    monkeypatch.setattr(
        git_changes, "open_in", lambda folder, name: read.append(name) or really(folder, name)
    )
    assert dirty(repo) is False
    assert read == [b"a"]


def test_links_are_compared_by_what_they_say(repo: Path) -> None:
    (repo / "link").symlink_to("a")
    git(repo, "add", "link")
    git(repo, "commit", "--quiet", "-m", "link")
    assert dirty(repo) is False
    (repo / "link").unlink()
    (repo / "link").symlink_to("b")
    assert status(repo)
    assert dirty(repo) is True


@pytest.mark.parametrize(
    "attributes",
    ["*.bin filter=lfs diff=lfs -text", "m.bin filter=x", "* ident", '"m.bin" filter=x', "**/m* filter=x",
     "[attr]big filter=lfs\n*.bin big", "/m.b?n working-tree-encoding=latin-1"],
)  # fmt: skip
def test_a_changed_file_that_a_filter_converts_is_not_decided(repo: Path, attributes: str) -> None:
    (repo / "m.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    (repo / ".gitattributes").write_text(f"# comment\n\n{attributes}\n")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "pointer")
    settled(repo)
    assert dirty(repo) is False
    (repo / "m.bin").write_text("the content that a filter put here\n")
    assert dirty(repo) is None


def test_attributes_that_are_about_other_files_change_nothing(repo: Path) -> None:
    (repo / ".gitattributes").write_text("*.bin filter=lfs\nsub/x filter=lfs\na text -filter\n")
    (repo / "sub/.gitattributes").write_text("* filter=lfs\n")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "attributes")
    (repo / "a").write_text("two\n")
    assert dirty(repo) is True
    git(repo, "checkout", "--quiet", "a")
    (repo / "sub/c").write_text("x\n")
    assert dirty(repo) is None


def test_other_line_ends_are_not_decided_and_other_text_is(repo: Path) -> None:
    (repo / "a").write_bytes(b"one\r\n")
    assert dirty(repo) is None
    (repo / "a").write_bytes(b"two\r\n")
    assert dirty(repo) is True


def test_what_is_too_large_to_compare_is_not_decided(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(repo)
    touch(repo)
    monkeypatch.setattr(git_changes, "FILE_BYTES", 3)
    assert dirty(repo) is None
    (repo / "a").write_text("longer\n")
    assert dirty(repo) is True


def test_the_budget_for_comparing_is_for_all_files_together(repo: Path) -> None:
    checkout, commit = git_checkout.find(repo), git(repo, "rev-parse", "HEAD")
    assert checkout is not None
    assert git_changes.Changes(checkout=checkout, commit=commit).verdict() is False
    assert git_changes.Changes(checkout=checkout, commit=commit, left=10).verdict() is None


def test_a_copy_of_a_checkout_is_compared_by_content(repo: Path) -> None:
    settled(repo)
    copy = repo.parent / "copy"
    shutil.copytree(repo, copy)
    assert dirty(copy) is False
    (copy / "a").write_text("two\n")
    assert dirty(copy) is True


def test_a_folder_below_the_top_says_where_it_is_and_only_its_files_count(repo: Path) -> None:
    assert facts(repo / "sub").subpath == "sub"
    assert facts(repo / "sub/c").subpath == "sub/c"
    (repo / "a").write_text("two\n")
    assert (dirty(repo), dirty(repo / "sub"), dirty(repo / "sub/c"), dirty(repo / "a")) == (
        True,
        False,
        False,
        True,
    )


def test_a_folder_that_the_commit_does_not_know_is_not_described_by_it(repo: Path) -> None:
    (repo / "build").mkdir()
    (repo / "su").mkdir()
    assert describe((repo / "build").resolve()) is None
    assert describe((repo / "su").resolve()) is None
    assert LocalSource(repo / "build").target.ref is None


def test_a_linked_working_tree_has_its_own_head_and_index(repo: Path) -> None:
    tree = repo.parent / "tree"
    git(repo, "worktree", "add", "--quiet", "-b", "side", str(tree))
    assert (facts(tree).branch, facts(tree).commit) == ("side", git(repo, "rev-parse", "HEAD"))
    (tree / "a").write_text("two\n")
    assert (dirty(tree), dirty(repo)) == (True, False)


def with_submodule(tmp_path: Path) -> Path:
    inner, outer = made(tmp_path / "inner"), made(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", str(inner), "module")
    git(outer, "commit", "--quiet", "-m", "module")
    return outer


def test_a_submodule_is_a_checkout_of_its_own(tmp_path: Path) -> None:
    outer = with_submodule(tmp_path)
    assert (outer / "module/.git").is_file()
    found = facts(outer / "module/sub")
    assert found.commit == git(outer / "module", "rev-parse", "HEAD")
    assert found.subpath == "sub"
    assert (found.dirty, dirty(outer)) == (False, False)


def test_a_changed_moved_or_removed_submodule_makes_the_outer_checkout_dirty(tmp_path: Path) -> None:
    outer = with_submodule(tmp_path)
    module = outer / "module"
    (module / "a").write_text("two\n")
    assert dirty(outer) is True
    git(module, "commit", "--quiet", "-am", "moved")
    assert (dirty(module), dirty(outer), status(outer)) == (False, True, True)
    git(module, "checkout", "--quiet", "HEAD~")
    assert dirty(outer) is False
    shutil.rmtree(module)
    assert dirty(outer) is True


def test_a_submodule_that_was_not_fetched_changes_nothing(tmp_path: Path) -> None:
    with_submodule(tmp_path)
    git(tmp_path, "clone", "--quiet", str(tmp_path / "outer"), "clone")
    assert list((tmp_path / "clone/module").iterdir()) == []
    assert dirty(tmp_path / "clone") is False


@pytest.mark.parametrize("name", [".git", "link"])
def test_a_folder_cannot_pass_for_a_checkout_of_another_repository(repo: Path, name: str) -> None:
    pretender = repo.parent / "pretender"
    pretender.mkdir()
    (pretender / "a").write_text("evil\n")
    if name == "link":
        (pretender / ".git").symlink_to(repo / ".git")
    else:
        (pretender / ".git").write_text(f"gitdir: {repo}/.git\n")
    assert describe(pretender.resolve()) is None


def test_a_git_folder_that_shares_another_repository_is_not_believed(repo: Path) -> None:
    pretender = repo.parent / "pretender"
    (pretender / "git").mkdir(parents=True)
    (pretender / ".git").write_text("gitdir: git\n")
    (pretender / "git/HEAD").write_text("ref: refs/heads/main\n")
    (pretender / "git/commondir").write_text(f"{repo}/.git\n")
    (pretender / "git/gitdir").write_text(f"{pretender}/.git\n")
    assert describe(pretender.resolve()) is None


def test_a_chain_of_links_does_not_crash_the_look(tmp_path: Path) -> None:
    for number in range(1_100):
        (tmp_path / str(number)).symlink_to(str(number + 1))
    (tmp_path / ".git").write_text("gitdir: 0\n")
    assert describe(tmp_path.resolve()) is None


@pytest.mark.parametrize("link", ["HEAD", "refs", "objects", "index", "config"])
def test_links_inside_the_git_folder_are_not_followed(repo: Path, link: str) -> None:
    (repo / ".git" / link).rename(repo.parent / link)
    (repo / ".git" / link).symlink_to(repo.parent / link)
    found = describe(repo.resolve())
    assert found is None or found.commit is None or found.dirty is None


def test_objects_that_are_elsewhere_leave_the_state_open(repo: Path) -> None:
    git(repo.parent, "clone", "--quiet", "--shared", str(repo), "borrower")
    borrower = repo.parent / "borrower"
    assert (facts(borrower).commit, facts(borrower).dirty) == (facts(repo).commit, None)
    (borrower / "a").write_text("two\n")
    assert dirty(borrower) is True


def test_a_split_index_leaves_the_state_open(repo: Path) -> None:
    git(repo, "update-index", "--split-index")
    assert dirty(repo) is None


def test_a_reftable_repository_has_no_commit_that_we_could_tell(repo: Path) -> None:
    git(repo, "config", "extensions.refStorage", "reftable")
    assert (facts(repo).commit, facts(repo).dirty) == (None, None)


def test_a_commit_that_is_not_what_its_name_says_leaves_the_state_open(repo: Path) -> None:
    (repo / "a").write_text("two\n")
    git(repo, "commit", "--quiet", "-am", "second")
    first, second = (git(repo, "rev-parse", name) for name in ("HEAD~", "HEAD"))
    objects = repo / ".git/objects"
    (objects / second[:2] / second[2:]).unlink()
    shutil.copy(objects / first[:2] / first[2:], objects / second[:2] / second[2:])
    assert dirty(repo) is None


def test_a_forged_index_does_not_make_a_changed_file_clean(repo: Path) -> None:
    """The tree ids in the index still say that it is the commit; its entries say otherwise."""
    (repo / "a").write_text("evil")
    blob = git(repo, "hash-object", "-w", "a")
    index = repo / ".git/index"
    old = bytes.fromhex(git(repo, "rev-parse", "HEAD:a"))
    data = index.read_bytes()[:-20].replace(old, bytes.fromhex(blob))
    assert b"TREE" in data
    index.write_bytes(data + bytes(20))  # `index.skipHash`
    assert dirty(repo) is True


def test_a_folder_that_the_index_leaves_out_but_the_disk_has_is_not_decided(repo: Path) -> None:
    sparse_index(repo)
    (repo / "sub").mkdir()
    (repo / "sub/c").write_text("evil")
    assert dirty(repo) is None


COMMANDS = (
    "core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "filter.evil.clean",
    "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv", "credential.helper",
    "gpg.program", "alias.status",
)  # fmt: skip


def test_nothing_that_a_hostile_configuration_names_is_run(repo: Path) -> None:
    marker = repo.parent / "marker"
    script = repo.parent / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    (repo / ".gitattributes").write_text("* filter=evil diff=evil\n")
    git(repo, "add", ".gitattributes")
    git(repo, "commit", "--quiet", "-m", "attributes")
    for key in COMMANDS:
        git(repo, "config", key, str(script))
    git(repo, "config", "core.hooksPath", str(repo.parent))
    (repo.parent / "included").write_text(
        f'[core]\n\tfsmonitor = {script}\n[remote "origin"]\n\turl = https://evil/\n'
    )
    git(repo, "config", "include.path", str(repo.parent / "included"))
    marker.unlink(missing_ok=True)
    (repo / "a").write_text("two\n")
    found = facts(repo)
    LocalSource(repo)
    assert not marker.exists()
    assert (found.dirty, found.remote) == (None, None)
    subprocess.run(["git", "status"], cwd=repo, env=ALONE, capture_output=True, check=False)
    assert marker.exists(), "the configuration was not hostile after all"


@pytest.mark.parametrize(
    "name", ["HEAD", "config", "index", "packed-refs", "refs/heads/main", "info/attributes"]
)
def test_any_damage_to_the_git_folder_is_survived(repo: Path, name: str) -> None:
    chance = random.Random(name)
    path = repo / ".git" / name
    path.parent.mkdir(exist_ok=True)
    whole = path.read_bytes() if path.exists() else b"* filter=lfs\n"
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.choice([len(data), chance.randrange(len(data))])])
        describe(repo.resolve())
    path.unlink()
    os.mkfifo(path)
    describe(repo.resolve())


def test_damage_to_a_pack_is_survived(repo: Path) -> None:
    git(repo, "gc", "--quiet", "--prune=now")
    chance = random.Random(7)
    for path in repo.glob(".git/objects/pack/*.[pi]*"):
        whole = path.read_bytes()
        path.chmod(0o644)
        for _ in range(50):
            data = bytearray(whole)
            for _ in range(4):
                data[chance.randrange(min(len(data), 1_400))] = chance.randrange(256)
            path.write_bytes(data)
            assert facts(repo).dirty in (False, None)
        path.write_bytes(whole)
    assert dirty(repo) is False


def test_files_larger_than_any_real_one_are_not_read(repo: Path) -> None:
    for name in ("HEAD", "index", "config", "packed-refs", "info/attributes", "refs/heads/main"):
        path = repo / ".git" / name
        path.parent.mkdir(exist_ok=True)
        whole = path.read_bytes() if path.exists() else b""
        os.truncate(path, 1 << 40) if path.exists() else path.write_bytes(b"")
        tracemalloc.start()
        describe(repo.resolve())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 64 * MIB
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://github.com/org/name.git", "https://github.com/org/name.git"),
        ("https://github.com/org/name/", "https://github.com/org/name"),
        ("https://user:secret@host/x", "https://host/x"),
        ("https://token@host:8443/x", "https://host:8443/x"),
        ("https://user:se@cret@host/x", "https://host/x"),
        ("https://user:se/cret@host/x", None),
        ("https://host/x?token=secret#secret", "https://host/x"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("git@github.com:org/name.git", "https://github.com/org/name.git"),
        ("host.xz:path", "https://host.xz/path"),
        ("ssh://git@github.com/org/name", "https://github.com/org/name"),
        ("ssh://git:pw@host:2222/org/name", "ssh://host:2222/org/name"),
        ("git://host/x", "git://host/x"),
        ("git@host:a@b", None),
        ("/home/user/repo.git", None),
        ("../repo.git", None),
        ("file:///home/user/repo.git", None),
        ("C:\\repo", None),
        ("C:/repo", None),
        ("ext::sh -c touch% marker", None),
        ("https://", None),
        ("https://host\n/x", None),
        ("https://höst/x", None),
        ("https://[x/y", None),
        ("https://host/" + "x" * 3_000, None),
        ("", None),
    ],
)  # fmt: skip
def test_a_remote_is_shown_without_secrets_or_local_paths(url: str, shown: str | None) -> None:
    assert public_url(url) == shown


def test_the_remote_is_origin_or_the_only_one(repo: Path) -> None:
    git(repo, "remote", "add", "fork.one", "git@github.com:fork/x.git")
    assert facts(repo).remote == "https://github.com/fork/x.git"
    git(repo, "remote", "add", "other", "https://example.org/other")
    assert facts(repo).remote is None
    git(repo, "remote", "add", "origin", "https://me:secret@example.org/x")
    assert facts(repo).remote == "https://example.org/x"


def test_the_target_of_a_local_source_carries_the_facts(repo: Path) -> None:
    git(repo, "remote", "add", "origin", "git@github.com:org/name.git")
    commit = git(repo, "rev-parse", "HEAD")
    target = LocalSource(repo / "sub").target
    assert target.ref == PinnedRef(
        scheme="git", location="https://github.com/org/name.git", revision=commit, subpath="sub"
    )
    assert target.ref.purl == f"pkg:github/org/name@{commit}#sub"
    assert (target.dirty, target.attributes) == (False, (("branch", "main"), ("commit", commit)))


def test_a_checkout_without_a_remote_has_a_commit_and_no_ref(repo: Path) -> None:
    target = LocalSource(repo).target
    assert target.ref is None
    assert dict(target.attributes)["commit"] == git(repo, "rev-parse", "HEAD")


def test_names_that_are_not_utf8_are_compared_and_shown_escaped(repo: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(repo) + b"/\xff"))
    folder.mkdir()
    (folder / "x").write_text("x")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "bytes")
    assert facts(folder) == GitFacts(
        commit=git(repo, "rev-parse", "HEAD"), branch="main", remote=None, dirty=False, subpath="\\xff"
    )
