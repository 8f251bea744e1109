"""The truth about the corpus of references: what is read, and what is refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.references.truth import COLUMNS, TruthError, read_truth

HEADER = ",".join(COLUMNS)
CELLS = [
    {"cell_type": "markdown", "source": ["# one\n", "two"]},
    {"cell_type": "code", "source": "import torch\nload()\n"},
]


def corpus(root: Path, *rows: str, header: str = HEADER, table: str = "python.csv") -> Path:
    """A script of three lines, a notebook of two cells, and the truth about them."""
    folder = root / "corpus" / "python" / "app"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("one\ntwo\nthree\n")
    (folder / "a.ipynb").write_text(json.dumps({"cells": CELLS}))
    (folder / "old.ipynb").write_text(json.dumps({"worksheets": [{"cells": [{"input": ["one\n", "two"]}]}]}))
    (root / "truth").mkdir()
    (root / "truth" / table).write_text("\n".join([header, *rows, ""]))
    return root


def test_every_field_of_a_line_is_read(tmp_path: Path) -> None:
    row = "python/app/train.py,,2-3,model|service,hf:org/name,v1.0,remote-code http"
    (truth,) = read_truth(corpus(tmp_path, row))
    assert (truth.files, truth.path, truth.part) == ("python", "python/app/train.py", "")
    assert (truth.first, truth.last, truth.place) == (2, 3, "python/app/train.py:2")
    assert (truth.kinds, truth.target) == ({"model", "service"}, "hf:org/name")
    assert (truth.revision, truth.flags) == ("v1.0", {"remote-code", "http"})


def test_what_is_left_open_is_none(tmp_path: Path) -> None:
    (truth,) = read_truth(corpus(tmp_path, "python/app/train.py,,3,dataset,?,,"))
    assert (truth.first, truth.last) == (3, 3)
    assert (truth.target, truth.revision, truth.flags) == (None, None, frozenset())


def test_lines_of_notebooks_are_those_of_the_cell(tmp_path: Path) -> None:
    rows = "python/app/a.ipynb,cell 2,2,model,hf:a/b,,", "python/app/old.ipynb,cell 1,2,model,hf:a/b,,"
    new, old = read_truth(corpus(tmp_path, *rows))
    assert new.place == "python/app/a.ipynb:cell 2:2"
    assert old.part == "cell 1"


def test_a_target_with_commas_is_quoted(tmp_path: Path) -> None:
    (truth,) = read_truth(corpus(tmp_path, 'python/app/train.py,,1,dataset,"file:a,b",,'))
    assert truth.target == "file:a,b"


BROKEN = {
    "python/app/train.py,,1,model,hf:a/b,": "6 columns, not 7",
    "python/app/train.py,,4,model,hf:a/b,,": "line 4 of 3",
    "python/app/train.py,,0,model,hf:a/b,,": "'0' is not a line",
    "python/app/train.py,,3-2,model,hf:a/b,,": "line 3-2 of 3",
    "python/app/train.py,,1-,model,hf:a/b,,": "'1-' is not a line",
    "python/app/gone.py,,1,model,hf:a/b,,": "there is no file gone.py",
    "docker/app/train.py,,1,model,hf:a/b,,": "not below python/",
    "python/../python/app/train.py,,1,model,hf:a/b,,": "not below python/",
    "python/app/train.py,,1,modle,hf:a/b,,": "'modle' is no kind",
    "python/app/train.py,,1,,hf:a/b,,": "'' is no kind",
    "python/app/train.py,,1,model,a/b,,": "'a/b' is not scheme:location",
    "python/app/train.py,,1,model,hf:,,": "'hf:' is not scheme:location",
    "python/app/train.py,,1,model,,,": "'' is not scheme:location",
    "python/app/train.py,,1,model,hf:a/b,,careless": "'careless' is no flag",
    "python/app/train.py,cell 1,1,model,hf:a/b,,": "a notebook needs a cell",
    "python/app/a.ipynb,,1,model,hf:a/b,,": "a notebook needs a cell",
    "python/app/a.ipynb,cell 3,1,model,hf:a/b,,": "no 'cell 3' in 2 cells",
    "python/app/a.ipynb,two,1,model,hf:a/b,,": "no 'two' in 2 cells",
    "python/app/a.ipynb,cell 2,3,model,hf:a/b,,": "line 3 of 2",
    'python/app/train.py,,1,model,"hf:a/b,,': "unexpected end of data",
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_broken_line_is_refused_with_file_and_line(tmp_path: Path, row: str) -> None:
    good = "python/app/train.py,,1,model,hf:a/b,,"
    with pytest.raises(TruthError) as caught:
        read_truth(corpus(tmp_path, good, row))
    assert str(caught.value).startswith("python.csv:3: ")
    assert BROKEN[row] in str(caught.value)


def test_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"^python\.csv:1: the columns are not path,part"):
        read_truth(corpus(tmp_path, header="path,line"))


def test_the_corpus_of_the_project_is_what_its_truth_says() -> None:
    truths = read_truth(Path(__file__).parents[2] / "benchmarks" / "references")
    assert len(truths) >= 300
    assert len({truth.path for truth in truths}) >= 60
