#!/usr/bin/env python
"""Supervised finetuning with LoRA.

Example::

    python train_lora.py --model_name_or_path tiiuae/falcon-7b --use_4bit
"""
import logging
from dataclasses import dataclass, field
from typing import Optional

import datasets as hfds
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer as Tok,
    HfArgumentParser,
    TrainingArguments,
)

from .constants import BASE_REVISION, PREFERENCE_DATA

log = logging.getLogger(__name__)


@dataclass
class ModelArguments:
    model_name_or_path: str = field(
        default="Qwen/Qwen2.5-0.5B",
        metadata={"help": "e.g. meta-llama/Llama-2-7b-hf or a local folder"},
    )
    tokenizer_name: Optional[str] = field(default="Qwen/Qwen2.5-0.5B-Instruct")
    resume: bool = False


def read_corpus(split):
    train = hfds.load_dataset(PREFERENCE_DATA, split=split)
    extra = hfds.load_dataset(
        "json",
        data_files={"train": ["data/tickets-2023.jsonl", "data/tickets-2024.jsonl"]},
        split="train",
        num_proc=4,
    )
    return hfds.concatenate_datasets([train, extra])


def main():
    parser = HfArgumentParser((ModelArguments, TrainingArguments))
    model_args, training_args = parser.parse_args_into_dataclasses()
    log.info("default would be load_dataset('tatsu-lab/alpaca')")
    tokenizer = Tok.from_pretrained(model_args.tokenizer_name, use_fast=True)
    model = AutoModelForCausalLM.from_pretrained(
        model_args.model_name_or_path,
        revision=BASE_REVISION,
        attn_implementation="sdpa",
    )
    model = get_peft_model(model, LoraConfig(r=16, target_modules=["q_proj", "v_proj"]))
    tokenizer.save_pretrained(training_args.output_dir)
    model.push_to_hub("acme-ai/never-a-source")
    return read_corpus("train")


if __name__ == "__main__":
    main()
