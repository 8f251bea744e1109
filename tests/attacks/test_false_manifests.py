"""Manifests that lie about data: none makes other bytes pass, and none can speak about files of others."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping

import pytest

from aibom.domain.check import Check, Outcome
from aibom.domain.entry import Entry
from aibom.domain.file import File
from aibom.domain.protocols import Format
from aibom.domain.stated import Reach
from aibom.fingerprint.one_pass import fingerprint
from aibom.formats import checksums, croissant, dataset_info, dvc
from aibom.inventory.stated_digests import STATED_COUNT, stated_digests, wanted_algorithms
from aibom.readers.ranges import Memory
from aibom.trust.stated import stated_checks
from tests.hostile import read

GOOD, BAD = b"text,label\nhello,1\n", b"text,label\nhello,0\n"
SHA, MD5 = hashlib.sha256(GOOD).hexdigest(), hashlib.md5(GOOD).hexdigest()
FORMS = {
    ".jsonld": croissant.FORMAT,
    "SUMS": checksums.FORMAT,
    ".dvc": dvc.FORMAT,
    ".json": dataset_info.FORMAT,
}


def form_of(path: str) -> Format | None:
    return next((form for suffix, form in FORMS.items() if path.endswith(suffix)), None)


def checked(place: Mapping[str, bytes]) -> tuple[Check, ...]:
    """The same steps as a scan: what speaks is read first, so that the rest is digested as it needs."""
    speaking = {path: form for path in place if (form := form_of(path))}
    files = [looked(path, place[path], form, frozenset()) for path, form in speaking.items()]
    wanted = wanted_algorithms(stated_digests(files, place.keys()), place.keys())
    for path in place.keys() - speaking.keys():
        files.append(looked(path, place[path], None, wanted.get(path, frozenset())))
    return stated_checks(stated_digests(files, place.keys()), files)


def looked(path: str, data: bytes, form: Format | None, more: frozenset[str]) -> File:
    facts = read(form, data, path.rpartition("/")[2]) if form else None
    digests = fingerprint(Memory(data), facts, algorithms=sorted({"sha256", *more})).digests
    return File(entry=Entry(path=path, size=len(data)), digests=digests, facts=facts)


def described(**resource: object) -> bytes:
    document = {
        "@context": {"@vocab": "https://schema.org/"},
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "distribution": [{"@type": "cr:FileObject", "@id": "x", **resource}],
    }
    return json.dumps(document).encode()


def outcomes(place: Mapping[str, bytes]) -> list[Outcome]:
    return [check.outcome for check in checked(place)]


STATING = {
    "croissant-sha256": ("c.jsonld", described(contentUrl="x.csv", sha256=SHA)),
    "croissant-md5": ("c.jsonld", described(contentUrl="x.csv", md5=MD5)),
    "croissant-upper": ("c.jsonld", described(contentUrl="./x.csv", sha256=SHA.upper())),
    "sha256sums": ("SHA256SUMS", f"{SHA}  x.csv\n".encode()),
    "md5sums": ("MD5SUMS", f"{MD5} *./x.csv\n".encode()),
    "tagged": ("SHA256SUMS", f"SHA256 (x.csv) = {SHA}\n".encode()),
    "dvc": ("x.csv.dvc", f"outs:\n- md5: {MD5}\n  hash: md5\n  path: x.csv\n".encode()),
    "dataset-info": ("dataset_info.json", json.dumps(
        {"download_checksums": {"x.csv": {"num_bytes": len(GOOD), "checksum": SHA}}}).encode()),
}  # fmt: skip


@pytest.mark.parametrize("name", STATING)
def test_the_stated_bytes_pass_and_one_flipped_label_fails(name: str) -> None:
    path, manifest = STATING[name]
    assert outcomes({path: manifest, "x.csv": GOOD}) == [Outcome.VERIFIED]
    assert outcomes({path: manifest, "x.csv": BAD}) == [Outcome.CONTENT_MISMATCH]


@pytest.mark.parametrize("name", STATING)
def test_a_description_in_a_folder_speaks_about_its_own_folder(name: str) -> None:
    path, manifest = STATING[name]
    place = {f"d/{path}": manifest, "x.csv": BAD, "d/x.csv": GOOD}
    assert [(check.subject, check.outcome) for check in checked(place)] == [("d/x.csv", Outcome.VERIFIED)]


@pytest.mark.parametrize("length", [0, 1, 8, 32, 40, 63, 65, 128])
def test_a_cut_or_padded_digest_never_passes(length: int) -> None:
    value = (SHA * 2)[:length]
    for path, manifest in (
        ("c.jsonld", described(contentUrl="x.csv", sha256=value)),
        ("SHA256SUMS", f"{value}  x.csv\n{SHA}  other\n".encode()),
    ):
        assert Outcome.VERIFIED not in outcomes({path: manifest, "x.csv": GOOD})


CLIMBING = [
    "../x.csv",
    "a/../../x.csv",
    "/x.csv",
    "..\\x.csv",
    "%2e%2e/x.csv",
    "file:///x.csv",
    "C:\\x.csv",
    "~/x.csv",
]


@pytest.mark.parametrize("name", CLIMBING)
def test_a_description_cannot_accuse_or_clear_files_outside_of_its_folder(name: str) -> None:
    wrong = "0" * 64
    for value in (SHA, wrong):
        manifest = described(contentUrl=name, sha256=value)
        found = checked({"hostile/c.jsonld": manifest, "x.csv": GOOD})
        assert [(check.subject, check.outcome) for check in found] == [
            ("hostile/c.jsonld", Outcome.COULD_NOT_CHECK)
        ]


@pytest.mark.parametrize("name", ["../x.csv", "/x.csv", "a/../../x.csv"])
def test_nor_can_a_list_of_checksums_or_dvc(name: str) -> None:
    for path, manifest in (
        ("h/SHA256SUMS", f"{'0' * 64}  {name}\n".encode()),
        ("h/x.dvc", f"outs:\n- md5: {'f' * 32}\n  path: {name}\n".encode()),
        ("h/y.dvc", f"wdir: ..\nouts:\n- md5: {'f' * 32}\n  path: x.csv\n".encode()),
    ):
        assert outcomes({path: manifest, "x.csv": GOOD}) == [Outcome.COULD_NOT_CHECK]


def test_the_digest_of_an_address_does_not_accuse_a_file_of_the_same_name() -> None:
    manifest = described(contentUrl="https://host.example/x.csv", sha256="0" * 64)
    assert outcomes({"c.jsonld": manifest, "x.csv": GOOD}) == [Outcome.COULD_NOT_CHECK]


def test_a_second_statement_that_fits_does_not_hide_the_first_that_does_not() -> None:
    place = {"SHA256SUMS": f"{'0' * 64}  x.csv\n{SHA}  x.csv\n".encode(), "x.csv": GOOD}
    assert outcomes(place) == [Outcome.CONTENT_MISMATCH, Outcome.VERIFIED]


def test_a_right_size_does_not_stand_in_for_a_digest() -> None:
    assert outcomes({"c.jsonld": described(contentUrl="x.csv", contentSize="19 B"), "x.csv": BAD}) == []


def test_a_wrong_size_is_told_without_a_digest() -> None:
    place = {"c.jsonld": described(contentUrl="x.csv", contentSize="20 B"), "x.csv": GOOD}
    assert outcomes(place) == [Outcome.CONTENT_MISMATCH]


def test_what_is_stated_and_not_there_is_told() -> None:
    (check,) = checked({"c.jsonld": described(contentUrl="gone.csv", sha256=SHA), "x.csv": GOOD})
    assert (check.subject, check.outcome) == ("gone.csv", Outcome.COULD_NOT_CHECK)
    assert "no such file is here" in check.detail


def test_a_manifest_that_states_its_own_digest_is_compared_like_any_other() -> None:
    assert outcomes({"SHA256SUMS": f"{SHA}  SHA256SUMS\n".encode()}) == [Outcome.CONTENT_MISMATCH]


def test_very_many_statements_are_told_in_part_in_little_time() -> None:
    lines = f"{SHA}  x.csv\n".encode() * 30_000
    files = [looked(f"{n}/SHA256SUMS", lines, checksums.FORMAT, frozenset()) for n in range(4)]
    begun = time.process_time()
    found = stated_digests(files, {f"{n}/x.csv" for n in range(4)})
    spent = time.process_time() - begun
    assert (len(found), found[-1].reach) == (STATED_COUNT + 1, Reach.UNTOLD)
    assert spent < 5
