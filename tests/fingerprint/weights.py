"""Weights files for the tests of evidence: small, but with tensors of several leaves."""

from __future__ import annotations

from functools import cache

import numpy as np
from safetensors.numpy import save

from aibom.domain.facts import Facts
from aibom.domain.weights_evidence import WeightsEvidence
from aibom.fingerprint.one_pass import fingerprint
from aibom.fingerprint.weights_sidecar import evidence
from aibom.formats.safetensors import FORMAT
from aibom.readers.ranges import Memory
from tests.hostile import read

Arrays = dict[str, np.ndarray]


@cache
def arrays() -> Arrays:
    """A tensor of four leaves, the last one short; one of exactly a leaf; small ones; an empty one."""
    chance = np.random.default_rng(7)
    return {
        "big": chance.standard_normal((900, 1000), np.float32),
        "leaf": chance.standard_normal(512 * 1024).astype(np.float16),
        "small": chance.integers(-9, 9, 300, np.int64),
        "norm": np.ones(5, np.float32),
        "empty": np.zeros((0, 4), np.float32),
    }


def saved(arrays: Arrays, **metadata: str) -> bytes:
    return save(arrays, metadata or None)


def facts_of(data: bytes) -> Facts:
    return read(FORMAT, data, "m.safetensors")


def evidence_of(data: bytes, facts: Facts | None = None) -> WeightsEvidence:
    """What a scan that is asked for evidence keeps."""
    facts = facts or facts_of(data)
    found = fingerprint(Memory(data), facts, leaves=True, header=True)
    return evidence(len(data), facts, found)


@cache
def model() -> tuple[bytes, Facts, WeightsEvidence]:
    data = saved(arrays())
    return data, facts_of(data), evidence_of(data)
