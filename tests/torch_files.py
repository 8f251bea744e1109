"""What the tests of PyTorch's containers share: fixtures, and what PyTorch itself found in them."""

from __future__ import annotations

import hashlib
import json

from aibom.domain.facts import Facts, Layout, Use
from tests.hostile import FIXTURES


def expected(name: str) -> dict[str, dict[str, object]]:
    """Tensors by name, as written by fixtures/scripts/make_torch.py."""
    found = json.loads((FIXTURES / "torch/expected.json").read_text())[name]
    return {tensor["name"]: tensor for tensor in found}


def check_tensors(data: bytes, facts: Facts, name: str) -> None:
    """Every tensor is there, and those that can be digested have PyTorch's bytes."""
    wanted = expected(name)
    assert {tensor.name for tensor in facts.tensors} == wanted.keys()
    for tensor in facts.tensors:
        want = wanted[tensor.name]
        assert (tensor.dtype, list(tensor.shape)) == (want["dtype"], want["shape"])
        assert (tensor.layout is Layout.RAW) == want["raw"]
        stored = data[tensor.offset : tensor.offset + tensor.length]
        if want["raw"]:
            assert hashlib.sha256(stored).hexdigest() == want["sha256"]


def explained(facts: Facts) -> set[int]:
    """The offsets of all bytes that tensors or covered ranges account for."""
    found: set[int] = set()
    for span in facts.covered:
        found.update(range(span.start, span.end))
    for tensor in facts.tensors:
        found.update(range(tensor.offset, tensor.offset + tensor.length))
    return found


def imported(facts: Facts) -> dict[str, bool]:
    return {f"{item.module}.{item.qualname}": item.use is Use.CALL for item in facts.imports}


def messages(facts: Facts) -> str:
    return " | ".join(defect.message for defect in facts.defects)
