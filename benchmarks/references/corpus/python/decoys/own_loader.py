import csv
import json
from pathlib import Path

ROOT = Path("data")


def load_dataset(path, split="train"):
    """Read a CSV of ours. Not the function of the same name in Hugging Face datasets."""
    with (ROOT / path / f"{split}.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def snapshot_download(bucket):
    return json.loads((ROOT / bucket).read_text())


class InferenceSession:
    def __init__(self, user):
        self.user = user


def main():
    train = load_dataset("squad")
    test = load_dataset("imdb", split="test")
    session = InferenceSession("model.onnx")
    print(len(train), len(test), session.user, snapshot_download("gpt2"))


if __name__ == "__main__":
    main()
