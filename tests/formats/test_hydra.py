"""Hydra configurations: targets that are parts of models pass, everything else is named."""

from __future__ import annotations

import time

import pytest
import yaml as pyyaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.hazard import HazardKind
from aibom.formats._hydra import examine_hydra, yaml_targets
from aibom.readers.hazards import Hazards

# The shape of a NeMo checkpoint's model_config.yaml.
NEMO = b"""
target: nemo.collections.asr.models.EncDecCTCModelBPE
nemo_version: 2.0.0
sample_rate: 16000
preprocessor:
  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
  window: hann
encoder: {_target_: nemo.collections.asr.modules.ConformerEncoder, n_layers: 2}
optim:
  name: adamw
  sched: {name: CosineAnnealing, target: val}
loggers:
- _target_: pytorch_lightning.loggers.TensorBoardLogger
- _target_: torch.nn.Identity
"""


def judged(data: bytes) -> list[tuple[str, Confidence]]:
    hazards = Hazards()
    assert examine_hydra(data, hazards) == ()
    assert {hazard.kind for hazard in hazards.found} <= {HazardKind.MODULE_REFERENCE}
    return [(hazard.found, hazard.confidence) for hazard in hazards.found]


def test_the_configuration_of_a_model_has_targets_and_no_hazard() -> None:
    assert yaml_targets(NEMO) == (
        "nemo.collections.asr.models.EncDecCTCModelBPE",
        "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
        "nemo.collections.asr.modules.ConformerEncoder",
        "pytorch_lightning.loggers.TensorBoardLogger",
        "torch.nn.Identity",
    )
    assert judged(NEMO) == []


@pytest.mark.parametrize(
    ("target", "confidence"),
    [
        ("os.system", Confidence.HIGH),
        ("builtins.exec", Confidence.HIGH),
        ("subprocess.Popen", Confidence.HIGH),
        ("torch.hub.load", Confidence.HIGH),
        ("torch.hub.os.system", Confidence.HIGH),
        ("nemo.utils.model_utils.importlib.import_module", Confidence.HIGH),
        ("hydra.utils.instantiate", Confidence.HIGH),
        ("my_package.Model", Confidence.MEDIUM),
        ("torchx.nn.Linear", Confidence.MEDIUM),
        ("print", Confidence.MEDIUM),
    ],
)
@pytest.mark.parametrize("around", ["_target_: {}", "a: [{{b: {{_target_: {}}}}}]", '{{"_target_": "{}"}}'])
def test_a_target_outside_of_the_known_libraries_is_a_hazard_at_any_depth(
    target: str, confidence: Confidence, around: str
) -> None:
    assert judged(around.format(target).encode()) == [(target, confidence)]


def test_tags_that_name_objects_are_hazards_though_nothing_follows_them() -> None:
    assert judged(b"a: !!python/object/apply:os.system ['x']") == [
        ("python/object/apply:os.system", Confidence.HIGH)
    ]
    assert judged(b"a: !<tag:yaml.org,2002:python/name:os.system> ''") == [
        ("python/name:os.system", Confidence.HIGH)
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a: [", Reason.MALFORMED),
        (b"\xff", Reason.MALFORMED),
        (b"a: 1\na: 2", Reason.MALFORMED),
        (b"- " * 100 + b"a", Reason.LIMIT),
        (b"a: b\n" * 300_000, Reason.LIMIT),
    ],
    ids=range(5),
)
def test_what_cannot_be_read_is_a_defect(data: bytes, reason: Reason) -> None:
    hazards = Hazards()
    assert [defect.reason for defect in examine_hydra(data, hazards)] == [reason]


def test_repeated_values_are_looked_at_once() -> None:
    laughs = b"a0: &a0 {_target_: os.system}\n"
    for number in range(1, 10):
        laughs += b"a%d: &a%d [%s]\n" % (number, number, b", ".join([b"*a%d" % (number - 1)] * 3))
    start = time.process_time()
    hazards = Hazards()
    examine_hydra(laughs, hazards)
    assert time.process_time() - start < 2


_TREES = st.recursive(
    st.sampled_from(["os.system", "torch.nn.Linear", "x", 1]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["_target_", "a", "b"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def all_targets(value: object) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(all_targets, value))
    if isinstance(value, dict):
        own = {value["_target_"]} if isinstance(value.get("_target_"), str) else set()
        return own.union(*map(all_targets, value.values()))
    return set()


@given(_TREES)
def test_every_target_of_any_document_is_found(tree: object) -> None:
    assert set(yaml_targets(pyyaml.safe_dump(tree).encode())) == all_targets(tree)


@given(st.binary(max_size=100))
def test_arbitrary_bytes_never_escape(data: bytes) -> None:
    examine_hydra(data, Hazards())
