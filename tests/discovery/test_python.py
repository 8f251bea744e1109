"""Python code as a whole: how files are read, hinted at, and bounded."""

from __future__ import annotations

import ast
import gc
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery import discover, python, wanting
from aibom.discovery.found import REFERENCE_COUNT, Found, Text
from aibom.discovery.python_loaders import LOADERS, ROOTS
from aibom.discovery.python_parse import SIGN_COUNT, SOURCE_BYTES, head
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.python_code import found, shown, told

IMPORT = "from transformers import AutoModel\n"
LOAD = "AutoModel.from_pretrained('org/m')"


def read(data: bytes) -> Found:
    collected = Found(path="x.py")
    python.discover(Text(path="x.py", data=data), collected)
    return collected


@pytest.mark.parametrize("path", ["a.py", "b/c.pyi", "d.pyw"])
def test_python_files_are_wanted(path: str) -> None:
    assert python.DISCOVERER in wanting(path)
    assert python.DISCOVERER not in wanting(f"{path}c")


IMPORTS = [
    ("import transformers", "transformers.AutoModel"),
    ("import transformers as tf", "tf.AutoModel"),
    ("import os, transformers", "transformers.AutoModel"),
    ("import transformers.models.bert as b", "b.BertModel"),
    ("import transformers.models.bert", "transformers.models.bert.BertModel"),
    ("from transformers import AutoModel", "AutoModel"),
    ("from transformers import (\n    AutoConfig,\n    AutoModel as A,\n)", "A"),
    ("from transformers import *", "AutoModel"),
    ("try:\n    from transformers import AutoModel\nexcept ImportError:\n    AutoModel = None", "AutoModel"),
    (
        (
            "try:\n    from nothing import AutoModel\n"
            "except ImportError:\n    from transformers import AutoModel"
        ),
        "AutoModel",
    ),
    ("if x:\n    from transformers import AutoModel", "AutoModel"),
    ("def f():\n    global AutoModel\n    from transformers import AutoModel", "AutoModel"),
    ("import transformers\nAutoModel = transformers.AutoModel", "AutoModel"),
    ("import transformers\nC = {'a': transformers.AutoModel}", "C['a']"),
    ("import transformers\nclass Mine(transformers.AutoModel): ...", "Mine"),
    ("import os; import transformers", "transformers.AutoModel"),
    ("\timport transformers".strip(), "transformers.AutoModel"),
]


@pytest.mark.parametrize(("imported", "name"), IMPORTS)
def test_imports_and_aliases(imported: str, name: str) -> None:
    assert told(f"{imported}\n{name}.from_pretrained('org/m')\n") == ["model hf:org/m unpinned"]


