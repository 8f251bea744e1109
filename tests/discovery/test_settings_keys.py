"""Keys that belong together: revisions, constants, data sets that are described."""

from __future__ import annotations

import pytest

from aibom.discovery.settings import DISCOVERER
from tests.discovery.references import told


def settings(path: str, text: str) -> list[str]:
    return told(DISCOVERER, path, text)


TOKENIZED = """model_name: org/bert-base
t:
  _target_: transformers.AutoTokenizer.from_pretrained
  pretrained_model_name_or_path: ${model_name}
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model: org/m\nrevision: v1\ntokenizer: org/t\nmax_model_len: 1",
            ["1 model hf:org/m@v1 unpinned", "3 tokenizer hf:org/t unpinned"],
        ),
        (
            "model_name_or_path: org/m\nrevision: v1\ntokenizer_name_or_path: org/m",
            ["1 model hf:org/m@v1 unpinned", "3 tokenizer hf:org/m@v1 unpinned"],
        ),
        (
            "provider: huggingface\nmodel_name: org/m\nrevision: v1",
            ["2 model hf:org/m@v1 unpinned"],
        ),
        (
            "backbone: x\npretrained: org/bert\nnet:\n  pretrained_model_name_or_path: ${pretrained}",
            ["4 model hf:org/bert unpinned"],
        ),
        (
            "model_name: org/bert\nnet: {tokenizer_name: '${model_name}'}",
            ["1 model hf:org/bert unpinned", "2 tokenizer hf:org/bert unpinned"],
        ),
        (
            TOKENIZED,
            ["1 model hf:org/bert-base unpinned", "4 tokenizer hf:org/bert-base unpinned"],
        ),
        ("_target_: own.Head\nmodel_name: linear/softmax", []),
        ("_target_: own.Net\nmodel_name: org/bert-base", ["2 model hf:org/bert-base unpinned"]),
        ("dataset: {name: org/d, split: test, revision: v1}", ["1 dataset hf-dataset:org/d@v1 unpinned"]),
        ("dataset: {name: org/d, color: red}", []),
        ("dataset: {path: data/d.csv, split: test}", []),
        ("resources: {gpu: 1}\nenvs: {MODEL_NAME: org/m}\nrun: vllm serve $MODEL_NAME", []),
    ],
)
def test_what_belongs_together_is_told_together(text: str, expected: list[str]) -> None:
    assert settings("conf/a.yaml", text) == expected
