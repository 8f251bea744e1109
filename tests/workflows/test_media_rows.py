"""Rows that are records, samples or whole files: TFRecord, WebDataset, folders of images and sounds."""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aibom.domain.component import Component, ComponentKind, IdentityBasis
from aibom.domain.dataset import RowBatch, RowForm
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.evidence import DatasetRows
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.domain.protocols import ByteReader
from aibom.domain.target import Target
from aibom.fingerprint.dataset import Encoded, Wanted, fingerprint_rows
from aibom.fingerprint.sidecar import Sidecar, SidecarWriter
from aibom.readers import row_folder, row_tfrecord, row_webdataset
from aibom.readers.ranges import Memory
from aibom.workflows.evidence import shape_of
from aibom.workflows.media import media_parts, with_media
from aibom.workflows.progress import Silent
from aibom.workflows.rows import (
    MEDIA,
    METADATA_COUNT,
    Part,
    RowFile,
    RowsRequest,
    fingerprint_part,
    request_for,
)
from tests import builders
from tests.formats.test_tfrecord import framed
from tests.formats.test_webdataset import packed
from tests.workflows.test_row_comparison import difference
from tests.workflows.test_rows import LABEL, ROWS, csv, looked, only

RECORDS = [f"record {number}".encode() for number in range(300)]


@dataclass
class Place:
    """A source of files in memory, which counts what is opened."""

    contents: dict[str, bytes]
    target: Target = field(default_factory=lambda: builders.TARGET)
    seen: list[str] = field(default_factory=list)
    excluded: int = 0

    def entries(self) -> list[Entry]:
        return [Entry(path=path, size=len(data)) for path, data in self.contents.items()]

    def open(self, entry: Entry) -> AbstractContextManager[ByteReader]:
        self.seen.append(entry.path)
        return nullcontext(Memory(self.contents[entry.path]))

    def files(self) -> dict[str, File]:
        """As a scan looked at them."""
        return {path: builders.file(path) for path in self.contents}


def dataset(*paths: str) -> Component:
    return Component(
        id="d", kind=ComponentKind.DATASET, name="d", basis=IdentityBasis.INFERRED, files=tuple(sorted(paths))
    )


def model(*paths: str) -> Component:
    return Component(
        id="m", kind=ComponentKind.MODEL, name="m", basis=IdentityBasis.INFERRED, files=tuple(sorted(paths))
    )


def told(place: Place, part: Part, wanted: Wanted | None = None, **more: object) -> DatasetRows | Gap:
    request = RowsRequest(wanted=wanted or Wanted(columns=False), **more)  # type: ignore[arg-type]
    return fingerprint_part(part, lambda entry: (place, entry), request, Silent())  # type: ignore[arg-type, return-value]


def rows_of(place: Place, *components: Component, wanted: Wanted | None = None) -> DatasetRows:
    (part,) = media_parts(components, place.files())
    found = told(place, part, wanted)
    assert isinstance(found, DatasetRows), found
    return found


def images(*paths: str) -> Place:
    return Place({path: path.encode() for path in paths})


def test_records_of_tfrecord_are_rows_under_both_forms(tmp_path: Path) -> None:
    data = framed(*RECORDS)
    (tmp_path / "a.tfrecord").write_bytes(data)
    expected = fingerprint_rows(
        row_tfrecord.lines(Memory(data)), form=RowForm.LINES, wanted=Wanted(columns=False)
    )
    for form in RowForm:
        rows = only(looked(tmp_path, form=form))
        assert (rows.files, rows.fingerprint) == ((("a.tfrecord", 300),), expected)


