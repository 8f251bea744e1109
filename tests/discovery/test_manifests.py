"""Dependencies in manifests and lock files."""

from __future__ import annotations

import json
import time
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery import manifests
from aibom.discovery.found import Found, Text
from aibom.discovery.manifests import MANIFEST_BYTES
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.python_code import SHA, shown


def read(name: str, data: bytes) -> Found:
    collected = Found(path=name)
    manifests.discover(Text(path=name, data=data), collected)
    return collected


def told(name: str, text: str) -> list[str]:
    """Line and library, without the kind that they all have."""
    references = read(name, dedent(text).encode()).references
    return [f"{one.location.line} {shown(one).removeprefix('library ')}" for one in references]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("requirements.txt", True), ("a/requirements-dev.txt", True),
        ("dev-requirements.txt", True), ("requirements.in", True),
        ("requirements/base.txt", True), ("requirements_gpu.txt", True),
        ("constraints.txt", True), ("requirements.lock", True),
        ("pyproject.toml", True), ("uv.lock", True), ("poetry.lock",
        True), ("pdm.lock", True), ("pylock.toml", True),
        ("pylock.dev.toml", True), ("Pipfile", True), ("Pipfile.lock", True),
        ("setup.cfg", True), ("environment.yml", True),
        ("conda-environment.yaml", True), ("recipe/meta.yaml", True),
        ("package.json", True), ("package-lock.json", True),
        ("yarn.lock", True), ("pnpm-lock.yaml", True), ("notes.txt", False),
        ("myrequirements.txt", False), ("tsconfig.json", False),
        ("Cargo.lock", False), ("values.yaml", False), ("requirements.txt.md", False),
    ],
)  # fmt: skip
def test_manifests_are_wanted_by_their_names(path: str, wanted: bool) -> None:
    assert manifests.DISCOVERER.wants(path) is wanted


REQUIREMENTS = [
    ("torch==2.1.0", "pypi:torch@2.1.0"),
    ("torch===2.1.0", "pypi:torch@2.1.0"),
    ("torch==2.1.0+cu118", "pypi:torch@2.1.0+cu118"),
    ("torch == 2.1.0  # pinned", "pypi:torch@2.1.0"),
    ("torch==2.1.0 \\", "pypi:torch@2.1.0"),
    ("torch==2.1.0 --hash=sha256:abc --hash=sha256:def", "pypi:torch@2.1.0"),
    ("torch==2.1.0 ; python_version < '3.12'", "pypi:torch@2.1.0"),
    ("torch==2.1.*", "pypi:torch unpinned"),
    ("torch>=2,<3", "pypi:torch unpinned"),
    ("torch~=2.1", "pypi:torch unpinned"),
    ("torch", "pypi:torch unpinned"),
    ("Sentence_Transformers==3.0.1", "pypi:sentence-transformers@3.0.1"),
    ("transformers[torch,sentencepiece]==4.40.0", "pypi:transformers@4.40.0"),
    ("  transformers>=4", "pypi:transformers unpinned"),
    ("langchain-something-new==0.1", "pypi:langchain-something-new@0.1"),
    ((
        "torch @ https://download.pytorch.org/whl/"
        "torch-2.0.1%2Bcu118-cp311-cp311-linux_x86_64.whl"
    ), "pypi:torch@2.0.1+cu118"),
    ("https://host/en_core_web_sm-3.7.1-py3-none-any.whl", "model spacy:en_core_web_sm@3.7.1"),
    ("de-core-news-lg==3.7.0", "model spacy:de_core_news_lg@3.7.0"),
    ("torch @ https://host/torch-2.0.1-cp311-cp311-linux_x86_64.whl#sha256=0", "pypi:torch@2.0.1"),
    ("https://host/torch-2.0.1-cp311-cp311-linux_x86_64.whl", "pypi:torch@2.0.1"),
    ("https://host/transformers-4.40.0.tar.gz", "pypi:transformers@4.40.0"),
    ("git+https://github.com/huggingface/transformers", (
        "git:https://github.com/"
        "huggingface/transformers unpinned"
    )),
    ("git+https://github.com/huggingface/transformers.git@main", (
        "git:https://github.com/huggingface/"
        "transformers@main unpinned"
    )),
    (f"-e git+https://github.com/huggingface/transformers@{SHA}#egg=transformers",
     f"git:https://github.com/huggingface/transformers@{SHA}"),
    (f"transformers @ git+https://github.com/huggingface/transformers@{SHA}",
     f"git:https://github.com/huggingface/transformers@{SHA}"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), REQUIREMENTS)
