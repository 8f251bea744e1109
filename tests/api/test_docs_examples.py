"""The examples of docs/python.md run, one after the other, and print what they say."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import aibom
from aibom.api.expectation import DOCUMENT_BYTES, Whom
from aibom.domain.check import Outcome
from aibom.domain.limits import MIB
from tests.api.signed import PRIVATE, PUBLIC

_PAGE = (Path(__file__).parent.parent.parent / "docs" / "python.md").read_text("utf-8")
_BLOCKS = re.findall(r"^```python\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
_FUNCTIONS = ["scan", "sign", "verify", "verified", "open_verified"]


def test_every_example_runs_and_prints_what_its_comment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("key.pem").write_bytes(PRIVATE)
    Path("key.pub").write_bytes(PUBLIC)
    Path("model").mkdir()
    Path("model/config.json").write_text("{}", "utf-8")
    safetensors.numpy.save_file({"a": np.ones(3, np.float32)}, "model/model.safetensors")
    names: dict[str, object] = {}
    assert len(_BLOCKS) >= 6
    for block in _BLOCKS:
        exec(compile(block, "docs/python.md", "exec"), names)
        printed = capsys.readouterr().out
        for told in re.findall(r"print\(error\)  # (.*)", block):
            assert f"{told}\n" in printed
    assert list(names["tensors"]) == ["a"]


@pytest.mark.parametrize("name", _FUNCTIONS)
def test_every_signature_is_that_of_the_function(name: str) -> None:
    (told,) = re.findall(rf"^`({name}\(.*?\) *\n?-> \w+)`$", _PAGE, re.DOTALL | re.MULTILINE)
    signature = inspect.signature(getattr(aibom, name))
    given = [
        f"{'*' if parameter.kind is parameter.VAR_POSITIONAL else ''}{each}"
        + ("" if parameter.default is parameter.empty else f"={parameter.default!r}".replace("'", '"'))
        for each, parameter in signature.parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    if not given[0].startswith("*"):
        given.insert(1, "*")
    more = ["..."] if any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values()) else []
    expected = f"{name}({', '.join([*given, *more])}) -> {signature.return_annotation}"
    assert " ".join(told.split()) == expected


def test_every_name_keyword_and_outcome_is_explained() -> None:
    for name in {*aibom.__all__, *Whom.__annotations__, *(each.value for each in Outcome)} - {"__version__"}:
        assert f"`{name}`" in _PAGE, name
    assert f"{DOCUMENT_BYTES // MIB} MiB" in _PAGE
