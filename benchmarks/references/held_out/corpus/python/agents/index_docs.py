import os

from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.ollama import Ollama
from llama_index.llms.openai import OpenAI as LlamaOpenAI

OFFLINE = os.getenv("OFFLINE", "0") == "1"

if OFFLINE:
    Settings.llm = Ollama(model="llama3.3:70b", request_timeout=120.0)
    Settings.embed_model = HuggingFaceEmbedding("nomic-ai/nomic-embed-text-v1.5", trust_remote_code=True)
else:
    Settings.llm = LlamaOpenAI("gpt-4o", temperature=0.1)
    Settings.embed_model = OpenAIEmbedding(model="text-embedding-ada-002")

judge = Anthropic(model="claude-3-opus-20240229")
docs = SimpleDirectoryReader("docs").load_data()
index = VectorStoreIndex.from_documents(docs, show_progress=True)
print("asked llama3.1 about BAAI/bge-small-en:", index.as_query_engine().query("What is gpt-4-turbo?"))
