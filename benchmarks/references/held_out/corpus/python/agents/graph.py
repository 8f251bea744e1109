from typing import Literal

from langchain.chat_models import init_chat_model
from langchain_anthropic import ChatAnthropic
from langchain_aws import ChatBedrockConverse
from langchain_community.vectorstores import FAISS
from langchain_core.prompts import ChatPromptTemplate
from langchain_huggingface import HuggingFaceEmbeddings, HuggingFaceEndpoint, HuggingFacePipeline
from langchain_ollama import ChatOllama
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings

PLANNER = "gpt-4.1"
prompt = ChatPromptTemplate.from_messages([("system", "You are Claude 3 Opus (claude-3-opus-20240229)."), ("user", "{q}")])

planner = ChatOpenAI(model=PLANNER, temperature=0).bind_tools([])
critic = ChatAnthropic(model_name="claude-3-5-sonnet-latest", max_tokens=2048)
writer = prompt | AzureChatOpenAI(azure_deployment="writer-4o", api_version="2024-06-01")
local = ChatOllama(model="mistral-nemo:12b", num_ctx=16384)
chains = {
    "haiku": ChatBedrockConverse(model="anthropic.claude-3-haiku-20240307-v1:0"),
    "gemini": init_chat_model("gemini-2.0-flash", model_provider="google_genai"),
    "open": HuggingFaceEndpoint(repo_id="HuggingFaceH4/zephyr-7b-beta", task="text-generation"),
}
on_gpu = HuggingFacePipeline.from_model_id(
    model_id="google/gemma-2-2b-it",
    task="text-generation",
    pipeline_kwargs={"max_new_tokens": 64},
)


def retriever(kind: Literal["open", "hosted"]):
    if kind == "open":
        emb = HuggingFaceEmbeddings(
            model_name="sentence-transformers/all-mpnet-base-v2",
            encode_kwargs={"normalize_embeddings": True},
        )
    else:
        emb = OpenAIEmbeddings(model="text-embedding-3-small")
    return FAISS.load_local("indexes/handbook", emb, allow_dangerous_deserialization=True).as_retriever()
