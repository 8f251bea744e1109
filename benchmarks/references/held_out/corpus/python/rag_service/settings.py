from functools import lru_cache

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RAG_", env_file=".env")

    app_name: str = "rag-service"
    embedder: str = "intfloat/multilingual-e5-base"
    reranker: str = Field(default="mixedbread-ai/mxbai-rerank-xsmall-v1", description="cross encoder")
    chat_model: str = Field("gpt-4.1-mini", alias="CHAT_MODEL")
    qdrant_url: str = "https://qdrant.example.com"


@lru_cache
def get_settings() -> Settings:
    return Settings()


settings = Settings()
