"""Training and serving configuration: each family resolved, unresolved, pinned; decoys; hostile files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.settings import DISCOVERER
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told

COMMIT = "4f1c0de" + "a" * 33


def settings(path: str, text: str) -> list[str]:
    return told(DISCOVERER, path, text)


AXOLOTL = f"""
base_model: meta-llama/Llama-3.1-8B
revision_of_model: {COMMIT}
tokenizer_config: org/tokenizer
trust_remote_code: true
lora_model_dir: ./lora-out
sequence_len: 4096
hub_model_id: me/pushed-here
datasets:
  - path: tatsu-lab/alpaca
    revision: {COMMIT}
    type: alpaca
  - path: json
    data_files: rows/train.jsonl
  - path: s3://bucket/rows.parquet
pretraining_dataset:
  - name: en
    path: ${{DATA}}
"""


def test_axolotl_names_its_base_its_tokenizer_and_its_datasets() -> None:
    assert settings("axolotl.yml", AXOLOTL) == [
        f"2 model hf:meta-llama/Llama-3.1-8B@{COMMIT} remote-code",
        "4 tokenizer hf:org/tokenizer remote-code unpinned",
        "6 adapter file:./lora-out local-path",
        f"10 dataset hf-dataset:tatsu-lab/alpaca@{COMMIT}",
        "14 dataset file:rows/train.jsonl local-path",
        "15 dataset s3:bucket/rows.parquet unpinned",
        "18 dataset ? unresolved",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model_name_or_path: org/m", ["1 model hf:org/m unpinned"]),
        (f"model_name_or_path: org/m\nmodel_revision: {COMMIT}", [f"1 model hf:org/m@{COMMIT}"]),
        ("model_name_or_path: org/m\nrevision: main", ["1 model hf:org/m@main unpinned"]),
        ("model_name_or_path: gpt2", ["1 model hf:gpt2 no-organisation unpinned"]),
        ("model_name_or_path: ${MODEL}", ["1 model ? unresolved"]),
        ("model_name_or_path: ${MODEL:-org/m}", ["1 model hf:org/m unpinned"]),
        ("model_name_or_path: '{{ model }}'", ["1 model ? unresolved"]),
        ("model_name_or_path: outputs/last", ["1 model file:outputs/last local-path"]),
        ("model_name_or_path: null", []),
        ("model_name_or_path: a model that is described", []),
        ("model_name_or_path: org/m\nreward_model_path: org/r\nmodel_revision: v1",
         ["1 model hf:org/m@v1 unpinned", "2 model hf:org/r unpinned"]),
        ("model_name_or_path: gpt2\ndataset_name: imdb\ndataset_revision: v2", [
            "1 model hf:gpt2 no-organisation unpinned",
            "2 dataset hf-dataset:imdb@v2 no-organisation unpinned",
        ]),
        ("ref_model: org/ref", ["1 model hf:org/ref unpinned"]),
        ("model_name: bert-base-uncased\nlearning_rate: 1e-4",
         ["1 model hf:bert-base-uncased no-organisation unpinned"]),
        ("model_name: resnet50\nlearning_rate: 1e-4", []),
        ("base_model: org/m", ["1 model hf:org/m unpinned"]),
        ("base_model: my-own-thing", []),
        ("model_id: anthropic.claude-3-sonnet-20240229-v1:0",
         ["1 service bedrock:anthropic.claude-3-sonnet-20240229-v1:0"]),
        ("model_uri: models:/churn/3", ["1 model mlflow:churn@3"]),
        ("model_uri: models:/churn/Production", ["1 model mlflow:churn@Production floating-tag unpinned"]),
        ("model_path: s3://bucket/m.safetensors", ["1 model s3:bucket/m.safetensors unpinned"]),
        ("model_url: https://example.com/m.gguf", ["1 model https:https://example.com/m.gguf unpinned"]),
        ("model_url: http://example.com/m.gguf", ["1 model http:http://example.com/m.gguf http unpinned"]),
        ("model_url: https://example.com/docs", []),
        ("model_path: hf://org/m@v1/x.safetensors", ["1 model hf:org/m@v1#x.safetensors unpinned"]),
        ("embedding-model: BAAI/bge-m3", ["1 model hf:BAAI/bge-m3 unpinned"]),
        ("embeddingModel: text-embedding-3-small", ["1 service openai:text-embedding-3-small unpinned"]),
        ("reranker_model: cross-encoder/ms-marco", ["1 model hf:cross-encoder/ms-marco unpinned"]),
        ("llm_model: llama3.1:8b", ["1 model ollama:llama3.1@8b unpinned"]),
        ("dataset_name: org/d", ["1 dataset hf-dataset:org/d unpinned"]),
        ("dataset_name: sales_2024", []),
        ("tokenizer_name_or_path: org/t", ["1 tokenizer hf:org/t unpinned"]),
        ("adapter_name_or_path: org/a,org/b", ["1 adapter hf:org/a unpinned", "1 adapter hf:org/b unpinned"]),
        ("dataset_mixer:\n  org/d: 0.5\n  org/e: 1.0",
         ["2 dataset hf-dataset:org/d unpinned", "3 dataset hf-dataset:org/e unpinned"]),
        ("datasets:\n- id: org/d\n  revision: v1", ["2 dataset hf-dataset:org/d@v1 unpinned"]),
        ("vae: stabilityai/sd-vae-ft-mse", ["1 model hf:stabilityai/sd-vae-ft-mse unpinned"]),
        ("vae: [diffusers, AutoencoderKL]\nmodel_x: 1", []),
        ("models:\n- gpt-4o\n- Qwen/Qwen2.5-7B\n- car\n- a/b",
         ["2 service openai:gpt-4o unpinned", "3 model hf:Qwen/Qwen2.5-7B unpinned"]),
        ("model: hf\nmodel_args: pretrained=org/m,revision=abc,trust_remote_code=True",
         ["2 model hf:org/m@abc remote-code unpinned"]),
    ],
)  # fmt: skip
def test_well_known_keys_name_what_they_say(text: str, expected: list[str]) -> None:
    assert settings("train.yaml", text) == expected


def test_keys_are_found_at_any_depth_and_in_every_language() -> None:
    assert settings("a.json", '{"a": [{"b": {"model_name_or_path": "org/m"}}]}') == [
        "1 model hf:org/m unpinned"
    ]
    assert settings("a.toml", '[a.b]\nmodel_name_or_path = "org/m"') == ["2 model hf:org/m unpinned"]
    assert settings("a.yml", "x: 1\n---\n- a:\n    base_model: org/m") == ["4 model hf:org/m unpinned"]


def test_torchtune_loads_checkpoints_tokenizers_and_sources() -> None:
    text = """
