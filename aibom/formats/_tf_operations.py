"""Which operations of TensorFlow reach outside of the computation, and how sure that is a danger.

Names: tensorflow/core/ops/*.cc of TensorFlow 2.21. `Save*`, `Restore*`, `MergeV2Checkpoints` and the
tables that are filled from an asset are in every SavedModel, and are not among them.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.hazard import HazardKind
from aibom.domain.text import capped
from aibom.readers.hazards import Hazards

_READS: Final = "reads files"
_WRITES: Final = "writes files"
_PYTHON: Final = "calls a Python function of the process"
_NETWORK: Final = "opens network connections"

_CERTAIN: Final = {
    **dict.fromkeys(("ReadFile", "MatchingFiles", "WholeFileReader", "WholeFileReaderV2"), _READS),
    **dict.fromkeys(("WriteFile", "SaveDataset", "SaveDatasetV2", "DumpTensor"), _WRITES),
    **dict.fromkeys(("DatasetToTFRecord", "ExperimentalDatasetToTFRecord", "DistributedSave"), _WRITES),
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), _PYTHON),
    **dict.fromkeys(("RpcCall", "RpcClient", "RpcServer", "RpcServerRegister", "RpcServerStart"), _NETWORK),
    "ImmutableConst": "maps a file into memory",
    "FileSystemSetConfiguration": "configures file systems",
    "GcsConfigureCredentials": "configures file systems",
    "GcsConfigureBlockCache": "configures file systems",
}
# Input pipelines that were exported together with a model, and TensorBoard's summaries.
_POSSIBLE: Final = {
    **dict.fromkeys(
        (
            "TextLineDataset", "TextLineReader", "TextLineReaderV2", "TFRecordDataset", "TFRecordDatasetV2",
            "TFRecordReader", "TFRecordReaderV2", "FixedLengthRecordDataset", "FixedLengthRecordDatasetV2",
            "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "CSVDataset", "CSVDatasetV2",
            "ExperimentalCSVDataset", "LMDBDataset", "ExperimentalLMDBDataset", "LMDBReader", "SqlDataset",
            "ExperimentalSqlDataset", "MatchingFilesDataset", "ExperimentalMatchingFilesDataset",
            "RecordInput", "LoadDataset", "ListSnapshotChunksDataset", "SnapshotChunkDataset",
            "SnapshotDatasetReader", "SnapshotNestedDatasetReader", "LoadAndRemapMatrix",
        ),
        _READS,
    ),
    **dict.fromkeys(
        (
            "SnapshotDataset", "SnapshotDatasetV2", "CreateSummaryFileWriter", "CreateSummaryDbWriter",
            "CalibrationStatisticsSaver",
        ),
        _WRITES,
    ),
    **dict.fromkeys(
        (
            "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3", "DataServiceDatasetV4",
            "RegisterDataset", "RegisterDatasetV2", "BigQueryReader", "ConfigureDistributedTPU",
        ),
        _NETWORK,
    ),
    "DatasetFromGraph": "runs a graph that is inside of a tensor",
}  # fmt: skip
# Those that need native code which TensorFlow's own package does not register.
_FOREIGN: Final = {
    "TRTEngineOp": "runs a TensorRT engine",
    "XlaCustomCall": "calls native code by name",
    "XlaCustomCallV2": "calls native code by name",
}
_TARGETS: Final = re.compile(rb"(?:file|grpc|https?)://")  # of PrintV2 and the Debug operations
_SAYING: Final = frozenset(
    ("PrintV2", "DebugIdentity", "DebugIdentityV2", "DebugIdentityV3", "DebugNanCount", "DebugNumericSummary")
)

# What `TFOpLambda` layers of Keras 2 may name: any function of TensorFlow's Python interface.
_FUNCTION: Final = re.compile(
    r"(?:tf\.|tensorflow\.)?(?:compat\.v[12]\.)*(?:"
    r"io\.(?:read_file|write_file|matching_files|gfile\b|write_graph|TFRecordWriter|match_filenames_once)"
    r"|gfile\.|read_file|write_file|matching_files|py_func\b|py_function|numpy_function"
    r"|load_|sysconfig\.|saved_model\.|data\.|train\.|summary\.|distribute\.|profiler\.|debugging\.exp"
    r"|keras\.(?:utils|models|saving|preprocessing|datasets)\.|raw_ops\.(?P<op>\w+)|print\b)"
)


def reaches_out(operation: str) -> bool:
    """True when there may be something to say about an operation."""
    known = operation in _CERTAIN or operation in _POSSIBLE or operation in _FOREIGN
    return known or is_foreign(operation) or operation in _SAYING


def is_foreign(operation: str) -> bool:
    """True for an operation that a package other than TensorFlow registers, by its name."""
    return ">" in operation  # the separator of names since TensorFlow 2.1


def says_where(operation: str) -> bool:
    """True when it depends on an attribute (a URL) whether the operation reaches outside."""
    return operation in _SAYING


def targets(attribute: bytes) -> str | None:
    """The address that an attribute of such an operation names, when it is a file or a host."""
    found = _TARGETS.search(attribute)
    return None if found is None else capped(attribute[found.start() :].decode("utf-8", "replace"), 80)


def judge(operation: str, where: str, hazards: Hazards, offset: int | None = None) -> None:
    """Adds the hazard of one operation by its name; `where` is the node, for the message."""
    at = f"node {where[:80]!r}"
    if operation in _CERTAIN:
        message = f"the operation {operation} {_CERTAIN[operation]} ({at})"
        hazards.add(HazardKind.GRAPH_OPERATION, operation, message, offset)
    elif operation in _POSSIBLE:
        message = f"the operation {operation} {_POSSIBLE[operation]} ({at})"
        hazards.add(HazardKind.GRAPH_OPERATION, operation, message, offset, Confidence.MEDIUM)
    elif operation in _FOREIGN:
        message = f"the operation {operation} {_FOREIGN[operation]} ({at})"
        hazards.add(HazardKind.CUSTOM_OPERATOR, operation, message, offset)
    elif is_foreign(operation):
        message = f"the operation {operation} comes from a library outside of TensorFlow ({at})"
        hazards.add(HazardKind.CUSTOM_OPERATOR, operation, message, offset)


def judge_function(function: str, where: str, hazards: Hazards, offset: int | None = None) -> None:
    """The same for a function of the Python interface, as Keras 2 names it: `io.read_file`."""
    found = _FUNCTION.match(function)
    if found is None:
        return
    if found["op"]:
        judge(found["op"], where, hazards, offset)
        return
    message = f"layer {where[:80]!r} calls tf.{function[:80]}, which reaches outside of the computation"
    prints = found.group().endswith("print")  # to a file only when it is told so
    confidence = Confidence.MEDIUM if prints else Confidence.HIGH
    hazards.add(HazardKind.GRAPH_OPERATION, f"tf.{function}", message, offset, confidence)
