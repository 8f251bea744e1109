"""Libraries that load weights from files.

Sources: the documentation of Keras, TensorFlow, ONNX Runtime, joblib, pickle, safetensors, OpenVINO,
Core ML, XGBoost, LightGBM, CatBoost, fastText, llama-cpp-python, vLLM and ctransformers.
"""

from __future__ import annotations

from typing import Final

from aibom.discovery.loaders.torch import file_or_address
from aibom.discovery.python_call import Call, Loader, from_hub, revision_of
from aibom.discovery.targets import hub, local
from aibom.domain.component import ComponentKind
from aibom.domain.reference import Flag

_MODEL: Final = ComponentKind.MODEL
_UNSAFE: Final = frozenset({Flag.UNSAFE_LOAD})


def from_file(
    pattern: str, *keywords: str, position: int = 0, unsafe: bool = False, kind: ComponentKind = _MODEL
) -> Loader:
    """A loader of a file; an object in its place was loaded elsewhere. `unsafe`: it unpickles."""

    def refer(call: Call) -> None:
        source = call.argument(position, *keywords)
        texts = call.texts(position, *keywords) or call.values.opened(source)
        if source is not None and (texts or unsafe or not call.built(position, *keywords)):
            call.refer(kind, [file_or_address(text) for text in texts], flags=_UNSAFE if unsafe else ())

    return Loader(pattern=pattern, refer=refer)


def _keras(call: Call) -> None:
    """`load_model(path, safe_mode=...)`: without the safe mode, code of the file runs."""
    keywords = ("filepath", "model_path", "model")
    careless = call.truth(None, "safe_mode") is False
    if careless or not call.built(0, *keywords):
        targets = [file_or_address(text) for text in call.texts(0, *keywords)]
        call.refer(_MODEL, targets, flags=_UNSAFE if careless else ())


def _llama_hub(call: Call) -> None:
    """`Llama.from_pretrained(repo_id, filename)`; the file may be a pattern."""
    file, commit = call.text(1, "filename"), revision_of(call)
    subpath = None if file is None or "*" in file else file
    call.refer(_MODEL, [hub(text, commit, subpath=subpath) for text in call.texts(0, "repo_id")])


def _llama(call: Call) -> None:
    if not call.loaded(0, "model_path"):
        call.refer(_MODEL, [local(text) for text in call.texts(0, "model_path")])


def _unpickle(call: Call) -> None:
    """`pickle.load(open(path, "rb"))`: the path is that of the file that was opened."""
    texts = call.values.opened(call.argument(0, "file"))
    call.refer(_MODEL, [file_or_address(text) for text in texts], flags=_UNSAFE)


_KERAS: Final = (
    "keras",
    "tensorflow.keras",
    "tf_keras",
    "tensorflow.python.keras",
    "keras.api",
    "tensorflow.compat.v1.keras",
)
_PICKLES: Final = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "pickle5")

LOADERS: Final[tuple[Loader, ...]] = (
    *(Loader(pattern=f"{root}.{module}.load_model", refer=_keras) for root in _KERAS for module in ("models",
      "saving")),
    from_file("tensorflow.saved_model.load", "export_dir"),
    from_file("tensorflow.compat.v2.saved_model.load", "export_dir"),
    from_file("tensorflow.lite.Interpreter", "model_path"),
    from_file("tflite_runtime.interpreter.Interpreter", "model_path"),
    from_file("ai_edge_litert.interpreter.Interpreter", "model_path"),
    from_file("onnxruntime.*.InferenceSession", "path_or_bytes"),
    from_file("onnx.load", "f"),
    from_file("onnx.load_model", "f"),
    *(from_file(f"safetensors.{framework}.load_file", "filename") for framework in ("torch", "numpy", "flax",
      "tensorflow")),
    from_file("safetensors.torch.load_model", "filename", position=1),
    from_file("safetensors.*.safe_open", "filename"),
    from_file("openvino.*.Core().read_model", "model"),
    from_file("openvino.*.Core().compile_model", "model"),
    from_file("coremltools.models.*.MLModel", "model"),
    from_file("joblib.load", "filename", unsafe=True),
    from_file("sklearn.externals.joblib.load", "filename", unsafe=True),
    from_file("pandas.read_pickle", "filepath_or_buffer", unsafe=True, kind=ComponentKind.DATASET),
    from_file("skops.io.load", "file"),
    *(Loader(pattern=f"{root}.load", refer=_unpickle) for root in _PICKLES),
    from_file("fasttext.load_model", "path"),
    from_file("xgboost.*.load_model", "fname"),
    from_file("xgboost.*.Booster", "model_file", position=2),
    from_file("lightgbm.*.Booster", "model_file", position=2),
    from_file("catboost.*.load_model", "fname"),
    Loader(pattern="llama_cpp.*.Llama", refer=_llama),
    Loader(pattern="llama_cpp.*.Llama.from_pretrained", refer=_llama_hub),
    from_hub("vllm.*.LLM", "model"),
    from_hub("vllm.lora.*.LoRARequest", "lora_path", "lora_local_path", position=2,
             kind=ComponentKind.ADAPTER),
    from_hub("vllm.*.AsyncEngineArgs", "model", optional=True),
    from_hub("vllm.*.EngineArgs", "model", optional=True),
    from_hub("sglang.*.Engine", "model_path", position=None),
    from_hub("lmdeploy.*.pipeline", "model_path"),
    from_hub("mlx_lm.*.load", "path_or_hf_repo"),
    from_hub("mlx_vlm.*.load", "path_or_hf_repo"),
    from_hub("ctransformers.*.from_pretrained", "model_path_or_repo_id"),
    from_hub("unsloth.*.from_pretrained", "model_name"),
)  # fmt: skip

ROOTS: Final[dict[str, tuple[str, ...]]] = {
    **{name: (f"{name}.load(", f"{name} import load", f"import {name} as") for name in ("joblib", "mlx_lm",
    "mlx_vlm",
    *_PICKLES)},
    **dict.fromkeys(("keras", "tf_keras"), ("load_model",)),
    "tensorflow": ("load_model", "saved_model.load", "Interpreter"),
    "tflite_runtime": ("Interpreter",), "ai_edge_litert": ("Interpreter",),
    "onnxruntime": ("InferenceSession",),
    "onnx": ("onnx.load", "onnx import load", "import onnx as"), "safetensors": ("load_file", "load_model",
    "safe_open"),
    "openvino": ("read_model(", "compile_model("), "coremltools": ("MLModel",), "pandas": ("read_pickle(",),
    "sklearn": ("externals import joblib", "externals.joblib"), "skops": ("load",),
    "fasttext": ("load_model",),
    "xgboost": ("load_model", "model_file"), "lightgbm": ("model_file",), "catboost": ("load_model",),
    "llama_cpp": ("Llama",), "vllm": ("LLM", "EngineArgs", "LoRARequest"), "sglang": ("Engine",),
    "lmdeploy": ("pipeline",),
    "ctransformers": ("from_pretrained",), "unsloth": ("from_pretrained",),
}  # fmt: skip
