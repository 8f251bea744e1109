"""Loaders of the Hugging Face Hub."""

from __future__ import annotations

import pytest

from tests.discovery.python_code import SHA, found, told

# import, call, kind and scheme
LOADERS = [
    ("from transformers import AutoModel", "AutoModel.from_pretrained({})", "model hf"),
    ("from transformers import AutoModelForCausalLM", "AutoModelForCausalLM.from_pretrained({})", "model hf"),
    ("from transformers.models.bert import BertModel", "BertModel.from_pretrained({})", "model hf"),
    ("from transformers import AutoConfig", "AutoConfig.from_pretrained({})", "model hf"),
    ("from transformers import AutoTokenizer", "AutoTokenizer.from_pretrained({})", "tokenizer hf"),
    ("from transformers import CLIPProcessor", "CLIPProcessor.from_pretrained({})", "tokenizer hf"),
    ("from transformers import pipeline", "pipeline('ner', {})", "model hf"),
    ("from transformers.pipelines import pipeline", "pipeline('ner', {})", "model hf"),
    ("from optimum.onnxruntime import ORTModel", "ORTModel.from_pretrained({})", "model hf"),
    ("from diffusers import DiffusionPipeline", "DiffusionPipeline.from_pretrained({})", "model hf"),
    ("from tokenizers import Tokenizer", "Tokenizer.from_pretrained({})", "tokenizer hf"),
    ("from peft import PeftModel", "PeftModel.from_pretrained(base, {})", "adapter hf"),
    ("from peft import PeftModelForCausalLM as P", "P.from_pretrained(base, {})", "adapter hf"),
    ("from peft import AutoPeftModelForCausalLM as P", "P.from_pretrained({})", "adapter hf"),
    ("from peft import PeftConfig", "PeftConfig.from_pretrained({})", "adapter hf"),
    ("from sentence_transformers.models import Transformer", "Transformer({})", "model hf"),
    ("from sentence_transformers import CrossEncoder", "CrossEncoder({})", "model hf"),
    ("from sentence_transformers import SparseEncoder", "SparseEncoder({})", "model hf"),
    ("from huggingface_hub import snapshot_download", "snapshot_download({})", "model hf"),
    ("from huggingface_hub import HfApi", "HfApi().snapshot_download({})", "model hf"),
    ("from huggingface_hub import PyTorchModelHubMixin as M", "M.from_pretrained({})", "model hf"),
    ("from huggingface_hub import from_pretrained_keras", "from_pretrained_keras({})", "model hf"),
    ("from huggingface_hub import Repository", "Repository('x', clone_from={})", "model hf"),
    ("import gliner", "gliner.GLiNER.from_pretrained({})", "model hf"),
    ("from datasets import load_dataset", "load_dataset({})", "dataset hf-dataset"),
    ("from datasets import load_dataset_builder", "load_dataset_builder({})", "dataset hf-dataset"),
    ("from datasets import get_dataset_config_names as names", "names({})", "dataset hf-dataset"),
]


