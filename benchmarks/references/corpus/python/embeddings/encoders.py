from sentence_transformers import CrossEncoder, InputExample, SentenceTransformer, losses, models, util

DEFAULT = "all-MiniLM-L6-v2"


def bi_encoder():
    return SentenceTransformer(DEFAULT)


def long_context():
    model = SentenceTransformer("nomic-ai/nomic-embed-text-v1.5", trust_remote_code=True, device="cpu",
                                revision="e5cf08aadaa33385f5990def41f7a23405aec398")
    model.max_seq_length = 8192
    return model


def reranker(name=None):
    if name is None:
        return CrossEncoder("cross-encoder/ms-marco-MiniLM-L-6-v2", max_length=512)
    return CrossEncoder(name)


def from_parts():
    word = models.Transformer("google-bert/bert-base-german-cased", max_seq_length=128)
    pool = models.Pooling(word.get_word_embedding_dimension())
    return SentenceTransformer(modules=[word, pool])


def finetuned():
    return SentenceTransformer(model_name_or_path="./output/support-v4")


EXAMPLES = [
    InputExample(texts=["paraphrase-MiniLM-L3-v2 is small", "all-mpnet-base-v2 is better"], label=0.3),
]
LOSS = losses.CosineSimilarityLoss
similarity = util.cos_sim
