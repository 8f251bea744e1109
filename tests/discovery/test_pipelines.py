"""Pipelines and jobs: scripts, images and variables of each dialect, at their lines."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.pipelines import DISCOVERER, JOBS
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WORKFLOW = ".github/workflows/ci.yml"


def steps(body: str) -> list[str]:
    """References of the steps of a workflow; they begin in line 4."""
    return told(
        DISCOVERER, WORKFLOW, "jobs:\n a:\n  steps:\n" + "".join(f"  {line}\n" for line in body.split("\n"))
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("- run: hf download org/m", ["4 model hf:org/m unpinned"]),
        (f"- run: hf download org/m --revision {COMMIT}", [f"4 model hf:org/m@{COMMIT}"]),
        ("- run: hf download $REPO", ["4 model ? unresolved"]),
        (
            "- name: vllm serve a\n  run: |\n    # ollama pull m\n    x && \\\n    hf download \\\n    org/m",
            ["9 model hf:org/m unpinned"],
        ),
        ("- run: >-\n    ollama pull\n    m:1", ["6 model ollama:m@1 unpinned"]),
        ("- run: hf download ${{ env.M }}\n  env: {M: org/m}", ["4 model hf:org/m unpinned"]),
        ("- run: hf download ${{ secrets.M }}", ["4 model ? unresolved"]),
        ("- run: hf download ${{ inputs.m || 'org/m' }}", ["4 model hf:org/m unpinned"]),
        ("- run: hf download org/m --revision ${{ github.sha }}", ["4 model hf:org/m unpinned"]),
        (
            "- shell: python\n  run: |\n    from datasets import load_dataset\n    load_dataset('org/d')",
            ["7 dataset hf-dataset:org/d unpinned"],
        ),
        ("- uses: docker://ollama/ollama:1", ["4 library docker:ollama/ollama@1 unpinned"]),
        (
            "- uses: actions/ai-inference@v1\n  with: {model: openai/gpt-4o}",
            ["5 service openai:gpt-4o unpinned"],
        ),
        ("- env: {MODEL_ID: org/m}\n  run: x", ["4 model hf:org/m unpinned"]),
        ("- uses: actions/github-script@v7\n  with:\n    script: |\n      hf download org/n # model", []),
        ("- run: pip install torch==2.0 flask", ["4 library pypi:torch@2.0"]),
        (
            "- uses: docker://huggingface/text-generation-inference:1\n  with: {args: --model-id org/m}",
            [
                "4 library docker:huggingface/text-generation-inference@1 unpinned",
                "5 model hf:org/m unpinned",
            ],
        ),
        (
            '- run: echo "R=org/m" >> $GITHUB_ENV\n- run: hf download $R',
            ["5 model hf:org/m unpinned"],
        ),
        (
            "- uses: docker/build-push-action@v6\n  with:\n    build-args: |\n      X=1\n      MODEL=org/m",
            ["8 model hf:org/m unpinned"],
        ),
        ("- env: {MODEL_ID: org/m}\n  run: hf download $MODEL_ID", ["5 model hf:org/m unpinned"]),
        ("- uses: org/model@v1\n- run: echo 'hf download org/n'\n  if: hf download org/n", []),
    ],
)
def test_steps_of_github_actions(body: str, expected: list[str]) -> None:
    assert steps(body) == expected


def test_a_job_of_github_actions() -> None:
    text = """on:
  workflow_dispatch:
    inputs:
      repo: {default: org/m}
env: {DATASET_ID: org/d}
jobs:
  a:
    container: {image: "vllm/vllm-openai:v1"}
    services:
      ollama: {image: ollama/ollama}
    strategy:
      matrix:
        model: [org/a, org/b]
        include: [{model: org/c, os: x}]
    env: {M: "${{ matrix.model }}"}
    steps:
      - run: hf download ${{ inputs.repo }}
      - run: hf download ${{ matrix.model }}
      - run: hf download "$M"
  b:
    container: ollama/ollama:2
    steps: [{run: "hf download $M ${DATASET_ID}"}]
"""
    loop = ["org/a unpinned", "org/b unpinned", "org/c unpinned"]
    assert told(DISCOVERER, WORKFLOW, text) == [
        "5 dataset hf-dataset:org/d unpinned",
        "8 library docker:vllm/vllm-openai@v1 unpinned",
        "10 library docker:ollama/ollama floating-tag unpinned",
        "17 model hf:org/m unpinned",
        *(f"18 model hf:{one}" for one in loop),
        *(f"19 model hf:{one}" for one in loop),
        "21 library docker:ollama/ollama@2 unpinned",
        "22 model ? unresolved",
    ]


GITLAB = """image: {name: "vllm/vllm-openai:v1", entrypoint: [""]}
variables:
  MODEL: {value: org/m, description: x}
