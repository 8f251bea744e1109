"""Every name in one place, so that security can review them."""

ORG = "acme-ai"

EMBEDDER = "BAAI/bge-base-en-v1.5"
EMBEDDER_REVISION = "a5beb1e3e68b9ab74eb54cfd186867f64f240e1a"

RERANKER = f"{ORG}/search-reranker"
CORPUS = ORG + "/helpdesk-articles"
SUMMARY_MODEL = "claude-3-5-haiku-20241022"

MODELS = {
    "en": "Helsinki-NLP/opus-mt-de-en",
    "fr": "Helsinki-NLP/opus-mt-de-fr",
}

# used until 0.2
OLD_EMBEDDER = "sentence-transformers/msmarco-distilbert-base-v4"
