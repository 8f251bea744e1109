"""Models that run at somebody else's."""

from __future__ import annotations

import pytest

from aibom.discovery.loaders.hosted import hosted
from aibom.discovery.loaders.providers import provider_at, provider_of
from aibom.domain.confidence import Confidence
from aibom.domain.reference import Flag
from tests.discovery.python_code import found, told

# import, call, provider
SERVICES = [
    ("from openai import OpenAI", "OpenAI().chat.completions.create(model={}, messages=[])", "openai"),
    ("from openai import OpenAI", "OpenAI().beta.chat.completions.parse(model={})", "openai"),
    ("from openai import OpenAI", "OpenAI().responses.create(model={})", "openai"),
    ("from openai import AsyncOpenAI as A", "A().embeddings.create(model={}, input='')", "openai"),
    ("from openai import OpenAI", "OpenAI().images.generate(model={})", "openai"),
    ("from openai import OpenAI", "OpenAI().audio.transcriptions.create(model={}, file=f)", "openai"),
    ("from openai import OpenAI", "OpenAI().fine_tuning.jobs.create(model={})", "openai"),
    ("import openai", "openai.chat.completions.create(model={})", "openai"),
    ("import openai", "openai.ChatCompletion.create(model={})", "openai"),
    ("import openai", "openai.Completion.create(engine={})", "openai"),
    ("import openai", "openai.OpenAI().with_options(timeout=1).chat.completions.create(model={})", "openai"),
    ("import openai", "openai.OpenAI().chat.completions.with_raw_response.create(model={})", "openai"),
    ("from openai import AzureOpenAI", "AzureOpenAI().chat.completions.create(model={})", "azure-openai"),
    ("from anthropic import Anthropic", "Anthropic().messages.create(model={}, max_tokens=1)", "anthropic"),
    ("import anthropic", "anthropic.AsyncAnthropic().messages.stream(model={})", "anthropic"),
    ("from anthropic import AnthropicBedrock", "AnthropicBedrock().messages.create(model={})", "bedrock"),
    ("from google import genai", "genai.Client().models.generate_content(model={}, contents='')", "google"),
    ("from google import genai", "genai.Client().aio.models.generate_content(model={})", "google"),
    ("from google import genai", "genai.Client().chats.create(model={})", "google"),
    ("import google.generativeai as genai", "genai.GenerativeModel({})", "google"),
    ("import google.generativeai as genai", "genai.embed_content(model={}, content='')", "google"),
    ("from vertexai.generative_models import GenerativeModel", "GenerativeModel(model_name={})", "google"),
    ("from vertexai.language_models import TextEmbeddingModel as T", "T.from_pretrained({})", "google"),
    ("from mistralai import Mistral", "Mistral().chat.complete(model={})", "mistral"),
    ("from mistralai import Mistral", "Mistral().embeddings.create(model={})", "mistral"),
    ("from mistralai.client import MistralClient", "MistralClient().chat(model={})", "mistral"),
    ("import cohere", "cohere.Client().chat(model={}, message='')", "cohere"),
    ("import cohere", "cohere.ClientV2().embed(model={})", "cohere"),
    ("import cohere", "cohere.Client().rerank(model={})", "cohere"),
    ("from groq import Groq", "Groq().chat.completions.create(model={})", "groq"),
    ("from together import Together", "Together().chat.completions.create(model={})", "together"),
    ("from fireworks.client import Fireworks", "Fireworks().chat.completions.create(model={})", "fireworks"),
    ("import boto3", "boto3.client('bedrock-runtime').invoke_model(modelId={}, body=b)", "bedrock"),
    ("import boto3", "boto3.Session().client('bedrock-runtime').converse(modelId={})", "bedrock"),
    ("import replicate", "replicate.run({}, input={{}})", "replicate"),
    (
        "from azure.ai.inference import ChatCompletionsClient",
        "ChatCompletionsClient(model={})",
        "azure-openai",
    ),
    ("from langchain_openai import ChatOpenAI", "ChatOpenAI(model={})", "openai"),
    ("from langchain.chat_models import ChatOpenAI", "ChatOpenAI(model_name={})", "openai"),
    ("from langchain_openai import OpenAIEmbeddings", "OpenAIEmbeddings(model={})", "openai"),
    ("from langchain_openai import AzureChatOpenAI", "AzureChatOpenAI(azure_deployment={})", "azure-openai"),
    ("from langchain_anthropic import ChatAnthropic", "ChatAnthropic(model={})", "anthropic"),
    (
        "from langchain_google_genai import ChatGoogleGenerativeAI",
        "ChatGoogleGenerativeAI(model={})",
        "google",
    ),
    ("from langchain_mistralai import ChatMistralAI", "ChatMistralAI(model={})", "mistral"),
    ("from langchain_cohere import ChatCohere", "ChatCohere(model={})", "cohere"),
    ("from langchain_aws import ChatBedrock", "ChatBedrock(model_id={})", "bedrock"),
    ("from langchain_groq import ChatGroq", "ChatGroq(model={})", "groq"),
    ("from llama_index.llms.openai import OpenAI", "OpenAI({})", "openai"),
    ("from llama_index.llms.anthropic import Anthropic", "Anthropic(model={})", "anthropic"),
    ("from llama_index.embeddings.openai import OpenAIEmbedding", "OpenAIEmbedding(model={})", "openai"),
    ("from pydantic_ai.models.openai import OpenAIModel", "OpenAIModel({})", "openai"),
    ("from haystack.components.generators import OpenAIGenerator", "OpenAIGenerator(model={})", "openai"),
    ("from autogen_ext.models.openai import OpenAIChatCompletionClient as C", "C(model={})", "openai"),
]