before_script: [pip install x, R=v1]
job:
  services: [{name: "ollama/ollama:1", alias: o}]
  script:
    - hf download $MODEL --revision $R
    - [ollama pull m:1, !reference [.a, script]]
    - |
      if true; then
        hf download org/n
      fi
"""
AZURE = """variables: [{name: model, value: org/m}]
resources: {containers: [{container: v, image: "ollama/ollama:1"}]}
steps:
- script: hf download $(model)
- bash: hf download $(cat model)
- task: AzureCLI@2
  inputs: {inlineScript: hf download org/n}
- template: hf download org/o
"""
CIRCLE = """jobs:
  a:
    parameters: {model: {type: string, default: org/m}}
    docker: [{image: "ollama/ollama:1", environment: {MODEL_ID: org/e}}]
    steps:
    - run: hf download << parameters.model >>
    - run: {name: x, command: ollama pull m:1}
"""
EACH = """parameters: [{name: m, default: [org/a, org/b]}]
steps:
- ${{ each x in parameters.m }}:
  - script: hf download ${{ x }}
- ${{ each x in parameters.z }}:
  - script: hf download ${{ x }}
"""
CIRCLE_MATRIX = """jobs:
  a:
    docker: [{image: 'vllm/vllm-openai:v1', command: [--model, org/s]}]
    steps: [{run: hf download << parameters.m >>}]
workflows: {w: {jobs: [{a: {matrix: {parameters: {m: [org/a, org/b]}}}}]}}
"""
GITLAB_MATRIX = """default: {before_script: [export R=org/m]}
a:
  services:
  - {name: 'vllm/vllm-openai:v1', command: [--model, org/s]}
  script: [hf download $R]
b: {parallel: {matrix: [{M: [org/a, org/b], V: v1}]}, script: [hf download $M --revision $V]}
"""
BUILD = """steps:
- name: vllm/vllm-openai:v1
  args: [--model, $_MODEL]
- name: python
  entrypoint: bash
  args: [-c, hf download org/n]
