"""Python files of a model: read on demand, recognised never."""

from __future__ import annotations

import pytest

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import FileKind
from aibom.domain.protocols import Match
from aibom.formats._code import CODE_BYTES
from aibom.formats.remote_code import FORMAT
from tests.hostile import flips, outcome, probe_of, read, truncations

SOURCE = b"import os\n\n\ndef f(x: str) -> None:\n    os.system(f'{x!r:>{1}}')\n"


def test_no_file_is_code_of_a_model_by_itself() -> None:
    assert FORMAT.recognise(probe_of(SOURCE, "modeling_fjord.py")) is Match.NO


def test_the_facts_are_hazards_only() -> None:
    facts = read(FORMAT, SOURCE, "modeling_fjord.py")
    assert (facts.format, facts.kind, facts.statements, facts.tensors) == (
        "python-code",
        FileKind.CODE,
        (),
        (),
    )
    assert [(hazard.found, hazard.offset) for hazard in facts.hazards] == [
        ("process: os.system", SOURCE.index(b"    os"))
    ]


def test_a_broken_source_is_a_defect_and_no_clean_file() -> None:
    facts = read(FORMAT, b"import os\nos.system('x'", "x.py")
    assert [(defect.reason, defect.offset) for defect in facts.defects] == [(Reason.MALFORMED, 10)]


def test_a_source_larger_than_is_read_is_refused() -> None:
    with pytest.raises(UnreadableError, match="at most"):
        read(FORMAT, b"#" * (CODE_BYTES + 1), "x.py")


def test_no_damage_raises_anything_else() -> None:
    for data in (*truncations(SOURCE), *flips(SOURCE, 300)):
        outcome(FORMAT, data, "x.py")
