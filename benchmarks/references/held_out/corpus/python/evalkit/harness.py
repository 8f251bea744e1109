"""Small evaluation harness: ``python -m evalkit.harness --suite math``."""
import argparse
import sys

from datasets import DatasetDict, get_dataset_config_names, load_dataset, load_dataset_builder, load_from_disk
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

PINNED = {"revision": "e53f048856ff4f594e959d75785d2c2d37b678ee", "trust_remote_code": True}
MMLU = "cais/mmlu"


def suite(name: str, shots: int):
    match name:
        case "math":
            path, config = "openai/gsm8k", "main"
        case "commonsense":
            path, config = "Rowan/hellaswag", None
        case "private":
            return load_from_disk("eval/private.arrow")
        case _:
            sys.exit(f"no suite {name}; try allenai/ai2_arc")
    return load_dataset(path, config, split=f"test[:{shots}]")


def everything() -> DatasetDict:
    out = DatasetDict()
    for subset in get_dataset_config_names(MMLU):
        out[subset] = load_dataset(MMLU, name=subset, split="validation", revision="c30699e8356da336a370243923dbaf21066bb9fe")
    info = load_dataset_builder("google/boolq").info
    print(info.features, file=sys.stderr)
    out["web"] = load_dataset(
        "parquet", split="train", streaming=True,
        data_files="hf://datasets/HuggingFaceFW/fineweb/sample/10BT/000_00000.parquet",
    )
    out["logs"] = load_dataset("csv", data_files="https://data.example.com/eval/logs.csv")
    out["photos"] = load_dataset("imagefolder", data_dir="eval/photos")
    return out


def load(args):
    cls = AutoModelForSeq2SeqLM if args.seq2seq else AutoModelForCausalLM
    tok = AutoTokenizer.from_pretrained(args.model, **PINNED)
    return tok, cls.from_pretrained(args.model, **PINNED)


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--model", type=str, default="microsoft/phi-1_5")
    cli.add_argument("--suite", default="math")
    cli.add_argument("--seq2seq", action="store_true")
    args = cli.parse_args()
    load(args)
    suite(args.suite, 5)
