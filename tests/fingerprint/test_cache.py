"""The digest cache: remembers exactly, forgets safely, and never becomes a way in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aibom.domain.digest import Digest, Grade
from aibom.domain.file import Unindexed
from aibom.fingerprint.cache import CachedFingerprint, CacheUnusableError, DigestCache

ROW = CachedFingerprint(
    format="safetensors",
    digests=(Digest(algorithm="sha256", value="a" * 64, grade=Grade.COMPUTED),),
    tensor_digests=(b"\1" * 32, None, b"\2" * 32),
    unindexed=Unindexed(bytes=3, sha256="b" * 64),
)


def test_what_was_put_comes_back_marked_as_cached(tmp_path: Path) -> None:
    with DigestCache(tmp_path / "c" / "digests.sqlite", "1") as cache:
        cache.put([("key", ROW)])
    with DigestCache(tmp_path / "c" / "digests.sqlite", "1") as cache:
        found = cache.get(["key", "other"])["key"]
    assert found.digests[0].cached
    assert (found.digests[0].value, found.tensor_digests, found.unindexed, found.format) == (
        "a" * 64,
        ROW.tensor_digests,
        ROW.unindexed,
        "safetensors",
    )


def test_many_keys_are_asked_for_at_once(tmp_path: Path) -> None:
    keys = [str(number) for number in range(1_201)]
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.put((key, ROW) for key in keys)
        assert sorted(cache.get([*keys, "nowhere"])) == sorted(keys)


def test_another_version_or_key_knows_nothing(tmp_path: Path) -> None:
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.put([("key", ROW)])
        assert cache.get(["other"]) == {}
    with DigestCache(tmp_path / "d.sqlite", "2") as cache:
        assert cache.get(["key"]) == {}


def test_a_damaged_row_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    with DigestCache(path, "1") as cache:
        cache.put([("key", ROW)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE digests SET digests = 'sha256:zz'")
    connection.close()
    with DigestCache(path, "1") as cache:
        assert cache.get(["key"]) == {}


def test_a_file_that_is_no_database_is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    path.write_bytes(b"this is not a database, it only has the name of one" * 100)
    with pytest.raises(CacheUnusableError, match="not a database"):
        DigestCache(path, "1")


def test_a_cache_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.sqlite"
    DigestCache(path, "1").__exit__()
    path.chmod(0o666)
    with pytest.raises(CacheUnusableError, match="others may write"):
        DigestCache(path, "1")


def test_the_cache_is_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "d.sqlite"
    DigestCache(path, "1").__exit__()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_symlink_in_place_of_the_folder_is_judged_by_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    with pytest.raises(CacheUnusableError):
        DigestCache(tmp_path / "link" / "d.sqlite", "1")
