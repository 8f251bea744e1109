"""A class that may be filled but not called must not be handed to something that calls it.

The streams are only read: nothing here is ever unpickled.
"""

from __future__ import annotations

import pytest

from aibom.cli.packs import allowlist
from aibom.domain.facts import Use
from aibom.policy import Allowlist
from aibom.readers.pickle import run
from aibom.readers.ranges import Memory

CLASS = b"cultralytics.nn.tasks\nDetectionModel\n"
MAKE = CLASS + b")\x81"  # NEWOBJ
GENERATOR = b"cnumpy.random._pickle\n__generator_ctor\n"
REBUILD = b"ctorch._tensor\n_rebuild_from_type_v2\n"


@pytest.fixture(scope="module")
def shipped() -> Allowlist:
    return allowlist(())()


def vouched(stream: bytes, shipped: Allowlist) -> bool:
    (item,) = [
        each for each in run(Memory(b"\x80\x02" + stream)).imports if each.qualname == "DetectionModel"
    ]
    assert item.use is Use.CONSTRUCT or item.kept
    return shipped.vouching(item) is not None


def test_an_instance_that_is_filled_is_vouched_for(shipped: Allowlist) -> None:
    assert vouched(MAKE + b"}\x8c\x04nameN" + b"sb.", shipped)


@pytest.mark.parametrize(
    "stream",
    [
        MAKE + b"}\x8c\x0c__setstate__" + CLASS + b"sb}b.",
        MAKE + b"}b" + CLASS + b"a.",
        MAKE + b"0" + REBUILD + b"(" + CLASS + CLASS + b")}tR.",
        MAKE + b"0" + GENERATOR + CLASS + b"\x85R.",
        MAKE + b"cyacs.config\nCfgNode\n)\x81\x8c\x01a" + CLASS + b"s}b.",
        MAKE + b"0](" + CLASS + b"e.",
        MAKE + b"0(" + CLASS + b"t.",
        MAKE + b"0" + CLASS + b".",
    ],
    ids=["as a method", "appended", "rebuilt", "constructor", "item", "list", "tuple", "root"],
)
def test_a_class_that_something_else_gets_is_not(stream: bytes, shipped: Allowlist) -> None:
    assert not vouched(stream, shipped)


def test_an_instance_for_a_base_is_a_call_that_nobody_can_judge() -> None:
    stream = b"ccopyreg\n_reconstructor\n(" + CLASS + MAKE + b"NtR."
    assert [hazard.found for hazard in run(Memory(b"\x80\x02" + stream)).hazards] == ["computed-call"]