@pytest.mark.parametrize(("imported", "call", "provider"), SERVICES)
def test_every_client_tells_provider_and_model(imported: str, call: str, provider: str) -> None:
    def asks(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name):\n    return {call.format(argument)}\n")

    assert asks("'some-model'") == [f"service {provider}:some-model unpinned"]
    assert asks("'some-model-2024-08-06'") == [f"service {provider}:some-model-2024-08-06"]
    assert asks("name") == ["service ? unresolved"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import openai; openai.OpenAI().images.generate(prompt='')", []),
        ("import openai; openai.OpenAI().chat.completions.create(**options)", ["service ? unresolved"]),
        ("import openai; openai.OpenAI().models.list(); openai.OpenAI().files.create(file=f)", []),
        ("import google.generativeai as g; g.GenerativeModel('models/gemini-1.5-pro-002')",
         ["service google:gemini-1.5-pro-002"]),
        ("import cohere; cohere.Client().chat(message='')", []),
        (f"import replicate; replicate.run('o/m:{'a' * 64}')", [f"service replicate:o/m@{'a' * 64}"]),
        ("from langchain_openai import ChatOpenAI; ChatOpenAI(temperature=0)", []),
        ("from huggingface_hub import InferenceClient; InferenceClient('org/m')",
         ["service hf:org/m unpinned"]),
        ("from huggingface_hub import InferenceClient; InferenceClient().chat_completion(q, model='org/m')",
         ["service hf:org/m unpinned"]),
        ("from huggingface_hub import InferenceClient; InferenceClient(name).text_generation(q)",
         ["service ? unresolved"]),
        ("from huggingface_hub import InferenceClient; InferenceClient().text_generation(q)", []),
        ("import boto3; boto3.client('s3').download_file('b', 'k', 'f'); boto3.client('s3').list_buckets()",
         []),
    ],
)  # fmt: skip
def test_forms_of_clients(code: str, expected: list[str]) -> None:
    assert told(code) == expected


@pytest.mark.parametrize(
    ("address", "model", "expected"),
    [
        ("https://api.deepseek.com", "deepseek-chat", "service deepseek:deepseek-chat unpinned"),
        (
            "https://openrouter.ai/api/v1",
            "meta-llama/llama-3-70b",
            "service openrouter:meta-llama/llama-3-70b unpinned",
        ),
        ("https://x.openai.azure.com/", "mine", "service azure-openai:mine unpinned"),
        ("http://localhost:11434/v1", "llama3", "model ollama:llama3 floating-tag unpinned"),
        (
            "http://localhost:8000/v1",
            "meta-llama/Llama-3.1-8B",
            "service hf:meta-llama/Llama-3.1-8B unpinned",
        ),
        ("https://gateway.example", "gpt-4o", "service openai:gpt-4o unpinned"),
        ("https://gateway.example", "claude-3-opus", "service anthropic:claude-3-opus unpinned"),
        ("http://[bad", "gpt-4o", "service openai:gpt-4o unpinned"),
    ],
)
def test_the_address_of_a_client_tells_who_is_asked(address: str, model: str, expected: str) -> None:
    assert told(
        f"""
        from openai import OpenAI
        client = OpenAI(api_key="x", base_url={address!r})
        client.chat.completions.create(model={model!r})
        """
    ) == [expected]
    assert told(
        f"from langchain_openai import ChatOpenAI\nChatOpenAI(model={model!r}, base_url={address!r})"
    ) == [expected]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("client.chat.completions.create(model='gpt-4o')", "service openai:gpt-4o unpinned"),
        ("self.llm.chat.completions.create(model='claude-3')", "service anthropic:claude-3 unpinned"),
        ("client.messages.create(model='claude-3')", "service anthropic:claude-3 unpinned"),
        ("client.models.generate_content(model='gemini-2')", "service google:gemini-2 unpinned"),
        ("runtime.invoke_model(modelId='amazon.titan')", "service bedrock:amazon.titan unpinned"),
    ],
)
def test_a_client_that_was_made_elsewhere_is_guessed(call: str, expected: str) -> None:
    code = f"class A:\n    def run(self, client, runtime):\n        {call}\n"
    assert told(code) == [expected]
    assert [reference.confidence for reference in found(code).references] == [Confidence.MEDIUM]