def test_requirements(line: str, expected: str) -> None:
    assert told("requirements.txt", f"numpy==1.26.4\n{line}\n") == [f"2 {expected}"]


@pytest.mark.parametrize(
    "line",
    ["", "# torch==2.1", "-r torch.txt", "-e .", "./torch", (
        "--index-url "
        "https://host/torch"
    ), "numpy==1.0", "mytorch==1", "torch==",
     "torch 2.1", "$TORCH", "https://host/x.zip?torch", "-f torch"],
)  # fmt: skip
def test_lines_that_name_no_framework_are_silent(line: str) -> None:
    assert told("requirements.txt", line) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "latin-1"])
def test_requirements_are_read_in_any_encoding(encoding: str) -> None:
    text = "\ufefftorch==2.1.0\r\n" if encoding == "utf-16-be" else "torch==2.1.0\r\n"
    assert [shown(one) for one in read("requirements.txt", text.encode(encoding)).references] == [
        "library pypi:torch@2.1.0"
    ]


def test_pyproject() -> None:
    assert told(
        "pyproject.toml",
        """\
        [build-system]
        requires = ["hatchling", "torch==2.0"]
        [project]
        dependencies = [
          "transformers==4.40.0",
          "numpy",
          "vllm>=0.5",
        ]
        [project.optional-dependencies]
        gpu = ["accelerate==0.30.0"]
        [dependency-groups]
        dev = ["datasets", {include-group = "x"}]
        [tool.uv]
        dev-dependencies = ["trl==0.9"]
        [tool.pdm.dev-dependencies]
        test = ["peft==0.11"]
        [tool.hatch.envs.default]
        dependencies = ["timm==1.0"]
        """,
    ) == [
        "5 pypi:transformers@4.40.0", "7 pypi:vllm unpinned", "2 pypi:torch@2.0",
        "14 pypi:trl@0.9", "10 pypi:accelerate@0.30.0",
        "12 pypi:datasets unpinned", "16 pypi:peft@0.11", "18 pypi:timm@1.0",
    ]  # fmt: skip


def test_poetry_and_pixi_tables() -> None:
    assert told(
        "pyproject.toml",
        f"""\
        [tool.poetry.dependencies]
        python = "^3.11"
        torch = "2.1.0"
        transformers = "^4.40"
        accelerate = {{version = "==0.30.0", optional = true}}
        diffusers = {{git = "https://github.com/huggingface/diffusers.git", rev = "{SHA}"}}
        [tool.poetry.group.dev.dependencies]
        datasets = "*"
        [tool.pixi.pypi-dependencies]
        peft = "==0.11"
        """,
    ) == [
        "3 pypi:torch@2.1.0", "4 pypi:transformers unpinned", "5 pypi:accelerate@0.30.0",
        (
            f"6 git:https://github.com/"
            f"huggingface/diffusers@{SHA}"
        ), "8 pypi:datasets unpinned", "10 pypi:peft@0.11",
    ]  # fmt: skip


