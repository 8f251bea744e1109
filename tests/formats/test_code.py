"""Python source by syntax tree: ordinary model code is silent, hostile sources are bounded."""

from __future__ import annotations

import ast
import time
import tracemalloc
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.hazard import Hazard, HazardKind
from aibom.formats._code import CODE_BYTES, LINE_COUNT, TOKEN_COUNT, examine_python
from aibom.readers.hazards import Hazards

MODEL = b'''\
"""A model. Usage: `requests.get(url)`, then exec(code) and os.system("x")."""
import importlib.util
import json
import math
import os
import re
import subprocess
from typing import Optional

import torch
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel
from transformers.utils import cached_file

from .configuration_fjord import FjordConfig

if importlib.util.find_spec("flash_attn") is not None:
    from flash_attn import flash_attn_func

_PATTERN = re.compile(r"\\s+")
VOCAB_FILES_NAMES = {"vocab_file": "vocab.json"}
PROMPT = "Read /etc/hosts and ~/notes, then call eval()."


class FjordModel(PreTrainedModel):
    config_class = FjordConfig

    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.ModuleList([nn.Linear(config.hidden_size, 4 * config.hidden_size)])
        self.forward = torch.compile(self.forward) if os.environ.get("COMPILE", "0") == "1" else self.forward
        os.environ["TOKENIZERS_PARALLELISM"] = "false"
        self.act = getattr(torch.nn.functional, config.hidden_act)
        self.eval()

    def save_vocabulary(self, save_directory: str, filename_prefix: Optional[str] = None):
        if not os.path.isdir(save_directory):
            os.makedirs(save_directory, exist_ok=True)
        vocab_file = os.path.join(save_directory, VOCAB_FILES_NAMES["vocab_file"])
        with open(vocab_file, "w", encoding="utf-8") as f:
            f.write(json.dumps(self.encoder, ensure_ascii=False))
        with open(os.path.join("out", "vocab.txt"), "a") as f:
            f.write("x")
        return vocab_file

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as f:
            data = json.load(f)
        state = torch.load(path, map_location="cpu", weights_only=True)
        model = cls.from_pretrained(path, trust_remote_code=False)
        model.eval().load_state_dict(state)
        value = ast.literal_eval("[1]")
        return data, [chr(x) for x in range(ord("a"), ord("z"))], 2 ** 10, value

    def run(self, call, system):
        """Names of dangerous functions, for harmless things."""
        system.call(call), self.exec(call), call.popen, self.run(call)
        try:
            return call % {"a": 1}, f"{call:>10}", math.sqrt(2)
        except subprocess.CalledProcessError:
            raise
'''


def examined(source: bytes) -> tuple[tuple[Hazard, ...], tuple[Defect, ...]]:
    hazards = Hazards()
    defects = examine_python(source, hazards)
    return tuple(hazards.found), defects


@pytest.mark.parametrize(
    "change", [bytes, lambda b: b.replace(b"\n", b"\r\n"), lambda b: b"\xef\xbb\xbf" + b]
)
def test_ordinary_code_of_a_model_is_silent(change: type[bytes]) -> None:
    assert examined(change(MODEL)) == ((), ())


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_examined_without_raising(source: bytes) -> None:
    examined(source)


@given(st.text(alphabet="ab= ()[]{}\"'\\#\n\t:.,+-f1", max_size=60))
def test_what_python_cannot_parse_is_a_defect_and_nothing_else_is(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text.encode())
            parses = True
        except (SyntaxError, ValueError):
            parses = False
    assert (examined(text.encode())[1] == ()) is parses


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_the_offset_is_that_of_the_line(line_break: str) -> None:
    source = line_break.join(["# \u00e9", "import os", "", "def f():", "    os.system('x')", ""]).encode()
    ((hazard,), defects) = examined(source)
    assert (defects, hazard.offset) == ((), source.index(b"    os.system"))
    assert (hazard.kind, hazard.found) == (HazardKind.DANGEROUS_CODE, "process: os.system")
    assert hazard.message == "starts a process: os.system in line 5"


def test_what_happens_on_import_is_told_apart() -> None:
    (at_once,) = examined(b"import os\nos.system('x')")[0]
    assert at_once.message == "starts a process when it is imported: os.system in line 2"
    for later in (b"def f():\n %b", b"class A:\n def f(self): %b", b"g = lambda: %b"):
        (found,) = examined(b"import requests\n" + later % b"requests.get('x')")[0]
        assert found.confidence is Confidence.MEDIUM
    (found,) = examined(b"import requests\nclass A:\n x = requests.get('x')")[0]
    assert found.confidence is Confidence.HIGH
    guarded = b"import requests\nif __name__ == '__main__':\n requests.get('x')"
    assert [h.confidence for h in examined(guarded)[0]] == [Confidence.MEDIUM]


def test_of_two_alike_the_surer_one_is_told() -> None:
    (found,) = examined(b"import requests\ndef f(u): requests.get(u)\nrequests.get('x')")[0]
    assert (found.confidence, found.message[-9:]) == (Confidence.HIGH, "in line 3")


