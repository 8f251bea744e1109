import os
from dataclasses import dataclass

import cohere
from mistralai import Mistral
from mistralai.client import MistralClient


@dataclass
class Models:
    chat: str = "mistral-large-2407"
    code: str = "codestral-latest"
    rerank: str = "rerank-english-v3.0"


M = Models()
mistral = Mistral(api_key=os.environ["MISTRAL_API_KEY"])
co = cohere.ClientV2()


def chat(question):
    return mistral.chat.complete(model=M.chat, messages=[{"role": "user", "content": question}])


def complete(prefix, suffix):
    return mistral.fim.complete(model=M.code, prompt=prefix, suffix=suffix)


def old_embed(texts):
    return MistralClient().embeddings(model="mistral-embed", input=texts)


def pick(question, model):
    return mistral.chat.stream(model=model, messages=[{"role": "user", "content": question}])


def rag(question, docs):
    """command-r (without plus) hallucinated the references."""
    ranked = co.rerank(model=M.rerank, query=question, documents=docs, top_n=3)
    best = [docs[r.index] for r in ranked.results]
    return co.chat(
        model="command-r-plus-08-2024",
        messages=[{"role": "user", "content": question + "\n" + "\n".join(best)}],
    )


def embed(texts):
    v1 = cohere.Client(os.environ["CO_API_KEY"])
    return v1.embed(texts=texts, model="embed-multilingual-v3.0", input_type="search_document").embeddings


def unknown(text):
    return co.chat(model=os.environ["COHERE_MODEL"], messages=[{"role": "user", "content": text}])
