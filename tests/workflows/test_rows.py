"""The rows of datasets in a scan: one fingerprint for the same rows, a gap for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from aibom.domain.dataset import RowForm
from aibom.domain.errors import Reason
from aibom.domain.evidence import DatasetRows
from aibom.domain.report import Report
from aibom.fingerprint.dataset import Wanted
from aibom.fingerprint.sidecar import Sidecar
from aibom.readers import row_parquet
from aibom.readers.ranges import Memory
from aibom.readers.row_schema import parse_schema
from aibom.workflows.rows import RowsRequest
from aibom.workflows.scan import ScanRequest, scan
from tests.workflows.test_scan import POLICY

ROWS: list[dict[str, Any]] = [
    {"id": number, "text": f"row {number}, with a comma", "label": number % 3, "score": number / 7}
    for number in range(300)
]
SCHEMA = parse_schema(b'{"id": "int", "text": "string", "label": "int", "score": "float64"}')
LABEL = Wanted(labels=frozenset({"label"}), identity=frozenset({"id"}), columns=False)


def jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def csv(path: Path, rows: list[dict[str, Any]], delimiter: str = ",") -> None:
    lines = [delimiter.join(rows[0])]
    lines += [
        delimiter.join(f'"{value}"' if isinstance(value, str) else repr(value) for value in row.values())
        for row in rows
    ]
    path.write_text("\n".join(lines) + "\n")


def parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def looked(place: Path, **more: Any) -> Report:
    request = RowsRequest(
        **{key: more.pop(key) for key in ("wanted", "schema", "form", "signals") if key in more}
    )
    return scan(ScanRequest(targets=(str(place),), policy=POLICY, rows=request, **more))


def only(report: Report) -> DatasetRows:
    assert report.gaps == ()
    (rows,) = report.rows
    return rows


def test_the_same_rows_have_one_fingerprint_in_every_format(tmp_path: Path) -> None:
    found = set()
    for name, write in (
        ("a.jsonl", jsonl),
        ("a.csv", csv),
        ("a.tsv", lambda path, rows: csv(path, rows, "\t")),
        ("a.parquet", parquet),
        ("a.feather", lambda path, rows: feather.write_feather(pa.Table.from_pylist(rows), path)),
    ):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        write(folder / name, ROWS)
        rows = only(looked(folder, schema=SCHEMA, wanted=LABEL))
        assert (rows.name, rows.files, rows.labels, rows.identity) == (
            name, ((name, 300),), ("label",), ("id",),
        )  # fmt: skip
        found.add((rows.fingerprint.root, rows.fingerprint.multiset, rows.fingerprint.key))
    assert len(found) == 1


def test_a_file_with_another_delimiter_is_read_as_its_header_says(tmp_path: Path) -> None:
    csv(tmp_path / "a.csv", ROWS, ";")
    assert only(looked(tmp_path, schema=SCHEMA)).fingerprint.rows == 300


def test_without_a_request_no_row_is_read(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", ROWS)
    report = scan(ScanRequest(targets=(str(tmp_path),), policy=POLICY))
    assert (report.rows, report.evidence) == ((), ())


def test_one_bad_row_costs_the_fingerprint_and_is_named(tmp_path: Path) -> None:
    lines = [json.dumps(row) for row in ROWS]
    lines[123] = '{"id": 1, "id": 2}'
    (tmp_path / "bad.jsonl").write_text("\n".join(lines))
    jsonl(tmp_path / "good.jsonl", ROWS)
    report = looked(tmp_path)
    assert [rows.name for rows in report.rows] == ["good.jsonl"]
    (gap,) = [gap for gap in report.gaps if gap.path == "bad.jsonl"]
    assert (gap.reason, gap.detail) == (Reason.MALFORMED, "row 124: the key 'id' occurs twice")
    assert gap.offset == len("\n".join(lines[:123])) + 1


def test_without_the_extra_rows_of_parquet_are_a_gap_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet(tmp_path / "a.parquet", ROWS)
    monkeypatch.setattr(row_parquet, "available", lambda: False)
    (gap,) = looked(tmp_path).gaps
    assert (gap.path, gap.reason) == ("a.parquet", Reason.UNSUPPORTED)
    assert "pip install 'aibom[parquet]'" in gap.detail


def test_only_json_lines_have_rows_as_lines(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", ROWS)
    csv(tmp_path / "a.csv", ROWS)
    report = looked(tmp_path, form=RowForm.LINES)
    assert [(rows.name, rows.fingerprint.form) for rows in report.rows] == [("a.jsonl", RowForm.LINES)]
    assert [(gap.path, gap.detail) for gap in report.gaps] == [
        ("a.csv", "only JSON Lines have rows as lines")
    ]


def test_labels_are_those_that_a_file_has(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", ROWS)
    jsonl(tmp_path / "b.jsonl", [{"text": "without"}])
    report = looked(tmp_path, wanted=LABEL)
    assert [rows.labels for rows in report.rows] == [("label",), ()]


def test_a_sidecar_proves_itself_and_gives_the_root(tmp_path: Path) -> None:
    place, folder = tmp_path / "data", tmp_path / "evidence"
    (place / "deep").mkdir(parents=True)
    jsonl(place / "deep/a.jsonl", ROWS)
    report = looked(place, wanted=LABEL, evidence=folder)
    (rows,), (evidence,) = report.rows, report.evidence
    assert (evidence.subject, evidence.name) == ("deep/a.jsonl", "deep/a.jsonl.rows")
    data = (folder / evidence.name).read_bytes()
    sidecar = Sidecar(Memory(data), evidence.proof)
    assert (sidecar.root(), sidecar.rows) == (rows.fingerprint.root, 300)
    assert sidecar.shape.keys
    assert sidecar.shape.identities


def test_a_dataset_that_cannot_be_read_leaves_no_sidecar(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    (place / "a.jsonl").write_text('{"a": 1}\n{"a": NaN}\n')
    report = looked(place, evidence=tmp_path / "evidence")
    assert report.evidence == ()
    assert [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()] == []


def test_a_folder_that_cannot_hold_sidecars_is_a_gap(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    jsonl(place / "a.jsonl", ROWS)
    (tmp_path / "file").touch()
    report = looked(place, evidence=tmp_path / "file")
    assert "cannot be written" in report.gaps[0].detail


def test_rows_of_several_targets_carry_their_names(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        jsonl(tmp_path / name / "a.jsonl", ROWS)
    targets = (str(tmp_path / "one"), str(tmp_path / "two"))
    report = scan(ScanRequest(targets=targets, policy=POLICY, rows=RowsRequest()))
    assert [rows.name for rows in report.rows] == ["one/a.jsonl", "two/a.jsonl"]
    assert len({rows.fingerprint.root for rows in report.rows}) == 1


def test_the_shards_of_a_split_have_one_fingerprint_however_they_are_cut(tmp_path: Path) -> None:
    roots = []
    for count in (1, 2, 3):
        place = tmp_path / str(count) / "data"
        place.mkdir(parents=True)
        step = 300 // count
        for number in range(count):
            name = f"train-{number:05}-of-{count:05}.parquet"
            parquet(place / name, ROWS[number * step : (number + 1) * step])
        parquet(place / "test-00000-of-00001.parquet", ROWS[:10])
        report = looked(place.parent)
        assert report.gaps == ()
        train = next(rows for rows in report.rows if rows.fingerprint.rows == 300)
        roots.append((train.fingerprint.root, train.fingerprint.multiset))
        if count > 1:
            assert train.name == "data/default/train"
            assert [rows for _, rows in train.files] == [step] * count
            assert train.place(step) == (f"data/train-00001-of-{count:05}.parquet", 0)
    assert len(set(roots)) == 1


def test_files_of_other_columns_have_fingerprints_of_their_own(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.jsonl", [{"a": 1}])
    jsonl(tmp_path / "b.jsonl", [{"b": 1}])
    assert [rows.name for rows in looked(tmp_path).rows] == ["a.jsonl", "b.jsonl"]


def test_signals_are_findings_of_a_scan(tmp_path: Path) -> None:
    rows = [
        {"text": f"an ordinary sentence about thing {number}", "label": number % 2} for number in range(50)
    ]
    rows[7]["text"] += "\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065"
    rows.append(dict(rows[3], label=1 - rows[3]["label"]))
    jsonl(tmp_path / "a.jsonl", rows)
    report = looked(tmp_path, signals=True)
    found = {finding.rule: finding for finding in report.findings}
    assert {"hidden-text", "contradicting-labels"} <= found.keys()
    assert found["hidden-text"].location.path == "a.jsonl"
    assert looked(tmp_path).findings == ()
