"""`import aibom` itself: what it offers, what it costs, and that its stub tells the truth."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aibom

_STUB = Path(aibom.__file__).with_suffix(".pyi")


@pytest.mark.parametrize("name", aibom.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(aibom, name) is not None
    assert name in dir(aibom)


def test_the_stub_names_the_same_objects_in_the_same_places() -> None:
    found = {}
    for node in ast.parse(_STUB.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert alias.asname == alias.name, "only a renamed import is an export"
                found[alias.name] = node.module
    assert found == aibom._HOMES
    assert {*found, "__version__"} == set(aibom.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'verifed'"):
        _ = aibom.verifed


def test_an_import_loads_nothing_until_a_name_is_used() -> None:
    code = (
        "import sys; before = set(sys.modules); import aibom; "
        "print(sorted(set(sys.modules) - before - {'aibom', '__future__'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("name", ["verify", "verified", "sign", "scan"])
def test_no_name_needs_the_command_line_or_sigstore(name: str) -> None:
    code = f"import sys; from aibom import {name}; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"click", "rich", "sigstore", "cryptography", "aibom.cli"} & set(found.stdout.split())
