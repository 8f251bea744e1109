import os

from langchain.chat_models import init_chat_model
from langchain_anthropic import ChatAnthropic
from langchain_community.llms import LlamaCpp
from langchain_community.vectorstores import FAISS
from langchain_core.prompts import ChatPromptTemplate
from langchain_huggingface import HuggingFaceEmbeddings, HuggingFaceEndpoint, HuggingFacePipeline
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    chat_model: str = "gpt-4o-mini"
    embed_model: str = "BAAI/bge-small-en-v1.5"
    index_dir: str = "index/faiss"


settings = Settings()

llm = ChatOpenAI(model=settings.chat_model, temperature=0)
judge = ChatAnthropic(model_name="claude-3-5-sonnet-latest", max_tokens=500)
azure = AzureChatOpenAI(azure_deployment="acme-gpt-4o", api_version="2024-06-01")
local = ChatOllama(model="mistral:7b-instruct", num_ctx=4096)
any_llm = init_chat_model("gemini-2.0-flash", model_provider="google_genai")
short = init_chat_model("anthropic:claude-3-haiku-20240307")
chosen = init_chat_model(os.environ["LLM"])

embeddings = HuggingFaceEmbeddings(
    model_name=settings.embed_model,
    encode_kwargs={"normalize_embeddings": True},
)
oai = OpenAIEmbeddings(model="text-embedding-3-large")

store = FAISS.load_local(settings.index_dir, embeddings, allow_dangerous_deserialization=True)

# gpt-4 answers better but costs more than gpt-4o-mini
PROMPT = ChatPromptTemplate.from_messages([("system", "You are gpt-4-turbo. {context}"), ("human", "{question}")])


def offline():
    return HuggingFacePipeline.from_model_id(model_id="google/flan-t5-base", task="text2text-generation")


def remote():
    return HuggingFaceEndpoint(repo_id="mistralai/Mixtral-8x7B-Instruct-v0.1", max_new_tokens=128)


def gguf(n_ctx=2048):
    return LlamaCpp(model_path="models/gguf/openhermes-2.5.Q5_K_M.gguf", n_ctx=n_ctx)