output_dir: /tmp/tune
tokenizer:
  _component_: torchtune.models.llama3.llama3_tokenizer
  path: /tmp/llama/tokenizer.model
checkpointer:
  _component_: torchtune.training.FullModelHFCheckpointer
  checkpoint_dir: ${output_dir}/base
dataset:
  _component_: torchtune.datasets.instruct_dataset
  source: tatsu-lab/alpaca
other:
  _component_: torchtune.datasets.instruct_dataset
  source: json
  data_files: mine.json
"""
    assert settings("tune.yaml", text) == [
        "5 tokenizer file:/tmp/llama/tokenizer.model local-path",
        "8 model file:/tmp/tune/base local-path",
        "11 dataset hf-dataset:tatsu-lab/alpaca unpinned",
        "15 dataset file:mine.json local-path",
    ]


def test_hydra_targets_take_their_arguments_and_variables() -> None:
    text = f"""
name: org/base
model:
  _target_: transformers.AutoModel.from_pretrained
  pretrained_model_name_or_path: ${{name}}
  revision: {COMMIT}
tokenizer:
  _target_: transformers.AutoTokenizer.from_pretrained
  _args_: [org/tok]
data: {{_target_: datasets.load_dataset, path: org/ds}}
vision: {{_target_: timm.create_model, model_name: resnet50.a1_in1k, pretrained: true}}
scratch: {{_target_: timm.create_model, model_name: resnet50, pretrained: false}}
other: {{_target_: my.module.Dataset, path: org/ds}}
missing:
  _target_: transformers.AutoModel.from_pretrained
  pretrained_model_name_or_path: ???
"""
    assert settings("conf/model.yaml", text) == [
        f"5 model hf:org/base@{COMMIT}",
        "9 tokenizer hf:org/tok unpinned",
        "10 dataset hf-dataset:org/ds unpinned",
        "11 model hf:timm/resnet50.a1_in1k unpinned",
        "16 model ? unresolved",
    ]


def test_mergekit_names_models_with_adapters_and_revisions() -> None:
    text = f"""