- name: python
  script: |
    #!/usr/bin/env python
    from datasets import load_dataset
    load_dataset("org/d")
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            ".gitlab-ci.yml",
            GITLAB,
            [
                "1 library docker:vllm/vllm-openai@v1 unpinned",
                "6 library docker:ollama/ollama@1 unpinned",
                "8 model hf:org/m@v1 unpinned",
                "9 model ollama:m@1 unpinned",
                "12 model hf:org/n unpinned",
            ],
        ),
        (
            "azure-pipelines.yml",
            AZURE,
            [
                "2 library docker:ollama/ollama@1 unpinned",
                "4 model hf:org/m unpinned",
                "5 model ? unresolved",
                "7 model hf:org/n unpinned",
            ],
        ),
        (
            ".circleci/config.yml",
            CIRCLE,
            [
                "4 library docker:ollama/ollama@1 unpinned",
                "4 model hf:org/e unpinned",
                "6 model hf:org/m unpinned",
                "7 model ollama:m@1 unpinned",
            ],
        ),
        (
            "cloudbuild.yaml",
            BUILD,
            [
                "2 library docker:vllm/vllm-openai@v1 unpinned",
                "3 model ? unresolved",
                "6 model hf:org/n unpinned",
                "11 dataset hf-dataset:org/d unpinned",
            ],
        ),
        (
            "azure-pipelines.yml",
            EACH,
            ["4 model hf:org/a unpinned", "4 model hf:org/b unpinned", "6 model ? unresolved"],
        ),
        (
            "azure-pipelines.yml",
            "strategy: {matrix: {a: {M: org/a}, b: {M: org/b}}}\nsteps: [{script: hf download $(M)}]",
            ["2 model hf:org/a unpinned", "2 model hf:org/b unpinned"],
        ),
        (
            ".circleci/config.yml",
            CIRCLE_MATRIX,
            [
                "3 library docker:vllm/vllm-openai@v1 unpinned",
                "3 model hf:org/s unpinned",
                "4 model hf:org/a unpinned",
                "4 model hf:org/b unpinned",
            ],
        ),
        (
            ".gitlab-ci.yml",
            GITLAB_MATRIX,
            [
                "4 library docker:vllm/vllm-openai@v1 unpinned",
                "4 model hf:org/s unpinned",
                "5 model hf:org/m unpinned",
                "6 model hf:org/a@v1 unpinned",
                "6 model hf:org/b@v1 unpinned",
            ],
        ),
        (
            "cloudbuild.yaml",
            "steps: [{name: gcr.io/cloud-builders/gsutil, args: [-m, cp, -r, gs://b/models/x, .]}]",
            ["1 model gs:b/models/x unpinned"],
        ),
        (
            "bitbucket-pipelines.yml",
            "pipelines: {default: [{step: {script: [ollama pull m:1]}}]}",
            ["1 model ollama:m@1 unpinned"],
        ),
        (
            ".travis.yml",
            "install: ollama pull m:1\nscript: [a, hf download org/m]",
            ["1 model ollama:m@1 unpinned", "2 model hf:org/m unpinned"],
        ),
        ("buildspec.yml", "phases: {build: {commands: [ollama pull m:1]}}", ["1 model ollama:m@1 unpinned"]),
        (
            "Taskfile.yml",
            "vars: {M: org/m}\ntasks: {a: {cmds: ['hf download {{.M}}', {cmd: 'ollama pull m:1'}]}}",
            ["2 model hf:org/m unpinned", "2 model ollama:m@1 unpinned"],
        ),
        ("a/action.yml", "runs: {steps: [{run: ollama pull m:1}]}", ["1 model ollama:m@1 unpinned"]),
        ("docs/ci.yml", "run: ollama pull m:1", []),
    ],
)
def test_other_dialects(path: str, text: str, expected: list[str]) -> None:
    assert told(DISCOVERER, path, text) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "serve.yaml",
            "resources: {gpu: 1}\nenvs: {MODEL_NAME: org/m}\nrun: |\n  x\n  vllm serve $MODEL_NAME\n",
            ["5 model hf:org/m unpinned"],
        ),
        (
            "x.yml",
            "type: service\nimage: ollama/ollama:1\nenv: [MODEL=org/m]\ncommands:\n- vllm serve $MODEL\n",
            [
                "2 library docker:ollama/ollama@1 unpinned",
                "5 model hf:org/m unpinned",
            ],
        ),
        ("x.yml", "run: vllm serve org/m\n", []),
        (WORKFLOW, "resources: x\nrun: vllm serve org/m\n", []),
    ],
)
def test_jobs_are_recognised_by_their_keys(path: str, text: str, expected: list[str]) -> None:
    assert told(JOBS, path, text) == expected


def test_places_are_those_of_the_name() -> None:
    text = "jobs:\n  a:\n    steps:\n      - run: |\n          x\n          hf download 'org/m' # org/m\n"
    found = found_in(DISCOVERER, WORKFLOW, text)
    assert [(one.location.line, one.location.column) for one in found.references] == [(6, 24)]


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        told(DISCOVERER, WORKFLOW, "model: [")
    assert caught.value.reason is Reason.MALFORMED


KEYS = (
    "run",
    "script",
    "env",
    "with",
    "uses",
    "image",
    "container",
    "services",
    "strategy",
    "matrix",
    "include",
    "args",
    "name",
    "value",
    "default",
    "inputs",
    "parameters",
    "shell",
    "steps",
    "entrypoint",
    "MODEL",
    "commands",
)


@given(
    st.recursive(
        st.none()
        | st.integers()
        | st.text("ab $\"'{}:/@-|<>\n()`=", max_size=16)
        | st.sampled_from(["hf download $a", "${{ matrix.MODEL }}", "docker://a", "python", "org/m", "#!x"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    )
)
def test_any_pipeline_is_read(body: object) -> None:
    found = found_in(DISCOVERER, WORKFLOW, json.dumps({"model": body}))
    assert all(one.location.line == 1 for one in found.references)


@pytest.mark.parametrize(
    "text",
    [
        "model:\n" + "- run: 'a ${{ matrix.m }}'\n" * 8_000,
        "strategy: {matrix: {m: ["
        + "a," * 5_000
        + "b]}}\nx:\n"
        + "- run: 'a ${{ matrix.m }}'\n" * 6_000
        + "# model",
        "run: '" + "${{ a " * 100_000 + "' # model",
        "run: '" + "<< " * 100_000 + "' # model",
        "env: {"
        + ",".join(f"A{n}: $A{n - 1}$A{n - 1}" for n in range(1, 5_000))
        + "}\nrun: x $A4999 # model",
    ],
)
def test_hostile_pipelines_find_nothing(text: str) -> None:
    assert found_in(DISCOVERER, WORKFLOW, text).references == []
