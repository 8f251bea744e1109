"""Keras 3 .keras: a zip archive of a configuration, metadata, and weights in HDF5.

Format: Keras 3 `saving/saving_lib.py` (`save_model`): `config.json`, `metadata.json`,
`model.weights.h5`, and a folder `assets`. Members are stored, so that the weights can be reached.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aibom.domain.errors import Reason, UnreadableError, over_limit
from aibom.domain.facts import Attribute, Capability, External, Facts, FileKind, Statement, Tensor
from aibom.domain.limits import INFLATED_BYTES
from aibom.domain.protocols import Format, Match, Probe
from aibom.domain.text import capped
from aibom.formats._keras import CONFIG_BYTES, Configuration
from aibom.readers import json
from aibom.readers.defects import Defects
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json
from aibom.readers.zip import STORED, Member, is_zip, member_names, read_archive
from aibom.readers.zip_members import open_member

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", ".weights.h5"
_VOCABULARY = "/vocabulary.txt"  # lines of text, written by lookup layers
_NAME_COUNT = 1_000  # looked at to recognise an archive


def recognise(probe: Probe) -> Match:
    """By content when the archive holds a configuration and metadata or weights of Keras."""
    named = Match.NAME if probe.named(".keras") else Match.NO
    if not is_zip(probe.head):
        return named
    try:
        names = member_names(probe.reader, _NAME_COUNT)
    except UnreadableError:
        return named
    rest = _METADATA in names or "model.weights.h5" in names
    return Match.CONTENT if _CONFIG in names and rest else named


@dataclass(slots=True)
class _Model:
    """What the members of one archive add up to."""

    probe: Probe
    defects: Defects = field(default_factory=Defects)
    tensors: list[Tensor] = field(default_factory=list)
    external: list[External] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    hazards: Hazards = field(default_factory=Hazards)
    capabilities: set[Capability] = field(default_factory=set)
    assets: int = 0
    inflatable: int = INFLATED_BYTES  # left for all members together

    def read(self, member: Member) -> None:
        try:
            if member.name in (_CONFIG, _METADATA):
                self._read_document(member)
            elif member.name.endswith(_WEIGHTS):
                self._read_weights(member)
            elif member.name.startswith("assets/"):
                self.assets += not member.directory and not member.name.endswith(_VOCABULARY)
            elif not member.directory:
                message = f"member {member.name[:80]!r} is no part of a Keras model"
                self.defects.add(message, member.offset, Reason.NOT_READ)
        except UnreadableError as error:
            self.defects.caught(member.name[:80], error, member.offset)
            if error.reason is Reason.ENCRYPTED:
                self.capabilities.add(Capability.ENCRYPTED)

    def _read_document(self, member: Member) -> None:
        if member.size > CONFIG_BYTES:
            raise over_limit(f"{member.size} bytes, at most {CONFIG_BYTES} are read")
        reader = open_member(self.probe.reader, member)
        data = reader.read_at(0, reader.size)
        configuration = Configuration(self.defects, member.offset, Hazards(member.name))
        pointer = f"/{member.name}"
        if member.name == _CONFIG:
            configuration.read_model(data, pointer)
        else:
            document = configuration.parse(data, pointer)
            _read_metadata(document, configuration, pointer)
        self.statements += configuration.statements
        self.hazards.extend(configuration.hazards.found)
        self.capabilities |= configuration.capabilities

    def _read_weights(self, member: Member) -> None:
        from aibom.formats._hdf5 import read_weights  # noqa: PLC0415 - see formats/hdf5.py
        from aibom.readers.hdf5 import open_walk  # noqa: PLC0415

        stored = member.method == STORED
        reader = open_member(self.probe.reader, member, self.inflatable)
        self.inflatable -= 0 if stored else reader.size
        walk = open_walk(reader)
        weights = read_weights(walk, member.offset if stored else None)
        self.tensors += weights.tensors
        self.external += weights.external
        if walk.outside:
            self.capabilities.add(Capability.EXTERNAL_DATA)
        for defect in walk.defects.found:
            offset = member.offset + (defect.offset or 0 if stored else 0)
            self.defects.add(f"{member.name[:80]}: {defect.message}", offset, defect.reason)


def _read_metadata(document: dict[str, Json], configuration: Configuration, pointer: str) -> None:
    version = json.text(document.get("keras_version"))
    if version is not None:
        configuration.framework(version, None, f"{pointer}/keras_version")
    saved = json.text(document.get("date_saved"))
    if saved is not None:
        at = f"{pointer}/date_saved"
        configuration.statements.append(
            Statement(attribute=Attribute.CREATED, value=capped(saved, 80), pointer=at)
        )


def read(probe: Probe) -> Facts:
    """Weights at their place in the archive, and what the configuration states.

    Raises `UnreadableError` for the archive itself; a member that cannot be read is a defect.
    """
    archive = read_archive(probe.reader)
    model = _Model(probe)
    model.defects.extend(archive.defects)
    for member in archive.members:
        model.read(member)
    for name in (_CONFIG, _METADATA, "model.weights.h5"):
        if archive.find(name) is None:
            model.defects.add(f"the archive holds no {name}")
    if model.assets:
        model.defects.add(f"{model.assets} members of assets are not read", None, Reason.NOT_READ)
    return Facts(
        format="keras",
        kind=FileKind.WEIGHTS,
        tensors=tuple(model.tensors),
        covered=archive.covered,
        statements=tuple(model.statements),
        hazards=tuple(model.hazards.found),
        capabilities=frozenset(model.capabilities),
        external=tuple(model.external),
        defects=tuple(model.defects.found),
    )


FORMAT = Format(
    name="keras",
    title="Keras model",
    kind=FileKind.WEIGHTS,
    suffixes=(".keras",),
    recognise=recognise,
    read=read,
    media_type="application/x-keras",
    capabilities=frozenset((Capability.EMBEDS_CODE,)),
)