models:
  - model: org/a@{COMMIT}
  - model: org/b+org/lora
  - model: {{model: {{path: org/c, revision: v1}}}}
merge_method: ties
base_model: mistralai/Mistral-7B-v0.1
tokenizer_source: union
"""
    assert settings("merge.yml", text) == [
        f"3 model hf:org/a@{COMMIT}",
        "4 model hf:org/b unpinned",
        "4 adapter hf:org/lora unpinned",
        "5 model hf:org/c@v1 unpinned",
        "7 model hf:mistralai/Mistral-7B-v0.1 unpinned",
    ]


def test_an_adapter_configuration_names_its_base() -> None:
    text = f'{{"base_model_name_or_path": "org/base", "revision": "{COMMIT}", "peft_type": "LORA"}}'
    assert settings("adapter_config.json", text) == [f"1 model hf:org/base@{COMMIT}"]


def test_litellm_routes_by_the_prefix_and_its_aliases_name_nothing() -> None:
    text = """
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-eu
      api_key: os.environ/KEY
    model_info: {base_model: azure/gpt-4o-2024-08-06}
  - litellm_params: {model: anthropic/claude-3-5-sonnet-20241022}
  - litellm_params: {model: ollama/llama3.1:8b, api_base: "http://localhost:11434"}
  - litellm_params: {model: os.environ/MODEL}
  - litellm_params: {model: huggingface/org/x}
  - litellm_params: {model: openai/org/x, api_base: "http://gpu:8000"}
  - litellm_params: {model: gpt-4o-mini}
"""
    assert settings("proxy.yaml", text) == [
        "5 service azure-openai:gpt-4o-eu unpinned",
        "8 service anthropic:claude-3-5-sonnet-20241022",
        "9 model ollama:llama3.1@8b unpinned",
        "10 service ? unresolved",
        "11 service hf:org/x unpinned",
        "12 service openai:org/x unpinned",
        "13 service openai:gpt-4o-mini unpinned",
    ]


def test_promptfoo_ids_are_taken_apart() -> None:
    text = """