@pytest.mark.parametrize(("imported", "call", "kind"), LOADERS)
def test_every_loader_tells_what_it_loads(imported: str, call: str, kind: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name, base):\n    return {call.format(argument)}\n")

    assert loads("'org/m'") == [f"{kind}:org/m unpinned"]
    assert loads(f"'org/m', revision={SHA!r}") == [f"{kind}:org/m@{SHA}"]
    assert loads("'org/m', revision='v1.0'") == [f"{kind}:org/m@v1.0 unpinned"]
    assert loads("'org/m', revision='refs/pr/1'") == [f"{kind}:org/m@refs/pr/1 unpinned"]
    assert loads("'bare'") == [f"{kind}:bare no-organisation unpinned"]
    assert loads("name") == [f"{kind.partition(' ')[0]} ? unresolved"]
    assert loads("'./here'") == [f"{kind.partition(' ')[0]} file:./here local-path"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("SentenceTransformer('all-MiniLM-L6-v2')", "hf:sentence-transformers/all-MiniLM-L6-v2 unpinned"),
        ("SentenceTransformer('org/m')", "hf:org/m unpinned"),
        (f"SentenceTransformer('org/m', revision={SHA!r})", f"hf:org/m@{SHA}"),
        ("SentenceTransformer('bert-base-uncased')", "hf:bert-base-uncased no-organisation unpinned"),
        ("SentenceTransformer('./here')", "file:./here local-path"),
        ("SentenceTransformer(input())", "? unresolved"),
    ],
)
def test_bare_names_of_sentence_transformers_are_of_its_organisation(call: str, expected: str) -> None:
    assert told(f"from sentence_transformers import SentenceTransformer\n{call}") == [f"model {expected}"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "from transformers import pipeline\npipeline('ner', model='o/m', tokenizer='o/t')",
            ["model hf:o/m unpinned", "tokenizer hf:o/t unpinned"],
        ),
        (
            f"from vllm import LLM\nLLM('o/m', tokenizer='o/t', tokenizer_revision={SHA!r})",
            ["model hf:o/m unpinned", f"tokenizer hf:o/t@{SHA}"],
        ),
        (
            "from vllm.lora.request import LoRARequest\nLoRARequest('a', 1, 'o/a')",
            ["adapter hf:o/a unpinned"],
        ),
        (
            "from vllm.lora.request import LoRARequest\nLoRARequest('a', 1, lora_path='./a')",
            ["adapter file:./a local-path"],
        ),
        (
            "from langchain_huggingface import HuggingFaceEmbeddings as E\nE(model_name='all-mpnet-base-v2')",
            ["model hf:sentence-transformers/all-mpnet-base-v2 unpinned"],
        ),
        (
            (
                "from functools import partial\nfrom transformers import AutoModel\n"
                "load = partial(AutoModel.from_pretrained, trust_remote_code=True)\nload('o/m')"
            ),
            ["model hf:o/m remote-code unpinned"],
        ),
        (
            (
                "from functools import partial\n"
                "from transformers import pipeline\npartial(pipeline, 'ner', 'o/m')"
            ),
            ["model hf:o/m unpinned"],
        ),
    ],
)
def test_what_stands_beside_a_model_and_what_is_prepared(code: str, expected: list[str]) -> None:
    assert told(code) == expected


KEYWORDS = [
    ("transformers", "transformers.AutoModel.from_pretrained(pretrained_model_name_or_path={})"),
    ("transformers", "transformers.pipeline(task='ner', model={})"),
    ("peft", "peft.PeftModel.from_pretrained(model=base, model_id={})"),
    ("sentence_transformers", "sentence_transformers.SentenceTransformer(model_name_or_path={})"),
    ("sentence_transformers", "sentence_transformers.CrossEncoder(model_name={})"),
    ("huggingface_hub", "huggingface_hub.snapshot_download(repo_id={}, allow_patterns=['*.json'])"),
    ("datasets", "datasets.load_dataset(path={}, name='en', split='train')"),
]


@pytest.mark.parametrize(("module", "call"), KEYWORDS)
def test_an_id_is_found_under_its_keyword(module: str, call: str) -> None:
    (reference,) = found(f"import {module}\n{call.format(repr('org/m'))}").references
    assert reference.target is not None
    assert reference.target.location == "org/m"


