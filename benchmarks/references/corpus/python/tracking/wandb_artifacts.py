import os
import wandb
from wandb import Api

ENTITY, PROJECT = "acme", "ner"


def train(cfg):
    run = wandb.init(entity=ENTITY, project=PROJECT, job_type="train", config=cfg, tags=["model:v9"])
    data = run.use_artifact("acme/ner/conll-clean:v3", type="dataset")
    data_dir = data.download()
    base = run.use_artifact(f"{ENTITY}/{PROJECT}/encoder:latest", type="model").download()
    out = wandb.Artifact("ner-model", type="model")
    out.add_dir("out")
    run.log_artifact(out, aliases=["candidate"])
    return data_dir, base


def compare(name):
    api = Api()
    prod = api.artifact("acme/ner/ner-model:production", type="model")
    other = api.artifact(name)
    short = wandb.use_artifact("tokenised-corpus:v0", type="dataset")
    print("compare with acme/ner/old-model:v1")
    return prod, other, short


def resume():
    return wandb.use_artifact(os.environ["RESUME_ARTIFACT"], type="model")
