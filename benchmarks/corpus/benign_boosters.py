"""Gradient boosting: XGBoost, LightGBM and CatBoost in their own formats, by pickle and by joblib."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import pickle
from typing import Any

from corpus.writer import SEED, Corpus, Generator


def data() -> tuple[Any, Any]:
    import numpy as np

    x = np.random.default_rng(SEED).random((60, 4))
    return x, (x[:, 0] > 0.5).astype(int)


def write_pickles(corpus: Corpus, kind: str, models: dict[str, Any]) -> None:
    import joblib

    for n, (title, model) in enumerate(models.items()):
        corpus.benign(kind, f"{title}.pkl").write_bytes(pickle.dumps(model, protocol=2 + n % 4))
        joblib.dump(model, corpus.benign(kind, f"{title}.joblib"), compress=3 * (n % 2))


def write_xgboost(corpus: Corpus) -> None:
    import xgboost

    x, y = data()
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(x, y), 3)
    classifier = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(x, y)
    regressor = xgboost.XGBRegressor(n_estimators=3).fit(x, y)
    ranker = xgboost.XGBRFClassifier(n_estimators=3).fit(x, y)
    models = {"booster": booster, "classifier": classifier, "regressor": regressor, "random_forest": ranker}
    write_pickles(corpus, "xgboost", models)
    for suffix in ("json", "ubj"):
        booster.save_model(corpus.benign("xgboost", f"booster.{suffix}"))
        classifier.save_model(corpus.benign("xgboost", f"classifier.{suffix}"))


def write_lightgbm(corpus: Corpus) -> None:
    import lightgbm

    x, y = data()
    quiet = {"verbose": -1, "num_threads": 1, "seed": 1}
    booster = lightgbm.train({"objective": "binary", **quiet}, lightgbm.Dataset(x, y), 3)
    classifier = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(x, y)
    regressor = lightgbm.LGBMRegressor(n_estimators=3, verbose=-1, n_jobs=1).fit(x, y)
    write_pickles(corpus, "lightgbm", {"booster": booster, "classifier": classifier, "regressor": regressor})
    booster.save_model(corpus.benign("lightgbm", "booster.txt"))


def write_catboost(corpus: Corpus) -> None:
    import catboost

    x, y = data()
    quiet = {"iterations": 3, "depth": 2, "verbose": False, "allow_writing_files": False, "random_seed": 1}
    classifier = catboost.CatBoostClassifier(**quiet).fit(x, y)
    regressor = catboost.CatBoostRegressor(**quiet).fit(x, y)
    write_pickles(corpus, "catboost", {"classifier": classifier, "regressor": regressor})
    for form in ("cbm", "json"):
        classifier.save_model(str(corpus.benign("catboost", f"classifier.{form}")), format=form)


GENERATORS: tuple[Generator, ...] = (write_xgboost, write_lightgbm, write_catboost)