def hub(line: str) -> list[str]:
    return told(f"import datasets, diffusers, huggingface_hub, io, peft, torch, transformers\n{line}\n")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("huggingface_hub.hf_hub_download('org/m', 'a.bin')", "model hf:org/m#a.bin unpinned"),
        ("huggingface_hub.hf_hub_download('org/m', filename='a.bin', subfolder='b')",
         "model hf:org/m#b/a.bin unpinned"),
        (f"huggingface_hub.hf_hub_download('org/m', 'a.bin', revision={SHA!r})",
         f"model hf:org/m@{SHA}#a.bin"),
        ("huggingface_hub.hf_hub_download(repo, 'a.bin')", "model ? unresolved"),
        ("huggingface_hub.hf_hub_download('org/d', 'a.csv', repo_type='dataset')",
         "dataset hf-dataset:org/d#a.csv unpinned"),
        ("huggingface_hub.snapshot_download('org/s', repo_type='space')", "code hf-space:org/s unpinned"),
        ("huggingface_hub.hf_hub_url('org/m', 'a.bin')", "model hf:org/m#a.bin unpinned"),
        ("huggingface_hub.load_state_dict_from_file('a.safetensors')", "model file:a.safetensors local-path"),
        ("transformers.utils.cached_file('org/m', 'a.bin')", "model hf:org/m#a.bin unpinned"),
        ("transformers.AutoModel.from_pretrained('org/m@main')", "model hf:org/m@main unpinned"),
        ("transformers.AutoModel.from_pretrained(' org/m ')", "model hf:org/m unpinned"),
        ("transformers.AutoModel.from_pretrained('two words')", "model ? unresolved"),
        ("transformers.AutoModel.from_pretrained('https://huggingface.co/org/m')", "model hf:org/m unpinned"),
        ("transformers.AutoModel.from_pretrained('https://huggingface.co/org/m.git')",
         "model hf:org/m unpinned"),
        (f"transformers.AutoModel.from_pretrained('https://hf.co/org/m/tree/{SHA}')",
         f"model hf:org/m@{SHA}"),
        ("transformers.pipeline('ner')", "model ? unpinned unresolved"),
        ("transformers.pipeline('ner', None)", "model ? unpinned unresolved"),
        ("diffusers.StableDiffusionPipeline.from_single_file('a.safetensors')",
         "model file:a.safetensors local-path"),
        ("diffusers.X.from_single_file('https://huggingface.co/org/m/blob/main/a.ckpt')",
         "model hf:org/m@main#a.ckpt unpinned"),
        ("datasets.load_dataset('json', data_files='a.json')", "dataset file:a.json local-path"),
        ("datasets.load_dataset('csv', data_files={'train': ['train.csv']})",
         "dataset file:train.csv local-path"),
        ("datasets.load_dataset('csv', data_files=['a/b'])", "dataset file:a/b local-path"),
        ("datasets.load_dataset('imagefolder', data_dir='pictures')", "dataset file:pictures local-path"),
        ("datasets.load_dataset('parquet', data_files='hf://datasets/org/d/x.parquet')",
         "dataset hf-dataset:org/d#x.parquet unpinned"),
        ("datasets.load_dataset('text', data_files=files)", "dataset ? unresolved"),
        ("datasets.load_dataset('script.py')", "dataset file:script.py local-path"),
        ("datasets.load_from_disk('folder')", "dataset file:folder local-path"),
        ("datasets.load_from_disk(folder)", "dataset ? unresolved"),
        ("datasets.DatasetDict.load_from_disk('s3://bucket/d')", "dataset s3:bucket/d unpinned"),
        ("datasets.Dataset.from_json('a.jsonl')", "dataset file:a.jsonl local-path"),
    ],
)  # fmt: skip
def test_forms_of_the_hub(line: str, expected: str) -> None:
    assert hub(line) == [expected]


@pytest.mark.parametrize(
    "call",
    [
        "transformers.AutoModel.from_pretrained('org/m', trust_remote_code=True)",
        "transformers.pipeline('ner', model='org/m', trust_remote_code=True)",
        "transformers.pipeline('ner', model='org/m', model_kwargs={'trust_remote_code': True})",
        "transformers.AutoModel.from_pretrained('org/m', **{'trust_remote_code': True})",
        "diffusers.DiffusionPipeline.from_pretrained('org/m', trust_remote_code=True)",
    ],
)
def test_remote_code_is_told(call: str) -> None:
    assert hub(call) == ["model hf:org/m remote-code unpinned"]


def test_remote_code_of_datasets_and_unknown_or_false_switches() -> None:
    assert hub("datasets.load_dataset('org/d', trust_remote_code=True)") == [
        "dataset hf-dataset:org/d remote-code unpinned"
    ]
    assert hub("transformers.AutoModel.from_pretrained('org/m', trust_remote_code=False)") == [
        "model hf:org/m unpinned"
    ]
    assert hub("transformers.AutoModel.from_pretrained('org/m', trust_remote_code=flag)") == [
        "model hf:org/m unpinned"
    ]


def test_what_was_loaded_by_another_call_is_told_once() -> None:
    assert hub(
        """
model = transformers.AutoModel.from_pretrained('org/m')
transformers.pipeline('ner', model=model)
transformers.AutoModel.from_pretrained(huggingface_hub.snapshot_download('org/n'))
"""
    ) == ["model hf:org/m unpinned", "model hf:org/n unpinned"]


