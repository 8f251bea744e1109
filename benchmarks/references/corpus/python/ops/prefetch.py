#!/usr/bin/env python3
"""Warm the shared cache before the pods start.

Typical call:  python prefetch.py --all
It downloads e.g. meta-llama/Llama-2-7b-hf when HF_TOKEN is set (not any more, see below).
"""
import sys

import huggingface_hub
from huggingface_hub import HfApi, hf_hub_download, snapshot_download as snap

LLAMA = ("meta-llama", "Llama-3.1-8B-Instruct")
PINNED = {
    "BAAI/bge-m3": "5617a9f61b028005a4858fdac845db406aefb181",
}


def fetch_all(extra=None):
    snap("/".join(LLAMA), ignore_patterns=["*.pth", "original/*"])
    for repo in ("intfloat/e5-base-v2", "thenlper/gte-base"):
        snap(repo_id=repo, allow_patterns="*.safetensors")

    huggingface_hub.snapshot_download(
        "BAAI/bge-m3",
        revision=PINNED["BAAI/bge-m3"],
        local_dir="models/bge-m3",
    )
    hf_hub_download("TheBloke/Mistral-7B-Instruct-v0.2-GGUF", "mistral-7b-instruct-v0.2.Q4_K_M.gguf")
    hf_hub_download(
        repo_id="HuggingFaceH4/ultrachat_200k",
        repo_type="dataset",
        filename="data/test_gen-00000-of-00001.parquet",
        revision="v1.1",
    )
    if extra:
        snap(extra, revision="main")


def space():
    api = HfApi(endpoint="https://huggingface.co")
    api.snapshot_download(repo_id="acme-ai/leaderboard", repo_type="space", revision="8f2c1aa")
    print("skipped: acme-ai/old-leaderboard", file=sys.stderr)


if __name__ == "__main__":
    fetch_all(sys.argv[1] if len(sys.argv) > 1 else None)
