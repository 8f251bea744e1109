"""Graphs and weights in formats of their own: Keras, ONNX, GGUF, safetensors."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import logging
from typing import Any

from corpus import templates
from corpus.writer import SEED, Corpus, Generator


def keras_models() -> dict[str, Any]:
    import keras
    from keras import layers as la

    keras.utils.set_random_seed(SEED)
    start = keras.Input((8,))
    branches = la.Concatenate()(
        [la.Dense(2, activation="relu")(start), la.Dense(2, activation="tanh")(start)]
    )
    inner = keras.Sequential([keras.Input((4,)), la.Dense(2)], name="inner")
    dense = keras.Sequential(
        [keras.Input((4,)), la.Dense(3, activation="relu", kernel_regularizer="l2"), la.Dense(1)]
    )
    dense.compile("adam", "mse", metrics=["mae"])
    image = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            la.Rescaling(1 / 255),
            la.Conv2D(2, 3),
            la.MaxPooling2D(),
            la.Flatten(),
            la.Dropout(0.2),
            la.Dense(2),
        ]
    )
    words = keras.Sequential(
        [keras.Input((5,)), la.Embedding(10, 4), la.Bidirectional(la.LSTM(3)), la.Dense(1)]
    )
    return {
        "dense": dense,
        "functional": keras.Model(start, la.Dense(1)(branches)),
        "nested": keras.Sequential([keras.Input((4,)), inner, la.LayerNormalization()]),
        "image": image,
        "text": words,
    }


def write_keras(corpus: Corpus) -> None:
    logging.getLogger("absl").setLevel(logging.ERROR)  # HDF5 is called legacy, file by file
    for title, model in keras_models().items():
        model.save(corpus.benign("keras", f"{title}.keras"))
        model.save(corpus.benign("keras", f"{title}.h5"))
        model.save_weights(corpus.benign("keras", f"{title}.weights.h5"))


def onnx_models() -> dict[str, Any]:
    import numpy as np
    from onnx import TensorProto, numpy_helper
    from onnx import helper as h

    x, y = (h.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy")
    weights = numpy_helper.from_array(np.eye(2, dtype="f4"), "w")
    labels = numpy_helper.from_array(np.array(["cat", "dog"], dtype=object), "labels")
    multiply, relu = h.make_node("MatMul", ["x", "w"], ["h"]), h.make_node("Relu", ["h"], ["y"])
    branch = h.make_graph([h.make_node("Identity", ["x"], ["y"])], "branch", [], [y])
    condition = h.make_tensor_value_info("c", TensorProto.BOOL, [])
    choice = h.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    scaler = h.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.0], scale=[1.0])
    fused = h.make_node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft")
    graphs = {
        "linear": h.make_graph([multiply, relu], "linear", [x], [y], [weights]),
        "choice": h.make_graph([choice], "choice", [x, condition], [y]),
        "scaler": h.make_graph([scaler], "scaler", [x], [y]),
        "fused": h.make_graph([fused], "fused", [x], [y], [weights]),
        "text": h.make_graph([h.make_node("Identity", ["x"], ["y"])], "text", [x], [y], [labels]),
    }
    domains = [h.make_opsetid("", 17), h.make_opsetid("ai.onnx.ml", 3), h.make_opsetid("com.microsoft", 1)]
    return {
        title: h.make_model(graph, opset_imports=domains, ir_version=8) for title, graph in graphs.items()
    }


def write_onnx(corpus: Corpus) -> None:
    import onnx

    for title, model in onnx_models().items():
        onnx.save(model, corpus.benign("onnx", f"{title}.onnx"))
    path = corpus.benign("onnx external", "model.onnx")
    data = corpus.benign("onnx external", "weights.data")
    onnx.save(onnx_models()["linear"], path, save_as_external_data=True, location=data.name, size_threshold=0)


def write_gguf(corpus: Corpus) -> None:
    import gguf
    import numpy as np

    for title, template in templates.ORDINARY.items():
        writer = gguf.GGUFWriter(corpus.benign("gguf", f"{title}.gguf"), "llama")
        writer.add_context_length(2048)
        writer.add_token_list(["<s>", "</s>", "a"])
        writer.add_chat_template(template)
        writer.add_tensor("token_embd.weight", np.arange(64, dtype="f4").reshape(2, 32))
        writer.add_tensor("output.weight", np.ones((2, 32), dtype="f2"))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def write_safetensors(corpus: Corpus) -> None:
    import torch
    from safetensors.torch import save_file

    weights = {
        "w": torch.arange(6.0),
        "b": torch.zeros(3).bfloat16(),
        "empty": torch.zeros(0),
        "scalar": torch.tensor(1),
    }
    save_file(weights, corpus.benign("safetensors", "model.safetensors"), {"format": "pt"})
    save_file(weights, corpus.benign("safetensors", "no_metadata.safetensors"))
    names = {f"lora.{n}.weight": torch.ones(2) for n in range(20)}
    save_file(names, corpus.benign("safetensors", "adapter_model.safetensors"), {"format": "pt"})


GENERATORS: tuple[Generator, ...] = (write_keras, write_onnx, write_gguf, write_safetensors)
