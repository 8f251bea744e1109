import mlflow
import mlflow.pyfunc
import mlflow.sklearn as ml_sk
from mlflow.tracking import MlflowClient

NAME = "fraud-detector"
STAGE = "Production"
RUN_ID = "96771d893a5e46159d9f3b49bf9013e2"

mlflow.set_tracking_uri("https://mlflow.example.com")
mlflow.set_experiment("models/experiments")

champion = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
staged = ml_sk.load_model(model_uri="models:/%s/%s" % (NAME, STAGE))
pinned = mlflow.pytorch.load_model("models:/ranker/12")
from_run = mlflow.pyfunc.load_model("runs:/{}/model".format(RUN_ID))
bucket = mlflow.pyfunc.load_model("s3://acme-mlflow/7/artifacts/model")


def latest(name):
    client = MlflowClient()
    version = client.get_latest_versions(name)[0].version
    return mlflow.pyfunc.load_model(f"models:/{name}/{version}")


def log(model):
    # afterwards available as models:/fraud-detector/latest
    mlflow.sklearn.log_model(model, "model", registered_model_name="fraud-detector")
