import os
from datasets import load_dataset, load_from_disk, DatasetDict

DATA_ROOT = "data/raw"
BUCKET = "acme-datasets"

CSV = load_dataset("csv", data_files="data/raw/train.csv", sep=";")

SPLITS = load_dataset(
    "json",
    data_files={
        "train": os.path.join(DATA_ROOT, "train.jsonl"),
        "test": f"{DATA_ROOT}/test.jsonl",
    },
)


def remote():
    # mirrored from https://storage.example.com/old/news.csv
    news = load_dataset("csv", data_files="https://storage.example.com/news/2024.csv")
    hub = load_dataset("parquet", data_files="hf://datasets/acme-ai/claims@v3/data/train-00000.parquet")
    lake = load_from_disk(f"s3://{BUCKET}/claims/arrow")
    return DatasetDict({"news": news["train"], "hub": hub["train"], "lake": lake})


def images():
    return load_dataset("imagefolder", data_dir="data/pets", split="train")


def plain(mirror):
    return load_dataset("text", data_files=mirror)
