"""Model registries, and frameworks that pass names on."""

from __future__ import annotations

import pytest

from aibom.discovery.loaders.registries import mlflow, ollama, routed
from tests.discovery.python_code import SHA, told

RUN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "call",
    [
        "mlflow.pyfunc.load_model({})", "mlflow.sklearn.load_model(model_uri={})",
        "mlflow.pytorch.load_model({})",
        "mlflow.transformers.load_model({})", "mlflow.register_model({}, 'name')",
        "mlflow.pyfunc.spark_udf(spark, {})",
        "mlflow.artifacts.download_artifacts(artifact_uri={})",
    ],
)  # fmt: skip
def test_mlflow(call: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"import mlflow\ndef run(name):\n    {call.format(argument)}\n")

    assert loads("'models:/churn/3'") == ["model mlflow:churn@3"]
    assert loads("'models:/churn/Production'") == ["model mlflow:churn@Production floating-tag unpinned"]
    assert loads("'models:/churn@champion'") == ["model mlflow:churn@champion floating-tag unpinned"]
    assert loads(f"'runs:/{RUN}/model'") == [f"model mlflow:model@{RUN}"]
    assert loads("'s3://bucket/model'") == ["model s3:bucket/model unpinned"]
    assert loads("'mlruns/1/model'") == ["model file:mlruns/1/model local-path"]
    assert loads("name") == ["model ? unresolved"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("wandb.use_artifact('e/p/m:v3')", ["model wandb:e/p/m@v3"]),
        (
            "wandb.use_artifact('e/p/m:latest', type='dataset')",
            ["dataset wandb:e/p/m@latest floating-tag unpinned"],
        ),
        ("run = wandb.init(); run.use_artifact('m:v0')", ["model wandb:m@v0"]),
        ("with wandb.init() as run: run.use_artifact(name)", ["model ? unresolved"]),
        ("wandb.Api().artifact('e/p/m:v1')", ["model wandb:e/p/m@v1"]),
        ("wandb.use_model(name='m')", ["model wandb:m unpinned"]),
        ("def f(run): run.use_artifact('m:v1')", ["model wandb:m@v1"]),
        ("def f(run): run.use_artifact(name)", []),
        ("wandb.init(project='p'); wandb.log({}); wandb.use_artifact(wandb.Artifact('a', type='model'))", []),
    ],
)
def test_wandb(code: str, expected: list[str]) -> None:
    assert told(f"import wandb\n{code}") == expected


@pytest.mark.parametrize(
    "call",
    [
        "modelscope.AutoModel.from_pretrained({})", "modelscope.snapshot_download({})",
        "modelscope.pipeline('t', model={})",
        "modelscope.hub.snapshot_download.snapshot_download({})", "modelscope.pipelines.pipeline('t', {})",
    ],
)  # fmt: skip
def test_modelscope(call: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"import modelscope\ndef run(name):\n    {call.format(argument)}\n")

    assert loads("'org/m'") == ["model modelscope:org/m unpinned"]
    assert loads("'org/m', revision='v1.0'") == ["model modelscope:org/m@v1.0 unpinned"]
    assert loads(f"'org/m', revision={SHA!r}") == [f"model modelscope:org/m@{SHA}"]
    assert loads("name") == ["model ? unresolved"]


def test_modelscope_datasets_and_local_folders() -> None:
    assert told(
        """
        from modelscope.msdatasets import MsDataset
        from modelscope import AutoModel
        MsDataset.load("org/d")
        AutoModel.from_pretrained("./here", trust_remote_code=True)
        """
    ) == ["dataset modelscope:org/d unpinned", "model file:./here local-path remote-code"]


@pytest.mark.parametrize(
    "call",
    [
        "ollama.chat(model={}, messages=[])", "ollama.generate({}, 'q')", "ollama.embed(model={})",
        "ollama.pull({})",
        "ollama.embeddings(model={})", "ollama.Client(host='h').chat(model={})",
        "ollama.AsyncClient().generate(model={})",
    ],
)  # fmt: skip
def test_ollama(call: str) -> None:
    def asks(argument: str) -> list[str]:
        return told(f"import ollama\ndef run(name):\n    {call.format(argument)}\n")

    assert asks("'llama3'") == ["model ollama:llama3 floating-tag unpinned"]
    assert asks("'llama3:latest'") == ["model ollama:llama3@latest floating-tag unpinned"]
    assert asks("'llama3:8b-q4'") == ["model ollama:llama3@8b-q4 unpinned"]
    assert asks("'hf.co/org/m:Q4'") == ["model hf:org/m unpinned"]
    assert asks("name") == ["model ? unresolved"]


