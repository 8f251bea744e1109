"""Score customer reviews.

Originally prototyped with ``AutoModelForSequenceClassification.from_pretrained("nlptown/bert-base-multilingual-uncased-sentiment")``,
which turned out to be too slow on the batch machines.
"""
from __future__ import annotations

import logging

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

log = logging.getLogger(__name__)

CHECKPOINT = "distilbert-base-uncased-finetuned-sst-2-english"
REVISION = "714eb0fa89d2f80546fda750413ed43d93601a13"


class Scorer:
    def __init__(self, device: str = "cpu"):
        # older: roberta-large-mnli
        log.info("loading cardiffnlp/twitter-roberta-base-sentiment")  # stale message, fix me
        self.tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT, revision=REVISION)
        self.model = AutoModelForSequenceClassification.from_pretrained(
            CHECKPOINT,
            revision=REVISION,
            torch_dtype=torch.float32,
        ).to(device)
        self.device = device

    @torch.inference_mode()
    def score(self, texts: list[str]) -> list[float]:
        batch = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(self.device)
        return self.model(**batch).logits.softmax(-1)[:, 1].tolist()