def test_a_client_that_was_made_in_a_module_beside_is_known() -> None:
    code = "from .clients import client\nclient.chat.completions.create(model='llama-3.3-70b-versatile')\n"
    beside = {"app/clients.py": "from groq import Groq\nclient = Groq()\n"}
    assert told(code) == ["service openai:llama-3.3-70b-versatile unpinned"]
    assert told(code, beside=beside) == ["service groq:llama-3.3-70b-versatile unpinned"]


@pytest.mark.parametrize(
    "code",
    [
        "twilio.messages.create(body='', to='')",
        "client.messages.create(body='gpt-4o')",
        "stripe.responses.create(name='gpt-4o')",
        "def create(model): ...\ncreate(model='gpt-4o')",
        "MODEL = 'gpt-4o'  # client.chat.completions.create(model='gpt-4o')",
        "print('client.chat.completions.create(model=\"gpt-4o\")')",
    ],
)
def test_decoys_are_silent(code: str) -> None:
    assert told(f"import openai\n{code}") == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("client: OpenAI = make()\nclient.chat.completions.create(model='m')", 1),
        ("def run(client: OpenAI): client.chat.completions.create(model='m')", 1),
        ("def run(client: 'OpenAI | None' = None): client.chat.completions.create(model='m')", 1),
        ("def run(client: Optional[OpenAI] = None): client.chat.completions.create(model='m')", 1),
        ("def make(): return OpenAI()\nmake().chat.completions.create(model='m')", 1),
        ("with OpenAI() as client: client.chat.completions.create(model='m')", 1),
        ("async def run():\n    async with OpenAI() as c: await c.chat.completions.create(model='m')", 1),
        ((
            "class A:\n    def __init__(self): self.c = OpenAI()\n"
            "    def run(self): self.c.chat.completions.create(model='m')"
        ), 1),
        ("class A:\n    c = OpenAI()\n    def run(self): return self.c.chat.completions.create(model='m')",
         1),
        ((
            "class A:\n    def __init__(self, c: OpenAI): self.c = c\n"
            "    def run(self): self.c.chat.completions.create(model='m')"
        ), 1),
        ("chat = OpenAI().chat\nchat.completions.create(model='m')", 1),
        ("from functools import partial\npartial(OpenAI().chat.completions.create, model='m')", 1),
    ],
)  # fmt: skip
def test_a_client_is_known_however_it_came(code: str, expected: int) -> None:
    references = found(f"from openai import OpenAI\nfrom typing import Optional\n{code}").references
    assert [one.confidence for one in references] == [Confidence.HIGH] * expected


@pytest.mark.parametrize(
    ("model", "moves"),
    [
        ("gpt-4o", True), ("gpt-4o-2024-08-06", False), ("gpt-4-0613", False), ("gpt-4-1106-preview", False),
         ("o3-mini", True),
        ("claude-3-5-sonnet-20241022", False), ("claude-3-5-sonnet-latest", True), ("claude-3@20240229",
         False),
        ("gemini-1.5-pro-002", False), ("gemini-1.5-pro", True), ("mistral-large-2411", False), ("dall-e-3",
         True),
        ("anthropic.claude-3-sonnet-20240229-v1:0", False), ("command-r-08-2024", False),
         ("mixtral-8x7b-32768", True),
    ],
)  # fmt: skip
def test_a_date_or_build_in_the_name_pins_a_hosted_model(model: str, moves: bool) -> None:
    assert (Flag.UNPINNED in hosted("any", model).flags) is moves


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"), ("o1", "openai"), ("text-embedding-3-small", "openai"), ("gpt-oss-20b", None),
         ("gpt-j-6b", None),
        ("claude-3", "anthropic"), ("gemini-2.0-flash", "google"), ("models/gemini-pro", "google"),
         ("mistral-small", "mistral"),
        ("command-r", "cohere"), ("deepseek-chat", "deepseek"), ("grok-2", "xai"), ("sonar-pro",
         "perplexity"),
        ("us.anthropic.claude-3", "bedrock"), ("llama-3", None), ("", None),
    ],
)  # fmt: skip
def test_the_family_of_a_name_tells_its_provider(model: str, provider: str | None) -> None:
    assert provider_of(model) == provider


def test_an_address_that_is_none_has_no_provider() -> None:
    assert provider_at("http://[::1") is None
    assert provider_at("http://host:99999999") is None
    assert provider_at("notapi.openai.com.evil.example") is None
    assert provider_at("https://api.openai.com.evil.example") is None