FORMS = [
    "x = {}", "x: int = {}", "x = y = {}", "x, y = {}, 1", "(x := {})", "return_ = [{}]", "f({})", "f(x={})",
    "{}.eval().to('cuda')",
    "{}[0]", "x = {} if y else None", "assert {}", "lambda: {}", "[{} for _ in x]", "{{1: {}}}", 'f"{{{}}}"',
    "del ({})[0]",
    "def f(x={}): ...", "@f({})\ndef g(): ...", "class A(f({})): ...", "class A:\n    x = {}",
    "class A:\n    def f(self): return {}",
    "async def f():\n    async with {} as x: await x", "async def f():\n    await {}",
    "def f():\n    yield {}", "with {} as x: ...",
    "for x in {}: ...", "while {}: ...", "if x: ...\nelif {}: ...",
    "try: ...\nexcept E:\n    {}\nfinally: ...",
    "try: ...\nfinally:\n    {}", "try: ...\nexcept* E:\n    {}", "match x:\n    case 1 if {}: ...",
    "match x:\n    case _: {}",
    "raise {}", "global x\nx = {}", "x += {}", "x[{}] = 1", "x.y = {}", "print(*{}, **{{}})",
    "if __name__ == '__main__':\n    {}",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_call_is_found_wherever_it_stands(form: str) -> None:
    assert told(IMPORT + form.format(LOAD)) == ["model hf:org/m unpinned"]


@pytest.mark.parametrize(
    "call",
    [
        "functools.partial(AutoModel.from_pretrained, 'org/m')",
        "partial(AutoModel.from_pretrained, 'org/m')()",
        "asyncio.to_thread(AutoModel.from_pretrained, 'org/m')",
        "loop.run_in_executor(None, AutoModel.from_pretrained, 'org/m')",
        "executor.submit(AutoModel.from_pretrained, 'org/m')",
        "load = AutoModel.from_pretrained; load('org/m')",
    ],
)
def test_a_function_that_is_handed_over_is_called(call: str) -> None:
    assert told(IMPORT + call) == ["model hf:org/m unpinned"]


def test_line_and_column_are_those_of_the_call() -> None:
    code = IMPORT + "\n\nmodel = AutoModel.from_pretrained(\n    'org/m',\n)\n"
    (reference,) = found(code).references
    assert (reference.location.line, reference.location.column, reference.loader) == (
        4, 9, "transformers.AutoModel.from_pretrained",
    )  # fmt: skip


def test_one_call_of_two_names_gives_two_references_in_one_place() -> None:
    references = found(IMPORT + "AutoModel.from_pretrained('org/a' if x else 'org/b')").references
    assert [shown(one) for one in references] == ["model hf:org/a unpinned", "model hf:org/b unpinned"]
    assert {one.location.line for one in references} == {2}


SILENT = [
    f"# {LOAD}",
    f"'''{LOAD}'''",
    f"def f():\n    '''\n    >>> {LOAD}\n    '''",
    f"x = {LOAD!r}",
    "AutoModel.from_config('org/m')",
    "AutoModel",
    "from_pretrained('org/m')",
    "def AutoModel(): ...",
]


@pytest.mark.parametrize("code", SILENT)
def test_what_is_no_call_of_a_loader_is_silent(code: str) -> None:
    assert told(IMPORT + code) == []


def test_a_name_that_is_bound_again_is_another_thing() -> None:
    assert told(f"{IMPORT}class AutoModel:\n    def from_pretrained(self): ...\n{LOAD}") == []
    assert told(f"{IMPORT}def f(AutoModel):\n    AutoModel.from_pretrained('small')") == []


# Bad input


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"print 'x'\n", Reason.MALFORMED, "not Python 3."),
        (b"x = (\n", Reason.MALFORMED, "line 1"),
        (b"exec 'x' in y\n", Reason.MALFORMED, "line 1"),
        (b"\0", Reason.MALFORMED, "null bytes"),
        (b"x = '\xe9'\n", Reason.MALFORMED, "utf-8"),
        ("import transformers".encode("utf-16"), Reason.MALFORMED, "not Python"),
        (b"# coding: nope\nx = 1\n", Reason.MALFORMED, "unknown encoding"),
        (b"# coding: rot13\nx = 1\n", Reason.MALFORMED, "not Python"),
        (b"# coding: undefined\nx = 1\n", Reason.MALFORMED, "not Python"),
        (b"x = " + b"1" * 5_000 + b"\n", Reason.MALFORMED, "4300"),
        (b"(" * 10_000 + b")" * 10_000, Reason.LIMIT, "nested"),
        (b"x=" + b"f'{" * 1_000 + b"1" + b"}'" * 1_000, Reason.LIMIT, "too many nested"),
        (b"x = " + b"-" * 100_000 + b"1\n", Reason.LIMIT, "nested"),
        (b"a" + b".a" * 50_000, Reason.LIMIT, "nested"),
        (b"a" + b"()" * 50_000, Reason.LIMIT, "nested"),
        (b"x = " + b"not " * 50_000 + b"1\n", Reason.LIMIT, "nested"),
        (b"x = " + b"lambda:" * 50_000 + b"1\n", Reason.LIMIT, "nested"),
        (b"if a: 1\n" + b"elif a: 1\n" * 30_000, Reason.LIMIT, "nested"),
        (b"x = [" + b"1," * 2_500_000 + b"]", Reason.LIMIT, "cannot be cut"),
        (b"f(1);" * 1_000_000, Reason.LIMIT, "cannot be cut"),
        (b"x = '" + b"a" * SOURCE_BYTES + b"'\n", Reason.LIMIT, "cannot be cut"),
    ],
)
def test_bad_input_is_reported_once(data: bytes, reason: Reason, words: str) -> None:
    start = time.process_time()
    with pytest.raises(UnreadableError, match=words) as caught:
        read(data)
    assert caught.value.reason is reason
    assert time.process_time() - start < 5

    collected = discover(Text(path="x.py", data=b"import transformers\n" + data), (python.DISCOVERER,))
    assert collected is None or len(collected.defects) <= 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + IMPORT.encode() + LOAD.encode(),
        b"# -*- coding: latin-1 -*-\n" + IMPORT.encode() + b"x = '\xe9'\n" + LOAD.encode(),
        (IMPORT + LOAD).replace("\n", "\r\n").encode(),
        (IMPORT + LOAD).replace("\n", "\r").encode(),
        IMPORT.encode() + b"\x0c\n" + LOAD.encode(),
        IMPORT.encode() + b"x = '\\d'\n" + LOAD.encode(),
    ],
)
def test_other_ways_of_writing_text_are_read(data: bytes) -> None:
    assert [shown(one) for one in read(data).references] == ["model hf:org/m unpinned"]


