"""adapter_config.json: the base model at its revision, and the tuning method."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, Facts
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats.adapter_config import FORMAT
from tests.hostile import probe_of, read, read_fixture


def config(**document: object) -> Facts:
    return read(FORMAT, json.dumps(document).encode(), "adapter_config.json")


def test_the_adapter_names_its_base_at_a_revision() -> None:
    facts = read_fixture(FORMAT, "cards/adapter/adapter_config.json")
    base = facts.statements[0]
    assert (base.attribute, base.value, base.pointer) == (
        Attribute.BASE_MODEL,
        "meta-llama/Llama-3.2-1B",
        "/base_model_name_or_path",
    )
    assert dict(base.details) == {
        "relation": "adapter",
        "revision": "0123456789abcdef0123456789abcdef01234567",
    }


def test_method_task_and_hyperparameters_are_told() -> None:
    facts = read_fixture(FORMAT, "cards/adapter/adapter_config.json")
    assert facts.values(Attribute.TUNING_METHOD) == ("lora",)
    assert facts.values(Attribute.TASK) == ("CAUSAL_LM",)
    found = {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}
    assert found == {
        "r": "8",
        "lora_alpha": "16",
        "bias": "none",
        "target_modules": "q_proj, v_proj",
        "use_dora": "false",
    }
    architecture = next(s for s in facts.statements if s.attribute is Attribute.ARCHITECTURE)
    assert (architecture.value, dict(architecture.details)) == (
        "FjordModel",
        {"relation": "base", "module": "transformers.models.fjord"},
    )


@given(st.text("abc/-_.", min_size=1), st.none() | st.text("abc0123", min_size=1))
def test_any_base_and_revision_are_told(base: str, revision: str | None) -> None:
    (statement,) = config(base_model_name_or_path=base, revision=revision).statements
    assert (statement.value, statement.detail("revision")) == (base, revision)


def test_the_version_of_the_library_is_a_dependency() -> None:
    assert config(peft_version="0.18.0").values(Attribute.RUNTIME_DEPENDENCY) == ("peft==0.18.0",)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"base_model_name_or_path": ["a"]}, "/base_model_name_or_path is a list"),
        ({"task_type": {}}, "/task_type is an object"),
        ({"r": {"a": 1}}, "/r is an object, a plain value is expected"),
        ({"target_modules": [["a"]]}, "/target_modules is a list"),
        ({"auto_mapping": "x"}, "/auto_mapping is a text"),
    ],
)
def test_a_mistyped_value_is_a_defect(document: dict[str, object], words: str) -> None:
    messages = [defect.message for defect in config(peft_type="LORA", **document).defects]
    assert any(words in message for message in messages)


def test_recognised_by_name() -> None:
    assert FORMAT.recognise(probe_of(b"{}", "adapter_config.json")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"", "adapter_config.json")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"{}", "config.json")) is Match.NO


@pytest.mark.parametrize("library", ["transformers.models.llama.modeling_llama", "torch.nn", "__main__"])
def test_a_base_model_of_a_known_library_is_no_hazard(library: str) -> None:
    facts = config(auto_mapping={"base_model_class": "M", "parent_library": library})
    assert (facts.hazards, facts.values(Attribute.REMOTE_CODE)) == ((), ())


def test_a_base_model_of_any_other_module_is_code_that_the_loader_runs() -> None:
    facts = config(auto_mapping={"base_model_class": "M", "parent_library": "transformers_modules.x"})
    assert facts.values(Attribute.REMOTE_CODE) == ("transformers_modules.x.M",)
    assert [(h.kind, h.found, h.confidence) for h in facts.hazards] == [
        (HazardKind.REMOTE_CODE, "transformers_modules.x.M", Confidence.MEDIUM)
    ]


def test_the_auto_map_of_an_adapter_is_a_hazard() -> None:
    (hazard,) = config(auto_map={"AutoModel": "a.B"}).hazards
    assert (hazard.kind, hazard.found) == (HazardKind.REMOTE_CODE, "a.B")
