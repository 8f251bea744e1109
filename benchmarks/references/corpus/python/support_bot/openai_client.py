"""Everything that talks to OpenAI.

Cost per 1M tokens: gpt-4-turbo 10 USD, gpt-3.5-turbo 0.5 USD (see the wiki).
"""
import base64
import os
from typing import Iterator

from openai import AsyncOpenAI, OpenAI

CHAT_MODEL = os.getenv("CHAT_MODEL", "gpt-4o-2024-08-06")
EMBED = "text-embedding-3-small"
client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY"), timeout=30)
aclient = AsyncOpenAI()


def answer(question: str) -> str:
    response = client.chat.completions.create(
        model=CHAT_MODEL,
        messages=[
            {"role": "system", "content": "You are not gpt-3.5-turbo."},
            {"role": "user", "content": question},
        ],
        temperature=0,
    )
    return response.choices[0].message.content


def stream(question, model) -> Iterator[str]:
    for chunk in client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], stream=True):
        yield chunk.choices[0].delta.content or ""


def embed(texts):
    return [d.embedding for d in client.embeddings.create(input=texts, model=EMBED).data]


def transcribe(path):
    with open(path, "rb") as audio:
        return client.audio.transcriptions.create(model="whisper-1", file=audio).text


def draw(prompt):
    img = client.images.generate(model="dall-e-3", prompt=prompt, response_format="b64_json")
    return base64.b64decode(img.data[0].b64_json)


async def respond(text):
    r = await aclient.responses.create(model="gpt-4.1-mini", input=text)
    return r.output_text


def upload(path):
    return client.files.create(file=open(path, "rb"), purpose="assistants")