UV = """\
version = 1
[[package]]
name = "numpy"
version = "1.26.4"
[[package]]
name = "torch"
version = "2.3.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [
    { name = "transformers" },
]
wheels = [
    { url = "https://host/torch.whl", hash = "sha256:0", size = 1 },
]
[package.metadata]
name = "openai"
version = "1"
[[package]]
name = "transformers"
version = "4.41.2"
"""
POETRY = """\
[[package]]
name = "torch"
version = "2.3.0"
description = "name = \\"openai\\""
[package.dependencies]
transformers = "*"
[[package]]
name = "Transformers"
version = "4.41.2"
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("uv.lock", UV, ["6 pypi:torch@2.3.0", "19 pypi:transformers@4.41.2"]),
        ("poetry.lock", POETRY, ["2 pypi:torch@2.3.0", "8 pypi:transformers@4.41.2"]),
        ("pdm.lock", POETRY, ["2 pypi:torch@2.3.0", "8 pypi:transformers@4.41.2"]),
        ("pylock.toml", '[[packages]]\nname = "torch"\nversion = "2.3.0"\n', ["2 pypi:torch@2.3.0"]),
        ("Pipfile", '[packages]\ntorch = "==2.1"\nvllm = "*"\n[dev-packages]\ntrl = {version = ">1"}\n',
         ["2 pypi:torch@2.1", "3 pypi:vllm unpinned", "5 pypi:trl unpinned"]),
        ("setup.cfg", ("[metadata]\nname = torch\n[options]\ninstall_requires =\n"
        "    torch==2.1\n    numpy\npackages = find:\n"
         "[options.extras_require]\ngpu = vllm==0.5\nall =\n    trl\n"),
         ["5 pypi:torch@2.1", "9 pypi:vllm@0.5", "11 pypi:trl unpinned"]),
    ],
)  # fmt: skip
def test_locks_and_tables_of_python(name: str, text: str, expected: list[str]) -> None:
    assert told(name, text) == expected


def test_pipfile_lock() -> None:
    document = {
        "default": {"torch": {"version": "==2.1.0"}, "numpy": {}},
        "develop": {"trl": {"version": "==0.9"}},
    }
    assert told("Pipfile.lock", json.dumps(document, indent=1)) == ["3 pypi:torch@2.1.0", "9 pypi:trl@0.9"]


def test_conda() -> None:
    assert told(
        "environment.yml",
        """\
        name: torch
        channels: [pytorch, conda-forge]
        dependencies:
          - python=3.11
          - pytorch=2.1.0
          - conda-forge::transformers==4.40.0
          - xgboost=2.0.3=py311h1
          - lightgbm 4.3.0 py311
          - datasets>=2
          - accelerate=0.*
          - "einops"  # quoted
          - pip
          - pip:
              - vllm==0.5.1
              - -r other.txt
              - trl
        """,
    ) == [
        "5 conda:pytorch@2.1.0", "6 conda:transformers@4.40.0",
        "7 conda:xgboost@2.0.3", "8 conda:lightgbm@4.3.0",
        "9 conda:datasets unpinned", "10 conda:accelerate unpinned", "11 conda:einops unpinned",
        "14 pypi:vllm@0.5.1", "16 pypi:trl unpinned",
    ]  # fmt: skip


def test_a_conda_recipe_is_a_template() -> None:
    assert told(
        "meta.yaml",
        """\
        {% set version = "1" %}
        package:
          name: torch
        requirements:
          host:
            - python
          run:
            - pytorch 2.1.0
            - transformers {{ version }}
        """,
    ) == ["8 conda:pytorch@2.1.0", "9 conda:transformers unpinned"]


def test_package_json() -> None:
    assert told(
        "package.json",
        """\
        {"name": "openai",
         "dependencies": {"openai": "4.52.0", "react": "18.0.0",
           "@langchain/core": "^0.2.0"},
         "devDependencies": {"llm": "npm:@xenova/transformers@2.17.1", "ollama": "latest"},
         "peerDependencies": {"@huggingface/inference": "=2.7.0"}}
        """,
    ) == [
        "2 npm:openai@4.52.0", "3 npm:@langchain/core unpinned", (
            "4 npm:@xenova/"
            "transformers@2.17.1"
        ), "4 npm:ollama unpinned",
        "5 npm:@huggingface/inference@2.7.0",
    ]  # fmt: skip


NPM_1 = {
    "lockfileVersion": 1,
    "dependencies": {"openai": {"version": "4.1.0"}, "x": {"dependencies": {"ollama": {"version": "0.5.1"}}}},
}
NPM_3 = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "openai", "version": "1.0.0"},
        "node_modules/openai": {"version": "4.1.0"},
        "node_modules/x/node_modules/@langchain/core": {"version": "0.2.1"},
        "packages/ollama": {"version": "1.0.0"},
        "node_modules/alias": {"name": "ollama", "version": "0.5.1"},
        "node_modules/react": {"version": "18.0.0"},
    },
    "dependencies": {"openai": {"version": "9.9.9"}},
}
YARN_1 = """\
# yarn lockfile v1
"@xenova/transformers@^2.0.0", "@xenova/transformers@^2.1.0":
  version "2.17.1"
  dependencies:
    openai "^4.0.0"

openai@^4.0.0:
  version "4.52.0"

react@^18:
  version "18.0.0"
"""
YARN_4 = """\
__metadata:
  version: 8

"openai@npm:^4.0.0":
  version: 4.52.0
  resolution: "openai@npm:4.52.0"
"""
PNPM_6 = """\
lockfileVersion: '6.0'
dependencies:
  openai:
    specifier: ^4
    version: 4.52.0
