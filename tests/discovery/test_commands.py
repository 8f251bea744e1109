"""Commands that fetch and serve: each program resolved, unresolved, pinned and unpinned; wrappers; decoys."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.commands import Commands
from aibom.discovery.found import REFERENCE_COUNT, Found
from aibom.discovery.shell_words import Word
from aibom.domain.errors import UnreadableError
from tests.discovery.references import short

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "a" * 64


def told(text: str, **variables: str) -> list[str]:
    """References of a script in short, without the line when there is only one."""
    found = Found(path="x.sh")
    Commands(found, dict(variables)).script(text)
    assert not found.defects
    return [short(one) for one in found.references]


def one(text: str) -> list[str]:
    return [line.removeprefix("1 ") for line in told(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vllm serve org/m", ["model hf:org/m unpinned"]),
        (f"vllm serve --port 1 org/m --revision {COMMIT}", [f"model hf:org/m@{COMMIT}"]),
        ("vllm serve --model org/m --trust-remote-code", ["model hf:org/m remote-code unpinned"]),
        (
            "vllm serve /m --tokenizer org/t --trust-remote-code",
            ["model file:/m local-path remote-code", "tokenizer hf:org/t remote-code unpinned"],
        ),
        (
            "python -m llama_cpp.server --hf_model_repo_id org/m --model '*q8_0.gguf'",
            ["model hf:org/m unpinned"],
        ),
        ("mlx_lm.lora --model org/m --train", ["model hf:org/m unpinned"]),
        ("whisper a.mp3 --model large-v3", ["model openai-whisper:large-v3 unpinned"]),
        ("llm -m gpt-4o hi; llm -m mine hi", ["service openai:gpt-4o unpinned"]),
        ("vllm serve org/m --tokenizer org/t", ["model hf:org/m unpinned", "tokenizer hf:org/t unpinned"]),
        (
            "vllm serve org/m --lora-modules a=org/l b=/l --port 1",
            ["model hf:org/m unpinned", "adapter hf:org/l unpinned", "adapter file:/l local-path"],
        ),
        ("vllm serve /models/m", ["model file:/models/m local-path"]),
        ("vllm serve $M", ["model ? unresolved"]),
        ("vllm bench --help; vllm --version", []),
        ("python -m vllm.entrypoints.openai.api_server --model=org/m", ["model hf:org/m unpinned"]),
        ("text-generation-launcher --model-id org/m --revision r", ["model hf:org/m@r unpinned"]),
        ("text-embeddings-router --model-id=org/m", ["model hf:org/m unpinned"]),
        ("text-generation-server download-weights org/m", ["model hf:org/m unpinned"]),
        ("python3 -m sglang.launch_server --model-path org/m", ["model hf:org/m unpinned"]),
        ("llama-server -hf org/m:Q4 -c 1", ["model hf:org/m@Q4 unpinned"]),
        (
            "./build/bin/llama-cli -m models/m.gguf --lora l.gguf",
            ["model file:models/m.gguf local-path", "adapter file:l.gguf local-path"],
        ),
        ("llama-server -mu https://example.com/m.gguf", ["model https:https://example.com/m.gguf unpinned"]),
        ("lmdeploy serve api_server org/m", ["model hf:org/m unpinned"]),
        ("trtllm-serve org/m", ["model hf:org/m unpinned"]),
        (
            "tritonserver --model-repository=s3://b/r --model-repository /r",
            ["model s3:b/r unpinned", "model file:/r local-path"],
        ),
        (
            "lm_eval --model hf --model_args pretrained=org/m,revision=r,trust_remote_code=True,peft=org/l",
            ["model hf:org/m@r remote-code unpinned", "adapter hf:org/l@r remote-code unpinned"],
        ),
        ("litellm --model ollama/llama3", ["model ollama:llama3 floating-tag unpinned"]),
        ("yolo train model=yolov8n.pt data=x", ["model ultralytics:yolov8n.pt unpinned"]),
        (
            "python train.py --model_name_or_path org/m --dataset_name org/d --model_revision r",
            ["dataset hf-dataset:org/d unpinned", "model hf:org/m@r unpinned"],
        ),
        ("python train.py --model org/m; train --name x", []),
    ],
)
def test_programs_that_serve_train_and_evaluate(text: str, expected: list[str]) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"docker pull vllm/vllm-openai@{DIGEST}", [f"library docker:vllm/vllm-openai@{DIGEST}"]),
        (
            "docker run --gpus all -it vllm/vllm-openai:v1 --model org/m",
            ["library docker:vllm/vllm-openai@v1 unpinned", "model hf:org/m unpinned"],
        ),
        (
            "docker run -d -e MODEL_ID=org/m -e REVISION=r ghcr.io/huggingface/text-generation-inference",
            [
                "library docker:ghcr.io/huggingface/text-generation-inference floating-tag unpinned",
                "model hf:org/m@r unpinned",
            ],
        ),
        (
            "docker run --rm --env=MODEL_ID=gpt2 huggingface/text-generation-inference:1",
            [
                "library docker:huggingface/text-generation-inference@1 unpinned",
                "model hf:gpt2 no-organisation unpinned",
            ],
        ),
        ("docker run -v $PWD:/x --rm python:3 bash -c 'hf download org/m'", ["model hf:org/m unpinned"]),
        (
            "podman run -p 1:1 ollama/ollama run llama3",
            [
                "library docker:ollama/ollama floating-tag unpinned",
                "model ollama:llama3 floating-tag unpinned",
            ],
        ),
        (
            "docker run vllm/vllm-openai:$TAG org/m",
            ["library docker:vllm/vllm-openai unpinned", "model hf:org/m unpinned"],
        ),
        (
            "docker run vllm/vllm-openai:v1 serve org/m",
            ["library docker:vllm/vllm-openai@v1 unpinned", "model hf:org/m unpinned"],
        ),
        (
            "docker run -e MODEL_ID=org/m vllm/vllm-openai:v1 --model org/m",
            ["library docker:vllm/vllm-openai@v1 unpinned", "model hf:org/m unpinned"],
        ),
        ("docker run --rm amazon/aws-cli:2 s3 cp s3://b/m.onnx .", ["model s3:b/m.onnx unpinned"]),
        ("docker run python:3.11 app; docker build -t vllm .; docker run", []),
    ],
)
def test_containers_of_model_servers_start_what_their_arguments_say(text: str, expected: list[str]) -> None:
    assert one(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "sudo -u me ollama pull m",
        "A=b env C=d nohup ollama pull m &",
        "docker exec -it ollama ollama pull m",
        "kubectl exec pod/x -- ollama pull m",
        "uv run --with x ollama pull m",
        "timeout 5 ollama pull m",
        "ssh host 'ollama pull m'",
        "su - me -c 'ollama pull m'",
        "bash -euo pipefail -c 'ollama pull m'",
        "if true; then ollama pull m; fi",
        "x=$(ollama pull m)",
        "while ! ollama pull m; do sleep 1; done",
        "bash <<E\nollama pull m\nE",
        "/usr/bin/ollama pull m",
        "echo m | xargs -n1 ollama pull m",
        "eval 'ollama pull m'",
        "docker compose exec ollama ollama pull m",
        "f() { ollama pull m; }",
        "sh -c \"sh -c 'ollama pull m'\"",
    ],
)
def test_a_command_is_found_in_whatever_runs_it(text: str) -> None:
    assert [line.split(" ", 1)[1] for line in told(text)] == ["model ollama:m floating-tag unpinned"]


@pytest.mark.parametrize(
    "text",
    [
        "# ollama pull m",
        "echo ollama pull m",
        "echo 'a; ollama pull m'",
        "sudo echo ollama pull m",
        "cat <<E\nollama pull m\nE",
        "grep 'ollama pull' README",
        "printf '%s' \"hf download org/m\"",
        "my-ollama pull m",
        "ollamas pull m",
        "alias o='ollama pull m'",
        "git commit -m 'vllm serve org/m'",
        "which vllm serve org/m",
        "A='hf download org/m'",
        "test -d org/m",
        "[ hf download org/m ]",
        "case hf in download) ;; esac",
    ],
)
def test_what_only_mentions_a_command_is_silent(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("M=org/m\nhf download $M", ["2 model hf:org/m unpinned"]),
        ("export O=org N=m; hf download $O/${N}", ["1 model hf:org/m unpinned"]),
        ("hf download ${M:-org/m}", ["1 model hf:org/m unpinned"]),
        (': "${M:=org/m}"; hf download $M', ["1 model hf:org/m unpinned"]),
        ("M=$1\nhf download $M", ["2 model ? unresolved"]),
        ("M=org/a\nM=org/b\nhf download $M", ["3 model hf:org/b unpinned"]),
        ("A=(--model org/m)\nA+=(--revision r)\nvllm serve ${A[@]}", ["3 model hf:org/m@r unpinned"]),
        (
            "for m in a/b c/d; do\n  hf download $m\ndone",
            ["2 model hf:a/b unpinned", "2 model hf:c/d unpinned"],
        ),
        (
            "L='a/b c/d'\nfor m in $L; do hf download org-$m; done",
            ["2 model hf:org-a/b unpinned", "2 model hf:org-c/d unpinned"],
        ),
        (
            "for o in a; do for m in b c; do hf download $o/$m; done; done",
            ["1 model hf:a/b unpinned", "1 model hf:a/c unpinned"],
        ),
        ("for m in $(cat l); do hf download $m; done", ["1 model ? unresolved"]),
        ("hf download org/m --revision $R", ["1 model hf:org/m unpinned"]),
        ("llama-server -hf org/m:$Q", ["1 model hf:org/m unpinned"]),
        ("vllm serve \\\n  --port 1 \\\n  org/m", ["3 model hf:org/m unpinned"]),
        ("curl x \\\n -d '{\n\"a\": 1}'; \\\n hf download \\\n org/m", ["5 model hf:org/m unpinned"]),
    ],
)
def test_variables_and_loops_are_followed_and_lines_are_those_of_the_name(
    text: str, expected: list[str]
) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python -c \"from transformers import AutoModel\nAutoModel.from_pretrained('org/m')\"", 2),
        ("python - <<'E'\nfrom transformers import AutoModel\nAutoModel.from_pretrained('org/m')\nE", 3),
        ("M=org/m\npython3 <<E\nfrom transformers import AutoModel\nAutoModel.from_pretrained('$M')\nE", 4),
        ("python -c '\n  from transformers import AutoModel\n  AutoModel.from_pretrained(\"org/m\")'", 3),
    ],
)
def test_python_in_a_script_is_read_as_python(text: str, expected: int) -> None:
    assert told(text) == [f"{expected} model hf:org/m unpinned"]


def test_a_variable_that_is_not_known_is_not_known_in_python_either() -> None:
    text = "python - <<E\nfrom transformers import AutoModel\nAutoModel.from_pretrained('org/$M')\nE"
    assert told(text) == ["3 model ? unresolved"]


def test_python_that_cannot_be_parsed_is_a_defect() -> None:
    found = Found(path="x.sh")
    Commands(found, {}).script(
        "python -c 'from transformers import AutoModel; AutoModel.from_pretrained(1) x'"
    )
    assert [defect.message.partition(":")[0] for defect in found.defects] == ["Python in line 1"]


def test_a_reference_tells_line_and_column_of_its_name() -> None:
    found = Found(path="x.sh")
    Commands(found, {}).script("a\n  hf download 'org/m'")
    (reference,) = found.references
    assert (reference.location.line, reference.location.column, reference.loader) == (2, 15, "hf download")


def test_a_prefix_tells_where_a_command_stands() -> None:
    found = Found(path="x.ipynb")
    Commands(found, {}, prefix="!").line("ollama pull m", 4)
    (reference,) = found.references
    assert (reference.location.line, reference.loader) == (4, "!ollama pull")


def test_the_source_tells_the_place_in_a_folded_text() -> None:
    found = Found(path="x.yml")
    source = ["run: >", "  hf download", "  org/m"]
    Commands(found, {}, source=source).script("hf download org/m", 2, span=2)
    (reference,) = found.references
    assert (reference.location.line, reference.location.column) == (3, 3)


def test_arguments_of_an_unknown_image_count_only_when_they_can_be_nothing_but_a_model() -> None:
    found = Found(path="x.yml")
    commands = Commands(found, {})
    for words in (["--model", "org/m"], ["--model", "fast"], ["--name", "org/n"], ["serve", "org/o"]):
        commands.started([Word(word, 1) for word in words], (), {})
    assert [short(one) for one in found.references] == ["1 model hf:org/m unpinned"]


@given(
    st.lists(st.text("ab/:@.-=_$\0{}<>~ 1", max_size=12), max_size=6),
    st.sampled_from(
        [
            "hf download",
            "ollama pull",
            "vllm serve",
            "git clone https://huggingface.co/",
            "curl -o m.gguf https://",
            "docker run",
            "docker model pull",
            "mlflow models serve -m",
            "aws s3 cp s3://",
            "spacy download",
            "llama-server -mu",
            "wandb artifact get",
            "modelscope download --model",
            "lm_eval --model_args pretrained=",
            "litellm --model",
            "kaggle datasets download",
            "docker run -e MODEL_URL=s3:",
            "python -m spacy download",
            "tritonserver --model-repository",
            "yolo model=",
            "train --base_model",
        ]
    ),
)
def test_any_words_are_references_or_nothing(words: list[str], program: str) -> None:
    found = Found(path="x.sh")
    parts = program.split()
    parts[-1] += words[0] if words else ""
    Commands(found, {}).words([*parts, *words[1:]], 1)
    assert all(reference.location.line == 1 for reference in found.references)


@given(
    st.text("ab $\"'`\\(){}<>|&;#=\n-:/", max_size=60),
    st.sampled_from(["hf download ", "for a in ", "docker run ", ""]),
)
def test_any_script_ends(text: str, start: str) -> None:
    with contextlib.suppress(UnreadableError):
        Commands(Found(path="x.sh"), {}).script(start + text)


@pytest.mark.parametrize(
    "text",
    [
        "for a in x y z; do\n" + "hf download $a $a $a\n" * 10_000,
        "A=x\n" + "A=$A$A\n" * 5_000 + "hf download $A",
        "docker run " * 20_000,
        "sudo " * 50_000,
        "bash -c '" * 10_000,
        "hf download org/m" + " x" * 100_000,
        "ssh h 'ssh h \"" * 5_000,
        "hf download " + "o" * 300_000 + "/m",
        "git clone https://huggingface.co/" + "a/" * 100_000,
        "".join(f"hf download org/m{number}\n" for number in range(REFERENCE_COUNT * 2)),
    ],
)
def test_hostile_scripts_cost_no_more_than_their_length(text: str) -> None:
    found = Found(path="x.sh")
    started = time.process_time()
    Commands(found, {}).script(text)
    assert len(found.references) <= REFERENCE_COUNT
    assert all(len(one.target.location) <= 1_000 for one in found.references if one.target is not None)
    assert time.process_time() - started < 4
