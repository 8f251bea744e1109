import asyncio
import os
from dataclasses import dataclass

import litellm
from litellm import acompletion, embedding

CHEAP = "gpt-4o-mini"
SMART = os.getenv("SMART_MODEL", "anthropic/claude-3-7-sonnet-20250219")
TIERS = {
    "eu": "mistral/mistral-medium-latest",
    "us": "bedrock/us.amazon.nova-pro-v1:0",
    "lab": "ollama/phi4",
}


@dataclass(slots=True)
class Plan:
    drafter: str = "gemini/gemini-2.0-flash-lite"
    note: str = "azure/unused is only a note"


async def answer(prompt: str, tier: str):
    plan = Plan()
    messages = [{"role": "user", "content": prompt}]
    draft, final = await asyncio.gather(
        acompletion(model=plan.drafter, messages=messages),
        acompletion(SMART, messages, fallbacks=[]),
    )
    region = await litellm.acompletion(model=TIERS[tier], messages=messages)
    return draft, final, region


def cheap(prompt: str):
    # litellm.completion(model="command-r", ...) was too slow
    return litellm.completion(
        model=CHEAP,
        messages=[{"role": "system", "content": "You are gpt-3.5-turbo"}, {"role": "user", "content": prompt}],
        timeout=20,
    )


def vectors(texts):
    return embedding("azure/embeddings-weu", input=texts)


def routed(prompt, model):
    if model.startswith("openrouter/"):
        print("openrouter/meta-llama/llama-3-70b-instruct is fine too")
    return litellm.completion(model=model, messages=[{"role": "user", "content": prompt}])
