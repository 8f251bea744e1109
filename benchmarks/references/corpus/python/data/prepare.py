"""Build the training mixture.

We no longer use load_dataset("wikitext", "wikitext-103-raw-v1").
"""
import datasets
from datasets import Dataset, concatenate_datasets, load_dataset, load_dataset_builder, load_from_disk

LANGS = ["de", "fr"]
C4_REV = "607bd4c8450a42878aa9ddc051a65a055450ef87"


def build(extra_name, out="data/mix"):
    squad = load_dataset("squad", split="train")
    c4 = load_dataset(
        "allenai/c4",
        "en",
        split="train",
        streaming=True,
        revision=C4_REV,
    )
    parts = [load_dataset("acme-ai/support-tickets", lang, split="train") for lang in LANGS]
    glue = datasets.load_dataset(path="nyu-mll/glue", name="mrpc", trust_remote_code=True)
    extra = load_dataset(extra_name, split="train[:1%]")
    info = load_dataset_builder("cornell-movie-review-data/rotten_tomatoes", revision="refs/convert/parquet").info
    print(info.description, glue, c4)
    mix = concatenate_datasets([squad, *parts, extra])
    mix.save_to_disk(out)


def cached():
    return load_from_disk("data/mix")


def saved(folder):
    return load_from_disk(dataset_path=folder)


def tiny():
    return Dataset.from_dict({"text": ["squad", "imdb", "wikitext"], "label": [0, 1, 1]})
