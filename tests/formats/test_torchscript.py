"""TorchScript source: operators that reach out are found, however they are written."""

from __future__ import annotations

import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB
from aibom.formats._torchscript import SOURCE_BYTES, examine_script
from aibom.readers.hazards import Hazards
from tests.hostile import FIXTURES

GRAPH, CUSTOM, MODULE = (
    HazardKind.GRAPH_OPERATION,
    HazardKind.CUSTOM_OPERATOR,
    HazardKind.MODULE_REFERENCE,
)


def examined(source: str | bytes) -> list[tuple[HazardKind, str]]:
    hazards = Hazards()
    data = source.encode() if isinstance(source, str) else source
    assert examine_script("m/code/__torch__.py", data, hazards) == ()
    return [(hazard.kind, hazard.found) for hazard in hazards.found]


def saved(model: str) -> list[tuple[HazardKind, str]]:
    """What is found in the source that PyTorch wrote for a model."""
    with zipfile.ZipFile(FIXTURES / "torchscript/code.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith(f"{model}/")]
        assert names
        return [found for name in names for found in examined(archive.read(name))]


@pytest.mark.parametrize("model", ["plain", "traced", "quantised"])
def test_ordinary_models_are_silent(model: str) -> None:
    assert saved(model) == []


def test_a_real_model_that_writes_and_maps_a_file_is_found() -> None:
    assert saved("files") == [(GRAPH, "aten::save"), (GRAPH, "aten::from_file")]


def test_a_hazard_says_where_it_is() -> None:
    hazards = Hazards("m/code/__torch__.py")
    source = b"def f(x):\n  torch.save(x, 'a')\n"
    examine_script("m/code/__torch__.py", source, hazards)
    (hazard,) = hazards.found
    assert hazard.message == (
        "the code in m/code/__torch__.py uses the operator aten::save, which writes a file"
    )
    assert hazard.offset == source.index(b"torch")
    assert hazard.inside == "m/code/__torch__.py"
    assert hazard.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("source", "kind", "found"),
    [
        ("torch.save(x, 'a')", GRAPH, "aten::save"),
        ("y = torch.from_file('a')", GRAPH, "aten::from_file"),
        ("ops.aten.save(x, 'a')", GRAPH, "aten::save"),
        ("f = torch.save", GRAPH, "aten::save"),
        ("torch . save(x, 'a')", GRAPH, "aten::save"),
        ("torch \\\n . \\\n save(x)", GRAPH, "aten::save"),
        ("(torch  # a comment\n .save)(x)", GRAPH, "aten::save"),
        ("ops # a\n . # b\n aten\t.\tsave(x)", GRAPH, "aten::save"),
        ("x='a';torch.save(x)", GRAPH, "aten::save"),
        ("x = '''a''' + torch.save", GRAPH, "aten::save"),
        ("x = 'a\\'' + torch.save", GRAPH, "aten::save"),
        ("ops.image.read_file('a')", GRAPH, "image::read_file"),
        ("ops.prim.PythonOp(x)", GRAPH, "prim::PythonOp"),
        ("rpc_sync('w', f)", GRAPH, "prim::rpc_sync"),
        ("y = ^callback(1)(x)", GRAPH, "^callback"),
        ("t = torch", GRAPH, "torch"),
        ("(torch).save(x)", GRAPH, "torch"),
        ("getattr(torch, 'save')", GRAPH, "torch"),
        ("n = ops.aten", GRAPH, "ops"),
        ("ops.vendor.run(x)", CUSTOM, "vendor::run"),
        ("torch.ops.vendor.run(x)", CUSTOM, "vendor::run"),
        ("x : __torch__.torch.classes.vendor.Engine", CUSTOM, "vendor.Engine"),
        ("import os", MODULE, "os"),
    ],
)
def test_what_reaches_out_is_found_however_it_is_written(source: str, kind: HazardKind, found: str) -> None:
    assert examined(source) == [(kind, found)]


@pytest.mark.parametrize(
    "source",
    [
        "import __torch__.a.b",
        "x = 'torch.save(y)'",
        'x = "ops.vendor.run"',
        'x = """a\n"torch.save"\n"""',
        "x = 'a\\'torch.save(y)'",
        "# torch.save(x)",
        "x = self.torch.save",
        "x = my_torch.save(y)",
        "ops : __torch__.torch.nn.modules.linear.Linear",
        "ops0 = self.ops",
        "y = torch.save_all(x)",
        "y = ops.prim.NumToTensor(torch.size(x, 1))",
        "p : __torch__.torch.classes.quantized.LinearPackedParamsBase",
        "y = ops.torchvision.nms(x)",
    ],
)
def test_what_only_looks_like_it_is_silent(source: str) -> None:
    assert examined(source) == []


def test_a_use_of_the_namespace_itself_is_less_sure() -> None:
    hazards = Hazards()
    examine_script("a", b"t = torch", hazards)
    assert hazards.found[0].confidence is Confidence.MEDIUM


def test_code_beyond_the_limit_is_told_and_the_rest_is_read() -> None:
    hazards = Hazards()
    source = b"torch.save(x)\n#" + b" " * SOURCE_BYTES
    (defect,) = examine_script("a", source, hazards)
    assert defect.reason is Reason.LIMIT
    assert [hazard.found for hazard in hazards.found] == ["aten::save"]


@pytest.mark.parametrize("text", ["'open", '"open', "'''open\n", '"""open\n', "'open\\'"])
def test_a_text_without_an_end_is_told(text: str) -> None:
    hazards = Hazards()
    (defect,) = examine_script("a", f"torch.save(x)\ny = {text}".encode(), hazards)
    assert defect.reason is Reason.MALFORMED
    assert [hazard.found for hazard in hazards.found] == ["aten::save"]


def test_many_libraries_do_not_hide_one_operator_that_does_harm() -> None:
    hazards = Hazards()
    source = "\n".join(f"ops.vendor.run{number}(x)" for number in range(500)) + "\ntorch.save(x)"
    (defect,) = examine_script("a", source.encode(), hazards)
    assert defect.reason is Reason.LIMIT
    assert hazards.found[-1].found == "aten::save"


@given(st.text(alphabet="torchps.save'\"\\#\n ()", max_size=60))
def test_any_source_is_examined(source: str) -> None:
    for defect in examine_script("a", source.encode(), Hazards()):
        assert defect.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "piece",
    [b"torch.add(x)\n", b"'", b'"""', b"'\\", b"torch.", b"torch#\n", b"ops. ", b"\\", b"#", b"a.b", b"^"],
)
def test_much_of_anything_takes_bounded_time_and_memory(piece: bytes) -> None:
    source = piece * (MIB // 4 // len(piece))
    tracemalloc.start()
    started = time.process_time()
    examine_script("a", source, Hazards())
    assert time.process_time() - started < 2
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()
