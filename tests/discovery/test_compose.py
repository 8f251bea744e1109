"""Compose files: images, commands and variables of services, models as elements."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.compose import DISCOVERER
from aibom.discovery.found import Found, Text
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, short, told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "a" * 64


def service(body: str) -> list[str]:
    """References of one service; its body begins in line 3."""
    return told(
        DISCOVERER,
        "compose.yaml",
        "services:\n  a:\n" + "".join(f"    {line}\n" for line in body.split("\n")),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("image: vllm/vllm-openai:v1", ["3 library docker:vllm/vllm-openai@v1 unpinned"]),
        (f"image: ollama/ollama@{DIGEST}", [f"3 library docker:ollama/ollama@{DIGEST}"]),
        (
            "image: vllm/vllm-openai:${TAG:-latest}",
            ["3 library docker:vllm/vllm-openai@latest floating-tag unpinned"],
        ),
        ("image: ${REGISTRY}/vllm-openai:v1", []),
        ("image: postgres:16\nenvironment:\n  MODEL: production", []),
        (f"command: vllm serve org/m --revision {COMMIT}", [f"3 model hf:org/m@{COMMIT}"]),
        ("command: [vllm, serve, org/m]", ["3 model hf:org/m unpinned"]),
        ("command:\n  - vllm\n  - serve\n  - ${MODEL:-org/m}", ["6 model hf:org/m unpinned"]),
        ("command: vllm serve $MODEL", ["3 model ? unresolved"]),
        ("command: >\n  vllm serve\n  --port 1\n  org/m", ["6 model hf:org/m unpinned"]),
        ("command: |\n  vllm serve\n  org/m", ["5 model hf:org/m unpinned"]),
        (
            "entrypoint: [sh, -c]\ncommand: |\n  ollama serve &\n  ollama pull m:1",
            ["6 model ollama:m@1 unpinned"],
        ),
        ("entrypoint: /bin/sh -c 'ollama pull m:1; wait'", ["3 model ollama:m@1 unpinned"]),
        ("entrypoint: [vllm, serve]\ncommand: [org/m]", ["4 model hf:org/m unpinned"]),
        ("environment:\n  M: org/m\ncommand: sh -c 'vllm serve $$M'", ["5 model hf:org/m unpinned"]),
        ('command: sh -c "vllm serve $$UNSET"', ["3 model ? unresolved"]),
        ("environment:\n  MODEL_ID: org/m\n  REVISION: v1", ["4 model hf:org/m@v1 unpinned"]),
        ("environment:\n  - OPENAI_MODEL=gpt-4o\n  - MODEL", ["4 service openai:gpt-4o unpinned"]),
        ("build:\n  args:\n    MODEL: org/m", ["5 model hf:org/m unpinned"]),
        ("provider:\n  type: model\n  options:\n    model: ai/m:1", ["6 model oci:ai/m@1 unpinned"]),
        ("provider:\n  type: other\n  options:\n    model: ai/m:1", []),
        ("post_start:\n  - command: ollama pull m:1", ["4 model ollama:m@1 unpinned"]),
        ("labels:\n  x: hf download org/m\n# command: hf download org/m\nvolumes: [a/b:c]", []),
    ],
)
def test_services(body: str, expected: list[str]) -> None:
    assert service(body) == expected


def test_what_a_command_loads_is_not_told_for_its_variable_as_well() -> None:
    assert service("environment: {MODEL: org/m}\ncommand: sh -c 'vllm serve $$MODEL'") == [
        "4 model hf:org/m unpinned"
    ]


def test_an_image_of_one_program_takes_arguments_for_it() -> None:
    assert service("image: amazon/aws-cli\ncommand: s3 cp s3://b/models/m .") == [
        "4 model s3:b/models/m unpinned"
    ]


def test_arguments_belong_to_the_server_of_the_image() -> None:
    assert service("image: vllm/vllm-openai:v1\ncommand: --model org/m --trust-remote-code") == [
        "3 library docker:vllm/vllm-openai@v1 unpinned",
        "4 model hf:org/m remote-code unpinned",
    ]


def test_models_are_elements_of_their_own() -> None:
    text = "models:\n  a:\n    model: ai/smollm2\n  b:\n    model: hf.co/org/m\n  c: {}\n"
    assert told(DISCOVERER, "compose.yml", text) == [
        "3 model oci:ai/smollm2 floating-tag unpinned",
        "5 model hf:org/m unpinned",
    ]


def test_merged_parts_are_told_where_they_stand() -> None:
    shared = "x-a: &a\n  environment: &e {MODEL_ID: org/m}\n"
    text = f"{shared}services:\n  b: {{<<: *a}}\n  c: {{<<: *a}}\n  d: {{environment: {{<<: *e}}}}\n"
    assert told(DISCOVERER, "compose.yml", text) == ["2 model hf:org/m unpinned"]


def test_the_file_of_variables_beside_the_project_is_read() -> None:
    files = {"app/.env": b"# c\nexport TAG='v3'\nMODEL=org/m\n"}
    text = b"services: {a: {image: 'vllm/vllm-openai:$TAG', command: '$MODEL'}}"
    found = Found(path="app/compose.yml")
    DISCOVERER.discover(Text(path="app/compose.yml", data=text, beside=files.get), found)
    assert [short(one) for one in found.references] == [
        "1 library docker:vllm/vllm-openai@v3 unpinned",
        "1 model hf:org/m unpinned",
    ]


def test_places_are_those_of_the_name() -> None:
    found = found_in(DISCOVERER, "compose.yml", "services:\n  a:\n    command: hf download 'org/m'\n")
    assert [(one.location.line, one.location.column) for one in found.references] == [(3, 27)]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("docker-compose.yml", True),
        ("compose.yaml", True),
        ("a/compose.override.yml", True),
        ("dev.compose.yaml", True),
        ("docker-compose-gpu.yml", True),
        ("podman-compose.yml", True),
        ("composer.json", False),
        ("decompose.yml", False),
    ],
)
def test_names_of_compose_files(path: str, wanted: bool) -> None:
    assert DISCOVERER.wants(path) is wanted


def test_an_alias_bomb_is_refused() -> None:
    text = "services: &a0 {x: y}\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    with pytest.raises(UnreadableError) as caught:
        told(DISCOVERER, "compose.yml", text)
    assert caught.value.reason is Reason.LIMIT


@given(
    st.recursive(
        st.none() | st.booleans() | st.text("ab $\"'{}:/@-|<\n", max_size=12),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "image",
                        "command",
                        "entrypoint",
                        "environment",
                        "build",
                        "args",
                        "provider",
                        "model",
                        "MODEL_ID",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_service_is_read(body: object) -> None:
    text = json.dumps({"services": {"a": body}, "models": body})
    assert all(one.location.line == 1 for one in found_in(DISCOVERER, "compose.yml", text).references)
