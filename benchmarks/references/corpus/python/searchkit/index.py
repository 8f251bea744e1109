import numpy as np
from datasets import load_dataset
from sentence_transformers import CrossEncoder, SentenceTransformer

from .constants import CORPUS, EMBEDDER, EMBEDDER_REVISION as REV, RERANKER


class Index:
    def __init__(self):
        self.encoder = SentenceTransformer(EMBEDDER, revision=REV)
        self.reranker = CrossEncoder(RERANKER)
        self.docs = []
        self.matrix = None

    def fill(self):
        self.docs = load_dataset(CORPUS, split="train")["text"]
        self.matrix = self.encoder.encode(self.docs, normalize_embeddings=True)

    def load(self, path):
        """Read a matrix saved with numpy."""
        self.matrix = np.load(path)
        return self

    def search(self, query, k=10):
        scores = self.matrix @ self.encoder.encode(query, normalize_embeddings=True)
        best = np.argsort(-scores)[: 3 * k]
        pairs = [(query, self.docs[i]) for i in best]
        order = np.argsort(-self.reranker.predict(pairs))[:k]
        return [self.docs[best[i]] for i in order]