def test_ollama_without_a_model_is_silent() -> None:
    assert told("import ollama\nollama.list(); ollama.ps(); ollama.chat()") == []


@pytest.mark.parametrize(
    ("imported", "call", "separator"),
    [
        ("import litellm", "litellm.completion({}, messages=[])", "/"),
        ("from litellm import acompletion", "acompletion(model={})", "/"),
        ("import litellm", "litellm.embedding(model={})", "/"),
        ("import dspy", "dspy.LM({})", "/"),
        ("from crewai import LLM", "LLM(model={})", "/"),
        ("from crewai import Agent", "Agent(role='r', llm={})", "/"),
        ("from smolagents import LiteLLMModel", "LiteLLMModel(model_id={})", "/"),
        ("from pydantic_ai import Agent", "Agent({})", ":"),
        ("from langchain.chat_models import init_chat_model", "init_chat_model({})", ":"),
        ("from langchain.embeddings import init_embeddings", "init_embeddings({})", ":"),
    ],
)  # fmt: skip
def test_routers(imported: str, call: str, separator: str) -> None:
    def asks(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name):\n    {call.format(argument.replace('/', separator))}\n")

    assert asks("'anthropic/claude-3'") == ["service anthropic:claude-3 unpinned"]
    assert asks("'ollama/llama3'") == ["model ollama:llama3 floating-tag unpinned"]
    assert asks("'gpt-4o-2024-08-06'") == ["service openai:gpt-4o-2024-08-06"]
    assert asks("'my-model'") == ["service litellm:my-model unpinned"]
    assert asks("name") == ["service ? unresolved"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("from langchain.chat_models import init_chat_model; init_chat_model('m', model_provider='groq')",
         ["service groq:m unpinned"]),
        ((
            "from pydantic_ai import Agent; "
            "from pydantic_ai.models.groq import GroqModel; Agent(GroqModel('m'))"
        ), ["service groq:m unpinned"]),
        ("from crewai import Agent; Agent(role='r')", []),
        ((
            "import litellm; litellm.Router(model_list=[{'model_name': "
            "'a', 'litellm_params': {'model': 'azure/d'}}])"
        ), ["service azure-openai:d unpinned"]),
        ("import litellm; litellm.Router(model_list=models)", ["service ? unresolved"]),
        ("from langchain_ollama import ChatOllama; ChatOllama(model='m')",
         ["model ollama:m floating-tag unpinned"]),
        ("from langchain_huggingface import HuggingFaceEmbeddings; HuggingFaceEmbeddings(model_name='org/m')",
         ["model hf:org/m unpinned"]),
        ((
            "from langchain_huggingface import HuggingFaceEmbeddings as E; "
            "E(model_name='org/m', model_kwargs={'trust_remote_code': True})"
        ), ["model hf:org/m remote-code unpinned"]),
        ("from langchain_huggingface import HuggingFaceEndpoint; HuggingFaceEndpoint(repo_id='org/m')",
         ["service hf:org/m unpinned"]),
        ((
            "from langchain_huggingface import HuggingFacePipeline as P; "
            "P.from_model_id(model_id='org/m', task='t')"
        ), ["model hf:org/m unpinned"]),
        ("from langchain_community.llms import LlamaCpp; LlamaCpp(model_path='a.gguf')",
         ["model file:a.gguf local-path"]),
        ("from langchain_community.llms import GPT4All; GPT4All(model='a.gguf')",
         ["model file:a.gguf local-path"]),
        ("from llama_index.embeddings.huggingface import HuggingFaceEmbedding; HuggingFaceEmbedding('org/m')",
         ["model hf:org/m unpinned"]),
        ("from llama_index.llms.ollama import Ollama; Ollama(model='m:7b')", ["model ollama:m@7b unpinned"]),
        ("from llama_index.core.embeddings import resolve_embed_model as r; r('local:org/m')",
         ["model hf:org/m unpinned"]),
        ("from langchain_core.prompts import ChatPromptTemplate; ChatPromptTemplate.from_template('gpt-4o')",
         []),
        ("from langchain import hub; hub.pull('org/prompt')", []),
    ],
)  # fmt: skip
def test_forms_of_frameworks_that_pass_names_on(code: str, expected: list[str]) -> None:
    assert told(code) == expected


def test_names_that_name_nothing() -> None:
    assert mlflow("models:/").ref is None
    assert mlflow("").ref is None
    assert ollama("").ref is None
    assert routed("openai/")[1].ref is None
    assert routed("groq/a\nb")[1].ref is None
