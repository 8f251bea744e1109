"""Dockerfiles: stages, arguments, scripts, downloads, and what their containers start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.dockerfile import DISCOVERER, DOCKERFILE_BYTES
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "a" * 64


def refs(text: str, path: str = "Dockerfile") -> list[str]:
    return told(DISCOVERER, path, text)


def behind(text: str) -> list[str]:
    """References of instructions behind the first line, `FROM python`."""
    return refs(f"FROM python:3.11\n{text}")


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("vllm/vllm-openai:v0.6", "docker:vllm/vllm-openai@v0.6 unpinned"),
        ("vllm/vllm-openai", "docker:vllm/vllm-openai floating-tag unpinned"),
        ("vllm/vllm-openai:latest AS x", "docker:vllm/vllm-openai@latest floating-tag unpinned"),
        (f"--platform=linux/amd64 ollama/ollama@{DIGEST} as x", f"docker:ollama/ollama@{DIGEST}"),
        (
            "registry:5000/mirror/tritonserver:24.01-py3",
            "docker:registry:5000/mirror/tritonserver@24.01-py3 unpinned",
        ),
        ("nvcr.io/nim/meta/llama:1", "docker:nvcr.io/nim/meta/llama@1 unpinned"),
        ("ghcr.io/ggml-org/llama.cpp:server", "docker:ghcr.io/ggml-org/llama.cpp@server unpinned"),
        ("tensorflow/serving", "docker:tensorflow/serving floating-tag unpinned"),
    ],
)
def test_images_of_model_servers_are_libraries(image: str, expected: str) -> None:
    assert refs(f"FROM {image}\n") == [f"1 library {expected}"]


@pytest.mark.parametrize(
    "image",
    [
        "python:3.11",
        "scratch",
        "nginx/serving",
        "org/nimble",
        "pytorch/pytorch:2",
        "$IMAGE",
        "",
        "--platform=x",
    ],
)
def test_other_images_are_silent(image: str) -> None:
    assert refs(f"FROM {image}\nRUN echo model\n") == []


def test_arguments_in_front_of_from_name_the_image() -> None:
    assert refs("ARG NAME=vllm/vllm-openai\nARG TAG\nFROM ${NAME}:${TAG:-v1}\nFROM $NAME:$TAG\n") == [
        "3 library docker:vllm/vllm-openai@v1 unpinned",
        "4 library docker:vllm/vllm-openai unpinned",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENV MODEL_ID=org/m", ["2 model hf:org/m unpinned"]),
        ("ENV MODEL_ID org/m", ["2 model hf:org/m unpinned"]),
        (f'ENV A=b \\\n  HF_MODEL_ID="org/m"\nENV REVISION={COMMIT}', [f"3 model hf:org/m@{COMMIT}"]),
        (
            "ARG MODEL=org/m\nENV MODEL_NAME=${MODEL}",
            ["3 model hf:org/m unpinned"],
        ),
        ("ENV MODEL=org/m\nRUN hf download $MODEL", ["3 model hf:org/m unpinned"]),
        (
            "ENV MODEL=org/m\nRUN hf download org/n",
            ["2 model hf:org/m unpinned", "3 model hf:org/n unpinned"],
        ),
        ("ENV HF_MODEL_ID=gpt2", ["2 model hf:gpt2 no-organisation unpinned"]),
        (
            "ENV DATASET_NAME=org/d OPENAI_MODEL=gpt-4o",
            ["2 dataset hf-dataset:org/d unpinned", "2 service openai:gpt-4o unpinned"],
        ),
        ("ENV MODEL_URL=https://example.com/m.gguf", ["2 model https:https://example.com/m.gguf unpinned"]),
        ("ENV MODEL=production MODEL_DIR=/models/org MODEL_NAME=$X PATH=a/b MODEL_PATH=a/b", []),
        ("LABEL MODEL_ID=org/m\nEXPOSE 80\n# ENV MODEL_ID=org/m", []),
    ],
)
def test_variables_that_name_models(text: str, expected: list[str]) -> None:
    assert behind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN hf download org/m", ["2 model hf:org/m unpinned"]),
        ('RUN ["hf", "download", "org/m"]', ["2 model hf:org/m unpinned"]),
        (
            "RUN --mount=type=cache,target=/c \\\n --network=none \\\n hf download org/m",
            ["4 model hf:org/m unpinned"],
        ),
        (
            "RUN a && \\\n# hf download no/no\n\n  hf download \\\n   # c\n   org/m",
            ["7 model hf:org/m unpinned"],
        ),
        (
            "RUN <<E\nhf download org/m\nE\nRUN hf download org/n",
            ["3 model hf:org/m unpinned", "5 model hf:org/n unpinned"],
        ),
        ("RUN <<E bash\nhf download org/m\nE", ["3 model hf:org/m unpinned"]),
        (
            "RUN <<E\n#!/usr/bin/env python3\nfrom datasets import load_dataset\nload_dataset('org/d')\nE",
            ["5 dataset hf-dataset:org/d unpinned"],
        ),
        (
            "RUN python3 <<E\nfrom transformers import AutoModel\nAutoModel.from_pretrained('org/m')\nE",
            ["4 model hf:org/m unpinned"],
        ),
        (
            "RUN python -c \"from transformers import AutoModel; \\\n  AutoModel.from_pretrained('org/m')\"",
            ["3 model hf:org/m unpinned"],
        ),
        (
            'RUN python -c \'from datasets import load_dataset; \\\n  load_dataset("org/d", revision="r")\'',
            ["3 dataset hf-dataset:org/d@r unpinned"],
        ),
        (
            "ARG M\nARG R=v1\nRUN hf download $M && hf download org/m --revision $R",
            ["4 model ? unresolved", "4 model hf:org/m@v1 unpinned"],
        ),
        ("ONBUILD RUN hf download org/m", ["2 model hf:org/m unpinned"]),
        ("COPY <<E /x.sh\nhf download org/m\nE", ["3 model hf:org/m unpinned"]),
        ("RUN echo 'hf download org/m'\nHEALTHCHECK CMD hf download org/m", []),
    ],
)
def test_scripts_are_read_with_their_lines(text: str, expected: list[str]) -> None:
    assert behind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ADD https://huggingface.co/org/m/resolve/main/m.bin /", ["2 model hf:org/m@main#m.bin unpinned"]),
        (
            f"ADD --checksum={DIGEST} https://example.com/m.onnx /",
            [f"2 model https:https://example.com/m.onnx@{DIGEST}"],
        ),
        ("ADD http://example.com/m.onnx /", ["2 model http:http://example.com/m.onnx http unpinned"]),
        ("ADD https://huggingface.co/org/m.git#v1 /", ["2 model hf:org/m@v1 unpinned"]),
        ("ADD https://example.com/x.tar.gz m.bin /", []),
        ("COPY --from=ollama/ollama:1 /a /b", ["2 library docker:ollama/ollama@1 unpinned"]),
        ("COPY m.safetensors /models/", []),
    ],
)
def test_what_is_added_from_elsewhere(text: str, expected: list[str]) -> None:
    assert behind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('CMD ["--model", "org/m"]', "2 model hf:org/m unpinned"),
        (f'CMD ["--model", \\\n "org/m", "--revision={COMMIT}"]', f"3 model hf:org/m@{COMMIT}"),
        ('ENTRYPOINT ["vllm", "serve"]\nCMD ["org/m"]', "3 model hf:org/m unpinned"),
        (
            'CMD ["a"]\nENTRYPOINT ["python3", "-m", "vllm.entrypoints.api"]\nCMD ["--model", "org/m"]',
            "4 model hf:org/m unpinned",
        ),
        ("ENV X=org/m\nCMD vllm serve $X", "3 model hf:org/m unpinned"),
        ('ENV X=org/m\nCMD ["sh", "-c", "vllm serve $X"]', "3 model hf:org/m unpinned"),
        ('ENTRYPOINT exec vllm serve org/m\nCMD ["--model", "org/n"]', "2 model hf:org/m unpinned"),
        ('CMD ["org/a"]\nCMD ["org/m"]', "3 model hf:org/m unpinned"),
        ('CMD ["--model", "$X"]', "2 model ? unresolved"),
    ],
)
def test_a_container_starts_what_entrypoint_and_command_say_together(text: str, expected: str) -> None:
    server = "1 library docker:vllm/vllm-openai@v1 unpinned"
    assert refs(f"FROM vllm/vllm-openai:v1\n{text}\n") == [server, expected]


def test_a_stage_is_built_on_another_and_inherits_what_it_starts() -> None:
    text = """FROM vllm/vllm-openai:v1 AS Base