def test_a_file_of_a_hundred_thousand_calls_is_read_up_to_a_bound() -> None:
    data = IMPORT.encode() + b"".join(b"AutoModel.from_pretrained('org/m%d')\n" % n for n in range(100_000))
    collected = read(data)
    assert len(collected.references) == REFERENCE_COUNT
    assert {defect.reason for defect in collected.defects} == {Reason.LIMIT}


def test_a_long_file_is_cut_where_a_statement_starts() -> None:
    data = (
        IMPORT.encode()
        + LOAD.encode()
        + b"\n"
        + (b"def f():\n    g(''', , , , , , , , , , , , , , , ,''')\n") * (SIGN_COUNT // 16)
    )
    part = head(data)
    assert data.startswith(part)
    assert data[len(part) :].startswith(b"def f")
    ast.parse(part)
    collected = read(data)
    assert [shown(one) for one in collected.references] == ["model hf:org/m unpinned"]
    assert [(defect.reason, defect.offset) for defect in collected.defects] == [(Reason.LIMIT, len(part))]
    assert head(IMPORT.encode()) == IMPORT.encode()


MANY = {
    "names": "".join(f"if q: a = '{n}'\n" for n in range(1_000)) + f"{LOAD[:-8]}a)\n" * 500,
    "chains": "a0 = 'org/x'\n" + "".join(f"a{n} = a{n - 1}\n" for n in range(1,
    20)) + f"{LOAD[:-8]}a19)\n" * 1_000,
    "sharing": "a0 = q or r\n" + "".join(f"a{n} = a{n - 1} or a{n - 1}\n" for n in range(1,
    23)) + f"{LOAD[:-8]}a22)\n" * 100,
    "a large dict": "D = {" + "".join(f"'k{n}': 'org/v{n}'," for n in range(900)) + "}\n"
    + f"{LOAD[:-8]}D['k1'])\n" * 500,
    "bases": "class A0: x = 1\n" + "".join(f"class A{n}(A{n - 1}, A{n - 1}): ...\n" for n in range(1,
    40)) + f"{LOAD[:-8]}A39.y)\n" * 100,
    "stars": "".join(f"from m{n} import *\n" for n in range(500))
    + "".join(f"f{n}(1)\n" for n in range(2_000)),
    "instances": "".join(f"m{n} = g(AutoModel, k={n})\nh(m{n}.x)\n" for n in range(1_500)),
}  # fmt: skip


@pytest.mark.parametrize("code", MANY.values(), ids=MANY)
def test_dense_code_takes_bounded_time_and_memory(code: str) -> None:
    data = (IMPORT + code).encode()
    start = time.process_time()
    collected = read(data)
    assert time.process_time() - start < 8  # one on a machine with nothing else to do
    assert len(collected.references) <= REFERENCE_COUNT
    assert all(defect.reason is Reason.LIMIT for defect in collected.defects)


def test_memory_is_free_after_each_file() -> None:
    data = (IMPORT + "".join(f"def f{n}(a=1):\n    b = a\n    return g(b)\n" for n in range(2_000))).encode()
    read(data)
    tracemalloc.start()
    read(data)
    gc.collect()  # of others, that were interrupted between two of its runs
    used, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 1_000_000
    assert peak < 64_000_000


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    python.hint(data)
    try:
        read(data)
    except UnreadableError:
        return


_PIECES = st.sampled_from(
    [
        "a", "b", "self.a", "a.b", "a()", "a[0]", "'x'", "f'{a}'", "{'x': a}", "[a, *b]", "a + b", "a or b",
        "a if b else a",
        "lambda x=a: x", "[a for a in b]", "a.items()", "a.get('x', b)", "'%s' % a", "'{}'.format(a)",
        "AutoModel", "dict(a=b)",
        "partial(AutoModel.from_pretrained, a)", "open(a)", "Path(a) / b", "os.environ.get('x', a)", "{**a}",
        "a[b]", "zip(a, b)",
    ]
)  # fmt: skip
_STATEMENTS = st.sampled_from(
    [
        "a = {0}", "b = {0}", "a, b = {0}, {1}", "for a in {0}: b = {1}", "a.b = {0}", "a['x'] = {0}",
        "AutoModel.from_pretrained({0})",
        "def a(b={0}): return {1}", "class a({0}):\n    b = {1}", "if {0}: a = {1}\nelse: b = {0}",
        "with {0} as a: b = {1}",
        "torch.load({0}, weights_only={1})", "pipeline({0}, model={1})", "from .m import a",
        "from m import *", "a += {0}",
        "OpenAI(base_url={0}).chat.completions.create(model={1})", "pickle.load({0})",
        "load_dataset({0}, data_files={1})",
        "AutoModel.from_pretrained(*{0}, **{1})", "litellm.Router(model_list={0})",
        "timm.create_model({0}, {1})",
    ]
)  # fmt: skip


@given(st.lists(st.tuples(_STATEMENTS, _PIECES, _PIECES), max_size=12))
def test_any_program_of_these_parts_ends_without_an_error(parts: list[tuple[str, str, str]]) -> None:
    code = (
        "from transformers import AutoModel, pipeline\n"
        "import torch, pickle, litellm, timm\nfrom openai import OpenAI\n"
    )
    code += "from datasets import load_dataset\n" + "\n".join(form.format(a, b) for form, a, b in parts)
    beside = {"app/m.py": "a = 'x'\nb = a"}
    for reference in found(code, beside=beside).references:
        assert reference.location.line is not None
        assert reference.location.line > 4


# The first look


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (IMPORT + LOAD, True),
        (f"\ufeff{IMPORT}{LOAD}", True),
        (f"if x:\n    {IMPORT}    {LOAD}", True),
        (f"import os; import transformers; transformers.{LOAD}", True),
        ("import pandas as pd\npd.read_csv('a')", False),
        ("import pandas as pd\npd.read_pickle('a')", True),
        ("import transformers\n", False),
        (f"import transformers\n>>> {LOAD}\n# {LOAD}\n", False),
        (f"import transformers\ndef from_pretrained(): ...\n'see `{LOAD}`'", False),
        (f">>> import transformers\n{LOAD[:-8]}name)", False),
        (LOAD, True),
        (f"    >>> {LOAD}", False),
        ("client.chat.completions.create(model='x')", True),
        ("from langchain_anything import X", True),
        ("import numpy", False),
        ("", False),
        ("transformers from_pretrained(", False),
    ],
)
def test_the_first_look(code: str, expected: bool) -> None:
    assert python.hint(code.encode()) is expected


def test_every_loader_has_a_root_that_the_first_look_knows() -> None:
    roots = {root.decode() for root in ROOTS}
    known = {"langchain*": "langchain", "google": "genai", "sklearn": "sklearn"}
    for loader in LOADERS:
        first = loader.pattern.split(".")[0]
        if not (loader.guess or first.startswith("*")):
            assert known.get(first, first) in roots, loader.pattern


def test_the_first_look_is_fast_for_files_that_are_made_to_be_slow() -> None:
    for data in (
        b"import " * 600_000,
        b"\n" * 4_000_000,
        b"import x\n" * 400_000,
        b"`.from_pretrained(" * 200_000,
        b"a" * 4_000_000,
    ):
        start = time.process_time()
        python.hint(b"import transformers\n" + data)
        assert time.process_time() - start < 4


def test_this_repository_refers_to_nothing_from_its_own_code() -> None:
    root = Path(python.__file__).parent
    for path in sorted(root.rglob("*.py")):
        data = path.read_bytes()
        collected = discover(Text(path=path.name, data=data), (python.DISCOVERER,))
        assert collected is None or not (collected.references or collected.defects), path
