"""Notebooks: code cells as one program, magics and `!` lines as commands."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery import notebook
from aibom.discovery.found import Found, Text
from aibom.discovery.notebook import CELL_COUNT
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.limits import DOCUMENT_BYTES
from tests.discovery.python_code import shown

IMPORT = "from transformers import AutoModel\n"
LOAD = "AutoModel.from_pretrained('org/m')"


def cell(source: object, kind: str = "code") -> dict[str, object]:
    return {"cell_type": kind, "source": source, "outputs": [], "metadata": {}}


def written(*sources: object, **members: object) -> bytes:
    cells = [each if isinstance(each, dict) else cell(each) for each in sources]
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **members}
    ).encode()


def read(data: bytes) -> Found:
    collected = Found(path="a.ipynb")
    notebook.discover(Text(path="a.ipynb", data=data), collected)
    return collected


def told(*sources: object) -> list[str]:
    """Place and reference, in one line of text."""
    collected = read(written(*sources))
    assert not collected.defects
    return [f"{one.location.inside} {one.location.line}: {shown(one)}" for one in collected.references]


def test_only_notebooks_are_wanted() -> None:
    assert notebook.DISCOVERER.wants("b/a.ipynb")
    assert not notebook.DISCOVERER.wants("a.py")


def test_a_place_is_told_as_cell_and_line() -> None:
    assert told(cell("# Title", "markdown"), IMPORT, ["x = 1\n", "\n", LOAD]) == [
        ("cell 3 3: model hf:org/m unpinned")
    ]


def test_names_are_shared_by_the_cells() -> None:
    assert told(
        ("from transformers import AutoModel"), "NAME = 'org/a'", "AutoModel.from_pretrained(NAME)"
    ) == ["cell 3 1: model hf:org/a unpinned"]


def test_an_older_notebook_has_worksheets() -> None:
    cells = [{"cell_type": "code", "input": [IMPORT, LOAD], "language": "python"}]
    data = json.dumps({"nbformat": 3, "worksheets": [{"cells": []}, {"cells": cells}]}).encode()
    assert [(one.location.inside, one.location.line) for one in read(data).references] == [("cell 1", 2)]


MAGICS = [
    ("%matplotlib inline\n{}", 2),
    ("%pip install x\n{}", 2),
    ("%%time\n{}", 2),
    ("%%capture out\n{}", 2),
    ("%time m = {}", 1),
    ("%timeit -n 1 -r 1 {}", 1),
    ("files = !ls\n{}", 2),
    ("?AutoModel\nAutoModel?\nAutoModel.x??\n{}", 4),
    ("%load_ext autoreload\n%autoreload 2\n{}", 3),
    ("if x:\n    !ls\n{}", 3),
    ("!pip install \\\n  x\n{}", 3),
    ("%%writefile app.py\n{}", 2),
    ("x = (1\n     % 2)\n{}", 3),
    ("x = (1\n     != 2)\n{}", 3),
    ("text = 'a\\x0cb\\u2028'\n{}", 2),
    ("await x\n{}", 2),
    ("return_ = 1; {}", 1),
]


@pytest.mark.parametrize(("source", "line"), MAGICS)
def test_magics_do_not_hide_code(source: str, line: int) -> None:
    assert told(IMPORT, source.format(LOAD)) == [f"cell 2 {line}: model hf:org/m unpinned"]


@pytest.mark.parametrize("head", ["%%html", "%%javascript", "%%R", "%%latex", "%%writefile a.txt", "%%sql"])
def test_cells_in_other_languages_are_silent(head: str) -> None:
    assert told(IMPORT, f"{head}\n{LOAD}") == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("!hf download org/m", 1),
        ("x = 1\n!hf download org/m --quiet", 2),
        ("%%bash\n\nhf download org/m", 3),
        ("%%sh\nhf download \\\n  org/m", 3),
    ],
)
def test_commands_are_read_as_commands(source: str, line: int) -> None:
    assert told(source) == [f"cell 1 {line}: model hf:org/m unpinned"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("!pip install torch==2.3.1 requests", ["library pypi:torch@2.3.1"]),
        ("%pip install -q 'vllm>=0.5'", ["library pypi:vllm unpinned"]),
        ("%%capture\n%pip install openai==1.40.0", ["library pypi:openai@1.40.0"]),
        ("%conda install -y pytorch=2.1", ["library conda:pytorch@2.1"]),
        ("%pip list\n%pip install requests\n# %pip install torch", []),
    ],
)
def test_what_a_notebook_installs_is_told(source: str, expected: list[str]) -> None:
    assert [shown(one) for one in read(written(source)).references] == expected


def test_a_cell_that_is_no_python_does_not_hide_the_others() -> None:
    collected = read(written(IMPORT, "print 'x'", LOAD))
    assert [(one.location.inside, shown(one)) for one in collected.references] == [
        ("cell 3", "model hf:org/m unpinned")
    ]
    assert [defect.message.partition(":")[0] for defect in collected.defects] == ["cell 2"]


def test_text_that_mentions_a_model_is_silent() -> None:
    assert told(cell(LOAD, "markdown"), cell(LOAD, "raw"), f"# {LOAD}") == []


def test_a_notebook_of_another_language_is_silent() -> None:
    data = written("library(x)\nx <- 1 %>% f", metadata={"kernelspec": {"language": "R"}})
    collected = read(data)
    assert (collected.references, collected.defects) == ([], [])
    assert read(written(IMPORT + LOAD, metadata={"language_info": {"name": "python"}})).references


def test_the_place_of_a_shared_collector_is_put_back() -> None:
    collected = Found(path="a.ipynb")
    notebook.discover(Text(path="a.ipynb", data=written(IMPORT + LOAD)), collected)
    assert collected.place(7) == ("", 7)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b'{"cells": [1, 1], "cells": []}', Reason.MALFORMED),
        (b"[" * 100_000, Reason.LIMIT),
        (b" " * (DOCUMENT_BYTES + 1), Reason.LIMIT),
    ],
)
def test_what_is_no_notebook_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "document",
    [[], 1, None, {"cells": {}}, {"cells": [1, None, {}]},
    {"cells": [{"cell_type": "code"}]}, {"worksheets": 1},
     {"worksheets": [1, {"cells": 1}]}, {"cells": [{"cell_type": "code",
     "source": [1, {}, None]}]}, {"metadata": []}],
)  # fmt: skip
def test_a_document_of_another_shape_has_no_code(document: object) -> None:
    collected = read(json.dumps(document).encode())
    assert (collected.references, collected.defects) == ([], [])


def test_too_many_cells_are_a_limit() -> None:
    cells = [{"cell_type": "code", "source": "x"}] * (CELL_COUNT + 1)
    collected = read(json.dumps({"cells": cells}).encode())
    assert [defect.reason for defect in collected.defects] == [Reason.LIMIT]


def test_too_many_lines_are_a_limit() -> None:
    collected = read(written(IMPORT + LOAD, "\n" * 600_000))
    assert [defect.reason for defect in collected.defects] == [Reason.LIMIT]
    assert [shown(one) for one in collected.references] == ["model hf:org/m unpinned"]


def test_many_cells_that_are_no_python_take_bounded_time() -> None:
    start = time.process_time()
    collected = read(written(*["print 'x'\n" * 5] * 3_000, IMPORT + LOAD))
    assert time.process_time() - start < 5
    assert [shown(one) for one in collected.references] == ["model hf:org/m unpinned"]


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_cells_are_read(sources: list[str]) -> None:
    for reference in read(written(*sources)).references:
        assert reference.location.inside is not None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except UnreadableError:
        return
