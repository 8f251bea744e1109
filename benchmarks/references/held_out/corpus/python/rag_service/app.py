"""Question answering over the handbook (FastAPI)."""
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from openai import AsyncOpenAI
from pydantic import BaseModel
from sentence_transformers import CrossEncoder, SentenceTransformer

from .settings import settings

state: dict = {}


@asynccontextmanager
async def lifespan(app: FastAPI):
    state["embed"] = SentenceTransformer(settings.embedder, device="cpu")
    state["rerank"] = CrossEncoder(settings.reranker, max_length=512)
    async with AsyncOpenAI(max_retries=1) as client:
        state["llm"] = client
        yield
    state.clear()


app = FastAPI(title="Handbook", description="Backed by gpt-4o and all-MiniLM-L6-v2", lifespan=lifespan)


class Question(BaseModel):
    text: str
    model: str = "not-a-model"


def llm(request: Request) -> AsyncOpenAI:
    return state["llm"]


@app.post("/ask")
async def ask(q: Question, client: AsyncOpenAI = Depends(llm)):
    answer = await client.chat.completions.create(
        messages=[{"role": "user", "content": q.text}],
        model=settings.chat_model,
        temperature=0,
    )
    return {"answer": answer.choices[0].message.content}