ENTRYPOINT ["vllm", "serve"]
FROM python AS tool
CMD ["--model", "org/of-an-unknown-program"]
FROM base
COPY --from=tool /a /b
CMD ["org/m"]
"""
    assert refs(text) == [
        "1 library docker:vllm/vllm-openai@v1 unpinned",
        "4 model hf:org/of-an-unknown-program unpinned",
        "7 model hf:org/m unpinned",
    ]


def test_the_server_reads_its_variables() -> None:
    text = "FROM ghcr.io/huggingface/text-generation-inference:2\nENV MODEL_ID=gpt2 TRUST_REMOTE_CODE=true\n"
    assert refs(text)[1:] == ["2 model hf:gpt2 no-organisation remote-code unpinned"]


def test_places_are_those_of_the_name() -> None:
    found = found_in(DISCOVERER, "Dockerfile", "FROM  ollama/ollama\nRUN a; hf download \\\n  org/m\n")
    assert [(one.location.line, one.location.column) for one in found.references] == [(1, 7), (3, 3)]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("Dockerfile", True),
        ("a/Containerfile", True),
        ("Dockerfile.gpu", True),
        ("gpu.dockerfile", True),
        ("dev-Dockerfile", True),
        ("Dockerfile.md", False),
        ("Dockerfile.dockerignore", False),
        ("file", False),
    ],
)
def test_names_of_dockerfiles(path: str, wanted: bool) -> None:
    assert DISCOVERER.wants(path) is wanted


def test_a_backtick_escapes_when_the_file_says_so() -> None:
    assert refs("# escape=`\nFROM python\nRUN hf download `\n  org/m\n") == ["4 model hf:org/m unpinned"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\n" * 20_000,
        "FROM a\n" + "RUN x \\\n" * 50_000,
        "FROM a\nRUN " + "<<A " * 50_000,
        "FROM a\n" + "RUN <<A\n" * 20_000,
        "FROM a\nCMD " + "[" * 100_000,
        "FROM a\n" + "ENV A=$A$A\n" * 4_000,
        "FROM a\n" + "ONBUILD " * 50_000,
        "FROM a\nRUN " + "--a=b " * 50_000,
        "FROM a AS a\n" * 4_000,
    ],
)
def test_hostile_files_are_read_or_a_defect(text: str) -> None:
    found = found_in(DISCOVERER, "Dockerfile", text)
    assert not found.references
    assert all(defect.reason is Reason.LIMIT for defect in found.defects)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        refs("FROM a\n" + "#" * DOCKERFILE_BYTES)
    assert caught.value.reason is Reason.LIMIT


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["FROM", "RUN", "ENV", "ARG", "CMD", "ENTRYPOINT", "ADD", "COPY", "ONBUILD", "#", ""]
            ),
            st.text("ab \\\n\"'[],=$<>E{}:/@-.", max_size=20),
        )
    )
)
def test_any_instructions_are_read(instructions: list[tuple[str, str]]) -> None:
    text = "FROM vllm/vllm-openai AS a\n" + "\n".join(f"{name} {rest}" for name, rest in instructions)
    lines = text.count("\n") + 1
    assert all(
        1 <= (one.location.line or 0) <= lines for one in found_in(DISCOVERER, "Dockerfile", text).references
    )
