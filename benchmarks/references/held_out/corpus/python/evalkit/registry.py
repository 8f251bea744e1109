from abc import ABC, abstractmethod
from typing import ClassVar

import transformers
from transformers import AutoModel, AutoTokenizer

REGISTRY: dict[str, type["Scorer"]] = {}


def register(key):
    def wrap(cls):
        REGISTRY[key] = cls
        return cls

    return wrap


class Scorer(ABC):
    """Subclasses say which checkpoint they want, e.g. ``"bert-base-uncased"``."""

    checkpoint: ClassVar[str]

    @abstractmethod
    def score(self, a: str, b: str) -> float: ...

    @classmethod
    def from_pretrained(cls, config: dict):
        return cls(**config)


@register("bertscore")
class BertScorer(Scorer):
    checkpoint = "microsoft/deberta-xlarge-mnli"

    def __init__(self):
        self.tok = AutoTokenizer.from_pretrained(self.checkpoint, use_fast=False)
        self.net = AutoModel.from_pretrained(self.checkpoint)

    def score(self, a, b):
        return float((self.net(**self.tok(a)) * self.net(**self.tok(b))).sum())


@register("nli")
class NliScorer(Scorer):
    checkpoint = "MoritzLaurer/DeBERTa-v3-base-mnli-fever-anli"

    def score(self, a, b):
        if not hasattr(self, "_pipe"):
            self._pipe = transformers.pipeline("zero-shot-classification", model=self.checkpoint, revision="v1")
        return self._pipe(a, [b])["scores"][0]


class Remote(Scorer):
    def __init__(self, checkpoint: str):
        self.checkpoint_name = checkpoint
        self.net = transformers.AutoModelForSequenceClassification.from_pretrained(self.checkpoint_name)

    def score(self, a, b):
        return 0.0


scorer = BertScorer.from_pretrained({})