@pytest.mark.parametrize(
    ("source", "reason", "words"),
    [
        (b"a\0b", Reason.MALFORMED, "null byte"),
        (b"print 'hello'", Reason.MALFORMED, "line 1: Missing parentheses"),
        (b'x = "\xe9"', Reason.MALFORMED, "not encoded as utf-8"),
        (b'x = "\xed\xa0\x80"', Reason.MALFORMED, "not encoded as utf-8"),
        (b"# coding: nonsense\n", Reason.MALFORMED, "encoding nonsense is unknown"),
        (b"x = " + b"9" * 5_000, Reason.MALFORMED, "digits"),
        (b"(" * 10_000 + b")" * 10_000, Reason.MALFORMED, "too many nested parentheses"),
        (b"(" * 150 + b'f"{' * 5_000, Reason.MALFORMED, ""),
        (b"#" * (CODE_BYTES + 1), Reason.LIMIT, "are too much"),
        (b"\n" * LINE_COUNT, Reason.LIMIT, "are too much"),
        (b"x=" + b"1," * 500_000, Reason.LIMIT, f"more than {TOKEN_COUNT} tokens"),
        (b"x=" + b"-" * 20_000 + b"1", Reason.LIMIT, "nested too deeply"),
        (b"x=" + b"not " * 20_000 + b"1", Reason.LIMIT, "nested too deeply"),
        (b"a" + b".a" * 20_000, Reason.LIMIT, "nested too deeply"),
        (b"a" + b"()" * 9_000, Reason.LIMIT, "nested too deeply"),
        (b"a" + b"+a" * 20_000, Reason.LIMIT, "nested too deeply"),
        (b"if a:pass\n" + b"elif b:pass\n" * 9_000, Reason.LIMIT, "nested too deeply"),
        (b"x=" + b"lambda:" * 9_000 + b"1", Reason.LIMIT, "nested too deeply"),
    ],
)
def test_a_source_that_cannot_be_looked_at_is_a_defect(source: bytes, reason: Reason, words: str) -> None:
    hazards, (defect,) = examined(source)
    assert (hazards, defect.reason) == ((), reason)
    assert words in defect.message


@pytest.mark.parametrize(
    "cookie", [b"# -*- coding: latin-1 -*-", b"#!/usr/bin/python\n# vim: set fileencoding=cp1252"]
)
def test_a_plain_encoding_is_read_as_python_reads_it(cookie: bytes) -> None:
    assert examined(cookie + b"\nx = '\xe9'") == ((), ())


@pytest.mark.parametrize("encoding", ["utf-7", "unicode_escape", "raw_unicode_escape", "punycode"])
def test_an_encoding_that_hides_code_is_a_hazard_and_the_code_is_looked_at(encoding: str) -> None:
    hidden = f"# coding: {encoding}\n".encode() + "import os\nos.system('x')".encode(encoding)
    found = {hazard.found for hazard in examined(hidden)[0]}
    assert any(name.startswith("obfuscation: encoding") for name in found)
    assert encoding == "punycode" or "process: os.system" in found


def test_a_comment_that_python_does_not_take_for_an_encoding_is_none() -> None:
    assert examined(b"x = 1\ny = 2\n# coding: utf-7\n") == ((), ())
    assert examined(b"x = 1\n# coding: utf-7\n") == ((), ())


def test_odd_escapes_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert examined(b"x = '\\d'\nif x is 1: pass") == ((), ())


def test_an_encoding_that_python_refuses_is_both() -> None:
    ((hazard,), (defect,)) = examined(b"# coding: rot13\nvzcbeg bf")
    assert (hazard.found, defect.reason) == ("obfuscation: encoding rot-13", Reason.MALFORMED)


@pytest.mark.parametrize(
    "source",
    [
        b"a;" * 8_000,
        b'f"' + b"{a}" * 5_000 + b'"',
        b'x="' + b"a" * 4_000 + b'"\n' + b"x+x\n" * 4_000,
        b"exec(" * 180 + b"a," * 8_000 + b")" * 180,
        b"".join(b"import a%d as b\n" % i for i in range(4_000)),
        b"".join(b"from m%d import *\n" % i for i in range(2_000)) + b"x\n" * 5_000,
        b"x=[" + b'"aaaa",' * 100 + b"]\n" + b"y=x+x\n" * 3_000,
        b'import base64\nx="' + b"QUFB" * 1_000 + b'"\n' + b"base64.b64decode(x)\n" * 2_000,
        b"x = '" + b"a" * 1_900_000 + b"'",
        b'"""' * 600_001,
        b'"' + b"\\" * 1_999_999,
    ],
    ids=["names", "f-string", "long texts", "runners", "imports", "stars", "lists", "decoders", "literal",
         "quotes", "backslashes"],
)  # fmt: skip
def test_large_sources_cost_no_more_than_their_length(source: bytes) -> None:
    started = time.process_time()
    examined(source)
    assert time.process_time() - started < 4  # ten times what it takes; quadratic work takes minutes


@pytest.mark.parametrize("piece", [b"a;", b"a,", b"(a)\n", b"'a'+b;"])
def test_a_source_of_as_many_tokens_as_are_read_stays_within_64_mib(piece: bytes) -> None:
    # Measured on a tenth of them, since measuring costs ten times the work.
    tokens = len(piece.replace(b"'a'", b"a").strip())
    source = b"x = 1,2\n" + piece * (TOKEN_COUNT // 10 // tokens)
    examined(source)
    tracemalloc.start()
    try:
        assert examined(source)[1] == ()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**26 // 10
