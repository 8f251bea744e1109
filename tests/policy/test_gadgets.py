"""What is known of dangerous imports: the reason is told, and nothing ordinary is called dangerous."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aibom.domain.facts import Import, Use
from aibom.policy.allowlist import parse_pack
from aibom.policy.gadgets import _GROUPS, _KNOWN, _PART_COUNT, why_dangerous

PACKS = sorted((Path(__file__).parent.parent.parent / "policies" / "allowlists").glob("*.json"))


def called(module: str, qualname: str, arguments: str = "", use: Use = Use.CALL) -> str | None:
    return why_dangerous(Import(module=module, qualname=qualname, offset=0, use=use, arguments=arguments))


@pytest.mark.parametrize(
    ("module", "qualname", "reason"),
    [
        ("os", "system", "starts a process"),
        ("posix", "system", "starts a process"),
        ("nt", "system", "starts a process"),
        ("commands", "getoutput", "starts a process"),
        ("builtins", "eval", "runs Python source"),
        ("__builtin__", "eval", "runs Python source"),
        ("__builtin__", "execfile", "runs Python source"),
        ("bdb", "Bdb.run", "runs Python source"),
        ("torch.jit.unsupported_tensor_ops", "execWrapper", "runs Python source"),
        ("types", "CodeType", "builds a function from code in the file"),
        ("cloudpickle.cloudpickle", "_make_function", "builds a function from code in the file"),
        ("importlib", "import_module", "imports a module by name"),
        ("torch.hub", "load", "unpickles or loads a further file"),
        ("cPickle", "loads", "unpickles or loads a further file"),
        ("transformers", "AutoModel.from_pretrained", "unpickles or loads a further file"),
        ("ctypes", "CDLL", "loads native code"),
        ("_io", "open", "opens or changes files"),
        ("pathlib", "Path.write_text", "opens or changes files"),
        ("pathlib._local", "Path.unlink", "opens or changes files"),
        ("urllib2", "urlopen", "opens a network connection"),
        ("urllib", "urlopen", "opens a network connection"),
        ("functools", "reduce", "calls what it is given"),
        ("__builtin__", "reduce", "calls what it is given"),
        ("itertools", "imap", "calls what it is given"),
        ("builtins", "setattr", "reaches into other objects"),
        ("collections", "OrderedDict.__init__.__globals__", "reaches for internals of Python"),
        ("?", "system", "has a name that cannot be resolved"),
        ("os", "?", "has a name that cannot be resolved"),
    ],
)
def test_a_known_gadget_is_explained_under_each_of_its_names(module: str, qualname: str, reason: str) -> None:
    assert called(module, qualname) == reason


@pytest.mark.parametrize(
    "qualname", ["os.system", "io.os.system", "builtins.eval", "a.b.c.subprocess.Popen", "types.CodeType"]
)
def test_what_another_module_carries_is_found(qualname: str) -> None:
    assert called("torch.serialization", qualname) == called(*qualname.split(".")[-2:])


@pytest.mark.parametrize("use", Use)
def test_a_gadget_is_dangerous_for_every_use(use: Use) -> None:
    assert called("os", "system", use=use) == "starts a process"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("(?, '__globals__')", "reads internals of Python from another object"),
        ("(collections.OrderedDict, '__init__')", "reads internals of Python from another object"),
        ("(os.path, 'join')", "reads an attribute of os.path"),
        ("(pickle, 'os')", "reads an attribute of pickle"),
        ("(torch.hub, 'load')", "reads an attribute of torch.hub"),
        ("(torch, 'load')", "reads an attribute of torch"),
        ("(?, 'system')", "reads 'system'"),
        ('(?, "subprocess")', "reads 'subprocess'"),
        ("(enum.Enum, 'A'); (?, 'popen')", "reads 'popen'"),
    ],
)
@pytest.mark.parametrize("module", ["builtins", "__builtin__"])
def test_reading_an_attribute_is_as_dangerous_as_the_attribute(
    module: str, arguments: str, reason: str
) -> None:
    assert called(module, "getattr", arguments) == reason
    assert called(module, "getattr", arguments, use=Use.REFERENCE) is None


@pytest.mark.parametrize(
    ("module", "qualname", "arguments"),
    [
        ("builtins", "getattr", "(zoneinfo.ZoneInfo, '_unpickle')"),
        ("builtins", "getattr", "(transformers.trainer_utils.IntervalStrategy, 'STEPS')"),
        ("builtins", "getattr", "(?, 'eval')"),
        ("operator", "itemgetter", "(0,)"),
        ("functools", "partial", "(?, 1)"),
        ("copyreg", "__newobj__", ""),
        ("my_project.models", "Encoder", ""),
        ("urllib.parse", "ParseResult", ""),
        ("distutils.version", "LooseVersion", ""),
        ("scipy.io.matlab._mio5_params", "mat_struct", ""),
        ("scipy.signal._ltisys", "TransferFunction", ""),
        ("scipy.stats._continuous_distns", "norm_gen", ""),
        ("numpy.core", "_ufunc_reconstruct", ""),
        ("sklearn.datasets.base", "Bunch", ""),
        ("transformers.pipelines.text_classification", "TextClassificationPipeline", ""),
        ("ossaudio", "Open", ""),
    ],
)
def test_what_ordinary_files_hold_is_not_called_dangerous(module: str, qualname: str, arguments: str) -> None:
    assert called(module, qualname, arguments) is None


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_no_name_of_a_shipped_pack_is_a_known_gadget(path: Path) -> None:
    for (module, qualname), uses in parse_pack(path.read_bytes()).entries.items():
        for use in uses:
            assert called(module, qualname, use=use) is None, f"{module}.{qualname}"


def test_every_known_name_stands_in_one_group_and_is_found() -> None:
    names = [name for group in _GROUPS.values() for name in group.split()]
    assert len(names) == len(_KNOWN) > 250
    for name in names:
        module, _, qualname = f"{name}.x".rpartition(".")
        assert called(module, qualname) == _KNOWN[name]
        assert name.count(".") < _PART_COUNT


def test_five_thousand_names_of_many_parts_take_no_time() -> None:
    start = time.process_time()
    for number in range(5_000):
        called("a." * 120 + "b", "c." * 120 + str(number))
    assert time.process_time() - start < 2
