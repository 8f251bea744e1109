"""Thin adapters around the vendors' clients."""
import json
import os
from typing import Protocol

import anthropic
import boto3
import cohere
import google.generativeai as palm
from google import genai
from mistralai import Mistral
from openai import AsyncAzureOpenAI, OpenAI

CLAUDE = os.environ.get("CLAUDE_MODEL", "claude-3-5-haiku-20241022")
NOVA = "amazon.nova-lite-v1:0"


class Vendor(Protocol):
    model: str

    async def complete(self, prompt: str) -> str: ...


class Anthropic:
    def __init__(self):
        self.client = anthropic.AsyncAnthropic()

    async def complete(self, prompt):
        async with self.client.messages.stream(
            model=CLAUDE,
            max_tokens=1024,
            messages=[{"role": "user", "content": prompt}],
        ) as stream:
            return await stream.get_final_text()


class Azure:
    deployment = "gpt4o-sweden"

    def __init__(self, endpoint):
        self.client = AsyncAzureOpenAI(azure_endpoint=endpoint, api_version="2024-10-21")

    async def complete(self, prompt):
        r = await self.client.chat.completions.create(model=self.deployment, messages=[{"role": "user", "content": prompt}])
        return r.choices[0].message.content


class Bedrock:
    def __init__(self):
        self.rt = boto3.client("bedrock-runtime", region_name="eu-central-1")
        self.s3 = boto3.client("s3")

    def complete(self, prompt):
        body = json.dumps({"inputText": prompt, "note": "meta.llama3-8b-instruct-v1:0"})
        raw = self.rt.invoke_model(modelId="amazon.titan-text-express-v1", body=body)
        chat = self.rt.converse(modelId=NOVA, messages=[{"role": "user", "content": [{"text": prompt}]}])
        return raw, chat


def google_style(prompt):
    client = genai.Client()
    new = client.models.generate_content(model="gemini-2.5-flash", contents=prompt)
    palm.configure(api_key=os.environ["GOOGLE_API_KEY"])
    old = palm.GenerativeModel("gemini-1.5-flash-8b", system_instruction="not gemini-ultra")
    return new.text, old.generate_content(prompt).text


def european(prompt):
    with Mistral(api_key=os.getenv("MISTRAL_API_KEY", "")) as m:
        return m.chat.complete(model="ministral-8b-latest", messages=[{"role": "user", "content": prompt}])


def rank(query, docs):
    co = cohere.ClientV2()
    return co.rerank(query=query, documents=docs, top_n=3, model="rerank-v3.5")


def speech(path):
    oa = OpenAI()
    with open(path, "rb") as fh:
        heard = oa.audio.transcriptions.create(model="gpt-4o-transcribe", file=fh)
    reply = oa.responses.create(model="o3-mini", input=heard.text, instructions="answer like gpt-4")
    vec = oa.embeddings.create(input=[reply.output_text], model="text-embedding-3-large")
    return vec
