"""Backends without network: llama.cpp, ctransformers, vLLM, Ollama."""
import os
from contextlib import closing

import ollama
from ctransformers import AutoModelForCausalLM as CT
from llama_cpp import Llama
from ollama import AsyncClient, Client
from vllm import LLM, SamplingParams
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.lora.request import LoRARequest

GGUF_REPO = "bartowski/Mistral-7B-Instruct-v0.3-GGUF"


def llama(local: bool):
    if local:
        return Llama(model_path="./gguf/mistral-7b.Q5_K_M.gguf", n_ctx=8192, n_gpu_layers=-1)
    return Llama.from_pretrained(
        repo_id=GGUF_REPO,
        filename="*Q4_K_M.gguf",
        verbose=False,
    )


def small():
    return CT.from_pretrained("marella/gpt-2-ggml", model_file="ggml-model.bin", model_type="gpt2")


def batch(prompts):
    llm = LLM(
        "mistralai/Ministral-8B-Instruct-2410",
        tokenizer="mistralai/Ministral-8B-Instruct-2410-tok",
        revision="2f494a194c5b980dfb9772cb92d26cbb671fce5a",
        enable_lora=True,
        max_model_len=4096,
    )
    sql = LoRARequest("sql", 1, "acme-ai/ministral-sql-lora")
    return llm.generate(prompts, SamplingParams(temperature=0), lora_request=sql)


ENGINE = AsyncEngineArgs(
    model=os.environ.get("ENGINE_MODEL", "ibm-granite/granite-3.1-2b-instruct"),
    trust_remote_code=True,
    gpu_memory_utilization=0.9,
)


async def ask(question, role="llama2 is what we had"):
    ollama.pull("nomic-embed-text:v1.5")
    vec = ollama.embed(model="nomic-embed-text:v1.5", input=question)
    async for part in await AsyncClient().chat("gemma2:2b-instruct-q4_0", messages=[{"role": "user", "content": question}], stream=True):
        print(part["message"]["content"], end="", flush=True)
    return vec


def complete(client: Client, text):
    reply = Client(host="https://ollama.example.com").generate(model="qwen2.5-coder", prompt=text)
    return reply.response
