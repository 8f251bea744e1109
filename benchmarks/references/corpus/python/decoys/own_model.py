"""A recommender that borrows the naming habits of transformers."""
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class RecConfig:
    name: str = "bert4rec-base"
    dim: int = 64


class RecModel(nn.Module):
    def __init__(self, config: RecConfig):
        super().__init__()
        self.config = config
        self.emb = nn.Embedding(1000, config.dim)

    @classmethod
    def from_pretrained(cls, config: RecConfig):
        model = cls(config)
        nn.init.normal_(model.emb.weight, std=0.02)
        return model

    def forward(self, x):
        return self.emb(x).sum(-1)


class Whisper:
    """A whisper network. Compare openai/whisper-base, which is something else."""

    @staticmethod
    def load_model(name):
        return name


if __name__ == "__main__":
    rec = RecModel.from_pretrained(RecConfig(name="facebook/bart-base"))
    print(Whisper.load_model("base"), rec(torch.tensor([1, 2])))
