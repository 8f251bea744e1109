"""Which files statements about digests are about, and which names are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.facts import Attribute, FileKind, Statement
from aibom.domain.file import File
from aibom.domain.stated import Reach, Stated
from aibom.inventory import stated_digests as module
from aibom.inventory.stated_digests import may_state, resolved, stated_digests, wanted_algorithms
from tests.builders import file

SHA, MD5 = "a" * 64, "b" * 32


def says(value: str, pointer: str = "/distribution/0/contentUrl", **details: str) -> Statement:
    pairs = tuple(details.items())
    return Statement(attribute=Attribute.DATA_FILE, value=value, pointer=pointer, details=pairs)


def stating(form: str, *statements: Statement, path: str = "d/stating") -> File:
    return file(path, form, FileKind.CARD, *statements)


def one(form: str, statement: Statement, *known: str, path: str = "d/stating") -> Stated:
    (found,) = stated_digests([stating(form, statement, path=path)], known)
    return found


def test_a_relative_address_counts_from_the_folder_of_the_description() -> None:
    found = one("croissant", says("data/x.csv", sha256=SHA, size="12"), "d/data/x.csv", "data/x.csv")
    assert (found.reach, found.path) == (Reach.HERE, "d/data/x.csv")
    assert (found.digests, found.size) == ((("sha256", SHA),), 12)
    assert (found.source, found.place) == ("d/stating", "/distribution/0/contentUrl")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./x.csv", "d/x.csv"),
        ("a//x.csv", "d/a/x.csv"),
        ("a/../x.csv", "d/x.csv"),
        ("a b.csv", "d/a b.csv"),
        ("x\\y.csv", "d/x\\y.csv"),
        ("...", "d/..."),
    ],
)
def test_names_below_the_folder_are_resolved(name: str, path: str) -> None:
    assert resolved("d", name) == path


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "/", "..", "../x", "a/../../x", "a/..", "/etc/passwd", "~/x", "\\x", "..\\x", "a\\..\\..\\x",
        "C:\\x", "c:/x", "file:///etc/passwd", "FILE:x", "x\0y",
    ],
)  # fmt: skip
def test_names_that_lead_out_or_nowhere_are_refused(name: str) -> None:
    assert resolved("d", name) is None
    assert one("checksums", says(name, "L1", sha256=SHA), "x", "d/x", "etc/passwd").reach is Reach.OUTSIDE


@given(folder=st.sampled_from(["", "d", "d/e"]), name=st.text("./\\~:ax%", max_size=12))
def test_whatever_is_resolved_stays_below_the_folder(folder: str, name: str) -> None:
    path = resolved(folder, name)
    if path is not None:
        parts = path.split("/")
        assert path.startswith(f"{folder}/" if folder else "")
        assert not {"", ".", ".."} & set(parts)


def test_an_escaped_name_is_the_file_that_it_stands_for() -> None:
    assert one("croissant", says("a%20b.csv"), "d/a b.csv").path == "d/a b.csv"
    assert one("croissant", says("a%20b.csv"), "d/a%20b.csv", "d/a b.csv").path == "d/a%20b.csv"
    assert one("checksums", says("a%20b.csv", "L1"), "d/a b.csv").reach is Reach.MISSING


@pytest.mark.parametrize("name", ["%2e%2e/x.csv", "%2Fetc/passwd", "a/%2e%2e/%2e%2e/x.csv"])
def test_an_escaped_name_does_not_lead_out_either(name: str) -> None:
    found = one("croissant", says(name, sha256=SHA), "x.csv", "etc/passwd")
    assert (found.reach, found.path) == (Reach.OUTSIDE, "")


@pytest.mark.parametrize(
    ("form", "name", "reach"),
    [
        ("croissant", "https://host/a/x.csv?download=1#here", Reach.ADDRESS),
        ("croissant", "hf://datasets/o/n@r/x.csv", Reach.ADDRESS),
        ("dataset-info", "s3://bucket/x.csv", Reach.ADDRESS),
        ("dvc", "remote://store/x.csv", Reach.ADDRESS),
        ("checksums", "https://host/x.csv", Reach.MISSING),
        ("croissant", "file:///x.csv", Reach.OUTSIDE),
    ],
)
def test_an_address_is_no_path(form: str, name: str, reach: Reach) -> None:
    assert one(form, says(name, sha256=SHA), "d/x.csv").reach is reach


def test_an_address_tells_the_file_that_a_download_would_be() -> None:
    assert one("croissant", says("https://host/a/x%20y.csv?d=1"), "d/x y.csv").path == "d/x y.csv"
    assert one("croissant", says("https://host/%2e%2e%2fx.csv"), "x.csv").path == ""


def test_a_set_is_no_file_even_when_one_is_called_so() -> None:
    assert one("croissant", says("*.csv", "/distribution/1/includes"), "d/*.csv").reach is Reach.SET
    assert one("croissant", says("x.csv", "/distribution/1/includes/0"), "d/x.csv").reach is Reach.SET


def test_a_resource_without_an_address_is_told_by_its_name() -> None:
    assert one("croissant", says("x.csv", "/distribution/1/name"), "d/x.csv").path == "d/x.csv"


def test_a_member_of_an_archive_is_compared_when_it_was_unpacked() -> None:
    statement = says("in/x.csv", sha256=SHA, contained_in="archive.zip")
    here, missing = one("croissant", statement, "d/in/x.csv"), one("croissant", statement, "d/archive.zip")
    assert (here.reach, here.unpacked) == (Reach.HERE, False)
    assert (missing.reach, missing.unpacked) == (Reach.MISSING, False)


def test_a_malformed_digest_is_kept_beside_the_others() -> None:
    found = one("croissant", says("x.csv", md5=MD5, malformed="sha256:abc:d"), "d/x.csv")
    assert found.digests == (("md5", MD5), ("sha256", "abc:d"))


def test_a_folder_of_dvc_is_no_file() -> None:
    statement = says("data", "/outs/0", kind="folder", tree=f"{MD5}.dir")
    found = one("dvc", statement, "d/data/x")
    assert (found.reach, found.path, found.digests) == (Reach.FOLDER, "d/data", (("md5", MD5),))
    outside = one("dvc", says("../data", "/outs/0", kind="folder"), "data/x")
    assert outside.reach is Reach.OUTSIDE


def test_only_dvc_before_3_may_have_digested_other_line_ends() -> None:
    assert one("dvc", says("x.csv", "/outs/0", md5=MD5), "d/x.csv").text_mode
    assert not one("dvc", says("x.csv", "/outs/0", md5=MD5, hash="md5"), "d/x.csv").text_mode
    assert not one("checksums", says("x.csv", "L1", md5=MD5), "d/x.csv").text_mode


def test_what_is_no_statement_about_data_of_a_description_is_left_alone() -> None:
    other = Statement(attribute=Attribute.NAME, value="x.csv")
    files = [stating("croissant", other), stating("modelfile", says("x.csv")), file("d/x.csv")]
    assert stated_digests(files, {"d/x.csv"}) == ()


@pytest.mark.parametrize("size", ["", "-1", "1e3", "1" * 19, "\u0661", " 1"])
def test_a_size_that_is_no_number_is_not_stated(size: str) -> None:
    assert one("croissant", says("x.csv", size=size), "d/x.csv").size is None


def test_more_statements_than_are_compared_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATED_COUNT", 2)
    files = [stating("checksums", *[says("x", f"L{n}", md5=MD5) for n in range(4)])]
    assert [each.reach for each in stated_digests(files, {"d/x"})] == [Reach.HERE, Reach.HERE, Reach.UNTOLD]


def test_algorithms_are_asked_for_where_they_can_be_compared() -> None:
    statements = (
        says("x.csv", md5=MD5, sha256=SHA),
        says("x.csv", sha1="c" * 40),
        says("y.csv", sha256=SHA),
        says("z.csv", malformed="md5:abc"),
        says("gone.csv", md5=MD5),
        says("https://host/x.csv", sha512="d" * 128),
        says("../x.csv", md5=MD5),
    )
    paths = {"d/x.csv", "d/y.csv", "d/z.csv", "x.csv"}
    found = stated_digests([stating("croissant", *statements)], paths)
    assert wanted_algorithms(found, paths) == {"d/x.csv": {"md5", "sha1"}}


def test_all_files_of_a_folder_of_dvc_need_md5() -> None:
    paths = ("d/data/x", "d/data/deep/y", "d/data.csv", "data/z")
    found = stated_digests([stating("dvc", says("data", "/outs/0", kind="folder", tree=f"{MD5}.dir"))], paths)
    assert wanted_algorithms(found, paths) == {"d/data/x": {"md5"}, "d/data/deep/y": {"md5"}}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("d/x.csv.dvc", True), ("dvc.lock", True), ("SHA256SUMS", True), ("a/manifest-sha512.txt", True),
        ("x.md5", True), ("croissant.jsonld", True), ("x.csv", False), ("md5/x.csv", False),
        ("a.dvc/x", False), ("checksums.py", False), ("w.sha256.bin", False),
    ],
)  # fmt: skip
def test_files_that_may_speak_of_others_are_known_by_name(path: str, told: bool) -> None:
    assert may_state(path) is told
