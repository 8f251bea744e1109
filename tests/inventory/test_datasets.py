"""Which data files are one dataset, and what is known of it."""

from __future__ import annotations

from aibom.domain.component import Component, ComponentKind, RelationKind
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.inventory import assemble
from tests.builders import TARGET, card, file, no_digest, says, weights


def datasets(*files: File) -> list[Component]:
    found = assemble(files, (), (TARGET,), no_digest).components
    return [component for component in found if component.kind is ComponentKind.DATASET]


def data(path: str, rows: int | None = None) -> File:
    return file(path, "parquet", FileKind.DATA, rows=rows)


def test_data_files_of_a_folder_are_one_dataset_with_their_rows() -> None:
    (found,) = datasets(data("d/train.parquet", 10), data("d/test.parquet", 2))
    assert (found.name, found.first(Attribute.ROW_COUNT)) == ("d", "12")


def test_rows_are_not_summed_when_one_file_does_not_tell_them() -> None:
    (found,) = datasets(data("d/train.parquet", 10), data("d/huge.csv"))
    assert found.first(Attribute.ROW_COUNT) is None


def test_a_dataset_card_gathers_all_data_below_it() -> None:
    about = card(
        "d/README.md", "dataset", says(Attribute.NAME, "Pretty"), says(Attribute.LICENCE, "cc-by-4.0")
    )
    (found,) = datasets(about, data("d/data/train.parquet"), data("d/more/deep/test.parquet"))
    assert (found.name, len(found.files), found.first(Attribute.LICENCE)) == ("Pretty", 3, "cc-by-4.0")


def test_folders_without_a_card_are_datasets_of_their_own() -> None:
    assert [d.name for d in datasets(data("a/x.parquet"), data("b/x.parquet"))] == ["a", "b"]


def test_source_datasets_are_relations() -> None:
    about = card("d/README.md", "dataset", says(Attribute.DATASET, "org/source", relation="source"))
    (found,) = datasets(about, data("d/x.parquet"))
    assert [(r.kind, r.target.location) for r in found.relations if r.target] == [
        (RelationKind.TRAINED_ON, "org/source")
    ]


def test_a_datasets_card_is_not_the_card_of_a_model_beside_it() -> None:
    files = (
        card("x/README.md", "dataset", says(Attribute.LICENCE, "mit")),
        data("x/a.parquet"),
        weights("x/m.gguf", "gguf"),
    )
    found = assemble(files, (), (TARGET,), no_digest).components
    model = next(c for c in found if c.kind is ComponentKind.MODEL)
    assert model.first(Attribute.LICENCE) is None
