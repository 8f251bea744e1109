"""Splits and configurations: the cases of the documentation of datasets, and what hides among the files."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.formats import model_card
from aibom.inventory import splits as module
from aibom.inventory.splits import Configuration, configurations, splits_of
from tests.hostile import read

Told = dict[str, list[str]]


def told(*paths: str, card: str = "") -> Told:
    configured = (
        configurations(read(model_card.FORMAT, f"---\n{card}\n---\n".encode(), "README.md")) if card else ()
    )
    found = splits_of(paths, configured)
    return {f"{each.config}/{each.split}": list(each.paths) for each in found}


def test_one_file_is_train() -> None:
    assert told("README.md", "data.csv") == {"default/train": ["data.csv"]}


def test_files_named_after_splits() -> None:
    assert told("train.csv", "test.csv", "validation.csv") == {
        "default/train": ["train.csv"],
        "default/validation": ["validation.csv"],
        "default/test": ["test.csv"],
    }


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("my_train_file.csv", "train"), ("train1.csv", "train"), ("train-0001.csv", "train"),
        ("x.train.csv", "train"), ("my train.csv", "train"), ("training.csv", "train"),
        ("validation.csv", "validation"), ("valid.csv", "validation"), ("dev.csv", "validation"),
        ("val_1.csv", "validation"), ("test-file.csv", "test"), ("testing.csv", "test"),
        ("eval.csv", "test"), ("evaluation.csv", "test"),
    ],
)  # fmt: skip
def test_every_keyword_between_separators_is_a_split(name: str, split: str) -> None:
    assert told(name, "other.csv") == {f"default/{split}": [name]}


@pytest.mark.parametrize("name", ["testfile.csv", "trainee.csv", "contrain.csv", "Train.csv", "train"])
def test_a_keyword_within_a_word_is_none(name: str) -> None:
    assert told(name) == {"default/train": [name]}
    assert told(name, "test.csv") == {"default/test": ["test.csv"]}


def test_folders_named_after_splits() -> None:
    paths = [
        "data/train/shard_0.csv",
        "data/train/shard_1.csv",
        "data/test/shard_0.csv",
        "data/validation/x.csv",
    ]
    assert told(*paths) == {
        "default/train": paths[:2],
        "default/validation": ["data/validation/x.csv"],
        "default/test": ["data/test/shard_0.csv"],
    }


def test_folders_win_over_names() -> None:
    assert told("train/test.csv", "dev-set/x.csv", "test.csv") == {
        "default/train": ["train/test.csv"],
        "default/validation": ["dev-set/x.csv"],
    }


def test_labels_lie_below_the_folders_of_splits() -> None:
    assert told("train/cat/1.png", "test/dog/2.png") == {
        "default/train": ["train/cat/1.png"],
        "default/test": ["test/dog/2.png"],
    }


def test_custom_names_of_shards_come_behind_the_usual_ones() -> None:
    paths = [
        "data/test-00000-of-00001.parquet", "data/train-00000-of-00002.parquet",
        "data/train-00001-of-00002.parquet", "data/abc-00000-of-00001-0123.parquet",
        "data/my.own-00000-of-00001.parquet", "other/train.csv", "train.csv",
    ]  # fmt: skip
    assert list(told(*paths).items()) == [
        ("default/train", paths[1:3]),
        ("default/test", paths[:1]),
        ("default/abc", ["data/abc-00000-of-00001-0123.parquet"]),
        ("default/my.own", ["data/my.own-00000-of-00001.parquet"]),
    ]


def test_a_file_can_be_in_two_splits() -> None:
    assert told("train-test.csv") == {
        "default/train": ["train-test.csv"],
        "default/test": ["train-test.csv"],
    }


@pytest.mark.parametrize("path", [".git/train.csv", ".train.csv", "__pycache__/train.csv", "a/.b/train.csv"])
def test_hidden_files_are_in_no_split(path: str) -> None:
    assert told(path) == {}
    assert told(path, "x.csv") == {"default/train": ["x.csv"]}


SPLITS = """configs:
- config_name: default
  data_files:
  - split: train
    path: "data/*.csv"
  - split: test
    path: ["holdout/*.csv", "more.csv"]
