"""Nothing in this file loads a checkpoint.

    from transformers import pipeline
    pipeline("fill-mask", model="bert-base-uncased")
"""
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline, make_pipeline as pipeline
from sklearn.preprocessing import StandardScaler


class Vocabulary:
    def __init__(self, words):
        self.words = words

    @classmethod
    def from_pretrained(cls, config):
        return cls(config["words"])


def snapshot_download(bucket, prefix="facebook/opt-125m"):
    return f"would copy {bucket}/{prefix}"


model = pipeline(StandardScaler(), RandomForestClassifier(n_estimators=20))
named = Pipeline([("scale", StandardScaler()), ("sentence-transformers/all-MiniLM-L6-v2", model)])
vocab = Vocabulary.from_pretrained({"words": ["gpt-4o", "claude-3-opus-20240229"]})
X, y = load_iris(return_X_y=True)
model.fit(X, y)
print(snapshot_download("acme-bucket"), vocab.words)
