"""Hostile code and configuration: each costs little, stops nothing, and what is not read is a gap."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery import DISCOVERERS, Text, discover
from aibom.domain.errors import Reason
from aibom.domain.gap import Stage
from aibom.domain.limits import KIB, MIB
from aibom.domain.report import ReferenceReport
from aibom.workflows.refs import ReferencesRequest, find_references

# Of processor time on a slow, busy machine: twice what the longest of these take on an idle one.
BASE_SECONDS = 4.0
SECONDS_A_MIB = 1.0
MEMORY_BYTES = 200 * MIB
USES = b"from transformers import AutoModel\nimport torch\n"
LOAD = b'AutoModel.from_pretrained("org/m")\n'
OPENAI = b'import OpenAI from "openai";\nconst c = new OpenAI();\n'
L, M, T, U = Reason.LIMIT, Reason.MALFORMED, Reason.TRUNCATED, Reason.UNSUPPORTED


def aliases() -> bytes:
    """9 to the power of 9 nodes when every alias is followed."""
    lines = [b"a: &a [" + b"model," * 8 + b"model]"]
    for name, before in zip(b"bcdefghi", b"abcdefgh", strict=True):
        lines.append(b"%c: &%c [%s*%c]" % (name, name, b"*%c, " % before * 8, before))
    return b"\n".join([*lines, b"model_name: org/m\n"])


def notebook(cells: int, output: int) -> bytes:
    source = (USES + LOAD).decode()
    picture = {"output_type": "display_data", "data": {"image/png": "A" * output}}
    cell = {"cell_type": "code", "source": source, "outputs": [picture]}
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell] * cells}).encode()


def nested(opening: bytes, closing: bytes, count: int = 100_000) -> bytes:
    return opening * count + closing * count


# name, bytes, how many references, why not everything was read
ATTACKS: dict[str, tuple[str, bytes, int, Reason | None]] = {
    "latin-1 Python": ("a.py", USES + b"# \xe9\n" + LOAD, 1, None),
    "latin-1 in a string": ("a.py", USES + b"x = '\xe9'\n" + LOAD, 0, M),
    "latin-1 Python that says so": ("a.py", b"# coding: latin-1\n" + USES + b"x = '\xe9'\n" + LOAD, 1, None),
    "an encoding that nobody has": ("a.py", b"# coding: none-such\n" + USES + LOAD, 0, M),
    "YAML that is not UTF-8": ("a.yaml", b"model_name: \xff\xfeorg/m\n", 0, M),
    "JSON that is not UTF-8": ("a.json", b'{"model_name": "org/m\xff"}', 0, M),
    "a notebook that is not UTF-8": ("a.ipynb", b'{"cells": ["\xff"]}', 0, M),
    "a Dockerfile that is not UTF-8": ("Dockerfile", b"FROM vllm/vllm-openai:v1\nRUN \xff\n", 1, None),
    "a script that is not UTF-8": ("a.sh", b"hf download org/m\necho \xff\n", 1, None),
    "a minified line": (
        "a.js", OPENAI.replace(b"\n", b"") + b"var a=function(b,c){return b+c};a(1,2);" * 75_000, 0, L
    ),
    "a Python line of megabytes": ("a.py", USES + b"x=1;" * 750_000 + LOAD, 0, L),
    "a script of one line": ("a.sh", b"hf download org/m " * 180_000, 0, L),
    "a notebook of pictures": ("a.ipynb", notebook(50, 400_000), 50, None),
    "a small notebook of pictures": ("a.ipynb", notebook(5, 400_000), 5, None),
    "a YAML anchor in itself": ("a.yaml", b"model: &a\n  model_name: org/m\n  self: *a\n", 0, U),
    "a bomb of aliases": ("a.yaml", aliases(), 0, L),
    "a bomb in a compose file": ("compose.yaml", aliases() + b"services: {a: {image: x}}\n", 0, L),
    "a bomb in a workflow": (".github/workflows/a.yml", aliases() + b"on: push\njobs: {}\n", 0, L),
    "Python 2": ("a.py", USES + b"print 'x'\n" + LOAD, 0, M),
    "a syntax error": ("a.py", USES + LOAD + b"def (\n", 0, M),
    "a hundred thousand calls": ("a.py", USES + LOAD * 6_000 + b"f(a, b, c, d, e)\n" * 94_000, 5_000, L),
    "f-strings in f-strings": ("a.py", USES + b"x = " + nested(b"f'{", b"}'", 1_000) + b"\n" + LOAD, 0, L),
    "formats in formats": (
        "a.py", USES + b"AutoModel.from_pretrained(f'{x" + nested(b":{x", b"}", 1_000) + b"}')\n", 0, M
    ),
    "deep brackets": ("a.py", USES + b"x = " + nested(b"(", b")") + b"\n" + LOAD, 0, L),
    "deep blocks": ("a.py", USES + b"".join(b" " * n + b"if x:\n" for n in range(500)) + b" " * 500 + LOAD,
                    0, L),
    "a long sum": ("a.py", USES + b"x = " + b"'a'+" * 20_000 + b"'a'\n" + LOAD, 0, L),
    "a long chain of calls": ("a.py", USES + b"x = a" + b"()" * 20_000 + b"\n" + LOAD, 0, L),
    "a text that doubles": (
        "a.py",
        USES + b"a0 = 'x'\n" + b"".join(b"a%d = a%d + a%d\n" % (n + 1, n, n) for n in range(60))
        + b"AutoModel.from_pretrained(a60)\n", 1, None,
    ),
    "a chain of names": (
        "a.py",
        USES + b"".join(b"a%d = a%d\n" % (n, n + 1) for n in range(5_000))
        + b"AutoModel.from_pretrained(a0)\n", 1, None,
    ),
    "names in a circle": ("a.py", USES + b"a = b\nb = a\nAutoModel.from_pretrained(a)\n", 1, None),
    "deep JSON": ("a.json", b'{"model_name":' + nested(b"[", b"]") + b"}", 0, L),
    "deep YAML": ("a.yaml", b"model_name: " + nested(b"[", b"]"), 0, L),
    "deep TOML": ("a.toml", b"model_name = " + nested(b"[", b"]", 20_000), 0, L),
    "deep JavaScript": ("a.js", OPENAI + b"x = " + nested(b"(", b")") + b";", 0, L),
    "a deep notebook": ("a.ipynb", b'{"cells":' + nested(b"[", b"]") + b"}", 0, L),
    "an end that is missing": ("a.json", b'{"model_name": "org/m", "a": ' + b'{"a":' * 30, 0, T),
    "NUL in Python": ("a.py", USES + LOAD + b"\0", 0, M),
    "NUL in YAML": ("a.yaml", b"model_name: org/m\0\n", 0, M),
    "NUL in a notebook": ("a.ipynb", b'{"cells": []}\0', 0, M),
    "NUL in a name": ("a.sh", b"hf download org/m\0\nollama pull a\0b\n", 2, None),
}  # fmt: skip


def report(folder: Path) -> ReferenceReport:
    return find_references(ReferencesRequest(targets=(str(folder),)))


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_hostile_file_costs_little_and_says_what_was_not_read(attack: str, tmp_path: Path) -> None:
    name, data, count, reason = ATTACKS[attack]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(data)
    (tmp_path / "z.py").write_bytes(USES + LOAD)
    before = time.process_time()
    found = report(tmp_path)
    assert time.process_time() - before < BASE_SECONDS + SECONDS_A_MIB * len(data) / MIB
    assert len([one for one in found.references if one.location.path == name]) == count
    assert {gap.reason for gap in found.gaps} == ({reason} if reason else set())
    assert all((gap.path, gap.stage) == (name, Stage.DISCOVER) for gap in found.gaps)
    assert all(gap.detail and len(gap.detail) < 300 and "\n" not in gap.detail for gap in found.gaps)
    # Whatever one file does, the next one is looked at.
    assert [one.location.path for one in found.references][-1] == "z.py"


@pytest.mark.parametrize(
    "attack",
    ["a minified line", "a Python line of megabytes", "a bomb of aliases", "deep brackets", "deep YAML",
     "a text that doubles", "a small notebook of pictures"],
)  # fmt: skip
def test_memory_does_not_follow_what_a_file_claims(attack: str, tmp_path: Path) -> None:
    name, data, _, _ = ATTACKS[attack]
    (tmp_path / name).write_bytes(data)
    tracemalloc.start()
    try:
        report(tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_BYTES


def test_a_folder_a_loop_and_a_way_out_that_are_named_like_code_are_no_code(tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / "folder.py" / "Dockerfile").mkdir(parents=True)
    (place / "folder.py" / "inside.py").write_bytes(USES + LOAD)
    (place / "loop.py").symlink_to("loop.py")
    (place / "one.py").symlink_to("two.py")
    (place / "two.py").symlink_to("one.py")
    (place / "folder.py" / "up").symlink_to("..")
    (tmp_path / "secret.py").write_bytes(USES + LOAD)
    (place / "out.py").symlink_to("../secret.py")
    (place / "gone.py").symlink_to("nowhere.py")
    found = report(place)
    assert [one.location.path for one in found.references] == ["folder.py/inside.py"]
    reasons = {gap.path: gap.reason for gap in found.gaps}
    assert set(reasons) >= {"loop.py", "one.py", "two.py", "out.py", "gone.py"}
    assert {reasons[name] for name in ("loop.py", "one.py", "two.py")} == {Reason.LINK_LOOP}
    assert reasons["out.py"] is Reason.OUTSIDE_TARGET


def test_constants_are_not_looked_for_outside_of_the_target(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "names.py").write_text('BASE = "org/secret"\n')
    (place / "names.py").symlink_to("../names.py")
    (place / "app.py").write_bytes(
        USES + b"from names import BASE\nfrom ..names import BASE as B\n"
        b"AutoModel.from_pretrained(BASE)\nAutoModel.from_pretrained(B)\n"
    )
    found = report(place)
    assert [one.target for one in found.references] == [None, None]


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"m{number}.py").write_bytes(
            USES + b"from m%d import X\nAutoModel.from_pretrained(X)\n" % ((number + 1) % 30)
        )
    before = time.process_time()
    found = report(tmp_path)
    assert time.process_time() - before < BASE_SECONDS
    assert [one.target for one in found.references] == [None] * 30


def test_looking_for_modules_that_are_not_there_is_bounded(tmp_path: Path) -> None:
    lines = (b"from a%d.b import X%d\nAutoModel.from_pretrained(X%d)\n" % (n, n, n) for n in range(2_000))
    (tmp_path / "app.py").write_bytes(USES + b"".join(lines))
    before = time.process_time()
    found = report(tmp_path)
    assert time.process_time() - before < BASE_SECONDS
    assert len(found.references) == 2_000


PIECES = st.sampled_from(
    [b"from transformers import AutoModel\n", b'AutoModel.from_pretrained("o/m")', b"model_name: ", b"&a ",
     b"*a ", b"[", b"{", b"(", b'"', b"'", b"f'{", b"\n", b"  ", b"\xff", b"\0", b"\xef\xbb\xbf", b"]", b")",
     b"FROM x:latest\n", b"RUN hf download o/m\n", b"services:\n", b"<script>", b"- uses: a/b@main\n", b"\\",
     b'{"mcpServers": {"a": {"command": "npx", "args": ["x"]}}}', b'import OpenAI from "openai";', b"${",
     b"new OpenAI()", b"torch==1\n", b"}}", b"%%bash\n", b"---\n", b"<<EOF\n", b"`", b"$(", b"#!/bin/sh\n",
     b"apiVersion: v1\n"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["a.py", "a.ipynb", "a.js", "a.tsx", "a.vue", "a.sh", "Dockerfile", "Modelfile", "compose.yaml", "a.yaml",
     "values.yaml", ".github/workflows/a.yml", "Jenkinsfile", "a.json", "a.toml", "mcp.json", "AGENTS.md",
     "requirements.txt", "pyproject.toml", "package.json", "package-lock.json", "environment.yml", "Makefile",
     "uv.lock", "setup.py", "dvc.yaml", "MLproject", ".env"]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join), NAMES)
def test_any_bytes_under_any_name_are_references_or_defects(data: bytes, path: str) -> None:
    wanted = tuple(each for each in DISCOVERERS if each.wants(path))
    for each in wanted:
        each.hint(data)
    found = discover(Text(path=path, data=data, beside=lambda _: data), wanted)
    for reference in found.references if found is not None else ():
        assert reference.location.path == path
        assert (reference.location.line or 1) >= 1
        assert len(reference.loader) < KIB
    assert not [d for d in (found.defects if found else ()) if d.reason is Reason.INTERNAL]