"""


def test_a_card_names_files_of_splits() -> None:
    paths = ["data/abc.csv", "data/def.csv", "data/deep/x.csv", "holdout/ghi.csv", "more.csv", "train.csv"]
    assert told(*paths, card=SPLITS) == {
        "default/train": ["data/abc.csv", "data/def.csv"],
        "default/test": ["holdout/ghi.csv", "more.csv"],
    }


CONFIGS = """configs:
- config_name: main_data
  data_files: "main_data.csv"
- config_name: additional_data
  data_files: ["additional_data.csv", "more/*.csv"]
- config_name: gone
  data_files: "gone.csv"
"""


def test_a_card_names_configurations() -> None:
    assert told("main_data.csv", "additional_data.csv", "more/1.csv", card=CONFIGS) == {
        "main_data/train": ["main_data.csv"],
        "additional_data/train": ["additional_data.csv", "more/1.csv"],
    }


def test_a_single_configuration_need_not_be_a_list_or_named() -> None:
    assert told("x.csv", card="configs:\n  data_files: x.csv") == {"default/train": ["x.csv"]}
    assert told("x.csv", card="configs:\n- data_files: x.csv") == {"default/train": ["x.csv"]}


def test_a_configuration_without_files_is_found_by_names() -> None:
    assert told("train.csv", "test.csv", card="configs:\n- config_name: a") == {
        "a/train": ["train.csv"],
        "a/test": ["test.csv"],
    }


def test_a_folder_of_a_configuration_is_where_names_count_from() -> None:
    paths = ["en/train.csv", "en/test.csv", "fr/train/x.csv", "other/train.csv"]
    configured = (Configuration(name="en", folder="./en/"), Configuration(name="fr", folder="fr"))
    assert [(each.config, each.split, each.paths) for each in splits_of(paths, configured)] == [
        ("en", "train", ("en/train.csv",)),
        ("en", "test", ("en/test.csv",)),
        ("fr", "train", ("fr/train/x.csv",)),
    ]
    inside = Configuration(name="en", folder="en", patterns=(("train", "*.csv"),))
    assert splits_of(paths, (inside,))[0].paths == ("en/test.csv", "en/train.csv")


def test_a_pattern_finds_what_is_hidden_only_when_it_says_so() -> None:
    paths = [".hidden.csv", ".d/x.csv", "__s__/y.csv", "z.csv"]
    for pattern, found in (
        ("**", ["z.csv"]),
        (".*", [".hidden.csv"]),
        (".*/*", [".d/x.csv"]),
        ("__*/*", ["__s__/y.csv"]),
    ):
        configured = (Configuration(name="c", patterns=(("train", pattern),)),)
        assert [list(each.paths) for each in splits_of(paths, configured)] == [found]


@pytest.mark.parametrize("pattern", ["../x.csv", "/x.csv", "../*", "d/../x.csv", "https://host/x.csv"])
def test_a_pattern_that_leads_out_finds_nothing(pattern: str) -> None:
    configured = (Configuration(name="c", patterns=(("train", pattern),)),)
    assert splits_of(["x.csv", "d/x.csv"], configured) == ()


def test_patterns_that_find_a_file_twice_tell_it_once() -> None:
    configured = (Configuration(name="c", patterns=(("train", "*.csv"), ("train", "x.csv"))),)
    assert splits_of(["x.csv", "y.csv"], configured)[0].paths == ("x.csv", "y.csv")


def test_too_many_or_too_long_patterns_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MATCH_COUNT", 3)
    for patterns in ((("train", "*"),) * 2, (("train", "*" + "a" * 2_000),)):
        with pytest.raises(UnreadableError) as caught:
            splits_of(["x", "y"], (Configuration(name="c", patterns=patterns),))
        assert caught.value.reason is Reason.LIMIT


@given(st.lists(st.text("train-/.0_ tes", min_size=1, max_size=12), max_size=10, unique=True))
def test_every_split_holds_given_files_and_each_once(paths: list[str]) -> None:
    for each in splits_of(paths):
        assert set(each.paths) <= set(paths)
        assert len(set(each.paths)) == len(each.paths) > 0


def test_many_files_take_little_time() -> None:
    paths = [f"data/{'-' * 50}/train{n}/x{n}.csv" for n in range(20_000)]
    begun = time.process_time()
    assert len(splits_of(paths)[0].paths) == 20_000
    assert time.process_time() - begun < 3
