"""MLmodel: the YAML file that says how MLflow loads a model.

Format: mlflow/mlflow `models.model.Model`, docs "MLflow Models", "Storage format".
"""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import UnreadableError, malformed
from aibom.domain.facts import Attribute, Capability, Facts, FileKind
from aibom.domain.limits import YAML_BYTES
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats._document import Collector, details, kind_of, metadata, place, plain, setting, whole
from aibom.readers import json, yaml
from aibom.readers.json import Json

# The flavors name the version of their library `<short name>_version`.
PACKAGES: Final = {
    "sklearn_version": "scikit-learn", "pytorch_version": "torch", "xgb_version": "xgboost",
    "lgb_version": "lightgbm", "keras_version": "keras", "tf_version": "tensorflow",
    "transformers_version": "transformers", "catboost_version": "catboost", "onnx_version": "onnx",
    "spacy_version": "spacy", "statsmodels_version": "statsmodels", "prophet_version": "prophet",
    "langchain_version": "langchain", "openai_version": "openai", "pyspark_version": "pyspark",
    "python_version": "python", "sentence_transformers_version": "sentence-transformers",
}  # fmt: skip
# Files and folders of the model, relative to the MLmodel file.
_PATHS = ("pickled_model", "model_path", "data", "model_data", "python_model", "model_binary")
_FREE = ("run_id", "model_id", "model_uuid", "artifact_path", "model_size_bytes")


def recognise(probe: Probe) -> Match:
    """The name that MLflow reserves; by content when the flavors come early."""
    if probe.name != "MLmodel":
        return Match.NO
    is_first = probe.head.startswith(b"flavors:")
    return Match.CONTENT if is_first or b"\nflavors:" in probe.head else Match.NAME


def read(probe: Probe) -> Facts:
    """Flavors, versions, files, signature and code of the model. Raises `UnreadableError`."""
    document = yaml.parse(whole(probe, YAML_BYTES), aliases=True)
    if not isinstance(document, dict):
        raise malformed(f"the MLmodel file is {kind_of(document)}, not a mapping")
    found = Collector()
    flavors = found.object(document, "flavors")
    if not flavors:
        found.reject("the MLmodel file has no flavors")
    for name in flavors:
        _state_flavor(found, name, found.object(flavors, name, place("flavors")))
    found.one(Attribute.CREATED, document, "utc_time_created")
    found.requirement("mlflow", document, "mlflow_version")
    signature = found.object(document, "signature")
    _state_signature(found, signature, "inputs", Attribute.INPUT)
    _state_signature(found, signature, "outputs", Attribute.OUTPUT)
    return found.facts(
        FORMAT.name,
        FileKind.CONFIG,
        metadata=metadata(document, *_FREE),
    )


def _state_flavor(found: Collector, name: str, flavor: dict[str, Json]) -> None:
    at = place("flavors", name)
    if name != "python_function":  # the wrapper around another flavor, or around code of one's own
        form = details(serialization_format=flavor.get("serialization_format"))
        found.add(Attribute.LIBRARY, name, at, form)
    for key, package in PACKAGES.items():
        found.requirement(package, flavor, key, at, details(flavor=name))
    for key in _PATHS:
        found.one(Attribute.DATA_FILE, flavor, key, at, details(flavor=name, role=key))
    _state_code(found, flavor, name, at)


def _state_code(found: Collector, flavor: dict[str, Json], name: str, at: str) -> None:
    """States code that comes with the model: folders put on the path, scripts, foreign loaders.

    Every flavor has a loader; those of MLflow itself are part of the library, not of the model.
    """
    for key in ("code", "model_code_path", "loader_module"):
        value = flavor.get(key)
        text = setting(value) or ""
        own_loader = key == "loader_module" and text.split(".")[0] == "mlflow"
        if value and not own_loader:
            extra = details(auto_class=key, flavor=name)
            found.add(Attribute.REMOTE_CODE, text, at + place(key), extra)
            found.capabilities.add(Capability.REMOTE_CODE)
            if not text:
                found.mistyped(at + place(key), value, "a text")


def _state_signature(found: Collector, signature: dict[str, Json], key: str, attribute: Attribute) -> None:
    """States every column or tensor; MLflow keeps the list as JSON inside a YAML string."""
    value, at = signature.get(key), place("signature", key)
    if isinstance(value, str):
        try:
            value = json.parse(value.encode("utf-8", "replace"), values=10_000)
        except UnreadableError as error:
            found.reject(f"{at} is {error.message}", error.reason)
            return
    for where, item in found.objects({key: value}, key, place("signature")):
        spec = json.members(item.get("tensor-spec"))
        kind = plain(spec.get("dtype")) or item.get("type")
        shape = details(type=kind, shape=spec.get("shape"), required=item.get("required"))
        found.add(attribute, plain(item.get("name")) or "unnamed", where, shape)


FORMAT = Format(
    name="mlmodel",
    title="MLflow model description",
    kind=FileKind.CONFIG,
    suffixes=("MLmodel",),
    recognise=recognise,
    read=read,
    media_type="application/yaml",
)
