"""Stated digests against computed ones: only equal bytes pass, and only what was computed fails."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.check import Check, CheckKind, Outcome
from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts, FileKind
from aibom.domain.file import File
from aibom.domain.stated import Reach, Stated
from aibom.trust import dvc_folder
from aibom.trust.stated import stated_checks

BYTES = b"text,label\nhello,1\n"


def digest(algorithm: str, data: bytes = BYTES, grade: Grade = Grade.COMPUTED) -> Digest:
    return Digest(algorithm=algorithm, value=hashlib.new(algorithm, data).hexdigest(), grade=grade)


def holding(path: str, *digests: Digest, form: str | None = None, kind: FileKind = FileKind.DATA) -> File:
    facts = Facts(format=form, kind=kind) if form else None
    entry = Entry(path=path, size=len(BYTES))
    return File(entry=entry, digests=digests or (digest("sha256"),), facts=facts)


def stated(*digests: tuple[str, str], reach: Reach = Reach.HERE, path: str = "d/x.csv") -> Stated:
    return Stated(source="d/SUMS", place="L1", name="x.csv", reach=reach, path=path, digests=digests)


def checked(told: Stated, *files: File) -> list[tuple[Outcome, str]]:
    return [(check.outcome, check.detail) for check in stated_checks([told], files)]


def outcomes(told: Stated, *files: File) -> list[Outcome]:
    return [outcome for outcome, _ in checked(told, *files)]


def sha(data: bytes = BYTES) -> tuple[str, str]:
    return "sha256", digest("sha256", data).value


def test_equal_bytes_are_verified() -> None:
    (check,) = stated_checks([stated(sha())], [holding("d/x.csv")])
    assert check == Check(
        subject="d/x.csv",
        kind=CheckKind.DIGEST,
        outcome=Outcome.VERIFIED,
        identity="sha256 that d/SUMS states",
        detail="the bytes have the stated digest",
        expected=sha()[1],
        found=sha()[1],
        source="d/SUMS",
    )


def test_other_bytes_are_a_mismatch_with_both_digests() -> None:
    (check,) = stated_checks([stated(sha(b"other"))], [holding("d/x.csv")])
    assert (check.outcome, check.expected, check.found) == (
        Outcome.CONTENT_MISMATCH,
        sha(b"other")[1],
        sha()[1],
    )


@given(data=st.binary(max_size=40), place=st.integers(0, 63), sign=st.sampled_from("0123456789abcdef"))
def test_no_digest_but_that_of_the_bytes_passes(data: bytes, place: int, sign: str) -> None:
    right = digest("sha256", data).value
    value = right[:place] + sign + right[place + 1 :]
    passed = outcomes(stated(("sha256", value)), holding("d/x.csv", digest("sha256", data)))
    assert (passed == [Outcome.VERIFIED]) is (value == right)


def test_a_digest_that_was_not_computed_never_passes() -> None:
    claimed = digest("md5", grade=Grade.CLAIMED)
    file = holding("d/x.csv", claimed, digest("sha256"))
    assert outcomes(stated(("md5", claimed.value)), file) == [Outcome.COULD_NOT_CHECK]


def test_md5_passes_with_a_word_about_its_strength() -> None:
    value = digest("md5").value
    ((outcome, detail),) = checked(stated(("md5", value)), holding("d/x.csv", digest("md5")))
    assert outcome is Outcome.VERIFIED
    assert "another one with the same md5" in detail


@pytest.mark.parametrize(
    ("algorithm", "value", "words"),
    [
        ("sha256", sha()[1][:63], "of 63 characters, 64 are expected"),
        ("sha256", sha()[1] + "0", "of 65 characters"),
        ("sha256", digest("sha1").value, "of 40 characters"),
        ("sha256", "", "of 0 characters"),
        ("md5", sha()[1], "of 64 characters, 32 are expected"),
        ("sha256", "g" * 64, "not hexadecimal"),
        ("sha256", sha()[1].upper(), "not hexadecimal"),
        ("crc32", "00000000", "crc32 is no digest algorithm that is known"),
        ("\x1b[2J", "0", "\\x1b[2J is no digest algorithm"),
    ],
    ids=["short", "long", "sha1", "empty", "swapped", "letters", "case", "crc32", "controls"],
)
def test_a_malformed_digest_is_told_and_never_compared(algorithm: str, value: str, words: str) -> None:
    ((outcome, detail),) = checked(stated((algorithm, value)), holding("d/x.csv"))
    assert outcome is Outcome.COULD_NOT_CHECK
    assert words in detail


def test_a_prefix_of_the_right_digest_does_not_pass_beside_a_good_one() -> None:
    told = stated(("md5", digest("md5").value[:8]), sha())
    assert outcomes(told, holding("d/x.csv")) == [Outcome.COULD_NOT_CHECK, Outcome.VERIFIED]


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (Reach.MISSING, "no such file is here"),
        (Reach.OUTSIDE, "leads out of the folder"),
        (Reach.SET, "a set of files"),
        (Reach.HERE, "the file was not read"),
        (Reach.UNTOLD, "more statements than are compared"),
    ],
)
def test_what_stands_for_no_file_could_not_be_checked(reach: Reach, words: str) -> None:
    told = stated(sha(), reach=reach, path="" if reach is Reach.OUTSIDE else "d/gone.csv")
    ((outcome, detail),) = checked(told, holding("d/x.csv"))
    assert outcome is Outcome.COULD_NOT_CHECK
    assert words in detail


def test_a_missing_file_is_told_even_without_a_digest_and_a_set_is_not() -> None:
    assert outcomes(stated(reach=Reach.MISSING, path="d/gone.csv")) == [Outcome.COULD_NOT_CHECK]
    assert outcomes(stated(reach=Reach.SET, path="")) == []
    assert outcomes(stated(), holding("d/x.csv")) == []


def test_a_member_of_an_archive_is_not_called_missing() -> None:
    told = replace(stated(sha(), reach=Reach.MISSING), unpacked=False)
    ((_, detail),) = checked(told)
    assert "an archive that is not unpacked here" in detail


def test_the_subject_without_a_path_is_the_file_that_speaks() -> None:
    (check,) = stated_checks([stated(sha(), reach=Reach.OUTSIDE, path="")], [holding("d/x.csv")])
    assert check.subject == "d/SUMS"


def test_another_size_is_a_mismatch_also_without_a_digest() -> None:
    told = replace(stated(), size=len(BYTES) + 1)
    (check,) = stated_checks([told], [holding("d/x.csv")])
    assert (check.outcome, check.expected, check.found) == (
        Outcome.CONTENT_MISMATCH, "20 bytes", "19 bytes",
    )  # fmt: skip


def test_an_equal_size_proves_nothing() -> None:
    assert outcomes(replace(stated(), size=len(BYTES)), holding("d/x.csv")) == []


def test_a_size_beside_a_digest_that_fits_is_only_out_of_date() -> None:
    told = replace(stated(sha()), size=1)
    assert outcomes(told, holding("d/x.csv")) == [Outcome.VERIFIED, Outcome.COULD_NOT_CHECK]


def test_a_pointer_has_neither_the_size_nor_the_bytes_of_its_content() -> None:
    pointer = holding(
        "d/x.csv", digest("sha256", grade=Grade.CLAIMED), form="lfs-pointer", kind=FileKind.POINTER
    )
    assert outcomes(replace(stated(sha()), size=1), pointer) == [Outcome.COULD_NOT_CHECK]


def test_an_address_is_verified_by_content_wherever_the_file_lies_below() -> None:
    told = stated(sha(), reach=Reach.ADDRESS, path="")
    (check,) = stated_checks([told], [holding("c/x"), holding("d/deep/y"), holding("e/x")])
    assert (check.outcome, check.subject) == (Outcome.VERIFIED, "d/deep/y")


def test_a_file_of_the_same_name_as_an_address_is_shown_and_not_accused() -> None:
    told = stated(sha(b"other"), reach=Reach.ADDRESS)
    (check,) = stated_checks([told], [holding("d/x.csv")])
    assert (check.outcome, check.found) == (Outcome.COULD_NOT_CHECK, sha()[1])
    assert "a file of the same name has another one" in check.detail


def test_content_elsewhere_does_not_answer_for_an_address() -> None:
    told = stated(sha(), reach=Reach.ADDRESS, path="")
    assert outcomes(told, holding("dd/x"), holding("x")) == [Outcome.COULD_NOT_CHECK]


@pytest.mark.parametrize(
    ("form", "expected"), [("csv", Outcome.COULD_NOT_CHECK), ("parquet", Outcome.CONTENT_MISMATCH)]
)
def test_text_may_have_been_digested_with_other_line_ends(form: str, expected: Outcome) -> None:
    told = replace(stated(("md5", digest("md5", b"other").value)), text_mode=True)
    assert outcomes(told, holding("d/x.csv", digest("md5"), form=form)) == [expected]


def test_names_are_shown_without_controls() -> None:
    told = replace(stated(sha(), reach=Reach.OUTSIDE, path=""), source="d/\u202ex", name="../\x1b[31m")
    (check,) = stated_checks([told], [holding("d/x.csv")])
    assert check.detail.startswith("../\\x1b[31m: ")
    assert "\\u202ex" in check.identity


def listed(*paths: str) -> str:
    entries = [{"md5": digest("md5").value, "relpath": path} for path in sorted(paths)]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def folder(value: str, files: int | None = 2) -> Stated:
    return replace(stated(("md5", value), reach=Reach.FOLDER, path="d/data"), files=files)


def inside(*paths: str) -> list[File]:
    return [holding(path, digest("md5"), digest("sha256")) for path in paths]


def test_a_folder_of_dvc_has_the_published_digest() -> None:
    # Computed by dvc-data 3 over the files that stand here.
    contents = {"b.txt": b"1", "a.csv": b"x\n", "sub/\xe9/z": b"", "sub.x": b"q"}
    files = [holding(f"d/data/{path}", digest("md5", data)) for path, data in contents.items()]
    told = folder("04cd127ad13ed46270f6f920f2c24f0e", files=4)
    assert outcomes(told, *files) == [Outcome.VERIFIED]


def test_a_folder_is_verified_with_all_files_below_it_and_no_other() -> None:
    files = inside("d/data/a", "d/data/b/c", "d/data.csv", "d/data0", "e/data/a")
    assert outcomes(folder(listed("a", "b/c")), *files) == [Outcome.VERIFIED]


def test_a_folder_with_as_many_other_files_or_with_more_is_a_mismatch() -> None:
    told = folder(listed("a", "b"))
    assert outcomes(told, *inside("d/data/a", "d/data/c")) == [Outcome.CONTENT_MISMATCH]
    assert outcomes(told, *inside("d/data/a", "d/data/b", "d/data/c")) == [Outcome.CONTENT_MISMATCH]


def test_a_folder_of_which_something_may_be_missing_could_not_be_checked() -> None:
    value = listed("a", "b")
    assert outcomes(folder(value), *inside("d/data/a")) == [Outcome.COULD_NOT_CHECK]
    assert outcomes(folder(value, files=None), *inside("d/data/a", "d/data/c")) == [Outcome.COULD_NOT_CHECK]
    assert outcomes(folder(value)) == [Outcome.COULD_NOT_CHECK]
    unread = [*inside("d/data/a"), holding("d/data/b")]
    assert outcomes(folder(value), *unread) == [Outcome.COULD_NOT_CHECK]
    ignoring = [*inside("d/data/a", "d/data/b", "d/data/c"), holding("d/.dvcignore")]
    assert outcomes(folder(value), *ignoring) == [Outcome.COULD_NOT_CHECK]


def test_too_many_files_of_folders_are_not_digested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_folder, "FILE_COUNT", 1)
    assert outcomes(folder(listed("a", "b")), *inside("d/data/a", "d/data/b")) == [Outcome.COULD_NOT_CHECK]
