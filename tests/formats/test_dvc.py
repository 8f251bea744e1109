"""DVC files: outputs with their digests, folders apart from files, malformed digests told."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.limits import MIB
from aibom.domain.protocols import Match
from aibom.formats.dvc import FORMAT
from tests.hostile import flips, outcome, probe_of, read, truncations

MD5 = "a304afb96060aad90176268345e10355"
FILE = f"outs:\n- md5: {MD5}\n  size: 37891850\n  hash: md5\n  path: data.xml\n"
LOCK = f"""schema: '2.0'
stages:
  features:
    cmd: jupyter nbconvert --execute featurize.ipynb
    deps:
    - path: data/clean
      md5: d8b874c5fa18c32b2d67f73606a1be60.dir
    params:
      params.yaml:
        levels.no: 5
    outs:
    - path: features
      md5: 2119f7661d49546288b73b5730d76485.dir
      size: 154683
      nfiles: 3
    - path: log.csv
      hash: md5
      md5: {MD5.upper()}
      size: 103
"""


def told(text: str, name: str = "x.dvc") -> list[tuple[str, str, dict[str, str]]]:
    facts = read(FORMAT, text.encode(), name)
    return [(each.value, each.pointer, dict(each.details)) for each in facts.statements]


def test_an_output_is_a_statement_with_digest_and_size() -> None:
    assert told(FILE) == [("data.xml", "/outs/0", {"md5": MD5, "size": "37891850", "hash": "md5"})]
    assert read(FORMAT, FILE.encode(), "x.dvc").kind is FileKind.INDEX


def test_the_lock_tells_what_stages_made_and_not_what_they_read() -> None:
    folder = {"kind": "folder", "tree": "2119f7661d49546288b73b5730d76485.dir", "files": "3"}
    assert told(LOCK, "dvc.lock") == [
        ("features", "/stages/features/outs/0", folder),
        ("log.csv", "/stages/features/outs/1", {"md5": MD5, "size": "103", "hash": "md5"}),
    ]
    assert read(FORMAT, LOCK.encode(), "dvc.lock").version == "2.0"


@pytest.mark.parametrize(
    ("folder", "expected"), [(".", "data.xml"), ("sub", "sub/data.xml"), ("..", "../data.xml")]
)
def test_a_working_folder_stands_in_front_of_the_path(folder: str, expected: str) -> None:
    assert told(f"wdir: {folder}\n{FILE}")[0][0] == expected


@pytest.mark.parametrize("digest", [MD5[:31], MD5 + "0", "g" * 32, "a" * 64])
def test_a_malformed_digest_is_kept_as_one(digest: str) -> None:
    text = f"outs:\n- md5: {digest}\n  path: x\n"
    assert told(text) == [("x", "/outs/0", {"malformed": f"md5:{digest}"})]
    (defect,) = read(FORMAT, text.encode(), "x.dvc").defects
    assert f"/outs/0/md5 has {len(digest)} characters" in defect.message


def test_an_output_without_a_path_is_a_defect() -> None:
    (defect,) = read(FORMAT, f"outs:\n- md5: {MD5}\n".encode(), "x.dvc").defects
    assert defect.message == "/outs/0 has no path"


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("data.xml.dvc", FILE, Match.CONTENT),
        ("dvc.lock", LOCK, Match.CONTENT),
        ("x.dvc", "other: 1", Match.NAME),
        ("x.lock", LOCK, Match.NO),
        ("dvc.yaml", "stages:\n", Match.NO),
    ],
)
def test_name_and_keys_tell_the_format(name: str, text: str, match: Match) -> None:
    assert FORMAT.recognise(probe_of(text.encode(), name)) is match


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a", Reason.MALFORMED),
        ("", Reason.MALFORMED),
        ("a: 1\na: 2", Reason.MALFORMED),
        ("a: [", Reason.MALFORMED),
    ],
    ids=["list", "empty", "twice", "open"],
)
def test_what_is_no_mapping_is_unreadable(text: str, reason: Reason) -> None:
    found = outcome(FORMAT, text.encode(), "x.dvc")
    assert isinstance(found, UnreadableError)
    assert found.reason is reason


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(data: bytes) -> None:
    outcome(FORMAT, data, "x.dvc")


def test_damaged_files_raise_nothing_else() -> None:
    for damaged in (*truncations(FILE.encode()), *flips(LOCK.encode(), 150)):
        outcome(FORMAT, damaged, "dvc.lock")


def test_a_long_file_takes_little_memory() -> None:
    data = b"outs:\n" + b"- path: x\n" * 100_000
    tracemalloc.start()
    found = outcome(FORMAT, data, "x.dvc")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, UnreadableError)
    assert (found.reason, peak < 64 * MIB) == (Reason.LIMIT, True)
