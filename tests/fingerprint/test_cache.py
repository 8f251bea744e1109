"""The digest cache: remembers exactly, forgets safely, and never becomes a way in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.digest import Digest, Grade
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.file import Unindexed
from aibom.domain.finding import Location
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Flag, Reference, Referred
from aibom.fingerprint.cache import CachedFingerprint, CacheUnusableError, DigestCache
from aibom.fingerprint.referred import dumped, loaded

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


TOLD = Referred(
    references=(
        Reference(
            kind=ComponentKind.MODEL,
            target=PinnedRef(scheme="hf", location="org/m", revision="a" * 40, subpath="q4.gguf"),
            loader="transformers.pipeline",
            location=Location(path="a/app.py", line=3, column=5, inside="cell 2"),
            flags=frozenset({Flag.REMOTE_CODE, Flag.UNSAFE_LOAD}),
            confidence=Confidence.HIGH,
        ),
        Reference(kind=ComponentKind.DATASET, target=None, loader="load", location=Location(path="a/app.py")),
    ),
    defects=(Defect(reason=Reason.LIMIT, message="more than 5", offset=9),),
    asked=(("a/names.py", "1-2-3"), ("a/gone.py", "")),
)


def test_what_a_file_refers_to_comes_back_as_it_was(tmp_path: Path) -> None:
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.refer([("one", TOLD), ("two", Referred())])
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        known = cache.referred([("two", "b.py"), ("one", "a/app.py"), ("three", "c.py")])
    assert known == {"a/app.py": TOLD, "b.py": Referred()}
    assert type(known["a/app.py"].references[0].target) is PinnedRef


def test_references_of_another_version_are_not_known_and_a_new_row_replaces_the_old(tmp_path: Path) -> None:
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.refer([("one", TOLD)])
        cache.refer([("one", Referred())])
        assert cache.referred([("one", "a.py")]) == {"a.py": Referred()}
    with DigestCache(tmp_path / "d.sqlite", "2") as cache:
        assert cache.referred([("one", "a.py")]) == {}


def test_many_files_are_asked_for_at_once(tmp_path: Path) -> None:
    keys = [(f"key {number}", f"{number}.py") for number in range(1_201)]
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.refer((key, Referred()) for key, _ in keys)
        assert sorted(cache.referred([*keys, ("no", "no.py")])) == sorted(path for _, path in keys)
        assert cache.referred([]) == {}


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[[],[]]", "null", "[[[]],[],[]]", "[[],[[1,2,3]],[]]", "[" * 100_000, "\x00", b"\xff",
     b"[[],[],[]", '[[["no kind",null,"",[1,1,""],[],2]],[],[]]', '[[["model",[1],"",[1,1,""],[],2]],[],[]]',
     '[[["model",null,"",[1,1,""],["no flag"],2]],[],[]]', '[[["model",null,"",[1,1,""],[],99]],[],[]]',
     '[[["model",[true,"hf","o/n",null,null],"",[1,1,""],[],2]],[],[]]'],
)  # fmt: skip
def test_a_damaged_row_of_references_counts_as_none_and_leaves_the_others(
    text: str | bytes, tmp_path: Path
) -> None:
    path = tmp_path / "d.sqlite"
    with DigestCache(path, "1") as cache:
        cache.refer([("one", TOLD), ("two", TOLD)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE referred SET told = ? WHERE key = 'one'", (text,))
    connection.close()
    with DigestCache(path, "1") as cache:
        assert cache.referred([("one", "a.py"), ("two", "a/app.py")]) == {"a/app.py": TOLD}


def test_a_cache_that_breaks_while_it_is_used_knows_nothing_and_says_why_it_keeps_nothing(
    tmp_path: Path,
) -> None:
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache._connection.execute("DROP TABLE referred")
        assert cache.referred([("one", "a.py")]) == {}
        with pytest.raises(CacheUnusableError, match="could not be written"):
            cache.refer([("one", TOLD)])


def test_a_full_table_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.fingerprint.cache._ROW_COUNT", 3)
    with DigestCache(tmp_path / "d.sqlite", "1") as cache:
        cache.put([("digests", ROW)])
        cache.refer((str(number), Referred()) for number in range(4))
        assert cache.referred([("1", "a.py")]) == {}
        assert set(cache.get(["digests"])) == {"digests"}


texts = st.text(max_size=6) | st.sampled_from(["\udc80", "\x00", '"', "\u202e", "org/name"])
refs = st.builds(
    Ref,
    scheme=texts.filter(bool),
    location=texts.filter(bool).map(lambda text: text.replace("@", "")).filter(bool),
    revision=st.none() | texts,
    subpath=st.none() | texts,
)
numbers = st.none() | st.integers(0, 2**40)


@given(
    st.lists(
        st.builds(
            Reference,
            kind=st.sampled_from(ComponentKind),
            target=st.none() | refs,
            loader=texts,
            location=st.builds(Location, path=st.just("p.py"), line=numbers, column=numbers, inside=texts),
            flags=st.frozensets(st.sampled_from(Flag)),
            confidence=st.sampled_from(Confidence),
        ),
        max_size=3,
    ),
    st.lists(st.builds(Defect, reason=st.sampled_from(Reason), message=texts, offset=numbers), max_size=2),
    st.lists(st.tuples(texts, texts), max_size=2),
)
def test_whatever_was_told_is_remembered_exactly(
    references: list[Reference], defects: list[Defect], asked: list[tuple[str, str]]
) -> None:
    told = Referred(references=tuple(references), defects=tuple(defects), asked=tuple(asked))
    assert loaded(dumped(told), "p.py") == told
