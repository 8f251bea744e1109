import json
import os
import pickle
import sys

import cloudpickle
import dill
import joblib
import yaml
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

MODEL_PATH = os.path.join("models", "churn.joblib")


def load_all(registry):
    clf = joblib.load(MODEL_PATH)
    with open("models/encoder.pkl", "rb") as handle:
        encoder = pickle.load(handle)
    with open(sys.argv[1], "rb") as fh:
        calibrator = pickle.load(fh)
    rules = dill.load(open("models/rules.dill", "rb"))
    online = pickle.loads(registry.get("churn:online"))
    return clf, encoder, calibrator, rules, online


def load_one(path):
    return joblib.load(path, mmap_mode="r")


def config():
    with open("config/model.yaml") as fh:
        cfg = yaml.safe_load(fh)
    with open("config/labels.json") as fh:
        cfg["labels"] = json.load(fh)
    return cfg


def save(model: Pipeline, path="models/churn.joblib"):
    joblib.dump(model, path)
    with open("models/encoder.pkl", "wb") as handle:
        pickle.dump(StandardScaler(), handle)
    print(cloudpickle.__version__)