def test_labels_are_asked_of_files_with_columns_only(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(framed(*RECORDS))
    csv(tmp_path / "b.csv", ROWS)
    report = looked(tmp_path, wanted=LABEL)
    assert [(rows.name, rows.labels, rows.fingerprint.form) for rows in report.rows] == [
        ("a.tfrecord", (), RowForm.LINES),
        ("b.csv", ("label",), RowForm.TYPED),
    ]


def test_a_record_with_a_wrong_checksum_costs_the_fingerprint(tmp_path: Path) -> None:
    data = bytearray(framed(*RECORDS))
    data[14] ^= 1
    (tmp_path / "a.tfrecord").write_bytes(data)
    report = looked(tmp_path)
    (gap,) = report.gaps
    assert (report.rows, gap.path, gap.reason, gap.offset) == ((), "a.tfrecord", Reason.MALFORMED, 12)


def test_a_sidecar_of_records_holds_lines() -> None:
    place = Place({"a.tfrecord": framed(*RECORDS)})
    part = Part(name="a", files=(RowFile(entry=Entry(path="a.tfrecord", size=1), format="tfrecord"),))
    asked = request_for(part, RowsRequest(wanted=LABEL))
    kept = bytearray()
    writer = SidecarWriter(kept.extend, shape_of(asked))
    opened = lambda entry: (place, entry)  # noqa: E731
    found = fingerprint_part(part, opened, asked, Silent(), writer.block)  # type: ignore[arg-type]
    assert isinstance(found, DatasetRows)
    proof = writer.finish()
    sidecar = Sidecar(Memory(bytes(kept)), proof)
    assert (sidecar.shape.lines, sidecar.shape.keys, sidecar.rows) == (True, False, 300)
    assert sidecar.root() == found.fingerprint.root


def test_diff_tells_which_records_and_samples_changed(tmp_path: Path) -> None:
    for side, text in (("old", b"record 7"), ("new", b"poison")):
        (tmp_path / side).mkdir()
        records = [*RECORDS[:7], text, *RECORDS[8:]]
        (tmp_path / side / "a.tfrecord").write_bytes(framed(*records))
        samples = [packed(f"{number}.txt", f"{number}.cls") for number in range(9)]
        samples[4] = packed("4.txt", "4.cls", data=text[:4])
        joined = b"".join(sample[:2048] for sample in samples)
        (tmp_path / side / "b-000001.tar").write_bytes(joined + bytes(1024))
    found = difference(tmp_path / "old", tmp_path / "new")
    assert [(change.subject, change.detail) for change in found.changes] == [
        ("a.tfrecord", "1 row added: row 8; 1 row removed: row 8"),
        ("b-000001.tar", "1 row added: row 5; 1 row removed: row 5"),
    ]


def test_records_beside_rows_of_another_format_are_a_gap() -> None:
    place = Place({"a.tfrecord": framed(b"a"), "b.csv": b"a\n1\n"})
    part = Part(name="p", files=tuple(RowFile(entry=each, format=f) for each, f in
                                      zip(place.entries(), ("tfrecord", "csv"), strict=True)))  # fmt: skip
    gap = told(place, part)
    assert isinstance(gap, Gap)
    assert (gap.path, gap.reason) == ("b.csv", Reason.UNSUPPORTED)


def test_samples_of_webdataset_are_rows_whatever_their_members(tmp_path: Path) -> None:
    data = packed("1.jpg", "1.cls", "2.jpg", "3.jpg", "3.txt")
    (tmp_path / "a-000001.tar").write_bytes(data)
    rows = only(looked(tmp_path, wanted=Wanted(labels=frozenset({"cls"}), columns=False)))
    assert (rows.files, rows.labels, rows.fingerprint.schema) == ((("a-000001.tar", 3),), ("cls",), None)
    assert rows.fingerprint.root == fingerprint_rows(row_webdataset.records(Memory(data))).root
    (gap,) = looked(tmp_path, form=RowForm.LINES).gaps
    assert gap.detail == "only JSON Lines have rows as lines"


def test_the_rows_of_a_folder_are_its_files_and_none_is_opened() -> None:
    place = images("train/cat/1.png", "train/dog/2.jpg", "test/cat/3.png", "notes.txt")
    rows = rows_of(place)
    items = [
        row_folder.Item(
            path=path, sha256=hashlib.sha256(path.encode()).digest(), split=path.partition("/")[0]
        )
        for path in place.contents
        if path != "notes.txt"
    ]
    expected = fingerprint_rows(row_folder.records(items), wanted=Wanted(columns=False))
    assert (rows.name, rows.files, rows.fingerprint.root) == (".", (("./", 3),), expected.root)
    assert place.seen == []


def test_labels_of_folders_are_left_out_of_the_key() -> None:
    wanted = Wanted(labels=frozenset({"label", "absent"}), columns=False)
    assert rows_of(images("cat/1.png", "dog/2.png"), wanted=wanted).labels == ("label",)


def test_metadata_beside_the_media_is_read_and_belongs_to_their_part() -> None:
    place = images("d/1.png", "d/2.png")
    place.contents["d/metadata.csv"] = b"file_name,text\n2.png,a dog\n1.png,a cat\n"
    row = RowFile(entry=Entry(path="d/metadata.csv", size=1), format="csv")
    plain = Part(name="d/metadata.csv", files=(row,))
    (part,) = with_media([plain], [dataset("d/metadata.csv")], place.files())
    assert (part.name, part.folder, part.paths) == ("d", "d", ("d/1.png", "d/2.png", "d/metadata.csv"))
    rows = told(place, part)
    assert isinstance(rows, DatasetRows)
    assert (rows.files, rows.fingerprint.rows, place.seen) == ((("d/", 2),), 2, ["d/metadata.csv"])


def test_what_is_seen_of_media_is_what_somebody_wrote_about_them() -> None:
    place = images("1.png", "2.png")
    place.contents["metadata.jsonl"] = b"".join(
        json.dumps({"file_name": name, "text": f"about {name}"}).encode() + b"\n"
        for name in ("1.png", "2.png")
    )
    seen: list[RowBatch] = []

    class Watcher:
        def feed(self, batch: RowBatch, rows: Encoded) -> None:
            assert rows.names
            seen.append(batch)

    (part,) = media_parts((), place.files())
    opened = lambda entry: (place, entry)  # noqa: E731
    fingerprint_part(part, opened, RowsRequest(), Silent(), watches=[Watcher()])  # type: ignore[arg-type]
    assert [(batch.names, list(batch.columns[0])) for batch in seen] == [
        (("text",), ["about 1.png", "about 2.png"])
    ]


def test_a_medium_without_a_digest_costs_the_fingerprint() -> None:
    place = images("1.png", "2.png")
    lost = Gap(path="3.png", stage=Stage.OPEN, reason=Reason.DENIED, detail="no")
    (part,) = media_parts((), place.files(), [lost], [("", "photos")])
    gap = told(place, part)
    assert isinstance(gap, Gap)
    assert (gap.path, gap.stage, gap.reason) == ("photos", Stage.DIGEST, Reason.UNSUPPORTED)
    assert gap.detail == "3.png has no digest, so the folder has none"


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (b"file_name,text\n1.png,a\n", "1 files without a row in the metadata, 2.png is one"),
        (b"file_name,text\n1.png,a\n9.png,b\n", "file_name is 9.png, which is no file of the folder"),
    ],
    ids=["short", "other"],
)
def test_metadata_about_other_files_costs_the_fingerprint(metadata: bytes, words: str) -> None:
    place = images("1.png", "2.png")
    place.contents["metadata.csv"] = metadata
    (part,) = media_parts((), place.files())
    gap = told(place, part)
    assert isinstance(gap, Gap)
    assert words in gap.detail


