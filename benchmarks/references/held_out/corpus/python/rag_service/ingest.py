import argparse
import os
import pathlib

from huggingface_hub import hf_hub_download, snapshot_download
from sentence_transformers import SentenceTransformer

FAMILY = "bge"
SIZE = os.getenv("BGE_SIZE", "small")
FALLBACK = "BAAI/" + FAMILY + "-m3"


def parse():
    ap = argparse.ArgumentParser(description="chunks documents; try --encoder thenlper/gte-base")
    ap.add_argument("docs", type=pathlib.Path)
    ap.add_argument(
        "--encoder",
        "-e",
        default="Snowflake/snowflake-arctic-embed-m",
        help="any sentence-transformers id, such as intfloat/e5-base-v2",
    )
    ap.add_argument("--tag", default=None)
    return ap.parse_args()


def main():
    ns = parse()
    encoders = [
        SentenceTransformer(ns.encoder, trust_remote_code=True),
        SentenceTransformer(f"BAAI/{FAMILY}-{SIZE}-en-v1.5"),
        SentenceTransformer("paraphrase-MiniLM-L3-v2"),
        SentenceTransformer(model_name_or_path=FALLBACK, revision="refs/pr/7"),
    ]
    stop = hf_hub_download("acme-ai/handbook-stopwords", "stop.txt", repo_type="dataset", revision="2024-05")
    # snapshot_download("acme-ai/handbook-raw") is done by the nightly job
    folder = snapshot_download(
        repo_id="acme-ai/handbook-splitter",
        allow_patterns=["*.json", "*.safetensors"],
    )
    print("loaded", len(encoders), stop, folder, "instead of BAAI/bge-large-en")


if __name__ == "__main__":
    main()
