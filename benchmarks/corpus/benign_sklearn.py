"""Estimators that scikit-learn fits, by pickle and by joblib with every compressor, and by skops."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import pickle
import warnings
from typing import Any

from corpus.writer import SEED, Corpus, Generator

COMPRESSORS = {
    "joblib": 0,
    "zlib.joblib": ("zlib", 3),
    "joblib.gz": ("gzip", 3),
    "joblib.bz2": ("bz2", 3),
    "joblib.xz": ("xz", 3),
    "joblib.lzma": ("lzma", 3),
    "joblib.lz4": ("lz4", 3),
}


def supervised() -> dict[str, Any]:
    from sklearn import ensemble as en
    from sklearn import linear_model as li
    from sklearn import neighbors as ne
    from sklearn import svm
    from sklearn import tree as tr
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.cross_decomposition import PLSRegression
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.dummy import DummyClassifier
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels
    from sklearn.isotonic import IsotonicRegression
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neural_network import MLPClassifier

    forest = en.RandomForestClassifier(3, random_state=0)
    made = [
        li.LinearRegression(), li.LogisticRegression(), li.LogisticRegressionCV(cv=2), li.Ridge(), li.Lasso(),
        li.ElasticNet(), li.SGDClassifier(), li.HuberRegressor(), li.BayesianRidge(), li.PoissonRegressor(),
        li.Perceptron(), forest, en.RandomForestRegressor(3), en.ExtraTreesClassifier(3),
        en.GradientBoostingClassifier(n_estimators=3), en.GradientBoostingRegressor(n_estimators=3, loss="huber"),
        en.HistGradientBoostingClassifier(max_iter=3), en.HistGradientBoostingRegressor(max_iter=3),
        en.AdaBoostClassifier(n_estimators=3), en.BaggingClassifier(n_estimators=3),
        en.VotingClassifier([("a", GaussianNB()), ("b", forest)]),
        en.StackingClassifier([("a", GaussianNB()), ("b", forest)], cv=2), tr.DecisionTreeClassifier(),
        tr.DecisionTreeRegressor(), svm.SVC(probability=False), svm.LinearSVC(), svm.SVR(), ne.KNeighborsClassifier(3),
        ne.KNeighborsRegressor(3, algorithm="kd_tree"), ne.KNeighborsClassifier(3, algorithm="ball_tree"),
        ne.NearestCentroid(), GaussianNB(), MLPClassifier((4,), max_iter=20), LinearDiscriminantAnalysis(),
        DummyClassifier(), KernelRidge(), IsotonicRegression(), PLSRegression(1), OneVsRestClassifier(GaussianNB()),
        CalibratedClassifierCV(GaussianNB(), cv=2), GaussianProcessRegressor(kernels.RBF() + kernels.WhiteKernel()),
    ]  # fmt: skip
    return {f"{n:02}_{type(model).__name__}": model for n, model in enumerate(made)}


def unsupervised() -> dict[str, Any]:
    from sklearn import cluster as cl
    from sklearn import decomposition as de
    from sklearn import impute as im
    from sklearn import preprocessing as pr
    from sklearn.covariance import EmpiricalCovariance
    from sklearn.ensemble import IsolationForest
    from sklearn.feature_selection import SelectKBest, VarianceThreshold
    from sklearn.kernel_approximation import Nystroem
    from sklearn.manifold import Isomap
    from sklearn.mixture import GaussianMixture
    from sklearn.neighbors import KernelDensity, LocalOutlierFactor

    made = [
        pr.StandardScaler(), pr.MinMaxScaler(), pr.RobustScaler(), pr.OneHotEncoder(), pr.OrdinalEncoder(),
        pr.PolynomialFeatures(), pr.KBinsDiscretizer(3), pr.PowerTransformer(), pr.QuantileTransformer(n_quantiles=5),
        pr.Normalizer(), pr.SplineTransformer(), im.SimpleImputer(), im.KNNImputer(), cl.KMeans(2, n_init=1),
        cl.MiniBatchKMeans(2, n_init=1), cl.DBSCAN(), cl.AgglomerativeClustering(), cl.Birch(n_clusters=2),
        de.PCA(2), de.TruncatedSVD(2), de.NMF(2), de.FastICA(2), de.LatentDirichletAllocation(2),
        GaussianMixture(2), IsolationForest(n_estimators=3), LocalOutlierFactor(5), KernelDensity(), Isomap(n_neighbors=5),
        SelectKBest(k=2), VarianceThreshold(), Nystroem(n_components=3), EmpiricalCovariance(),
    ]  # fmt: skip
    return {f"{type(model).__name__}": model for model in made}


def pipelines() -> dict[str, Any]:
    import numpy as np
    from scipy.stats import uniform
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, StratifiedKFold
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

    columns = ColumnTransformer(
        [("a", StandardScaler(), [0, 1]), ("b", "passthrough", [2])], remainder="drop"
    )
    union = FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())])
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=StratifiedKFold(2), scoring="accuracy")
    return {
        "scaled_regression": make_pipeline(StandardScaler(), LogisticRegression()),
        "columns": make_pipeline(columns, RandomForestClassifier(3)),
        "union": make_pipeline(union, LogisticRegression()),
        "logarithm": make_pipeline(FunctionTransformer(np.log1p, np.expm1), LogisticRegression()),
        "grid_search": search,
        "random_search": RandomizedSearchCV(
            LogisticRegression(), {"C": uniform(0.1, 1)}, n_iter=2, cv=2, random_state=0
        ),
        "target": TransformedTargetRegressor(LinearRegression(), func=np.log1p, inverse_func=np.expm1),
    }


def texts() -> dict[str, Any]:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import LabelBinarizer, LabelEncoder

    documents, labels = ["a cat sat", "a dog ran", "the cat ran", "dogs sit"], [0, 1, 0, 1]
    return {
        "tfidf": make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(documents, labels),
        "counts": CountVectorizer(ngram_range=(1, 2)).fit(documents),
        "hashing": HashingVectorizer(n_features=16),
        "dict": DictVectorizer().fit([{"a": 1}, {"b": 2}]),
        "labels": LabelEncoder().fit(["cat", "dog"]),
        "binarizer": LabelBinarizer().fit(["cat", "dog", "bird"]),
    }


def fitted() -> dict[str, dict[str, Any]]:
    import numpy as np

    x = np.random.default_rng(SEED).random((30, 3))
    y = (x.sum(axis=1) > 1.5).astype(int)
    one = x[:, 0]
    groups = {"estimator": supervised() | unsupervised(), "pipeline": pipelines()}
    for group in groups.values():
        for model in group.values():
            model.fit(one if type(model).__name__ == "IsotonicRegression" else x, y)
    return groups | {"text": texts()}


def write_scikit_learn(corpus: Corpus) -> None:
    """Each model in one way: pickle of protocols 2 to 5 and joblib's compressors take turns."""
    import joblib

    ways: list[int | str] = [2, 3, 4, 5, *COMPRESSORS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        groups = fitted()
    for kind, group in groups.items():
        for n, (title, model) in enumerate(group.items()):
            way = ways[n % len(ways)]
            if isinstance(way, int):
                path = corpus.benign(f"sklearn {kind}", f"{title}_p{way}.pkl")
                path.write_bytes(pickle.dumps(model, protocol=way))
            else:
                joblib.dump(
                    model, corpus.benign(f"sklearn {kind}", f"{title}.{way}"), compress=COMPRESSORS[way]
                )


def write_every_compressor(corpus: Corpus) -> None:
    """One forest and one array in every way that joblib knows."""
    import joblib
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    x = np.random.default_rng(SEED).random((30, 3))
    forest = RandomForestRegressor(4, random_state=0).fit(x, x[:, 0])
    data = {
        "x": x,
        "y": np.asfortranarray(x.T),
        "names": np.array(["a", "b"], dtype=object),
        "none": np.empty(0),
    }
    for suffix, compress in COMPRESSORS.items():
        joblib.dump(forest, corpus.benign("joblib", f"forest.{suffix}"), compress=compress)
        joblib.dump(data, corpus.benign("joblib", f"arrays.{suffix}"), compress=compress)
    for protocol in (2, 3, 4, 5):
        joblib.dump(forest, corpus.benign("joblib", f"forest_p{protocol}.pkl"), protocol=protocol)


def write_skops(corpus: Corpus) -> None:
    import skops.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        groups = fitted()
    chosen = groups["pipeline"] | groups["text"]
    for title in ("scaled_regression", "columns", "union", "tfidf", "labels"):
        skops.io.dump(chosen[title], corpus.benign("skops", f"{title}.skops"))
    for title in ("11_RandomForestClassifier", "00_LinearRegression", "StandardScaler"):
        skops.io.dump(groups["estimator"][title], corpus.benign("skops", f"{title}.skops"))


GENERATORS: tuple[Generator, ...] = (write_scikit_learn, write_every_compressor, write_skops)