packages:
  /@xenova/transformers@2.17.1:
    resolution: {integrity: x}
  /openai@4.52.0(zod@3.0.0):
    resolution: {integrity: x}
"""
PNPM_9 = """\
lockfileVersion: '9.0'
packages:
  '@xenova/transformers@2.17.1':
    resolution: {integrity: x}
  openai@4.52.0:
    resolution: {integrity: x}
snapshots:
  openai@4.52.0(zod@3.0.0):
    dependencies: {}
"""


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("package-lock.json", json.dumps(NPM_1), ["npm:openai@4.1.0", "npm:ollama@0.5.1"]),
        (
            "package-lock.json",
            json.dumps(NPM_3),
            ["npm:openai@4.1.0", "npm:@langchain/core@0.2.1", "npm:ollama@0.5.1"],
        ),
        ("npm-shrinkwrap.json", json.dumps(NPM_1), ["npm:openai@4.1.0", "npm:ollama@0.5.1"]),
        ("yarn.lock", YARN_1, ["npm:@xenova/transformers@2.17.1", "npm:openai@4.52.0"]),
        ("yarn.lock", YARN_4, ["npm:openai@4.52.0"]),
        ("pnpm-lock.yaml", PNPM_6, ["npm:@xenova/transformers@2.17.1", "npm:openai@4.52.0"]),
        ("pnpm-lock.yaml", PNPM_9, ["npm:@xenova/transformers@2.17.1", "npm:openai@4.52.0"]),
        ("pnpm-lock.yaml", "packages:\n  /openai/4.52.0:\n    dev: false\n", ["npm:openai@4.52.0"]),
    ],
)
def test_locks_of_javascript(name: str, text: str, expected: list[str]) -> None:
    assert [each.partition(" ")[2] for each in told(name, text)] == expected


def test_lines_of_locks_are_those_of_the_package() -> None:
    assert told("yarn.lock", YARN_1)[1].startswith("7 ")
    assert told("pnpm-lock.yaml", PNPM_9)[1].startswith("5 ")
    assert told("package-lock.json", json.dumps(NPM_3, indent=1))[0].startswith("8 ")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("pyproject.toml", b"[", Reason.MALFORMED),
        ("pyproject.toml", b"\xff", Reason.MALFORMED),
        ("package.json", b"{", Reason.TRUNCATED),
        ("package.json", b"[" * 100_000, Reason.LIMIT),
        ("environment.yml", b"a: [", Reason.MALFORMED),
        ("requirements.txt", b" " * (MANIFEST_BYTES + 1), Reason.LIMIT),
        ("requirements.txt", b"\n" * 600_000, Reason.LIMIT),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, data: bytes, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        read(name, data)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("requirements.txt", b"torch==2.1\n" * 300_000),
        ("requirements.txt", b"torch" + b"[" * 200_000),
        ("requirements.txt", (b"torch " + b"(" * 1_900 + b"\n") * 500),
        ("requirements.txt", b"git+https://" + b"a" * 500_000),
        ("requirements.txt", b"https://" + b"a/" * 500_000),
        ("uv.lock", b'[[package]]\nname = "torch"\nversion = "1"\n' * 50_000),
        ("yarn.lock", b"openai@^4:\n  version 4.0.0\n" * 50_000),
        ("yarn.lock", b'"' + b"a/" * 1_000_000),
        ("pnpm-lock.yaml", b"packages:\n" + b"  " + b"a-" * 500_000 + b"\n"),
        ("package.json", b'{"dependencies": {' + b'"x": 1, ' * 1_000 + b'"openai": {}}}'),
        ("setup.cfg", b"[options]\ninstall_requires =\n" + b"  torch\n" * 50_000),
    ],
)
def test_large_and_odd_manifests_take_bounded_time(name: str, data: bytes) -> None:
    start = time.process_time()
    reason = None
    try:
        read(name, data)
    except UnreadableError as error:
        reason = error.reason
    assert reason in (None, Reason.LIMIT, Reason.MALFORMED)
    assert time.process_time() - start < 8


NAMES = ["requirements.txt", "pyproject.toml", "uv.lock", "Pipfile",
"Pipfile.lock", "setup.cfg", "environment.yml",
         "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"]  # fmt: skip


@given(st.sampled_from(NAMES), st.one_of(st.binary(max_size=120), st.text(max_size=120).map(str.encode)))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    try:
        read(name, data)
    except UnreadableError:
        return
