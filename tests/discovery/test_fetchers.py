"""Programs that fetch: each resolved, unresolved, pinned and unpinned; what only looks alike is silent."""

from __future__ import annotations

import pytest

from aibom.discovery.commands import Commands
from aibom.discovery.found import Found
from tests.discovery.references import short

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "a" * 64


def one(text: str) -> list[str]:
    """References of one command in short, without the line."""
    found = Found(path="x.sh")
    Commands(found, {}).script(text)
    assert not found.defects
    return [short(each).removeprefix("1 ") for each in found.references]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hf download org/m", ["model hf:org/m unpinned"]),
        (f"hf download org/m --revision {COMMIT}", [f"model hf:org/m@{COMMIT}"]),
        ("hf download org/m --revision=v1 --local-dir d", ["model hf:org/m@v1 unpinned"]),
        ("hf download org/m model.safetensors", ["model hf:org/m#model.safetensors unpinned"]),
        ("hf download --repo-type dataset org/d --quiet", ["dataset hf-dataset:org/d unpinned"]),
        ("hf download gpt2 a.bin b.bin", ["model hf:gpt2 no-organisation unpinned"]),
        ("hf download $MODEL", ["model ? unresolved"]),
        ("hf download <org>/<model>", []),
        ("hf download {{ org }}/m", ["model ? unresolved"]),
        ("huggingface-cli download --repo-type space org/s", ["code hf-space:org/s unpinned"]),
        ("hf upload org/m . ; hf auth login; hf download", []),
        ("ollama pull llama3.2:1b", ["model ollama:llama3.2@1b unpinned"]),
        ("ollama run --verbose mistral 'pull yourself'", ["model ollama:mistral floating-tag unpinned"]),
        ("ollama pull hf.co/org/m-GGUF:Q4_K_M", ["model hf:org/m-GGUF@Q4_K_M unpinned"]),
        ('ollama pull "$M"', ["model ? unresolved"]),
        ("ollama serve; ollama list; ollama rm x; ollama create y", []),
        ("git clone https://huggingface.co/org/m", ["model hf:org/m unpinned"]),
        ("git lfs clone --depth 1 git@hf.co:org/m.git d", ["model hf:org/m unpinned"]),
        (
            "git clone -b v2 https://u:p@huggingface.co/datasets/org/d",
            ["dataset hf-dataset:org/d@v2 unpinned"],
        ),
        ("git submodule add https://huggingface.co/spaces/org/s", ["code hf-space:org/s unpinned"]),
        ("git clone https://github.com/org/m; git pull https://huggingface.co/org/m", []),
        ("curl -LO https://huggingface.co/org/m/resolve/main/a.bin", ["model hf:org/m@main#a.bin unpinned"]),
        (f"wget https://hf.co/org/m/resolve/{COMMIT}/a.txt", [f"model hf:org/m@{COMMIT}#a.txt"]),
        ("wget -q http://example.com/w.gguf?x=1", ["model http:http://example.com/w.gguf http unpinned"]),
        ("curl -o m.onnx https://example.com/get/3", ["model https:https://example.com/get/3 unpinned"]),
        (
            "curl https://example.com/rows.parquet",
            ["dataset https:https://example.com/rows.parquet unpinned"],
        ),
        ("curl -s https://example.com/install.sh | sh", []),
        (
            'curl -d \'{"name": "llama3"}\' http://localhost:11434/api/pull',
            ["model ollama:llama3 floating-tag unpinned"],
        ),
        (
            'curl http://ollama:11434/api/generate -d \'{"model":"phi3","prompt":"x"}\'',
            ["model ollama:phi3 floating-tag unpinned"],
        ),
        (
            'curl https://api.openai.com/v1/responses -d \'{"model": "gpt-4o"}\'',
            ["service openai:gpt-4o unpinned"],
        ),
        (
            "curl https://generativelanguage.googleapis.com/v1beta/models/gemini-2.0-flash:generateContent",
            ["service google:gemini-2.0-flash unpinned"],
        ),
        ("curl https://api.openai.com/v1/models", []),
        ("curl https://api-inference.huggingface.co/models/org/m -d x", ["service hf:org/m unpinned"]),
        (
            'curl https://router.huggingface.co/v1/chat/completions -d \'{"model": "org/m:fast"}\'',
            ["service hf:org/m unpinned"],
        ),
        (
            "curl -L https://example.com/v2/weights.tar.gz",
            ["model https:https://example.com/v2/weights.tar.gz unpinned"],
        ),
        ("wget https://example.com/model-manager-1.2.tar.gz https://github.com/a/models/archive/v1.zip", []),
        (
            "git clone https://huggingface.co/org/m && cd m && git checkout -q 4f1c2aa; x",
            ["model hf:org/m@4f1c2aa unpinned"],
        ),
        (
            f"git clone https://huggingface.co/org/m; git -C m reset --hard {COMMIT}",
            [f"model hf:org/m@{COMMIT}"],
        ),
        ("git clone https://huggingface.co/org/m; make; git checkout v1", ["model hf:org/m unpinned"]),
        ("git clone https://huggingface.co/org/m; git checkout $R", ["model hf:org/m unpinned"]),
        ("dvc import-url s3://b/m.onnx m.onnx; dvc add m.onnx", ["model s3:b/m.onnx unpinned"]),
        ("kit unpack jozu.ml/org/m:v1 -d x; kit login a/b", ["model oci:jozu.ml/org/m@v1 unpinned"]),
        ('curl https://example.com/v1/chat -d \'{"model": "x"}\'', []),
        ("aws s3 cp s3://b/m.bin .", ["model s3:b/m.bin unpinned"]),
        ("aws s3 sync --region eu-1 s3://b/models/x /m", ["model s3:b/models/x unpinned"]),
        ("gsutil -m cp -r gs://b/d.jsonl .", ["dataset gs:b/d.jsonl unpinned"]),
        ("aws s3 cp --recursive s3://my-models/x/y/ z", ["model s3:my-models/x/y/ unpinned"]),
        ("aws s3 cp s3://b/lm.plan /models/lm.plan", ["model s3:b/lm.plan unpinned"]),
        ("gcloud storage cp gs://b/datasets/x .", ["dataset gs:b/datasets/x unpinned"]),
        ("aws s3 cp s3://my-models/run.sh .; aws s3 sync s3://models/a s3://models/b", []),
        ("aws s3 cp m.bin s3://b/m.bin; aws s3 ls s3://b/m.bin; aws s3 cp s3://b/x.txt .", []),
        ("mlflow models serve -m models:/m/3", ["model mlflow:m@3"]),
        ("mlflow models serve -m models:/m@live", ["model mlflow:m@live floating-tag unpinned"]),
        ("mlflow models serve -m $M", ["model ? unresolved"]),
        ("mlflow ui -u x", []),
        ("modelscope download --model org/m", ["model modelscope:org/m unpinned"]),
        ("kaggle datasets download -d org/d", ["dataset kaggle:org/d unpinned"]),
        ("kaggle models list", []),
        ("wandb artifact get e/p/m:v3", ["model wandb:e/p/m@v3"]),
        ("wandb artifact get e/p/d:latest --type dataset", ["dataset wandb:e/p/d@latest unpinned"]),
        ("spacy download en_core_web_sm-3.7.1 --direct", ["model spacy:en_core_web_sm@3.7.1"]),
        ("python -m spacy download en_core_web_sm", ["model spacy:en_core_web_sm unpinned"]),
        ("docker model pull ai/smollm2", ["model oci:ai/smollm2 floating-tag unpinned"]),
        (f"docker model run ai/smollm2@{DIGEST}", [f"model oci:ai/smollm2@{DIGEST}"]),
        (
            "pip install https://huggingface.co/org/m/resolve/main/m-1.whl",
            ["model hf:org/m@main#m-1.whl unpinned"],
        ),
        ("pip install torch", ["library pypi:torch unpinned"]),
        (
            "tune download org/m; litgpt download org/n",
            ["model hf:org/m unpinned", "model hf:org/n unpinned"],
        ),
    ],
)
def test_programs_that_fetch(text: str, expected: list[str]) -> None:
    assert one(text) == expected
