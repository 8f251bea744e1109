from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.embeddings import resolve_embed_model
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.huggingface import HuggingFaceLLM
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai import OpenAI as LIOpenAI

Settings.llm = LIOpenAI(model="gpt-4-turbo-2024-04-09", temperature=0.1)
Settings.embed_model = HuggingFaceEmbedding(model_name="BAAI/bge-large-en-v1.5")
Settings.chunk_size = 512

local_embed = resolve_embed_model("local:intfloat/multilingual-e5-small")
documents = SimpleDirectoryReader("docs").load_data()
index = VectorStoreIndex.from_documents(documents)


def engines(llm_name):
    yield index.as_query_engine(llm=Anthropic(model="claude-3-sonnet-20240229"))
    yield index.as_query_engine(llm=Ollama(model="gemma2:9b", request_timeout=120.0))
    yield index.as_query_engine(llm=LIOpenAI(model=llm_name))


def offline_llm():
    return HuggingFaceLLM(
        model_name="HuggingFaceH4/zephyr-7b-alpha",
        tokenizer_name="HuggingFaceH4/zephyr-7b-alpha",
        context_window=3900,
    )


def ada():
    """text-embedding-ada-002 is the default; we name ours."""
    return OpenAIEmbedding(model="text-embedding-3-small", dimensions=512)
