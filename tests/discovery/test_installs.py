"""Packages that commands install: each program with an exact version, a range, options, and decoys."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.command import Command
from aibom.discovery.commands import Commands
from aibom.discovery.found import Found
from aibom.discovery.installs import installed
from aibom.domain.errors import UnreadableError
from tests.discovery.references import short

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def told(text: str) -> list[str]:
    """Names and versions of what a script installs."""
    found = Found(path="x.sh")
    Commands(found, {}).script(text)
    assert not found.defects
    return [short(one).split(" ", 1)[1].removeprefix("library ") for one in found.references]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install torch==2.3.1", ["pypi:torch@2.3.1"]),
        ("pip3 install -q -U torch", ["pypi:torch unpinned"]),
        ("pip3.11 install torch===2.3.1", ["pypi:torch@2.3.1"]),
        ("python -m pip install 'transformers[torch]==4.44'", ["pypi:transformers@4.44"]),
        ("python3.11 -m pip install --user torch", ["pypi:torch unpinned"]),
        ("pip install 'torch>=2,<3' \"openai~=1.5\"", ["pypi:torch unpinned", "pypi:openai unpinned"]),
        ("pip install torch==2.*", ["pypi:torch unpinned"]),
        ("pip install torch==$VERSION", ["pypi:torch unpinned"]),
        ("pip install torch$X $Y==2", []),
        ("V=2.1; pip install torch==$V", ["pypi:torch@2.1"]),
        ("for v in 1.0 2.0; do pip install torch==$v; done", ["pypi:torch@1.0", "pypi:torch@2.0"]),
        ("pip install huggingface_hub[cli]==0.25.2", ["pypi:huggingface-hub@0.25.2"]),
        ("pip install -r torch -c vllm -e ./peft --index-url https://a/torch .[trl] ./timm /openai", []),
        ("pip install --extra-index-url=https://a/b --no-cache-dir vllm==1.0 flask", ["pypi:vllm@1.0"]),
        ("pip install git+https://github.com/huggingface/peft@v1",
         ["git:https://github.com/huggingface/peft@v1 unpinned"]),
        (f"pip install -e git+https://github.com/huggingface/peft@{COMMIT}#egg=peft",
         [f"git:https://github.com/huggingface/peft@{COMMIT}"]),
        ("pip install git+https://github.com/huggingface/peft@$REF",
         ["git:https://github.com/huggingface/peft unpinned"]),
        ("pip install git+https://github.com/org/unknown", []),
        ("pip install 'torch @ https://a/torch-2.0%2Bcu118-py3-none-any.whl'", ["pypi:torch@2.0+cu118"]),
        ("pip install https://a/en_core_web_sm-3.7.1-py3-none-any.whl", ["model spacy:en_core_web_sm@3.7.1"]),
        ("pip download torch -d wheels", ["pypi:torch unpinned"]),
        ("pip uninstall torch; pip show torch; pip freeze; pip install; pip", []),
        ("echo pip install torch; # pip install torch", []),
        ("uv pip install --system torch==2.5.0", ["pypi:torch@2.5.0"]),
        ("uv add 'torch>=2' --group dev", ["pypi:torch unpinned"]),
        ("uv run --with vllm==0.6.3 --with 'peft,trl' python x.py",
         ["pypi:vllm@0.6.3", "pypi:peft unpinned", "pypi:trl unpinned"]),
        ("uv run vllm serve org/m", ["model hf:org/m unpinned"]),
        ("uv tool install litellm@1.50.0", ["pypi:litellm@1.50.0"]),
        ("uvx litellm@latest --port 1 torch", ["pypi:litellm unpinned"]),
        ("uvx --from 'huggingface_hub[cli]==0.26.0' hf download org/m",
         ["pypi:huggingface-hub@0.26.0", "model hf:org/m unpinned"]),
        ("pipx install mlflow==2.0; pipx run --spec openai==1.0 x", ["pypi:mlflow@2.0", "pypi:openai@1.0"]),
        ("poetry add torch@^2.4 openai@1.5.0 langchain==0.3.1 requests",
         ["pypi:torch unpinned", "pypi:openai@1.5.0", "pypi:langchain@0.3.1"]),
        ("pdm add torch; rye add peft; pipenv install trl",
         ["pypi:torch unpinned", "pypi:peft unpinned", "pypi:trl unpinned"]),
        ("poetry install; poetry run pytest torch; pdm run torch", []),
        ("conda install -y -c pytorch pytorch==2.3.1 pytorch::torchvision numpy",
         ["conda:pytorch@2.3.1", "conda:torchvision unpinned"]),
        ("mamba create -n torch python=3.10 pytorch=2.1.0", ["conda:pytorch@2.1.0"]),
        ("micromamba install pytorch=$V", ["conda:pytorch unpinned"]),
        ("pixi add pytorch; pixi add --pypi torch==2.0", ["conda:pytorch unpinned", "pypi:torch@2.0"]),
        ("conda env create -f pytorch.yml; conda activate pytorch; conda run -n torch x", []),
        ("npm install --save openai@4.67.1 express", ["npm:openai@4.67.1"]),
        ("npm i @xenova/transformers@^2 ./openai", ["npm:@xenova/transformers unpinned"]),
        ("pnpm add @langchain/core@0.3.3; yarn add ollama; bun add openai",
         ["npm:@langchain/core@0.3.3", "npm:ollama unpinned", "npm:openai unpinned"]),
        ("npm install x@npm:openai@4.0.0", ["npm:openai@4.0.0"]),
        ("npx -y promptfoo@0.94.5 eval openai", ["npm:promptfoo@0.94.5"]),
        ("pnpm dlx promptfoo eval; npm ci; npm run openai; yarn", ["npm:promptfoo unpinned"]),
        ("sudo -H pip install torch && nohup uv pip install peft",
         ["pypi:torch unpinned", "pypi:peft unpinned"]),
    ],
)  # fmt: skip
def test_programs_that_install(text: str, expected: list[str]) -> None:
    assert told(text) == expected


def test_a_package_is_told_where_it_is_written() -> None:
    found = Found(path="x.sh")
    Commands(found, {}).script("pip install -q \\\n  requests \\\n  'Sentence_Transformers[x]==3'\n")
    (reference,) = found.references
    place = reference.location
    assert (place.line, place.column, reference.loader) == (3, 3, "pip install")


def test_a_package_in_a_folded_text_is_told_in_its_line() -> None:
    found = Found(path="x.yml")
    source = ["run: >", "  pip install", "  huggingface_hub"]
    Commands(found, {}, source=source).script("pip install huggingface_hub", 2, span=2)
    (reference,) = found.references
    assert (reference.location.line, reference.location.column) == (3, 3)


PROGRAMS = (
    "pip install",
    "uv add",
    "uvx",
    "pipx run",
    "poetry add",
    "conda install",
    "npm i",
    "npx",
    "pixi add",
)


@given(st.lists(st.text("ab@:/=<>,[];.-+ \0git", max_size=12), max_size=6), st.sampled_from(PROGRAMS))
def test_any_words_are_packages_or_nothing(words: list[str], program: str) -> None:
    name, *rest = program.split()
    for each in installed(Command(program=name, words=(*rest, *words, "torch"))):
        assert 0 <= each.number < len(rest) + len(words) + 1


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    "word",
    [
        "torch==" + "1." * 50_000,
        "torch[" * 20_000,
        "torch " * 50_000,
        "--with " * 50_000,
        "torch@" * 20_000,
        "git+https://a/torch@" * 5_000,
    ],
)
def test_hostile_words_cost_no_more_than_their_length(program: str, word: str) -> None:
    started = time.process_time()
    with contextlib.suppress(UnreadableError):
        Commands(Found(path="x.sh"), {}).script(f"{program} {word}")
    assert time.process_time() - started < 2
