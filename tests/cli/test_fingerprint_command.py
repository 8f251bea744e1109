"""`aibom fingerprint`, and the flags about rows of other commands, as a user types them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aibom.cli.main import _run
from tests.workflows.test_rows import ROWS, jsonl, parquet

Captured = pytest.CaptureFixture[str]
SCHEMA = '{"id": "int", "text": "string", "label": "int", "score": "float64"}'


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AIBOM_NO_CACHE", "1")
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    jsonl(Path("data/a.jsonl"), ROWS)
    Path("salt").write_bytes(bytes(range(32)))
    Path("short").write_bytes(b"guess")
    Path("schema.json").write_text(SCHEMA)
    Path("wrong.json").write_text('{"id": "number"}')


def run(capfd: Captured, *arguments: str) -> tuple[int, str, str]:
    code = _run(list(arguments))
    out, err = capfd.readouterr()
    return code, out, err


def test_the_table_tells_what_can_be_compared(capfd: Captured) -> None:
    code, out, err = run(capfd, "fingerprint", "data", "--label", "label", "--row-id", "id", "--columns")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:2] == ["a.jsonl", "  300 rows, typed"]
    assert [line.split()[0] for line in lines[2:5]] == ["root", "multiset", "key"]
    assert [line.split()[-1] for line in lines[5:9]] == ["id", "label", "score", "text"]
    assert all(len(line) <= 90 for line in lines)


def test_json_holds_the_same_and_is_the_same_every_time(capfd: Captured) -> None:
    first = run(capfd, "fingerprint", "data", "-f", "json", "--columns", "--schema", "schema.json")
    again = run(capfd, "fingerprint", "data", "-f", "json", "--columns", "--schema", "schema.json")
    assert first == again
    found = json.loads(first[1])
    assert found["schema"] == "aibom-fingerprint/1"
    (rows,) = found["rows"]
    assert (rows["name"], rows["form"], rows["rows"], rows["keyed"]) == ("a.jsonl", "typed", 300, False)
    assert [column["name"] for column in rows["columns"]] == ["id", "label", "score", "text"]
    assert rows["files"] == [{"path": "a.jsonl", "rows": 300}]


def test_parquet_and_json_lines_of_the_same_rows_agree_under_a_schema(capfd: Captured) -> None:
    parquet(Path("data/b.parquet"), ROWS)
    _, out, _ = run(capfd, "fingerprint", "data", "-f", "json", "--schema", "schema.json")
    one, other = json.loads(out)["rows"]
    assert {key: one[key] for key in ("root", "multiset", "schema")} == {
        key: other[key] for key in ("root", "multiset", "schema")
    }


def test_a_salt_keys_everything_but_the_schema(capfd: Captured) -> None:
    plain = json.loads(run(capfd, "fingerprint", "data", "-f", "json", "--schema", "schema.json")[1])
    keyed = json.loads(
        run(capfd, "fingerprint", "data", "-f", "json", "--schema", "schema.json", "--salt-file", "salt")[1]
    )
    one, other = plain["rows"][0], keyed["rows"][0]
    assert other["keyed"]
    assert one["schema"] == other["schema"]
    assert {one["root"], one["multiset"]}.isdisjoint({other["root"], other["multiset"]})


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["fingerprint", "data", "--label", "lable"], 2, "no file has a column 'lable'"),
        (["fingerprint", "data", "--salt-file", "short"], 2, "has 5 bytes, at least 16"),
        (["fingerprint", "data", "--salt-file", "none"], 2, "cannot read the salt 'none': No such file"),
        (["fingerprint", "data", "--schema", "wrong.json"], 2, "'id': the type has to be one of"),
        (["fingerprint", "data", "--lines", "--label", "label"], 2, "lines have no columns"),
        (["fingerprint", "nowhere"], 2, "no such file or folder: 'nowhere'"),
        (["fingerprint"], 2, "Missing argument 'TARGET...'"),
        (["fingerprint", "salt"], 3, ""),
        (["scan", "data", "--label", "label", "-q"], 2, "are about --rows, which is not given"),
        (["scan", "data", "--rows", "--row-id", "idd", "-q"], 2, "no file has a column 'idd'"),
        (["scan", "data", "--benchmark", "salt", "-q"], 2, "are about --rows, which is not given"),
        (["scan", "data", "--rows", "--benchmark", "salt", "-q"], 2, "not a set of digests"),
    ],
    ids=[
        "typo", "short-salt", "no-salt", "schema", "lines", "nowhere", "no-target", "no-rows", "scan-label",
        "scan-typo", "benchmark-alone", "no-set",
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(arguments: list[str], code: int, words: str, capfd: Captured) -> None:
    found = run(capfd, *arguments)
    assert (found[0], words in found[2]) == (code, True)
    assert "Traceback" not in found[2]


def test_a_benchmark_that_was_written_down_is_found_in_a_dataset(capfd: Captured) -> None:
    question = "how many apples are left when one of the nineteen children takes two of them away"
    Path("bench").mkdir()
    jsonl(Path("bench/a.jsonl"), [{"question": question}])
    assert run(capfd, "fingerprint", "bench", "--benchmark-set", "bench.ngrams")[0] == 0
    jsonl(Path("data/a.jsonl"), [*ROWS, {"text": f"Well: {question.upper()}!"}])
    code, out, _ = run(capfd, "scan", "data", "--rows", "--benchmark", "bench.ngrams", "-q")
    assert code == 0
    told = " ".join(out.split())
    assert "medium benchmark-contamination: a.jsonl" in told
    assert "'bench'" in told
    assert "benchmark-contamination" not in run(capfd, "scan", "data", "--rows", "-q")[1]


def test_a_row_that_cannot_be_read_makes_the_result_incomplete(capfd: Captured) -> None:
    with Path("data/a.jsonl").open("a") as file:
        file.write('{"id": 1e999}\n')
    code, out, _ = run(capfd, "fingerprint", "data")
    assert code == 4
    assert "row 301: a number is beyond any float64" in " ".join(out.split())


def test_a_scan_writes_sidecars_that_its_bill_of_materials_names(capfd: Captured) -> None:
    flags = ["--rows", "--label", "label", "--evidence", "kept", "--salt-file", "salt"]
    assert run(capfd, "scan", "data", *flags, "-f", "cyclonedx=bom.cdx.json", "-f", "table", "-q")[0] == 0
    document = json.loads(Path("bom.cdx.json").read_text())
    (dataset,) = [each for each in document["components"] if each["type"] == "data"]
    (reference,) = [each for each in dataset["externalReferences"] if each["type"] == "evidence"]
    assert reference["url"] == "a.jsonl.rows"
    assert Path("kept/a.jsonl.rows").stat().st_mode & 0o077 == 0
    (told,) = [each["value"] for each in dataset["properties"] if each["name"] == "aibom:dataset:rows"]
    assert json.loads(told)["sidecar"]["sha256"] == reference["hashes"][0]["content"]
    assert json.loads(told)["keyed"]
    # The digest of a row stands nowhere in the document.
    sidecar = Path("kept/a.jsonl.rows").read_bytes()
    text = Path("bom.cdx.json").read_text()
    assert all(sidecar[at : at + 32].hex() not in text for at in range(16, 16 + 300 * 32, 32))


def test_verification_and_comparison_name_the_flipped_label(capfd: Captured) -> None:
    flags = ["--rows", "--label", "label", "--evidence", "kept", "-f", "cyclonedx=bom.cdx.json", "-q"]
    assert run(capfd, "scan", "data", *flags)[0] == 0
    jsonl(Path("data/a.jsonl"), [dict(row, label=9) if row["id"] == 36 else row for row in ROWS])
    code, out, _ = run(capfd, "verify", "data", "--bom", "bom.cdx.json", "--evidence", "kept")
    assert code == 1
    assert "1 label flipped: row 37" in " ".join(out.split())
    code, out, _ = run(
        capfd, "diff", "bom.cdx.json", "data", "--old-evidence", "kept", "--fail-on", "dataset"
    )
    assert (code, "1 label flipped: row 37" in out) == (1, True)
