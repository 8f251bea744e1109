from __future__ import annotations

import argparse
import pickle
import sys
from pathlib import Path

import cloudpickle
import dill
import joblib
import pandas as pd

HERE = Path("model_store")
CURRENT = "v7"
parser = argparse.ArgumentParser()
parser.add_argument("--model", default="model_store/gbm.joblib")
parser.add_argument("csv", type=argparse.FileType())


def load_all():
    with open(f"model_store/{CURRENT}/encoder.dill", mode="rb") as src:
        enc = dill.load(src)
    with open(HERE / "policy.cpkl", "rb") as src, open("scores.csv", "w") as out:
        policy = cloudpickle.load(src)
        print("score", file=out)
    svm = pickle.load(open("model_store/svm.sav", "rb"))
    return enc, policy, svm


def main(argv=None):
    args = parser.parse_args(argv)
    gbm = joblib.load(args.model, mmap_mode="r")
    frame = pd.read_csv(args.csv)
    with joblib.parallel_backend("loky", n_jobs=2):
        frame["p"] = gbm.predict_proba(frame)[:, 1]
    frame.to_pickle("model_store/last.pkl")
    return 0


def from_queue(message):
    return pickle.loads(message.body)


if __name__ == "__main__":
    sys.exit(main())
