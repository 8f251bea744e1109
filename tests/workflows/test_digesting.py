"""A listed target: its documents and digests, each byte read once on any number of threads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap, Stage
from aibom.fingerprint.resources import Range
from aibom.sources import resolve
from aibom.workflows import digesting
from aibom.workflows.digesting import WHOLE, Place
from aibom.workflows.progress import Silent
from tests.workflows.signed_models import FILES, Watched, folder_of, sha256


@pytest.fixture
def source(tmp_path: Path) -> Watched:
    return Watched(resolve(str(folder_of(tmp_path / "m"))))


def test_a_place_has_entries_sizes_and_gaps(tmp_path: Path) -> None:
    model = folder_of(tmp_path / "m")
    (model / "lost").symlink_to("nothing")
    place = Place.of(resolve(str(model)))
    assert place.sizes == {path: len(data) for path, data in FILES.items()}
    assert [gap.path for gap in place.gaps] == ["lost"]


@pytest.mark.parametrize("jobs", [1, 5])
def test_the_digests_are_those_of_the_bytes(source: Watched, jobs: int) -> None:
    place = Place.of(source)
    wanted = {path: [WHOLE, Range("blake2b", 0, 3)] for path in FILES}
    found = place.digest(wanted, jobs, Silent())
    assert found == {
        (path, each): hashlib.new(each.algorithm, data[: each.end]).hexdigest()
        for path, data in FILES.items()
        for each in wanted[path]
    }
    assert source.read == place.sizes


def test_a_file_that_cannot_be_opened_is_a_gap_and_the_others_have_digests(source: Watched) -> None:
    source.lost["weights.bin"] = Reason.DENIED
    parts = [WHOLE, Range("sha256", 0, 3)]
    found = Place.of(source).digest({"weights.bin": parts, "config.json": [WHOLE]}, 2, Silent())
    gap = Gap(
        path="weights.bin",
        stage=Stage.DIGEST,
        reason=Reason.DENIED,
        detail="cannot be opened: permission denied",
    )
    assert found == {
        **{("weights.bin", each): gap for each in parts},
        ("config.json", WHOLE): sha256(FILES["config.json"]),
    }


def test_the_shards_of_a_large_file_are_read_side_by_side_and_once(
    source: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digesting, "LARGE_FILE_BYTES", 100)
    shards = [Range("sha256", at, at + 20) for at in (80, 0, 20, 40, 60)]
    place = Place.of(source)
    found = place.digest({"weights.bin": shards}, 2, Silent())
    assert set(found.values()) == {sha256(b"w" * 20)}
    assert (source.opened, source.read) == (["weights.bin"] * 5, {"weights.bin": 100})


@pytest.mark.parametrize(
    "parts",
    [
        [WHOLE, Range("sha256", 0, 50), Range("sha256", 50, 100)],
        [Range("sha256", 0, 60), Range("sha256", 40, 100)],
        [Range("sha256", 0, 50), Range("blake3", 0, 50)],
        [WHOLE, WHOLE],
        [Range("sha256", 0, 50), Range("sha256", 0, 50), Range("sha256", 50, 100)][:2],
    ],
)
def test_ranges_that_meet_are_read_in_one_go(
    source: Watched, monkeypatch: pytest.MonkeyPatch, parts: list[Range]
) -> None:
    monkeypatch.setattr(digesting, "LARGE_FILE_BYTES", 1)
    Place.of(source).digest({"weights.bin": parts}, 2, Silent())
    assert source.opened == ["weights.bin"]
    assert source.read["weights.bin"] == max(each.end or 100 for each in parts)


def test_a_document_is_read_once_and_its_digest_is_that_of_what_was_read(source: Watched) -> None:
    place = Place.of(source)
    for _ in range(2):
        assert place.document("config.json", 22) == FILES["config.json"]
    found = place.digest({"config.json": [WHOLE]}, 1, Silent())
    assert found["config.json", WHOLE] == sha256(FILES["config.json"])
    assert source.opened == ["config.json"]
    with pytest.raises(UnreadableError) as caught:
        place.document("config.json", 21)
    assert caught.value.reason is Reason.LIMIT


def test_progress_is_told_what_will_be_read_and_what_was(source: Watched) -> None:
    told: list[tuple[str, int]] = []

    class Told(Silent):
        def listed(self, files: int, size: int) -> None:
            told.extend((("files", files), ("size", size)))

        def advanced(self, count: int) -> None:
            told.append(("read", count))

    Place.of(source).digest({"weights.bin": [WHOLE], "config.json": []}, 1, Told())
    assert told == [("files", 1), ("size", 100), ("read", 100)]
