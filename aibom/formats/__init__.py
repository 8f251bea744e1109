"""What a file says: one module per format, bytes in, `Facts` out.

`FORMATS` is the whole registry; adding a format is one module, one test and one line here. Where
two formats are equally sure of a file, the earlier line wins.
"""

from __future__ import annotations

from aibom.domain.facts import FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.formats import (
    adapter_config,
    arrow,
    catboost,
    checksums,
    coreml,
    croissant,
    csv,
    dataset_info,
    dvc,
    generation_config,
    gguf,
    hdf5,
    jsonl,
    keras,
    lfs_pointer,
    licence_file,
    lightgbm,
    mlmodel,
    model_card,
    modelfile,
    npy,
    npz,
    onnx,
    parquet,
    pickle,
    remote_code,
    safetensors,
    sentence_transformers,
    shard_index,
    skops,
    tf_graph,
    tflite,
    tfrecord,
    tokenizer,
    torch_legacy,
    torch_tar,
    torch_zip,
    transformers_config,
    unread,
    webdataset,
    xgboost,
    xml_models,
)

FORMATS: tuple[Format, ...] = (
    # A magic number says it.
    lfs_pointer.FORMAT,
    safetensors.FORMAT,
    gguf.FORMAT,
    npy.FORMAT,
    hdf5.FORMAT,
    parquet.FORMAT,
    arrow.FILE_FORMAT,
    arrow.STREAM_FORMAT,
    arrow.FEATHER_FORMAT,
    xgboost.FORMAT,
    lightgbm.FORMAT,
    catboost.FORMAT,
    # Containers: what is inside says it.
    *torch_zip.FORMATS,
    keras.FORMAT,
    skops.FORMAT,
    npz.FORMAT,
    torch_tar.FORMAT,
    torch_legacy.FORMAT,
    *pickle.FORMATS,
    webdataset.FORMAT,
    *xml_models.FORMATS,
    # Names that only one kind of file has.
    adapter_config.FORMAT,
    shard_index.FORMAT,
    tokenizer.TOKENIZER_CONFIG,
    tokenizer.TOKENIZER,
    tokenizer.SENTENCEPIECE,
    tokenizer.VOCABULARY,
    tokenizer.CHAT_TEMPLATE,
    generation_config.FORMAT,
    sentence_transformers.FORMAT,
    dataset_info.FORMAT,
    dvc.FORMAT,
    checksums.FORMAT,
    mlmodel.FORMAT,
    modelfile.FORMAT,
    licence_file.FORMAT,
    croissant.FORMAT,
    transformers_config.FORMAT,
    transformers_config.JSON_CONFIG,
    model_card.FORMAT,
    # Content that says little: the walk through it decides.
    onnx.FORMAT,
    *tf_graph.FORMATS,
    tflite.FORMAT,
    coreml.FORMAT,
    csv.CSV_FORMAT,
    csv.TSV_FORMAT,
    jsonl.LINES_FORMAT,
    tfrecord.FORMAT,
    # What is recognised, digested and not read.
    *unread.FORMATS,
    # Read only where a configuration names it.
    remote_code.FORMAT,
    # Any JSON array of objects: the least certain of all.
    jsonl.ARRAY_FORMAT,
)


def identify(probe: Probe) -> tuple[Format | None, Match]:
    """The format of a file, by content first and name second, and which of the two decided."""
    named: Format | None = None
    for candidate in FORMATS:
        match = candidate.recognise(probe)
        if match is Match.CONTENT:
            return candidate, match
        if match is Match.NAME and named is None:
            named = candidate
    return named, Match.NAME if named else Match.NO


_BY_NAME = {each.name: each for each in FORMATS}


def by_name(name: str) -> Format | None:
    return _BY_NAME.get(name)


# Kinds whose suffix is a promise: a file so named that holds something else is worth a word.
_PROMISING = (FileKind.WEIGHTS, FileKind.DATA)
# Saved by torch or by pickle, under each other's names: all of them are pickles to a loader.
_PICKLES = (*torch_zip.FORMATS, torch_tar.FORMAT, torch_legacy.FORMAT, *pickle.FORMATS)


def named_like(name: str) -> tuple[Format, ...]:
    """The weights and data formats that a file name promises, whatever the content."""
    lower = name.lower()
    found = [each for each in FORMATS if each.kind in _PROMISING and lower.endswith(each.suffixes)]
    if any(each in _PICKLES for each in found):
        found += [each for each in _PICKLES if each not in found]
    return tuple(found)


# Not a format of its own: the file holds bare tensors, and only the model beside it says which.
EXTERNAL_DATA = "onnx-data"
