"""Computation graphs whose operations, layers or references run code, read files or need code from elsewhere."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import base64
import json
import struct

from corpus.assembler import ADDRESS, COMMAND, payload
from corpus.containers import simple_zip
from corpus.protobuf import message
from corpus.writer import Corpus, Generator

MARSHALLED = base64.b64encode(b"\xe3inert: stands for a marshalled function").decode()
FLOAT, STRING = 1, 8  # element types of ONNX


def keras_layer(
    class_name: str, config: dict[str, object], module: str = "keras.layers"
) -> dict[str, object]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def keras_model(*layers: dict[str, object], class_name: str = "Sequential") -> dict[str, object]:
    start = keras_layer("InputLayer", {"batch_shape": [None, 2], "dtype": "float32", "name": "input"})
    return keras_layer(class_name, {"name": "net", "layers": [start, *layers]}, "keras")


def keras_lambda() -> dict[str, object]:
    function = {"class_name": "__lambda__", "config": {"code": MARSHALLED, "defaults": None, "closure": None}}
    return keras_layer("Lambda", {"name": "lambda", "function": function, "arguments": {}})


def keras_zip(config: dict[str, object] | bytes, more: dict[str, bytes] | None = None) -> bytes:
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    metadata = b'{"keras_version": "3.11.0", "date_saved": "2026-01-01@00:00:00"}'
    members = {
        "metadata.json": metadata,
        "config.json": text,
        "model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(88),
    }
    return simple_zip(members | (more or {}))


def keras_configs() -> dict[str, dict[str, object]]:
    dense = keras_layer("Dense", {"name": "dense", "units": 2, "activation": "relu"})
    reference = {"class_name": "function", "config": "system", "module": "os", "registered_name": "function"}
    compiled = keras_model(dense) | {"compile_config": {"optimizer": "adam", "loss": reference}}
    return {
        "lambda": keras_model(dense, keras_lambda()),
        "lambda_nested": keras_model(keras_model(keras_model(keras_lambda()))),
        "lambda_in_wrapper": keras_model(
            keras_layer("TimeDistributed", {"name": "t", "layer": keras_lambda()})
        ),
        "lambda_functional": keras_model(keras_lambda(), class_name="Functional"),
        "lambda_old_style": keras_model(
            keras_layer(
                "Lambda", {"name": "l", "function": [MARSHALLED, None, None], "function_type": "lambda"}
            )
        ),
        "lambda_by_name": keras_model(
            keras_layer(
                "Lambda", {"name": "l", "function": "system", "function_type": "function", "module": "os"}
            )
        ),
        "module_os": keras_model(keras_layer("system", {"command": COMMAND}, "os")),
        "module_subprocess": keras_model(keras_layer("Popen", {"args": COMMAND}, "subprocess")),
        "module_builtins": keras_model(keras_layer("exec", {}, "builtins")),
        "module_third_party": keras_model(keras_layer("run", {}, "torch.utils.collect_env")),
        "module_keras_helper": keras_model(keras_layer("get_file", {"origin": ADDRESS}, "keras.utils")),
        "module_keras_source": keras_model(
            keras_layer("enable_unsafe_deserialization", {}, "keras.src.saving")
        ),
        "function_of_os": compiled,
        "activation_of_os": keras_model(
            keras_layer("Dense", {"name": "d", "units": 2, "activation": reference})
        ),
        "custom_layer": keras_model(keras_layer("Inert", {"name": "i"}, "inert_package.layers")),
        "torch_module_wrapper": keras_model(
            keras_layer("TorchModuleWrapper", {"module": base64.b64encode(payload()).decode()})
        ),
        "string_lookup_file": keras_model(
            keras_layer("StringLookup", {"name": "s", "vocabulary": "/etc/passwd"})
        ),
    }


def keras_files() -> dict[str, bytes]:
    found = {f"{title}.keras": keras_zip(config) for title, config in keras_configs().items()}
    plain = keras_model()
    duplicate = (
        json.dumps(plain).encode()[:-1]
        + b', "config": '
        + json.dumps(keras_model(keras_lambda())).encode()
        + b"}"
    )
    found["duplicate_key.keras"] = keras_zip(duplicate)
    found["pickle_member.keras"] = keras_zip(plain, {"assets/state": payload()})
    found["slip.keras"] = keras_zip(plain, {"../../inert.txt": b"words"})
    found["lambda_as_zip.zip"] = found["lambda.keras"]
    return found


def write_keras(corpus: Corpus) -> None:
    for file_name, data in keras_files().items():
        corpus.malicious("keras", file_name, data)


def write_hdf5(corpus: Corpus) -> None:
    """The same configurations in the attribute that Keras 1 and 2 keep them in."""
    import io

    import h5py

    for title, config in keras_configs().items():
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", libver="latest" if title.startswith("module") else "earliest") as file:
            file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "2.15.0"
            file.attrs["model_config"] = json.dumps(config)
            file.create_group("model_weights").create_dataset("kernel", data=[1.0, 2.0])
        corpus.malicious("keras hdf5", f"{title}.h5", buffer.getvalue())
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["weights"] = h5py.ExternalLink("/etc/passwd", "/")
        file.create_dataset("raw", (4,), "u1", external=[("/etc/passwd", 0, 4)])
    corpus.malicious("keras hdf5", "external.h5", buffer.getvalue())


def saved_model(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    """SavedModel: schema version, one meta graph with its graph and its library of functions."""
    library = message(*[(1, message((1, message((1, "fn"))), (3, node))) for node in functions])
    graph = message(*[(1, node) for node in nodes], (2, library))
    return message((1, 1), (2, message((1, message((4, "serve"))), (2, graph))))


def node_def(op: str, *inputs: str) -> bytes:
    return message((1, f"{op}_node"), (2, op), *[(3, name) for name in inputs])


def write_saved_models(corpus: Corpus) -> None:
    operations = ("ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "PyFuncStateless", "MatchingFiles")
    plain = node_def("Const")
    for op in operations:
        corpus.malicious(
            "saved model", f"{op}/saved_model.pb", saved_model(plain, node_def(op, "Const_node"))
        )
    hidden = saved_model(plain, functions=(node_def("WriteFile"),))
    corpus.malicious("saved model", "in_function/saved_model.pb", hidden)
    frozen = message((1, plain), (1, node_def("ReadFile")))
    corpus.malicious("saved model", "frozen_graph.pb", frozen)
    custom = saved_model(node_def("InertCustomOp"))
    corpus.malicious("saved model", "custom_op/saved_model.pb", custom)
    corpus.malicious(
        "saved model", "truncated/saved_model.pb", saved_model(node_def("ReadFile"))[:-3] + b"\xff\xff"
    )


def onnx_node(op: str, domain: str = "", *attributes: bytes) -> bytes:
    return message((1, "x"), (2, "y"), (4, op), (7, domain), *[(5, each) for each in attributes])


def external_tensor(location: str, name: str = "w") -> bytes:
    entry = message((1, "location"), (2, location))
    return message((1, 2), (2, FLOAT), (8, name), (13, entry), (14, 1))


def value_info(name: str) -> bytes:
    """A name with the type of two floats."""
    shape = message((1, message((1, 2))))
    return message((1, name), (2, message((1, message((1, FLOAT), (2, shape))))))


def onnx_model(
    *nodes: bytes, tensors: tuple[bytes, ...] = (), domains: tuple[str, ...] = (), more: bytes = b""
) -> bytes:
    graph = message(
        *[(1, node) for node in nodes], (2, "graph"), *[(5, each) for each in tensors],
        (11, value_info("x")), (12, value_info("y")),
    )  # fmt: skip
    imports = [(8, message((1, domain), (2, 1))) for domain in domains]
    return message((1, 8), (2, "inert"), (7, graph), (8, message((1, ""), (2, 17))), *imports) + more


def onnx_files() -> dict[str, bytes]:
    places = {
        "parent": "../../etc/passwd", "absolute": "/etc/passwd", "backslash": "..\\..\\etc\\passwd",
        "drive": "C:\\Windows\\win.ini", "inner_parent": "data/../../../etc/passwd",
        "home": "~/../../.ssh/id_rsa", "nul": "weights\0/../../x",
    }  # fmt: skip
    relu = onnx_node("Relu")
    found = {f"external_{t}.onnx": onnx_model(relu, tensors=(external_tensor(p),)) for t, p in places.items()}
    bad = external_tensor("../../etc/passwd")
    attribute = message((1, "value"), (5, bad), (20, 4))
    subgraph = message((1, onnx_node("Constant", "", attribute)), (2, "then"))
    branch = message((1, "then_branch"), (6, subgraph), (20, 5))
    sparse = message((1, bad), (2, external_tensor("/etc/shadow", "i")), (3, 2))
    function = message((1, "fn"), (7, onnx_node("Constant", "", attribute)), (10, "inert"))
    found["external_attribute.onnx"] = onnx_model(onnx_node("Constant", "", attribute))
    found["external_subgraph.onnx"] = onnx_model(onnx_node("If", "", branch))
    found["external_sparse.onnx"] = onnx_model(
        onnx_node("Constant", "", message((1, "s"), (22, sparse), (20, 11)))
    )
    found["external_function.onnx"] = onnx_model(relu, more=message((25, function)))
    for n, domain in enumerate(("inert.ops", "com.evil", "ai.onnx.contrib")):
        found[f"custom_domain_{n}.onnx"] = onnx_model(
            relu, onnx_node("RunCommand", domain), domains=(domain,)
        )
    found["python_operator.onnx"] = onnx_model(
        onnx_node(
            "PyOp",
            "pyop",
            message((1, "module"), (4, "os"), (20, 3)),
            message((1, "class_name"), (4, "system"), (20, 3)),
        ),
        domains=("pyop",),
    )
    nested = message((1, "then_branch"), (6, message((1, onnx_node("Run", "com.evil")))), (20, 5))
    found["custom_in_subgraph.onnx"] = onnx_model(onnx_node("If", "", nested))
    found["pickle_in_tensor.onnx"] = onnx_model(
        relu, tensors=(message((1, 1), (2, STRING), (6, payload()), (8, "w")),)
    )
    found["zip_behind.onnx"] = onnx_model(relu) + simple_zip({"data.pkl": payload()})
    found["truncated.onnx"] = onnx_model(relu, tensors=(bad,))[:-9]
    return found


def write_onnx(corpus: Corpus) -> None:
    for file_name, data in onnx_files().items():
        corpus.malicious("onnx", file_name, data)


def write_native(corpus: Corpus) -> None:
    """Core ML custom layers, and engines that are machine code."""
    custom = message((1, "layer"), (2, "x"), (3, "y"), (500, message((10, "InertLayer"))))
    network = message((1, custom))
    corpus.malicious("core ml", "custom_layer.mlmodel", message((1, 4), (2, b""), (500, network)))
    corpus.malicious(
        "core ml", "custom_model.mlmodel", message((1, 4), (2, b""), (555, message((1, "Inert"))))
    )
    nested = message((1, message((1, 4), (500, network))))
    corpus.malicious("core ml", "in_pipeline.mlmodel", message((1, 4), (2, b""), (202, nested)))
    for magic in (b"ptrt", b"ftrt"):
        corpus.malicious(
            "tensorrt", f"{magic.decode()}.engine", magic + struct.pack("<IQ", 0, 64) + bytes(range(64))
        )
    corpus.malicious("tensorrt", "ftrt.plan", b"ftrt" + bytes(range(100)))
    corpus.malicious("tensorrt", "without_suffix/model", b"ftrt" + bytes(range(100)))


GENERATORS: tuple[Generator, ...] = (write_keras, write_hdf5, write_saved_models, write_onnx, write_native)