def test_too_many_files_of_metadata_are_not_opened() -> None:
    place = images("1.png")
    place.contents |= {f"{n}/metadata.csv": b"" for n in range(METADATA_COUNT + 1)}
    (part,) = media_parts((), place.files())
    gap = told(place, part)
    assert isinstance(gap, Gap)
    assert (gap.reason, place.seen) == (Reason.LIMIT, [])


def test_files_have_no_rows_as_lines() -> None:
    place = images("1.png")
    (part,) = media_parts((), place.files())
    gap = told(place, part, form=RowForm.LINES)
    assert isinstance(gap, Gap)
    assert gap.reason is Reason.UNSUPPORTED


@pytest.mark.parametrize(
    ("components", "found"),
    [
        ((), {"place": ["a/1.png", "a/b/2.wav", "c/3.mp4"]}),
        ((dataset("a/README.md", "a/b/x.csv"),), {"a": ["a/1.png", "a/b/2.wav"]}),
        ((dataset("a/x.csv"), dataset("a/b/x.csv")), {"a": ["a/1.png"], "a/b": ["a/b/2.wav"]}),
        ((dataset("README.md"),), {"place": ["a/1.png", "a/b/2.wav", "c/3.mp4"]}),
        ((dataset("d/x.csv"),), {}),
        ((model("c/model.safetensors"),), {}),
        ((model("c/model.safetensors"), dataset("a/x.csv")), {"a": ["a/1.png", "a/b/2.wav"]}),
    ],
    ids=["nothing", "folder", "nested", "top", "elsewhere", "model", "both"],
)
def test_media_belong_to_the_nearest_dataset_above_them(
    components: tuple[Component, ...], found: dict[str, list[str]]
) -> None:
    files = images("a/1.png", "a/b/2.wav", "c/3.mp4", "c/text.txt").files()
    parts = media_parts(components, files, (), [("", "place")])
    assert {part.name: list(part.paths) for part in parts} == found


def test_each_of_several_targets_has_a_part() -> None:
    files = images("one/1.png", "two/2.png").files()
    parts = media_parts((), files, (), [("one/", "one"), ("two/", "two")])
    assert [(part.name, part.folder) for part in parts] == [("one", "one"), ("two", "two")]
    assert all(file.format == MEDIA for part in parts for file in part.files)


def test_changed_pixels_change_one_row_and_moved_files_others() -> None:
    before = images("cat/1.png", "dog/2.png")
    after = images("cat/1.png", "dog/2.png")
    assert rows_of(before) == rows_of(after)
    moved = images("cat/1.png", "cat/2.png")
    assert rows_of(before).fingerprint.multiset != rows_of(moved).fingerprint.multiset
