"""unsafe-load: a loader runs what the file asks for."""

from __future__ import annotations

from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.finding import Severity
from aibom.domain.reference import Flag, Reference
from aibom.policy.reference_rule import Told, name_of, reference_rule

_KERAS: Final = ("keras", "tensorflow", "tf_keras")
_REMEDIES: Final = {
    **dict.fromkeys(_KERAS, "leave safe_mode out: it is on by default"),
    **dict.fromkeys(("joblib", "sklearn"), "store the model with skops or as ONNX; scan the file before"),
    "pandas": "store tables as Parquet; scan the file before",
    "torch": "leave weights_only out (PyTorch 2.6 and later) or True, or load safetensors",
}


def _tell(reference: Reference) -> Told | None:
    if Flag.UNSAFE_LOAD not in reference.flags:
        return None
    library = reference.loader.partition(".")[0]
    how = "loaded without the safe mode" if library in _KERAS else "unpickled"
    # What a program wrote itself is mostly what it reads back.
    own = reference.target is None or Flag.LOCAL_PATH in reference.flags
    return Told(
        message=f"{name_of(reference)} is {how}, and can run code",
        remedy=_REMEDIES.get(library, ""),
        confidence=Confidence.MEDIUM if own else Confidence.HIGH,
    )


RULE = reference_rule(
    "unsafe-load",
    title="A loader runs what the file asks for",
    severity=Severity.MEDIUM,
    why=(
        "Unpickling calls whatever the file names. weights_only=False, safe_mode=False, pickle.load, "
        "joblib.load and pandas.read_pickle have no protection of their own."
    ),
    remedy="store weights as safetensors, and data as JSON or Parquet; scan the file before",
    tell=_tell,
    atlas=("AML.T0011.000",),
    cwe=(502,),
)