prompts: [file://prompt.txt]
providers:
  - openai:gpt-4o-mini
  - openai:chat:gpt-4o-2024-08-06
  - anthropic:messages:claude-3-5-sonnet-20241022
  - huggingface:text-generation:org/x
  - ollama:chat:llama3:8b
  - id: bedrock:us.anthropic.claude-3-haiku-20240307-v1:0
    config: {temperature: 0}
  - openai:gpt-4:
      config: {temperature: 1}
  - file://provider.py
  - python:provider.py
  - https://example.com/generate
  - echo
defaultTest:
  options: {provider: "azure:chat:judge"}
tests:
  - assert: [{type: llm-rubric, provider: "openai:gpt-4.1"}]
"""
    assert settings("promptfooconfig.yaml", text) == [
        "4 service openai:gpt-4o-mini unpinned",
        "5 service openai:gpt-4o-2024-08-06",
        "6 service anthropic:claude-3-5-sonnet-20241022",
        "7 service hf:org/x unpinned",
        "8 model ollama:llama3@8b unpinned",
        "9 service bedrock:us.anthropic.claude-3-haiku-20240307-v1:0",
        "11 service openai:gpt-4 unpinned",
        "18 service azure-openai:judge unpinned",
        "20 service openai:gpt-4.1 unpinned",
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("vllm.yaml", "model: org/x\nserved-model-name: x\ntensor-parallel-size: 2\ntrust-remote-code: true",
         ["1 model hf:org/x remote-code unpinned"]),
        ("vllm.yaml", f"model: org/x\nrevision: {COMMIT}\nmax-model-len: 1", [f"1 model hf:org/x@{COMMIT}"]),
        ("vllm.yaml", "model: ${MODEL}\nmax-model-len: 4096", ["1 model ? unresolved"]),
        ("localai.yaml", "name: x\nbackend: llama-cpp\nparameters:\n  model: huggingface://o/r/m.Q4.gguf",
         ["4 model hf:o/r#m.Q4.gguf unpinned"]),
        ("localai.yaml", "name: x\nbackend: llama-cpp\nparameters:\n  model: m.Q4.gguf",
         ["4 model file:m.Q4.gguf local-path"]),
        ("pipe.yaml", "a:\n  type: haystack.generators.OpenAIGenerator\n  init_parameters: {model: gpt-4o}",
         ["3 service openai:gpt-4o unpinned"]),
        ("pipe.yaml", "a:\n  type: x.SentenceTransformersTextEmbedder\n  init_parameters: {model: org/e}",
         ["3 model hf:org/e unpinned"]),
        ("pipe.yaml", "a:\n  type: x.HuggingFaceAPIGenerator\n  init_parameters: {api_params: {model: o/g}}",
         ["3 service hf:o/g unpinned"]),
        ("config.yaml", "models:\n- provider: anthropic\n  model: claude-3-7-sonnet-latest",
         ["3 service anthropic:claude-3-7-sonnet-latest unpinned"]),
        ("config.json", '{"tabAutocompleteModel": {"provider": "ollama", "model": "qwen2.5-coder:1.5b"}}',
         ["1 model ollama:qwen2.5-coder@1.5b unpinned"]),
        ("config.json", '{"models": [{"provider": "openai", "model": "org/x", "apiBase": "http://gpu"}]}',
         ["1 model hf:org/x unpinned"]),
        ("c.yaml", "provider: openai\nmodel: ${MODEL}", ["2 service ? unresolved"]),
        (".aider.conf.yml", "model: sonnet\nweak-model: openrouter/deepseek/deepseek-chat",
         ["1 service anthropic:sonnet unpinned", "2 service openrouter:deepseek/deepseek-chat unpinned"]),
        ("agents.yaml", "a:\n  role: r\n  llm: openai/gpt-4o\nb:\n  role: r\n  llm: our-own",
         ["3 service openai:gpt-4o unpinned", "6 service litellm:our-own unpinned"]),
        ("langgraph.json", '{"store": {"index": {"embed": "openai:text-embedding-3-small"}}}',
         ["1 service openai:text-embedding-3-small unpinned"]),
        ("mem0.json", '{"llm": {"provider": "openai", "config": {"model": "gpt-4.1"}}}',
         ["1 service openai:gpt-4.1 unpinned"]),
        ("opencode.json", '{"$schema": "https://o.ai", "model": "anthropic/claude-sonnet-4-20250514"}',
         ["1 service anthropic:claude-sonnet-4-20250514"]),
        ("rails.yml", "models:\n- engine: openai\n  model: gpt-4", ["3 service openai:gpt-4 unpinned"]),
        ("app.toml", 'model = "command-r"\ntemperature = 0.1', ["1 service cohere:command-r unpinned"]),
        ("app.yaml", "model: our-own\nmax_tokens: 10", ["1 service litellm:our-own unpinned"]),
        ("app.yaml", "model: openai/gpt-oss-20b\nmax_tokens: 10", ["1 model hf:openai/gpt-oss-20b unpinned"]),
        ("app.yaml", "model: google/gemma-2-9b-it", ["1 model hf:google/gemma-2-9b-it unpinned"]),
        ("OAI_CONFIG_LIST", '[{"model": "gpt-4", "api_key": "k"}]', ["1 service openai:gpt-4 unpinned"]),
    ],
)  # fmt: skip
def test_what_answers_is_told_by_provider_neighbours_or_shape(
    path: str, text: str, expected: list[str]
) -> None:
    assert settings(path, text) == expected


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cars.yaml", "model: Toyota Corolla"),
        ("cars.yaml", "model: Honda/Civic\nyear: 2020"),
        ("cars.yaml", "car: {provider: dealer, model: Volvo/XC90}"),
        ("heating.yaml", "model: nest\ntemperature: 21"),
        ("words.yaml", "# model_name_or_path: org/m\ntext: 'use model_name_or_path: org/m here'"),
        ("prose.yaml", "base_model: a fine model from org/m that we like"),
        ("config.json", '{"_name_or_path": "org/base", "model_type": "bert"}'),
        ("package.json", '{"model_name_or_path": "org/m"}'),
        ("tsconfig.build.json", '{"model_name_or_path": "org/m"}'),
        ("pnpm-lock.yaml", "model_name_or_path: org/m"),
        ("pod.yaml", "apiVersion: v1\nkind: Pod\nmodel_name_or_path: org/m"),
        ("chart/values-dev.yaml", "model_name_or_path: org/m"),
        (".github/workflows/ci.yml", "model_name_or_path: org/m"),
        ("compose.yaml", "services: {a: {image: x}}\nmodel_name_or_path: org/m"),
        ("stack.yml", "services: {a: {image: x}}\nmodel_name_or_path: org/m"),
        ("api.yaml", "openapi: 3.1.0\nexample: {model: gpt-4o, temperature: 1}"),
        ("schema.json", '{"type": "object", "properties": {"model_name_or_path": {"default": "org/m"}}}'),
        ("bom.json", '{"bomFormat": "CycloneDX", "components": [{"model_id": "org/m"}]}'),
        ("x.spdx.json", '{"model_id": "org/m"}'),
        ("tokenizer.json", '{"model": {"type": "BPE"}, "model_name_or_path": "org/m"}'),
        ("model.safetensors.index.json", '{"weight_map": {}, "model_id": "org/m"}'),
        ("answer.json", '{"model": "gpt-4o", "choices": [], "usage": {}}'),
        ("fixture.json", '[{"model": "auth.user", "pk": 1, "fields": {"temperature": 1}}]'),
        ("dbt.yml", "models:\n- name: staging/orders"),
        ("sales.yaml", "dataset: north/south\nregion: x"),
        ("a.txt", "model_name_or_path: org/m"),
        ("push.yaml", "hub_model_id: me/mine\noutput_dir: out/x"),
    ],
)  # fmt: skip
def test_decoys_stay_silent(path: str, text: str) -> None:
    found = found_in(DISCOVERER, path, text)
    assert found.references == []
    assert found.defects == []


@pytest.mark.parametrize(
    ("path", "data", "reason"),
    [
        ("a.yaml", b"model_id: &a [x]\n" + b"k: [*a,*a,*a,*a,*a,*a,*a,*a]\n" * 9_000,
         Reason.LIMIT),
        ("a.yaml", b"model_id: org/m\n" + b"".join(b"k%d: 1\n" % n for n in range(100_000)), Reason.LIMIT),
        ("a.json", b'{"model_id":' + b"[" * 100_000, Reason.LIMIT),
        ("a.yaml", b"model_id: " + b"[" * 10_000, Reason.LIMIT),
        ("a.toml", b"model_id = " + b"[" * 10_000, Reason.LIMIT),
        ("a.yaml", b"model_id: \xff", Reason.MALFORMED),
        ("a.json", b'{"model_id": "org/m"', Reason.TRUNCATED),
        ("a.yaml", b"model_id: &a [*a]", Reason.UNSUPPORTED),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(path: str, data: bytes, reason: Reason) -> None:
    with pytest.raises(UnreadableError) as caught:
        found_in(DISCOVERER, path, data)
    assert caught.value.reason is reason


def test_one_reference_among_a_hundred_thousand_keys_is_found() -> None:
    data = b'{"model_id": "org/m"' + b"".join(b', "k%d": "v"' % n for n in range(100_000)) + b"}"
    assert told(DISCOVERER, "a.json", data) == ["1 model hf:org/m unpinned"]


@pytest.mark.parametrize(
    "value",
    ["http://[", "./a//b@c", "https://a@b@c//d@e/m.gguf", "${${${", "${a}", "\\uD800/x", "x" * 10_000,
     "models:/", "s3://", "hf://@", "ollama/", ":/", "/@"],
)  # fmt: skip
def test_odd_values_never_raise(value: str) -> None:
    for key in ("model_name_or_path", "model", "base_model", "dataset_name"):
        found_in(
            DISCOVERER,
            "a.json",
            f'{{"a": "${{a}}", "{key}": "{value}", "api_key": 1, "provider": "{value}"}}',
        )


@given(
    st.dictionaries(
        st.sampled_from(["model", "base_model", "provider", "model_name_or_path", "_target_", "revision"]),
        st.text("ab/:@.$ {}-\\n~#?\u00e9", max_size=12),
    )
)  # fmt: skip
def test_any_configuration_is_read_or_refused(document: dict[str, str]) -> None:
    text = "\n".join(f"{key}: {value}" for key, value in document.items())
    try:
        found = found_in(DISCOVERER, "a.yaml", text)
    except UnreadableError:
        return
    assert all(1 <= (one.location.line or 0) <= len(document) + 12 for one in found.references)
