import litellm
from litellm import Router, acompletion, completion, embedding

FALLBACK = ["groq/llama-3.1-70b-versatile", "together_ai/mistralai/Mixtral-8x7B-Instruct-v0.1"]
litellm.drop_params = True

router = Router(
    model_list=[
        {
            "model_name": "chat",
            "litellm_params": {"model": "azure/acme-gpt-4o-eu", "api_version": "2024-06-01"},
        },
        {
            "model_name": "chat",
            "litellm_params": {
                "model": "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
                "aws_region_name": "us-west-2",
            },
        },
    ],
)


def ask(messages, tenant_model):
    first = completion(model="anthropic/claude-3-5-sonnet-20240620", messages=messages)
    second = litellm.completion("gpt-4o", messages)
    third = completion(model=tenant_model, messages=messages)
    return first, second, third


async def fallback(messages):
    # openrouter/auto as the very last resort?
    for name in FALLBACK:
        try:
            return await acompletion(model=name, messages=messages)
        except litellm.exceptions.APIError:
            continue
    return await router.acompletion(model="chat", messages=messages)


def local(messages):
    return completion(model="ollama/llama3.1:8b", messages=messages, api_base="https://ollama.example.com")


def vectors(texts):
    return embedding(model="cohere/embed-english-v3.0", input=texts)


def hosted(messages):
    return completion(
        model="huggingface/HuggingFaceH4/zephyr-7b-beta",
        messages=messages,
    )


def gem(messages):
    return completion(model="gemini/gemini-1.5-pro", messages=messages)
