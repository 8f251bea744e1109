"""Vendors that speak the OpenAI protocol, and some that do not."""
import os

import fireworks.client
import replicate
from groq import AsyncGroq
from huggingface_hub import AsyncInferenceClient, InferenceClient
from openai import OpenAI
from together import Together

LLAMA = "meta-llama/Llama-3.3-70B-Instruct"
deepseek = OpenAI(api_key=os.environ["DEEPSEEK_API_KEY"], base_url="https://api.deepseek.com")


def think(question):
    reply = deepseek.chat.completions.create(model="deepseek-reasoner", messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.reasoning_content


def paint(prompt):
    return replicate.run(
        "black-forest-labs/flux-schnell",
        input={"prompt": prompt, "model": "stability-ai/sdxl"},
    )


def upscale(url):
    pinned = "nightmareai/real-esrgan:f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa"
    return replicate.run(pinned, input={"image": url})


async def fast(question):
    client = AsyncGroq()
    return await client.chat.completions.create(model="llama-3.1-8b-instant", messages=[{"role": "user", "content": question}])


def budget(question):
    done = fireworks.client.ChatCompletion.create(
        model="accounts/fireworks/models/qwen2p5-72b-instruct",
        messages=[{"role": "user", "content": question}],
    )
    return done.choices[0].message.content


def many(question):
    together = Together()
    return together.chat.completions.create(
        messages=[{"role": "user", "content": question}],
        model="mistralai/Mixtral-8x7B-Instruct-v0.1",
    )


def endpoint(question):
    warm = InferenceClient(LLAMA, provider="hf-inference")
    cold = InferenceClient(token=os.getenv("HF_TOKEN"))
    print(cold.feature_extraction(question, model="BAAI/bge-large-zh-v1.5"))
    return warm.chat_completion([{"role": "user", "content": question}], max_tokens=100)


async def stream(text, where=None):
    async with AsyncInferenceClient(model="https://tgi.example.com/support") as client:
        return await client.text_generation(text, max_new_tokens=8)
