"""config.json: architecture, sizes, quantisation and every way to name code of the repository."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, Capability, Facts, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.protocols import Match
from aibom.formats.transformers_config import FORMAT, HYPERPARAMETERS, JSON_CONFIG
from tests.hostile import probe_of, read, read_fixture

CONFIG = "cards/model/config.json"


def config(**document: object) -> Facts:
    return read(FORMAT, json.dumps(document).encode(), "config.json")


def of(facts: Facts, attribute: Attribute) -> list[Statement]:
    return [statement for statement in facts.statements if statement.attribute is attribute]


def test_identity_and_sizes_are_told_with_their_places() -> None:
    facts = read_fixture(FORMAT, CONFIG)
    assert facts.values(Attribute.ARCHITECTURE) == ("LlamaForCausalLM",)
    assert facts.values(Attribute.MODEL_TYPE) == ("llama",)
    assert facts.values(Attribute.DTYPE) == ("bfloat16",)
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == ("transformers==4.45.0",)
    assert {(s.detail("name"), s.value, s.pointer) for s in of(facts, Attribute.HYPERPARAMETER)} == {
        ("hidden_size", "64", "/hidden_size"),
        ("num_attention_heads", "4", "/num_attention_heads"),
        ("num_hidden_layers", "2", "/num_hidden_layers"),
        ("rope_theta", "500000.0", "/rope_theta"),
        ("tie_word_embeddings", "true", "/tie_word_embeddings"),
        ("vocab_size", "5", "/vocab_size"),
        ("hidden_size", "32", "/text_config/hidden_size"),
    }


def test_where_the_weights_came_from_is_marked_as_a_weak_claim() -> None:
    (base,) = of(read_fixture(FORMAT, CONFIG), Attribute.BASE_MODEL)
    assert (base.value, base.details) == ("meta-llama/Llama-3.2-1B", (("relation", "name_or_path"),))


def test_code_of_the_repository_is_told_with_its_auto_class() -> None:
    facts = read_fixture(FORMAT, CONFIG)
    assert [(s.value, s.detail("auto_class")) for s in of(facts, Attribute.REMOTE_CODE)] == [
        ("configuration_fjord.FjordConfig", "AutoConfig"),
        ("fjord/code--modeling_fjord.FjordForCausalLM", "AutoModelForCausalLM"),
    ]
    assert facts.capabilities == {Capability.REMOTE_CODE}


@pytest.mark.parametrize(
    ("document", "value", "auto_class"),
    [
        ({"auto_map": {"AutoModel": "a.B"}}, "a.B", "AutoModel"),
        ({"auto_map": {"AutoTokenizer": [None, "a.B"]}}, "a.B", "AutoTokenizer"),
        ({"model_type": "x", "custom_pipelines": {"t": {"impl": "a.B"}}}, "a.B", "pipeline"),
        ({"_class_name": ["a", "B"]}, "a.B", "DiffusionPipeline"),
    ],
)
def test_every_way_to_name_code_is_remote_code(
    document: dict[str, object], value: str, auto_class: str
) -> None:
    facts = config(**document)
    (code,) = of(facts, Attribute.REMOTE_CODE)
    assert (code.value, code.detail("auto_class")) == (value, auto_class)
    assert facts.capabilities == {Capability.REMOTE_CODE}


def test_a_mistyped_class_is_still_remote_code() -> None:
    facts = config(auto_map={"AutoModel": 3})
    assert facts.capabilities == {Capability.REMOTE_CODE}
    assert facts.defects[0].message == "/auto_map/AutoModel is a number, a text is expected"


def test_a_mistyped_pipeline_is_still_remote_code() -> None:
    facts = config(model_type="x", custom_pipelines={"t": {"impl": ["a"]}})
    assert facts.capabilities == {Capability.REMOTE_CODE}
    assert facts.defects[0].message == "/custom_pipelines/t/impl is a list, a text is expected"


def test_an_ordinary_configuration_has_no_remote_code() -> None:
    assert config(model_type="bert", auto_map={}).capabilities == frozenset()


@pytest.mark.parametrize(
    ("config_part", "value", "expected"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq", {"bits": "4", "group_size": "128"}),
        ({"load_in_8bit": True, "load_in_4bit": False}, "bitsandbytes", {"bits": "8"}),
        ({"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "bitsandbytes", {"bits": "4", "type": "nf4"}),
        ({"quant_method": "fp8", "fmt": "e4m3"}, "fp8", {"type": "e4m3"}),
        ({"something": 1}, "unknown", {}),
    ],
)
def test_quantisation_tells_method_and_bits(
    config_part: dict[str, object], value: str, expected: dict[str, str]
) -> None:
    (statement,) = of(config(model_type="x", quantization_config=config_part), Attribute.QUANTISATION)
    assert (statement.value, dict(statement.details)) == (value, expected)


def test_a_pipeline_tells_its_parts() -> None:
    facts = read_fixture(FORMAT, "cards/diffusers/model_index.json")
    assert [(s.value, dict(s.details)) for s in of(facts, Attribute.ARCHITECTURE)] == [
        ("StableDiffusionPipeline", {}),
        ("UNet2DConditionModel", {"component": "unet", "library": "diffusers"}),
    ]
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == ("diffusers==0.30.0",)


def test_dtype_takes_the_place_of_torch_dtype() -> None:
    assert config(model_type="x", dtype="float16", torch_dtype="old").values(Attribute.DTYPE) == ("float16",)


def test_a_text_config_that_is_a_name_is_no_defect() -> None:
    assert config(model_type="clip", text_config="org/name").defects == ()


@given(st.dictionaries(st.sampled_from(HYPERPARAMETERS), st.integers() | st.booleans(), max_size=5))
def test_every_hyperparameter_is_told(values: dict[str, int | bool]) -> None:
    found = {
        s.detail("name"): s.value for s in of(config(model_type="x", **values), Attribute.HYPERPARAMETER)
    }
    assert found == {name: json.dumps(value) for name, value in values.items()}


@pytest.mark.parametrize("document", [{}, {"port": 80}, {"hidden_size": 3, "quantization_config": []}])
def test_a_config_of_something_else_states_nothing(document: dict[str, object]) -> None:
    facts = config(**document)
    assert facts.format == JSON_CONFIG.name
    assert facts.statements == ()
    assert facts.defects == ()


def test_recognised_by_name_and_an_opening_brace() -> None:
    assert FORMAT.recognise(probe_of(b'\xef\xbb\xbf\n {"a": 1}', "config.json")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"\x80\x04", "config.json")) is Match.NAME
    assert FORMAT.recognise(probe_of(b'{"model_type": "x"}', "tsconfig.json")) is Match.NO
    assert JSON_CONFIG.recognise(probe_of(b"{}", "config.json")) is Match.NO


def hazards(facts: Facts) -> list[tuple[HazardKind, str, str, Confidence]]:
    return [(h.kind, h.found, h.message, h.confidence) for h in facts.hazards]


@pytest.mark.parametrize(
    ("document", "found", "confidence"),
    [
        ({"auto_map": {"AutoModel": "a.B"}}, "a.B", Confidence.HIGH),
        ({"model_type": "x", "llm_config": {"auto_map": {"AutoModel": "a.B"}}}, "a.B", Confidence.HIGH),
        ({"custom_pipelines": {"t": {"impl": "a.B"}}}, "a.B", Confidence.HIGH),
        ({"_class_name": ["a", "B"]}, "a.B", Confidence.HIGH),
        ({"_class_name": "P", "_diffusers_version": "1", "unet": ["a", "B"]}, "a.B", Confidence.MEDIUM),
    ],
)
def test_every_way_to_name_code_is_a_hazard(
    document: dict[str, object], found: str, confidence: Confidence
) -> None:
    message = f"names code that the loader runs: {found}"
    assert hazards(config(**document)) == [(HazardKind.REMOTE_CODE, found, message, confidence)]


def test_code_of_another_repository_is_told_with_its_name() -> None:
    (hazard,) = config(auto_map={"AutoModel": "owner/name--a.B"}).hazards
    assert hazard.message == ("names code of the repository owner/name that the loader runs: owner/name--a.B")


def test_a_configuration_that_trusts_itself_is_a_hazard() -> None:
    (hazard,) = config(model_type="x", trust_remote_code=True).hazards
    assert (hazard.kind, hazard.found) == (HazardKind.REMOTE_CODE, "trust_remote_code")
    assert config(model_type="x", trust_remote_code=False).hazards == ()
    (nested,) = config(model_type="x", vision={"trust_remote_code": True}).hazards
    assert nested.found == "trust_remote_code"


def test_parts_of_a_pipeline_from_the_libraries_are_no_hazard() -> None:
    parts = {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "session": ["onnxruntime.training", "ORTModule"],
        "left_out": [None, None],
    }
    assert config(_class_name="P", _diffusers_version="1", **parts).hazards == ()


def test_a_part_of_a_pipeline_from_elsewhere_tells_the_folder_of_its_code() -> None:
    facts = config(_class_name="P", _diffusers_version="1", unet=["my_unet", "MyUNet"])
    (code,) = of(facts, Attribute.REMOTE_CODE)
    assert (code.value, code.pointer) == ("my_unet.MyUNet", "/unet")
    assert dict(code.details) == {"auto_class": "component", "folder": "unet"}


def test_a_hostile_name_cannot_write_to_a_terminal() -> None:
    (hazard,) = config(auto_map={"AutoModel": "a\x1b[2J.B"}).hazards
    assert "\x1b" not in hazard.message


def test_the_template_of_a_processor_is_told_and_examined() -> None:
    facts = config(processor_class="P", chat_template="{{ x.__class__ }}")
    assert facts.capabilities == {Capability.CHAT_TEMPLATE}
    assert [h.found for h in facts.hazards] == ["__class__"]
    assert len(facts.values(Attribute.CHAT_TEMPLATE_SHA256)) == 1
