"""Plain data: pickles of Python, NumPy, pandas and SciPy values, arrays, tables and archives of them."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import bz2
import datetime as dt
import decimal
import fractions
import gzip
import io
import lzma
import pathlib
import pickle
import re
import tarfile
import types
import uuid
import zipfile
import zlib
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any

from corpus.writer import SEED, Corpus, Generator

PROTOCOLS = range(6)
TABLE = b"id,text,label\n" + b"".join(b"%d,a line of text,%d\n" % (n, n % 2) for n in range(200))


def python_values() -> dict[str, Any]:
    plus_two = dt.timezone(dt.timedelta(hours=2))
    itself: list[Any] = [1]
    itself.append(itself)
    return {
        "scalars": [None, True, 1, -(1 << 80), 1.5, 2j, "text é", b"bytes", bytearray(b"array")],
        "collections": [
            Counter("aab"),
            OrderedDict(a=1),
            defaultdict(list),
            deque([1], 3),
            {1, 2},
            frozenset({3}),
        ],
        "dates": [
            dt.datetime(2026, 1, 2, 3, 4, tzinfo=plus_two),
            dt.date(2026, 1, 2),
            dt.timedelta(3),
        ],
        "time_and_zone": [dt.time(1, 2), dt.UTC, plus_two],
        "uuid": uuid.UUID(int=SEED),
        "decimal": [decimal.Decimal("1.50"), fractions.Fraction(1, 3)],
        "paths": [pathlib.PurePosixPath("a/b"), pathlib.PosixPath("a/b")],
        "enum": [re.RegexFlag.IGNORECASE, uuid.SafeUUID.unknown],
        "namespace": types.SimpleNamespace(epoch=3),
        "chain_map": ChainMap({"a": 1}, {"b": 2}),
        "range_and_slice": [range(3), slice(1, 2), Ellipsis, NotImplemented],
        "cyclic": itself,
        "nested": {"a": [{"b": ({"c": [1, 2, (3, 4)]},)}]},
        "long_text": ["x" * 100_000, b"y" * 100_000],
        "vocabulary": {f"token_{n}": n for n in range(5_000)},
        "regex": re.compile("[a-z]+", re.IGNORECASE),
    }


def write_python(corpus: Corpus) -> None:
    for n, (title, value) in enumerate(python_values().items()):
        protocol = PROTOCOLS[n % len(PROTOCOLS)]
        corpus.benign("python pickle", f"{title}_p{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))
    plain = pickle.dumps({"weights": [0.5] * 100})
    packed = {"gz": gzip.compress(plain, mtime=0), "bz2": bz2.compress(plain), "xz": lzma.compress(plain)}
    for suffix, data in (packed | {"z": zlib.compress(plain)}).items():
        corpus.benign("python pickle", f"compressed.pkl.{suffix}").write_bytes(data)
    several = b"".join(pickle.dumps({"step": n}) for n in range(3))
    corpus.benign("python pickle", "several_streams.pkl").write_bytes(several)


def write_by_other_picklers(corpus: Corpus) -> None:
    import cloudpickle
    import dill
    import numpy as np

    value = {"weights": np.arange(6.0), "names": ["a", "b"]}
    corpus.benign("other picklers", "cloudpickle.pkl").write_bytes(cloudpickle.dumps(value))
    corpus.benign("other picklers", "dill.pkl").write_bytes(dill.dumps(value))


def write_numpy(corpus: Corpus) -> None:
    import numpy as np

    rng = np.random.default_rng(SEED)
    x = rng.random((4, 5))
    record = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    dates, masked = np.array(["2026-01-01"], "datetime64[D]"), np.ma.masked_array([1, 2], [True, False])
    values = {"float": x, "fortran": np.asfortranarray(x), "half": x.astype("f2"), "big_endian": x.astype(">f4"),
              "text": np.array(["a", "bc"]), "record": record, "dates": dates, "zeros": np.zeros(10_000)}  # fmt: skip
    for title, value in values.items():
        np.save(corpus.benign("npy", f"{title}.npy"), value)
    words = np.array(["cat", "dog", None], dtype=object)
    np.save(corpus.benign("npy", "objects.npy"), words, allow_pickle=True)
    np.savez(corpus.benign("npz", "plain.npz"), **values)
    np.savez_compressed(corpus.benign("npz", "compressed.npz"), **values)
    np.savez_compressed(corpus.benign("npz", "zeros.npz"), a=np.zeros(1_000_000))
    np.savez(corpus.benign("npz", "objects.npz"), words=words)
    state = np.random.RandomState(1)
    more = {"objects": words, "masked": masked, "matrix": np.asmatrix(x), "scalars": [x[0, 0], np.int64(3), np.bool_(1)],
            "dtypes": [x.dtype, record.dtype, np.float32], "generator": rng, "random_state": state, "ufunc": np.log1p}  # fmt: skip
    for n, (title, value) in enumerate((values | more).items()):
        corpus.benign("numpy pickle", f"{title}.pkl").write_bytes(pickle.dumps(value, 2 + n % 4))


def write_pandas(corpus: Corpus) -> None:
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, np.nan, 1.5]})
    times = pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin")
    pairs = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["k", "n"])
    values = {
        "frame": frame,
        "series": frame["c"],
        "mixed": frame.assign(when=times, kind=pd.Categorical(["u", "v", "u"])),
        "categorical": pd.Series(["u", "v"], dtype="category"),
        "multi_index": frame.set_index(pairs),
        "timestamps": [
            pd.Timestamp("2026-01-01", tz="UTC"),
            pd.Timedelta("1D"),
            pd.Period("2026-01", "M"),
            pd.NaT,
        ],
        "time_index": pd.Series(range(3), index=times),
        "nullable": frame.convert_dtypes(),
        "intervals": pd.interval_range(0, 3),
        "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        "objects": pd.Series([[1], {"a": 2}, "x"], dtype=object),
        "arrow_text": pd.Series(["a", "b"], dtype="string[pyarrow]"),
    }
    for n, (title, value) in enumerate(values.items()):
        corpus.benign("pandas pickle", f"{title}.pkl").write_bytes(pickle.dumps(value, 2 + n % 4))
    frame.to_pickle(corpus.benign("pandas pickle", "frame.pkl.gz"))
    frame.to_pickle(corpus.benign("pandas pickle", "frame.pkl.xz"))


def write_scipy(corpus: Corpus) -> None:
    import scipy.sparse as sp
    from scipy import interpolate, spatial, stats

    matrix = sp.random(6, 6, 0.3, "csr", random_state=SEED)
    points = matrix.toarray()[:, :2]
    values = {form: matrix.asformat(form) for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")}
    more = {"sparse_array": sp.csr_array(matrix), "kd_tree": spatial.KDTree(points), "distribution": stats.norm(0, 1),
            "spline": interpolate.CubicSpline([0, 1, 2], [0, 1, 0])}  # fmt: skip
    for n, (title, value) in enumerate((values | more).items()):
        corpus.benign("scipy pickle", f"{title}.pkl").write_bytes(pickle.dumps(value, 2 + n % 4))
    sp.save_npz(corpus.benign("npz", "scipy_sparse.npz"), matrix)


def write_tables(corpus: Corpus) -> None:
    import pyarrow as pa
    from pyarrow import csv, feather, parquet

    table = csv.read_csv(io.BytesIO(TABLE))
    parquet.write_table(table, corpus.benign("table", "rows.parquet"))
    parquet.write_table(table, corpus.benign("table", "rows_zstd.parquet"), compression="zstd")
    feather.write_feather(table, str(corpus.benign("table", "rows.feather")))
    with (
        pa.OSFile(str(corpus.benign("table", "rows.arrow")), "wb") as sink,
        pa.ipc.new_stream(sink, table.schema) as out,
    ):
        out.write_table(table)
    corpus.benign("table", "rows.csv").write_bytes(TABLE)


def write_archives(corpus: Corpus) -> None:
    members = {"data/train.csv": TABLE, "data/labels.txt": b"cat\ndog\n", "README.md": b"# Data\n"}
    for title, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        with zipfile.ZipFile(corpus.benign("archive", f"{title}.zip"), "w", method) as archive:
            for name, data in members.items():
                archive.writestr(zipfile.ZipInfo(name), data, method)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    packed = {"tar": buffer.getvalue(), "tar.gz": gzip.compress(buffer.getvalue(), mtime=0),
              "tar.bz2": bz2.compress(buffer.getvalue()), "tar.xz": lzma.compress(buffer.getvalue())}  # fmt: skip
    for suffix, data in packed.items():
        corpus.benign("archive", f"data.{suffix}").write_bytes(data)
    corpus.benign("archive", "train.csv.gz").write_bytes(gzip.compress(TABLE, mtime=0))
    corpus.benign("archive", "train.csv.bz2").write_bytes(bz2.compress(TABLE))


GENERATORS: tuple[Generator, ...] = (
    write_python,
    write_by_other_picklers,
    write_numpy,
    write_pandas,
    write_scipy,
    write_tables,
    write_archives,
)
