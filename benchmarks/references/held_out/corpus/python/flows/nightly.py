import wandb
from prefect import flow, get_run_logger, task
from mlflow import sklearn as mlsk

ENTITY, PROJECT = "acme-vision", "defects"
RUN = "0f3b1c2d4e5a69788776655443322110"


@task(retries=2)
def fetch_weights(run):
    art = run.use_artifact(f"{ENTITY}/{PROJECT}/resnet-defects:v12", type="model")
    return art.download(root="weights")


@task
def fetch_split(run):
    split = run.use_artifact("acme-vision/defects/split-b:latest", type="dataset")
    return split.get_path("train.csv")


@task
def fetch_baseline():
    api = wandb.Api()
    old = api.artifact(name="acme-vision/defects-2022/baseline:prod", type="model")
    mean = mlsk.load_model(f"runs:/{RUN}/scaler")
    return old.file(), mean


@flow(name="nightly", description="use_artifact('acme-vision/defects/demo:v0') happens here")
def nightly(model_uri: str):
    logger = get_run_logger()
    with wandb.init(entity=ENTITY, project=PROJECT, job_type="eval") as run:
        fetch_weights(run)
        fetch_split(run)
        out = wandb.Artifact("resnet-defects-report", type="report")
        run.log_artifact(out)
    logger.info("models:/%s/1 done", "defects")
    return mlsk.load_model(model_uri)


if __name__ == "__main__":
    nightly.serve(cron="0 3 * * *")
