"""Stated numbers of rows: told where files contradict them, silent where they cannot tell."""

from __future__ import annotations

import pytest

from aibom.domain.check import Outcome
from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, Defect, FileKind, Statement
from aibom.domain.file import File
from aibom.inventory.stated_rows import stated_rows
from tests.builders import file


def split(name: str, rows: str, config: str | None = None) -> Statement:
    details = (("configuration", config),) if config else ()
    return Statement(attribute=Attribute.SPLIT, value=name, details=(*details, ("rows", rows)))


def pattern(text: str, name: str, config: str, at: int = 0) -> Statement:
    return Statement(
        attribute=Attribute.DATA_FILE,
        value=text,
        pointer=f"/configs/{at}/data_files/0/path",
        details=(("configuration", config), ("split", name)),
    )


def card(*statements: Statement, path: str = "d/README.md", form: str = "card") -> File:
    return file(path, form, FileKind.CARD, *statements)


def data(path: str, rows: int | None, form: str = "parquet", **facts: object) -> File:
    return file(path, form, FileKind.DATA, rows=rows, **facts)


def told(*files: File) -> list[tuple[str, Outcome, str, str]]:
    return [(each.subject, each.outcome, each.expected, each.found) for each in stated_rows(files)]


def test_equal_numbers_prove_nothing() -> None:
    assert told(card(split("train", "3")), data("d/train.parquet", 3)) == []


def test_more_rows_than_stated_are_a_mismatch() -> None:
    assert told(card(split("train", "3")), data("d/train.parquet", 4)) == [
        ("d/train.parquet", Outcome.CONTENT_MISMATCH, "3 rows", "4 rows")
    ]


def test_fewer_rows_may_be_a_part_that_was_fetched() -> None:
    assert told(card(split("train", "3")), data("d/train.parquet", 2))[0][1] is Outcome.COULD_NOT_CHECK
    shards = [data(f"d/data/train-0000{n}-of-00002.parquet", 1) for n in range(2)]
    assert told(card(split("train", "3")), shards[0])[0][1] is Outcome.COULD_NOT_CHECK
    assert told(card(split("train", "3")), *shards) == [
        ("d/README.md", Outcome.CONTENT_MISMATCH, "3 rows", "2 rows")
    ]


def test_the_rows_of_all_files_of_a_split_count() -> None:
    shards = [data(f"d/data/train-0000{n}-of-00002.parquet", 5) for n in range(2)]
    other = data("d/data/test-00000-of-00001.parquet", 9)
    assert told(card(split("train", "10"), split("test", "9")), *shards, other) == []


@pytest.mark.parametrize(
    "unsure",
    [
        data("d/train-2.csv", None, "csv"),
        data("d/train-2.csv", 7, "csv"),
        data("d/train-2.parquet", None),
        data("d/train-2.parquet", 7, defects=(Defect(reason=Reason.MALFORMED, message="x"),)),
    ],
    ids=["csv", "estimate", "untold", "defect"],
)
def test_a_file_that_does_not_tell_decides_nothing(unsure: File) -> None:
    assert told(card(split("train", "1")), data("d/train.parquet", 5), unsure) == []


def test_configurations_of_the_card_say_which_files_count() -> None:
    about = card(
        pattern("en/*.parquet", "train", "en"),
        pattern("fr/*.parquet", "train", "fr", 1),
        split("train", "2", "en"),
        split("train", "2", "fr"),
        split("train", "2", "gone"),
    )
    files = data("d/en/a.parquet", 2), data("d/fr/a.parquet", 3)
    assert told(about, *files) == [("d/fr/a.parquet", Outcome.CONTENT_MISMATCH, "2 rows", "3 rows")]


def test_one_configuration_may_be_described_under_another_name() -> None:
    info = card(split("train", "2", "plain_text"), path="d/dataset_info.json", form="dataset-info")
    assert len(told(info, data("d/train.parquet", 3))) == 1


def test_the_card_says_which_files_count_for_other_descriptions_too() -> None:
    info = card(split("train", "2", "en"), path="d/dataset_info.json", form="dataset-info")
    about = card(pattern("a.parquet", "train", "en"))
    assert told(info, about, data("d/a.parquet", 2), data("d/b.parquet", 9)) == []


def test_a_card_speaks_about_its_own_folder() -> None:
    assert told(card(split("train", "2")), data("train.parquet", 3), data("e/train.parquet", 3)) == []


@pytest.mark.parametrize("rows", ["", "-1", "many", "1" * 19])
def test_what_is_no_number_is_not_compared(rows: str) -> None:
    assert told(card(split("train", rows)), data("d/train.parquet", 3)) == []


def test_patterns_beyond_the_limit_decide_nothing() -> None:
    about = card(pattern("*" + "a" * 2_000, "train", "c"), split("train", "2", "c"))
    assert told(about, data("d/train.parquet", 3)) == []
