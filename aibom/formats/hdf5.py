"""HDF5: datasets in a tree of groups, and the attributes with which Keras describes a model.

Format: HDF5 File Format Specification 3.0. Attributes: Keras 2 and 3, `saving/legacy/hdf5_format.py`
(`keras_version`, `backend`, `model_config`, `training_config` at the root group).
"""

from __future__ import annotations

from aibom.domain.facts import Capability, Facts, FileKind
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._keras import Configuration
from aibom.readers.hdf5_signature import is_hdf5

_DOCUMENTS = ("model_config", "training_config")


def recognise(probe: Probe) -> Match:
    """By the signature at 0 or behind a user block of up to 2 KiB; by name when it is further on."""
    if is_hdf5(probe.head):
        return Match.CONTENT
    return Match.NAME if probe.named(".h5", ".hdf5") else Match.NO


def read(probe: Probe) -> Facts:
    """Tensors of all datasets, and what Keras states at the root. Raises `UnreadableError`."""
    # A dozen modules that few scans need: loading them with every start would cost 15 ms.
    from aibom.formats._hdf5 import read_weights  # noqa: PLC0415
    from aibom.readers.hdf5 import open_walk  # noqa: PLC0415

    walk = open_walk(probe.reader)
    weights = read_weights(walk)
    texts = {a.name: a.texts[0] for a in walk.attributes if a.texts and len(a.texts) == 1}
    for attribute in walk.attributes:
        if attribute.name in _DOCUMENTS and attribute.name not in texts:
            walk.defects.add(f"the attribute {attribute.name} is not a text")
    configuration = Configuration(walk.defects)
    _read_attributes(texts, configuration)
    if walk.outside:
        configuration.capabilities.add(Capability.EXTERNAL_DATA)
    plain = [(name, _text(text)) for name, text in texts.items() if name not in _DOCUMENTS]
    present = [(name, "present") for name in _DOCUMENTS if name in texts]
    return Facts(
        format="hdf5",
        kind=FileKind.WEIGHTS,
        version=str(walk.file.version),
        tensors=weights.tensors,
        statements=tuple(configuration.statements),
        metadata=tuple(sorted((capped(name, 256), value) for name, value in plain + present)),
        hazards=tuple(configuration.hazards.found),
        capabilities=frozenset(configuration.capabilities),
        external=weights.external,
        defects=tuple(walk.defects.found),
    )


def _read_attributes(texts: dict[str, bytes], configuration: Configuration) -> None:
    if "keras_version" in texts:
        version, backend = _text(texts["keras_version"]), _text(texts.get("backend", b""))
        configuration.framework(version, backend, "/keras_version")
    if "model_config" in texts:
        configuration.read_model(texts["model_config"], "/model_config")
    if "training_config" in texts:
        training = configuration.parse(texts["training_config"], "/training_config")
        configuration.read_code(training, "/training_config")


def _text(data: bytes) -> str:
    return capped(data.decode("utf-8", "replace"))


FORMAT = Format(
    name="hdf5",
    title="HDF5",
    kind=FileKind.WEIGHTS,
    suffixes=(".h5", ".hdf5"),
    recognise=recognise,
    read=read,
    media_type="application/x-hdf5",
    capabilities=frozenset((Capability.EMBEDS_CODE,)),
)
