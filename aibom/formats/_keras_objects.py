"""One serialised object of a Keras configuration: does it embed code, or name code from elsewhere?

Sources: Keras 3 `saving/serialization_lib.py` and `saving/object_registration.py`; Keras 2
`saving/legacy/serialization.py`, `layers/core/lambda_layer.py`, `layers/core/tf_op_layer.py`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from aibom.formats import _tf_operations as tensorflow
from aibom.readers import json
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json

# The base64 of a marshalled code object: type `c`, with or without the reference flag, then the
# number of arguments as four bytes, of which only the first is ever more than zero.
_CODE: Final = re.compile(r"(?:4w|Yw)[A-Za-z0-9+/]AAAA")
_CODE_CHARS: Final = 60  # no code object is smaller

# Objects that Keras makes without looking at a module.
_VALUES: Final = frozenset(
    ("__tensor__", "__numpy__", "__bytes__", "__slice__", "__ellipsis__", "__keras_tensor__", "__lambda__")
)
# What a Lambda layer calls, and where Keras 2 says which module it is from.
_CALLABLES: Final = ("function", "output_shape", "mask")
_MODULES: Final = {"function": "module", "output_shape": "output_shape_module", "mask": "mask_module"}

_OWN_PACKAGES: Final = frozenset(("keras", "tf_keras", "keras_core", "keras_hub", "keras_nlp", "keras_cv"))
_OWN_MODULE: Final = re.compile(
    # Keras under each of its names, then the part of it that a model may be made of.
    r"(?:(?:keras|tf_keras|keras_core|tensorflow\.keras|tensorflow\.python\.keras)"
    r"(?:\.src|\.api|\._v[12]|\._tf_keras|\.keras)*(?:\._?legacy)?"
    r"(?:|\.(?P<part>layers|models|engine|initializers|regularizers|constraints|activations|losses|metrics"
    r"|optimizers|optimizer_v[12]|optimizer_experimental|dtype_policies|mixed_precision|quantizers|random|ops"
    r"|backend\.(?:jax|tensorflow|torch)\.optimizers|distillation|trainers|feature_column|premade_models)(?:\.\w+)*)"
    r"|keras_(?:hub|nlp|cv)(?:\.\w+)*)\Z"
)
# Types of tensors, which layers state for their inputs.
_SPEC_MODULE: Final = re.compile(r"tensorflow\.python\.(?:framework|ops|data\.ops)\.\w+(?:\.\w+)?\Z")
_ELSEWHERE: Final = re.compile(
    r"(?:tf_)?keras(?:\.src)?\.utils(?:\.feature_space)?\.(?:FeatureSpace|Feature|Cross)\Z"
)
_FUNCTION_PARTS: Final = frozenset(
    ("activations", "losses", "metrics", "regularizers", "initializers", "ops")
)
_LOADING_NAMES: Final = frozenset(("serialize", "deserialize", "get"))
_CLASS: Final = re.compile(r"_*[A-Z]\w*\Z")
_WORD: Final = re.compile(r"[A-Za-z0-9_>]+")
_SPEC: Final = re.compile(r"_*[A-Z]\w*Spec(?:V2)?\Z")

# Modules whose functions make arbitrary code run; named by no model that a library wrote.
_GADGET_ROOTS: Final = frozenset(
    (
        "os", "posix", "nt", "subprocess", "builtins", "__builtin__", "sys", "importlib", "runpy", "pty",
        "shutil", "socket", "ctypes", "pickle", "_pickle", "marshal", "code", "codeop", "webbrowser",
        "urllib", "http", "ftplib", "smtplib", "timeit", "pdb", "bdb", "cProfile", "profile", "trace",
        "types", "functools", "operator", "multiprocessing", "asyncio", "threading", "pip", "site",
        "platform", "pydoc", "zipimport", "zipfile", "tarfile", "tempfile", "pathlib", "io",
        "distutils", "setuptools",
    )
)  # fmt: skip
# Functions of Python itself, which Keras before 3.9 takes when it has none of the name.
_PYTHON_FUNCTIONS: Final = frozenset(
    (
        "eval", "exec", "compile", "open", "input", "getattr", "setattr", "delattr", "globals", "locals",
        "vars", "dir", "breakpoint", "type", "help", "exit", "quit", "memoryview", "super", "property",
        "__import__", "__build_class__",
    )
)  # fmt: skip
_KERAS_FUNCTIONS: Final = frozenset(
    (
        "binary_accuracy", "binary_crossentropy", "binary_focal_crossentropy", "categorical_accuracy",
        "categorical_crossentropy", "categorical_focal_crossentropy", "categorical_hinge", "celu", "circle",
        "categorical_generalized_cross_entropy", "concordance_correlation", "cosine_proximity",
        "cosine_similarity", "ctc", "dice", "elu", "exponential", "gelu", "glu", "hard_shrink",
        "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "hinge", "huber", "kl_divergence",
        "kullback_leibler_divergence", "leaky_relu", "linear", "log_cosh", "log_sigmoid", "log_softmax",
        "logcosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
        "mean_squared_logarithmic_error", "mish", "pearson_correlation", "poisson", "relu", "relu6", "selu",
        "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_categorical_accuracy",
        "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid",
        "sparse_top_k_categorical_accuracy", "sparsemax", "squared_hinge", "squareplus", "swish",
        "tanh", "tanh_shrink", "threshold", "top_k_categorical_accuracy", "tversky",
    )
)  # fmt: skip
# Keras 2.11 to 2.15 registers its own optimizers as if they were the user's.
_OWN_CUSTOM: Final = frozenset(
    (
        "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "LossScaleOptimizer",
        "LossScaleOptimizerV3", "Nadam", "RMSprop", "SGD",
    )
)  # fmt: skip


def layer_name(found: dict[str, Json]) -> str:
    """The name that an object has in its model; empty when it has none."""
    return json.text(json.members(found.get("config")).get("name")) or ""


def is_code(text: str) -> bool:
    """True for the base64 of marshalled bytecode, wherever it stands."""
    return len(text) >= _CODE_CHARS and _CODE.match(text) is not None


@dataclass(frozen=True, slots=True)
class Judge:
    """Adds the hazards of the parts of one layer; `layer` is its name, "" outside of all layers."""

    hazards: Hazards
    layer: str
    offset: int | None = None

    def text(self, text: str) -> None:
        """A text that is marshalled bytecode."""
        self._embedded("__lambda__", text, "Python bytecode")

    def object(self, found: dict[str, Json]) -> None:
        """One object that names a class; objects inside of it are judged by themselves."""
        name = json.text(found.get("class_name")) or ""
        short = name.rsplit(">", 1)[-1]
        look = _LOOKS.get(short)
        if look is not None:
            look(self, short, found.get("config"))
        self._reference(found, name)

    def _add(self, kind: HazardKind, found: str, message: str, *, sure: bool = True) -> None:
        confidence = Confidence.HIGH if sure else Confidence.MEDIUM
        self.hazards.add(kind, found, message, self.offset, confidence)

    def _embedded(self, name: str, code: Json, what: str) -> None:
        layer = self.layer or name
        text = code[0] if isinstance(code, list) and code else code
        size = _decoded(text) if isinstance(text, str) else None
        amount = f"{what} of {size} bytes" if size else f"{what} in an unknown form"
        self._add(HazardKind.EMBEDDED_CODE, layer, f"layer {layer[:80]!r} carries {amount}")

    def function_object(self, short: str, config: Json) -> None:
        """A function of Keras 3 as bytecode."""
        members = json.members(config)
        code = next((members[key] for key in ("code", "value") if key in members), config)
        self._embedded(short, code, "Python bytecode")

    def torch_module(self, short: str, config: Json) -> None:
        """A module that Keras unpickles."""
        self._embedded(short, json.members(config).get("module"), "a pickled PyTorch module")

    def lambda_layer(self, short: str, config: Json) -> None:
        """Keras 2 writes functions as bytecode or by name; those of Keras 3 are objects of their own."""
        members = json.members(config)
        for key in _CALLABLES:
            value, kind = _untupled(members.get(key)), members.get(f"{key}_type")
            if isinstance(value, list):
                if kind == "lambda" or any(isinstance(item, str) for item in value):
                    self._embedded(short, value, "Python bytecode")
            elif isinstance(value, str) and value:
                if kind == "lambda" or is_code(value):
                    self._embedded(short, value, "Python bytecode")
                else:
                    self._named(json.text(members.get(_MODULES[key])), value)
            elif key == "function" and "class_name" not in json.members(value):
                self._embedded(short, value, "a function")

    def _named(self, module: str | None, function: str) -> None:
        """A function that Keras 2 takes from a module which the process has imported already."""
        if module and _is_function(module, function):
            return
        found = f"{module}.{function}" if module else function
        message = f"a Lambda layer takes the function {found[:120]} from wherever it is loaded"
        sure = (module or "").split(".")[0] in _GADGET_ROOTS or function in _PYTHON_FUNCTIONS
        self._add(HazardKind.MODULE_REFERENCE, found, message, sure=sure)

    def saved_model(self, short: str, config: Json) -> None:
        """A layer that is a SavedModel at a path."""
        path = json.text(json.members(config).get("filepath")) or "a path"
        message = f"layer {self.layer or short!r} loads the SavedModel at {path[:120]!r}"
        self._add(HazardKind.GRAPH_OPERATION, f"{short} {path[:80]}", message)

    def lookup(self, short: str, config: Json) -> None:
        """A vocabulary that is a path or an address is read while the layer is made."""
        vocabulary = json.members(config).get("vocabulary")
        if isinstance(vocabulary, str) and vocabulary:
            message = f"layer {self.layer or short!r} reads its vocabulary from {vocabulary[:120]!r}"
            self._add(HazardKind.GRAPH_OPERATION, f"{short} {vocabulary[:80]}", message, sure=False)

    def tensorflow_function(self, short: str, config: Json) -> None:
        """A call of a function of TensorFlow, which Keras 2 makes a layer of its own."""
        for key in ("function", "cls_ref"):
            function = json.text(json.members(config).get(key)) or ""
            tensorflow.judge_function(function, self.layer or short, self.hazards, self.offset)

    def tensorflow_operation(self, short: str, config: Json) -> None:
        """One node of a graph, which Keras before 2.4 makes a layer of its own."""
        for operation in _node_operations(json.members(config).get("node_def")):
            tensorflow.judge(operation, self.layer or short, self.hazards, self.offset)

    def _reference(self, found: dict[str, Json], name: str) -> None:
        module = json.text(found.get("module"))
        registered = json.text(found.get("registered_name")) or name
        if name in _VALUES:
            return
        if name == "function":
            self._function(json.text(found.get("config")) or "", module)
        elif not module:
            if "module" in found or ">" in registered:
                self._custom(registered)
        elif name == "__typespec__":
            self._type(json.text(found.get("spec_name")) or "", module)
        elif not _is_class(module, name):
            self._foreign(module, name)
        elif ">" in registered:
            self._custom(registered)

    def _type(self, name: str, module: str) -> None:
        """The type of a tensor."""
        known = _SPEC_MODULE.match(module) or _OWN_MODULE.match(module)
        if not (known and _SPEC.match(name)):
            self._foreign(module, name)

    def _function(self, name: str, module: str | None) -> None:
        """A function by name. Keras writes the module `builtins` for each, whoever has defined it."""
        if module and module != "builtins":
            if not _is_function(module, name):
                self._foreign(module, name)
        elif name in _PYTHON_FUNCTIONS:
            self._foreign("builtins", name)
        elif name not in _KERAS_FUNCTIONS:
            self._custom(name)

    def _custom(self, registered: str) -> None:
        package, _, name = registered.rpartition(">")
        if package.lower() in _OWN_PACKAGES or (package == "Custom" and name in _OWN_CUSTOM):
            return
        message = f"{registered[:120]} is not in the file and must be registered before it is loaded"
        self._add(HazardKind.CUSTOM_OPERATOR, registered, message, sure=False)

    def _foreign(self, module: str, name: str) -> None:
        """Keras before 3.9 imports any module; a class of another package is the usual custom layer."""
        found = f"{module}.{name}"
        message = f"the configuration names {found[:160]}, which is no part of a model in Keras"
        usual = _CLASS.match(name) and module.split(".", maxsplit=1)[0] not in _GADGET_ROOTS
        self._add(HazardKind.MODULE_REFERENCE, found, message, sure=not usual)


_LOOKS: Final[dict[str, Callable[[Judge, str, Json], None]]] = {
    "__lambda__": Judge.function_object,
    "Lambda": Judge.lambda_layer,
    "TorchModuleWrapper": Judge.torch_module,
    "TFSMLayer": Judge.saved_model,
    "StringLookup": Judge.lookup,
    "IntegerLookup": Judge.lookup,
    "TextVectorization": Judge.lookup,
    "TFOpLambda": Judge.tensorflow_function,
    "SlicingOpLambda": Judge.tensorflow_function,
    "ClassMethod": Judge.tensorflow_function,
    "TensorFlowOpLayer": Judge.tensorflow_operation,
}


def _decoded(text: str) -> int | None:
    """How many bytes of base64 there are; they are never looked at."""
    try:
        return len(binascii.a2b_base64(text.encode("ascii")))
    except (binascii.Error, UnicodeEncodeError):
        return None


def _untupled(value: Json) -> Json:
    """Keras 2 writes tuples as objects where a SavedModel is around."""
    members = json.members(value)
    return members.get("items") if members.get("class_name") == "__tuple__" else value


def _node_operations(node: Json) -> tuple[str, ...]:
    """The operation of a NodeDef as an object; every word of one that is a serialised message in a text."""
    if isinstance(node, dict):
        return json.strings(node.get("op"))
    words = _WORD.findall(node) if isinstance(node, str) else ()
    return tuple(word for word in words if tensorflow.reaches_out(word))


def _is_class(module: str, name: str) -> bool:
    """True for a class that a model may be made of: a layer, a loss, an optimizer ..."""
    known = _OWN_MODULE.match(module) is not None and _CLASS.match(name) is not None
    return known or _ELSEWHERE.match(f"{module}.{name}") is not None


def _is_function(module: str, name: str) -> bool:
    """True for an activation, a loss and the like."""
    own = _OWN_MODULE.match(module)
    known = own is not None and own["part"] in _FUNCTION_PARTS
    return known and name.isidentifier() and name not in _LOADING_NAMES
