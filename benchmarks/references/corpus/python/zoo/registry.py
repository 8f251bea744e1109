"""Names of all the encoders that we evaluate."""
from dataclasses import dataclass
from enum import Enum

from transformers import AutoConfig, AutoModel, AutoTokenizer

ENCODERS = {
    "tiny": "prajjwal1/bert-tiny",
    "base": "google-bert/bert-base-uncased",
    "multi": "FacebookAI/xlm-roberta-base",
}

# Not loaded anywhere; kept for the slides.
RETIRED = ["albert-base-v2", "google/electra-small-discriminator"]


class Decoder(str, Enum):
    GPT2 = "openai-community/gpt2"
    OPT = "facebook/opt-125m"


@dataclass
class RunConfig:
    model_name: str = "microsoft/deberta-v3-base"
    revision: str = "8ccc9b6f36199bec6961081d44eb72fb3f7353f3"
    max_length: int = 256


def load_encoder(size):
    return AutoModel.from_pretrained(ENCODERS[size])


def load_decoder():
    return AutoModel.from_pretrained(Decoder.OPT.value)


def load_small():
    return AutoModel.from_pretrained(ENCODERS["tiny"], output_hidden_states=True)


def run():
    cfg = RunConfig()
    config = AutoConfig.from_pretrained(cfg.model_name, revision=cfg.revision)
    tokenizer = AutoTokenizer.from_pretrained(cfg.model_name, revision=cfg.revision, use_fast=False)
    model = AutoModel.from_config(config)  # random weights on purpose
    return tokenizer, model
