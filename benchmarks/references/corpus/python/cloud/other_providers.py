import os

import replicate
from groq import Groq
from openai import OpenAI
from together import Together

groq = Groq()
together = Together()
deepseek = OpenAI(base_url="https://api.deepseek.com", api_key=os.environ["DEEPSEEK_API_KEY"])
openrouter = OpenAI(base_url="https://openrouter.ai/api/v1", api_key=os.environ["OPENROUTER_API_KEY"])


def run(messages, name):
    a = groq.chat.completions.create(model="llama-3.1-8b-instant", messages=messages)
    b = together.chat.completions.create(model="meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo", messages=messages)
    c = deepseek.chat.completions.create(model="deepseek-chat", messages=messages)
    d = openrouter.chat.completions.create(model="mistralai/mixtral-8x22b-instruct", messages=messages)
    e = groq.chat.completions.create(model=name, messages=messages)
    return a, b, c, d, e


def upscale(image):
    return replicate.run(
        "nightmareai/real-esrgan:f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",
        input={"image": image, "scale": 2},
    )


PRICES = {"grok-2": 2.0, "sonar-pro": 3.0, "deepseek-reasoner": 0.55}
