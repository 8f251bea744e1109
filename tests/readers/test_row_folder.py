"""Folders of media as rows: labels and metadata as the documented loaders take them."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.dataset import Field, Kind, Schema, Type
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import MIB
from aibom.readers import row_folder
from aibom.readers.ranges import Memory
from aibom.readers.row_folder import Item, is_medium, is_metadata, records

Row = dict[str, object]


def sha(path: str) -> bytes:
    return hashlib.sha256(path.encode()).digest()


def items(*paths: str, split: str | None = None) -> list[Item]:
    return [Item(path=path, sha256=sha(path), split=split) for path in paths]


def rows(found: list[Item], schema: Schema | None = None, **metadata: str) -> list[Row]:
    readers = {name.replace("__", "/").replace("_csv", ".csv").replace("_jsonl", ".jsonl"): text
               for name, text in metadata.items()}  # fmt: skip
    result: list[Row] = []
    for batch in records(found, {name: Memory(text.encode()) for name, text in readers.items()}, schema):
        assert batch.first == len(result)
        result += [
            dict(zip(batch.names, row, strict=True)) for row in zip(*map(texts, batch.columns), strict=True)
        ]
    return result


def texts(values: Sequence[object]) -> list[object]:
    """Digests as they are, other bytes as the text that they stand for."""
    return [each.decode() if isinstance(each, bytes) and len(each) != 32 else each for each in values]


def failure(found: list[Item], **metadata: str) -> UnreadableError:
    with pytest.raises(UnreadableError) as caught:
        rows(found, **metadata)
    return caught.value


def test_a_folder_is_the_label_of_its_files() -> None:
    found = rows([*items("train/dog/b.png", "train/cat/a.png", split="train")])
    assert found == [
        {"path": "train/cat/a.png", "split": "train", "label": "cat", "sha256": sha("train/cat/a.png")},
        {"path": "train/dog/b.png", "split": "train", "label": "dog", "sha256": sha("train/dog/b.png")},
    ]


@pytest.mark.parametrize(
    "paths",
    [["cat/a.png", "cat/b.png"], ["a.png", "b.png"], ["cat/a.png", "x/dog/b.png"], []],
    ids=["one", "none", "depths", "empty"],
)
def test_there_are_no_labels_without_several_folders_at_one_depth(paths: list[str]) -> None:
    assert all("label" not in row for row in rows(items(*paths)))
    assert [row["path"] for row in rows(items(*paths))] == sorted(paths)


def test_a_file_that_moves_to_another_folder_has_another_label_and_the_same_digest() -> None:
    moved = Item(path="dog/a.png", sha256=sha("cat/a.png"))
    before, after = rows(items("cat/a.png", "dog/b.png"))[0], rows([moved, *items("cat/b.png")])[1]
    assert before["sha256"] == after["sha256"]
    assert (before["label"], after["label"]) == ("cat", "dog")


@given(st.permutations(["a/1.png", "a/2.png", "b/1.png", "c/9.png"]))
def test_the_order_of_listing_does_not_matter(paths: list[str]) -> None:
    assert rows(items(*paths)) == rows(items(*sorted(paths)))


def test_metadata_stands_in_place_of_labels() -> None:
    found = rows(items("a/1.png", "b/2.png"), metadata_csv="file_name,text\nb/2.png,two\na/1.png,one\n")
    assert found == [
        {"path": "b/2.png", "split": None, "sha256": sha("b/2.png"), "text": "two"},
        {"path": "a/1.png", "split": None, "sha256": sha("a/1.png"), "text": "one"},
    ]


def test_json_lines_keep_their_values() -> None:
    text = json.dumps({"file_name": "1.png", "boxes": [[1, 2]], "label": 3}) + "\n"
    (found,) = rows(items("1.png"), metadata_jsonl=text)
    assert (found["boxes"], found["label"]) == ([[1, 2]], 3)


def test_metadata_counts_from_its_own_folder() -> None:
    text = "file_name,n\n1.png,%s\n"
    found = rows(items("a/1.png", "b/1.png"), a__metadata_csv=text % "x", b__metadata_csv=text % "y")
    assert [(row["path"], row["n"]) for row in found] == [("a/1.png", "x"), ("b/1.png", "y")]


@pytest.mark.parametrize("name", ["./d/1.png", "d\\1.png", "d//1.png"])
def test_every_spelling_of_a_name_is_the_file(name: str) -> None:
    assert [row["path"] for row in rows(items("d/1.png"), metadata_csv=f"file_name\n{name}\n")] == ["d/1.png"]


def test_columns_that_every_row_has_are_kept_apart() -> None:
    (found,) = rows(items("1.png"), metadata_csv="file_name,split,path,sha256\n1.png,a,b,c\n")
    assert (found["metadata.split"], found["metadata.path"], found["metadata.sha256"]) == ("a", "b", "c")
    assert found["sha256"] == sha("1.png")


def test_a_declared_schema_types_the_metadata() -> None:
    schema = Schema(fields=(Field(name="n", type=Type(kind=Kind.INT)),))
    assert rows(items("1.png"), schema, metadata_csv="file_name,n\n1.png,7\n")[0]["n"] == 7


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("file_name\n1.png\n", Reason.MALFORMED, "1 files without a row in the metadata, 2.png is one"),
        ("file_name\n1.png\n3.png\n2.png\n", Reason.MALFORMED, "metadata.csv: row 2: file_name is 3.png"),
        ("file_name\n1.png\n1.png\n2.png\n", Reason.MALFORMED, "row 2: 1.png has a row already"),
        ("file_name\n../1.png\n2.png\n", Reason.MALFORMED, "row 1: file_name is ../1.png"),
        ("file_name\n/1.png\n2.png\n", Reason.MALFORMED, "row 1: file_name is /1.png"),
        ("name\n1.png\n2.png\n", Reason.MALFORMED, "no file_name"),
        ("file_name,file_names\n1.png,a\n", Reason.UNSUPPORTED, "several files: file_names"),
        ("file_name,mask_file_name\n1.png,a\n", Reason.UNSUPPORTED, "several files: mask_file_name"),
        ("file_name,metadata.path,path\n1.png,a,b\n", Reason.MALFORMED, "two columns"),
        ("file_name,x\n1.png\n", Reason.MALFORMED, "1 cells"),
    ],
    ids=["left", "gone", "twice", "up", "root", "unnamed", "list", "mask", "collision", "cells"],
)
def test_metadata_that_loaders_read_differently_gives_no_rows(text: str, reason: Reason, words: str) -> None:
    error = failure(items("1.png", "2.png"), metadata_csv=text)
    assert error.reason is reason
    assert words in error.message


def test_a_name_that_is_no_text_is_no_file() -> None:
    text = '{"file_name": ["1.png"]}\n'
    assert "file_name is no text" in failure(items("1.png"), metadata_jsonl=text).message


def test_two_kinds_of_metadata_and_a_path_that_comes_twice_are_refused() -> None:
    both = failure(items("1.png"), metadata_csv="file_name\n1.png\n", d__metadata_jsonl="{}\n")
    assert "CSV and as JSON Lines" in both.message
    assert "1.png is there twice" in failure(items("1.png", "1.png")).message


def test_too_many_files_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_folder, "FILE_COUNT", 2)
    assert failure(items("1", "2", "3")).reason is Reason.LIMIT


def test_names_tell_media_and_metadata() -> None:
    assert [is_medium(name) for name in ("a/B.JPG", "x.wav", "x.mp4", "x.csv", "png")] == [True] * 3 + [
        False
    ] * 2
    assert [is_metadata(name) for name in ("a/metadata.csv", "metadata.jsonl", "x_metadata.csv")] == [
        True,
        True,
        False,
    ]


def test_many_rows_of_metadata_are_not_held() -> None:
    count = 4_000
    found = items(*[f"{n}.png" for n in range(count)])
    text = "".join(json.dumps({"file_name": f"{n}.png", "v": [[]] * 60}) + "\n" for n in range(count))
    reader = {"metadata.jsonl": Memory(text.encode())}
    tracemalloc.start()
    assert sum(batch.rows for batch in records(found, reader)) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * MIB
