"""Daily scoring.  Reads models:/churn/Staging in the staging cluster (see the wiki)."""
from datetime import datetime
from pathlib import Path

import pandas as pd
from airflow.decorators import dag, task
from airflow.models import Variable

REGISTERED = "churn-xgb"
ARTIFACTS = Path("artifacts")


@dag(schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False, tags=["models:/not-this/1"])
def score_customers():
    @task
    def score(table: str) -> str:
        import mlflow

        mlflow.set_tracking_uri("https://mlflow.example.com")
        stage = "Production"
        champion = mlflow.pyfunc.load_model(model_uri=f"models:/{REGISTERED}/{stage}")
        challenger = mlflow.xgboost.load_model("models:/churn-xgb@challenger")
        frame = pd.read_parquet(table)
        frame["old"], frame["new"] = champion.predict(frame), challenger.predict(frame)
        return table

    @task()
    def calibrate() -> None:
        from joblib import dump, load as unpickle

        calibrator = unpickle(ARTIFACTS / "calibrator.joblib")
        dump(calibrator, ARTIFACTS / "calibrator.bak.joblib")

    @task
    def explain(rows: list) -> list:
        from transformers import pipeline

        name = Variable.get("summary_model", default_var="sshleifer/distilbart-cnn-6-6")
        return pipeline("summarization", model=name)(rows)

    score("customers.parquet") >> calibrate()


score_customers()
