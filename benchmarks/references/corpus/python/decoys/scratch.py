import os
import subprocess

import pandas as pd
import yaml

# from transformers import AutoModel
# model = AutoModel.from_pretrained("xlnet-base-cased")
# from datasets import load_dataset
# ds = load_dataset("ag_news")

FAVOURITES = ["google/flan-t5-xl", "EleutherAI/pythia-1.4b"]
config = yaml.safe_load("model: microsoft/phi-2  # only shown in the table\n")


def table():
    """
    >>> from sentence_transformers import SentenceTransformer
    >>> SentenceTransformer("all-mpnet-base-v2")  # doctest: +SKIP
    """
    frame = pd.DataFrame({"model": FAVOURITES, "params": [3e9, 1.4e9]})
    frame["shown"] = config["model"]
    return frame.to_markdown()


def version():
    subprocess.run(["echo", "ollama pull phi3:mini"], check=True)
    return os.environ.get("MODEL_ID", "bigscience/bloom-560m")


if __name__ == "__main__":
    print(table())
    print(version())
