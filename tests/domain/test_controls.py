"""Controls: every one that a requirement names has a name, and none is there for nothing."""

from __future__ import annotations

import re

import pytest

from aibom.domain.controls import CONTROLS, FRAMEWORKS
from aibom.domain.taxonomies import ATLAS, CWE
from aibom.policy import REQUIREMENTS
from aibom.policy.requirement import Requirement

# How the ids of each framework are written.
_IDS = {
    "iso42001": r"A\.([2-9]|10)(\.[1-9]){1,2}",
    "nist-ai-rmf": r"(GOVERN|MAP|MEASURE|MANAGE) [1-6]\.[1-9][0-9]?",
    "eu-ai-act": r"[1-9][0-9]*(\([1-9]\)(\([a-z]\))?)?",
    "owasp-llm": r"LLM(0[1-9]|10)",
}


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_what_a_requirement_names_is_known(requirement: Requirement) -> None:
    assert requirement.controls
    assert len(set(requirement.controls)) == len(requirement.controls)
    for framework, control in requirement.controls:
        assert CONTROLS[framework][control]
    assert set(requirement.atlas) <= ATLAS.keys()
    assert set(requirement.cwe) <= CWE.keys()


def test_every_control_is_named_by_a_requirement() -> None:
    known = {(framework, control) for framework, controls in CONTROLS.items() for control in controls}
    assert known == {each for requirement in REQUIREMENTS for each in requirement.controls}
    assert FRAMEWORKS.keys() == CONTROLS.keys() == _IDS.keys()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_ids_are_written_as_their_framework_writes_them(framework: str) -> None:
    for control in CONTROLS[framework]:
        assert re.fullmatch(_IDS[framework], control), control
