"""Jenkinsfiles: steps, images, variables; comments and other texts are silent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.jenkins import DISCOVERER, JENKINSFILE_BYTES
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sh 'hf download org/m'", ["1 model hf:org/m unpinned"]),
        ('sh "hf download org/m --revision v1"', ["1 model hf:org/m@v1 unpinned"]),
        ("sh '''\n  ls\n  hf download \\\n    org/m\n'''", ["4 model hf:org/m unpinned"]),
        ('sh """\n  ollama pull m:1\n"""', ["2 model ollama:m@1 unpinned"]),
        ("sh(script: 'hf download org/m', returnStdout: true)", ["1 model hf:org/m unpinned"]),
        ("def x = sh script: 'hf download org/m'", ["1 model hf:org/m unpinned"]),
        (
            "environment {\n  MODEL_ID = 'org/m'\n}\nsh \"hf download ${env.MODEL_ID}\"",
            ["4 model hf:org/m unpinned"],
        ),
        ("environment {\n  MODEL_ID = 'org/m'\n}\nsh 'serve'", ["2 model hf:org/m unpinned"]),
        (
            "string(name: 'REPO', defaultValue: 'org/m')\nsh \"hf download ${params.REPO} $params.X\"",
            ["2 model hf:org/m unpinned"],
        ),
        (
            "choice(name: 'REPO', choices: ['org/a', 'org/b'])\nsh 'hf download $REPO'",
            ["2 model hf:org/a unpinned", "2 model hf:org/b unpinned"],
        ),
        (
            "for (m in ['org/a', 'org/b']) { sh \"hf download ${m}\" }",
            ["1 model hf:org/a unpinned", "1 model hf:org/b unpinned"],
        ),
        ("def repo = 'org/m'\nsh \"hf download ${repo}\"", ["2 model hf:org/m unpinned"]),
        ("withEnv(['R=org/m', 'Q=1']) { sh 'hf download $R' }", ["1 model hf:org/m unpinned"]),
        ("sh label: 'get', script: 'pip install torch==2.0'", ["1 library pypi:torch@2.0"]),
        ("name: 'x', description: 'sh hf download org/m'", []),
        ('sh "hf download ${params.REPO}"', ["1 model ? unresolved"]),
        (
            "agent { docker { image 'vllm/vllm-openai:v1' } }\nsh 'x'",
            ["1 library docker:vllm/vllm-openai@v1 unpinned"],
        ),
        (
            "docker.image('ollama/ollama').inside { sh 'x' }",
            ["1 library docker:ollama/ollama floating-tag unpinned"],
        ),
        ("// sh 'hf download org/m'\n/* sh 'hf download org/m' */\necho \"sh 'hf download org/m'\"", []),
        ("push 'hf download org/m'\nsh x + 'hf download org/m'", []),
    ],
)
def test_steps(text: str, expected: list[str]) -> None:
    assert told(DISCOVERER, "Jenkinsfile", text) == expected


def test_places_are_those_of_the_name() -> None:
    found = found_in(DISCOVERER, "ci/Jenkinsfile.gpu", "a {\n  sh '''\n    hf download org/m'''\n}")
    assert [(one.location.line, one.location.column) for one in found.references] == [(3, 17)]


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        told(DISCOVERER, "Jenkinsfile", "sh 'x'\n" + " " * JENKINSFILE_BYTES)
    assert caught.value.reason is Reason.LIMIT


@given(st.text("sh \n\"'\\/*(){}=$A:", max_size=60))
def test_any_text_is_read(text: str) -> None:
    found_in(DISCOVERER, "Jenkinsfile", f"{text}\nsh 'ollama pull m'")


@pytest.mark.parametrize(
    "text", ["'" * 900_000, '"""' * 300_000, "/*" * 400_000, "sh '\\" * 200_000, "A='\n" * 200_000]
)
def test_texts_that_never_close_cost_no_more_than_their_length(text: str) -> None:
    assert found_in(DISCOVERER, "Jenkinsfile", f"{text}\nsh").references == []