def test_an_annotated_object_is_no_name() -> None:
    assert told(
        "from transformers import PreTrainedModel, pipeline\n"
        "def run(model: PreTrainedModel):\n    return pipeline('ner', model=model)\n"
    ) == []  # fmt: skip


def test_adapters_are_added_to_what_was_loaded() -> None:
    assert hub(
        """
pipe = diffusers.DiffusionPipeline.from_pretrained('org/m').to('cuda')
pipe.load_lora_weights('org/lora', weight_name='a.safetensors')
pipe.load_textual_inversion('org/cat')
other.load_lora_weights('org/guessed')
other.load_lora_weights(unknown)
"""
    ) == [
        "model hf:org/m unpinned",
        "adapter hf:org/lora unpinned",
        "adapter hf:org/cat unpinned",
        "adapter hf:org/guessed unpinned",
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # A class of a library that nobody knows is believed.
        ("from library import Net\nNet.from_pretrained('org/m')", ["model hf:org/m unpinned"]),
        ("import transformers, library\nlibrary.Net.from_pretrained(name)", ["model ? unresolved"]),
        # A variable is not, unless what it is given looks like an id.
        ("def f(kind):\n    kind.from_pretrained('org/m')", ["model hf:org/m unpinned"]),
        ("def f(kind):\n    kind.from_pretrained('small')", []),
        ("def f(kind, name):\n    kind.from_pretrained(name)", []),
        ("from .net import Net\nNet.from_pretrained(name)", []),
        ("from .net import Net\nNet.from_pretrained('org/m')", ["model hf:org/m unpinned"]),
        # A class of the code is what it is made from.
        ("import transformers\nclass Net(transformers.BertModel): ...\nNet.from_pretrained('org/m')",
         ["model hf:org/m unpinned"]),
        ("class Net:\n    def from_pretrained(self): ...\nNet.from_pretrained('org/m')", []),
        ((
            "import torch\nclass Net(torch.nn.Module):\n    @classmethod\n"
            "    def from_pretrained(cls, name): ...\nNet.from_pretrained('gpt2')"
        ), []),
        ("import torch\ntorch.nn.Embedding.from_pretrained(weights)", []),
    ],
)  # fmt: skip
def test_from_pretrained_of_other_classes(code: str, expected: list[str]) -> None:
    assert told(code) == expected


def test_a_class_is_picked_from_a_table_of_classes() -> None:
    assert told(
        """
        from transformers import BertConfig, BertModel, BertTokenizer
        CLASSES = {"bert": (BertConfig, BertModel, BertTokenizer)}
        config, model, tokenizer = CLASSES[kind]
        model.from_pretrained("org/m")
        tokenizer.from_pretrained("org/t")
        """
    ) == ["model hf:org/m unpinned", "tokenizer hf:org/t unpinned"]


DECOYS = [
    "# transformers.AutoModel.from_pretrained('org/m')",
    "'''transformers.AutoModel.from_pretrained('org/m')'''",
    "NAMES = ['org/m', 'org/n']",
    "model.eval(); model.load_state_dict(state); model.push_to_hub('org/m')",
    "huggingface_hub.HfApi().list_models(author='org')",
    "datasets.Dataset.from_dict({'a': [1]}); datasets.Dataset.from_csv(io.StringIO('a'))",
    "from sklearn.pipeline import Pipeline\npipeline = Pipeline([('a', 'org/m')])\npipeline('org/m')",
    "def pipeline(task, model): ...\npipeline('ner', 'org/m')",
    "def load_dataset(name): ...\nload_dataset('org/d')",
    "from mydata import load_dataset\nload_dataset('org/d')",
    "import seaborn\nseaborn.load_dataset('titanic')",
    "import sentence_transformers\nsentence_transformers.SentenceTransformer(modules=[a, b])",
    "requests.get('https://huggingface.co/org/m').json()",
]


@pytest.mark.parametrize("code", DECOYS)
def test_decoys_are_silent(code: str) -> None:
    assert hub(code) == []
