"""MLmodel: flavors, versions, files, signature, and code that comes with the model."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Statement
from aibom.domain.protocols import Match
from aibom.formats.mlmodel import FORMAT
from tests.hostile import outcome, probe_of, read, read_fixture


def model(text: str) -> Facts:
    return read(FORMAT, text.encode(), "MLmodel")


def of(facts: Facts, attribute: Attribute) -> list[Statement]:
    return [statement for statement in facts.statements if statement.attribute is attribute]


def test_flavors_versions_and_files_are_told() -> None:
    facts = read_fixture(FORMAT, "cards/mlflow/MLmodel")
    (library,) = of(facts, Attribute.LIBRARY)
    assert (library.value, dict(library.details)) == ("sklearn", {"serialization_format": "cloudpickle"})
    assert facts.values(Attribute.RUNTIME_DEPENDENCY) == (
        "python==3.11.7",
        "scikit-learn==1.5.2",
        "mlflow==2.16.0",
    )
    assert [(s.value, s.detail("flavor"), s.detail("role")) for s in of(facts, Attribute.DATA_FILE)] == [
        ("model.pkl", "python_function", "data"),
        ("model.pkl", "sklearn", "pickled_model"),
    ]
    assert facts.values(Attribute.CREATED) == ("2024-09-01 12:00:00.000000",)
    assert dict(facts.metadata) == {
        "run_id": "0d1f6c0b8f1e4a5e9d57f6f0a4c2b1e3",
        "model_uuid": "4f1b0a7dbd3a4ef6a0b5f2f2f8a3c9d1",
        "artifact_path": "model",
        "model_size_bytes": "1204",
    }


def test_the_signature_is_told_column_by_column() -> None:
    facts = read_fixture(FORMAT, "cards/mlflow/MLmodel")
    (column,), (tensor,) = of(facts, Attribute.INPUT), of(facts, Attribute.OUTPUT)
    assert (column.value, dict(column.details)) == ("depth", {"type": "double", "required": "true"})
    assert (tensor.value, dict(tensor.details)) == ("unnamed", {"type": "int64", "shape": "-1, 2"})
    assert column.pointer == "/signature/inputs/0"


def test_a_code_folder_is_remote_code() -> None:
    facts = read_fixture(FORMAT, "cards/mlflow/MLmodel")
    (code,) = of(facts, Attribute.REMOTE_CODE)
    assert (code.value, code.detail("auto_class")) == ("code", "code")
    assert facts.capabilities == {Capability.REMOTE_CODE}


@pytest.mark.parametrize(
    ("flavor", "values"),
    [
        ("{loader_module: mlflow.sklearn, code: null}", ()),
        ("{loader_module: mlflow}", ()),
        ("{loader_module: mlflowed.evil}", ("mlflowed.evil",)),
        ("{loader_module: fjord.loader}", ("fjord.loader",)),
        ("{model_code_path: chain.py}", ("chain.py",)),
        ("{code: [src, lib]}", ("src, lib",)),
        ("{loader_module: fjord.loader, code: src}", ("src", "fjord.loader")),
    ],
)
def test_code_that_is_not_of_mlflow_is_remote_code(flavor: str, values: tuple[str, ...]) -> None:
    facts = model(f"flavors:\n  python_function: {flavor}\n")
    assert facts.values(Attribute.REMOTE_CODE) == values
    assert (Capability.REMOTE_CODE in facts.capabilities) == bool(values)


def test_mistyped_code_is_still_remote_code() -> None:
    facts = model("flavors: {python_function: {code: {a: b}}}")
    assert facts.capabilities == {Capability.REMOTE_CODE}
    assert facts.defects[0].message == "/flavors/python_function/code is an object, a text is expected"


@given(
    st.dictionaries(
        st.text("abcdefg_", min_size=1),
        st.fixed_dictionaries({"python_version": st.just("3.11.7")}),
        max_size=4,
    )
)
def test_every_flavor_that_pyyaml_writes_is_a_library(flavors: dict[str, dict[str, str]]) -> None:
    facts = model(yaml.safe_dump({"flavors": flavors}))
    assert sorted(facts.values(Attribute.LIBRARY)) == sorted(flavors)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"- a", Reason.MALFORMED, "is a list, not a mapping"),
        (b"", Reason.MALFORMED, "is null, not a mapping"),
        (b"flavors: [", Reason.MALFORMED, "not YAML"),
        (b"flavors: &a [*a]", Reason.UNSUPPORTED, "alias"),
        (b"flavors: !!python/object/apply:os.system [id]\n" * 2, Reason.MALFORMED, "duplicate key"),
        (b"#" * (2**20 + 1), Reason.LIMIT, "at most"),
    ],
)
def test_hostile_files_are_named(data: bytes, reason: Reason, words: str) -> None:
    result = outcome(FORMAT, data, "MLmodel")
    assert isinstance(result, UnreadableError)
    assert result.reason is reason
    assert words in str(result)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run_id: x", "has no flavors"),
        ("flavors: {sklearn: x}", "/flavors/sklearn is a text"),
        ("flavors: {a: {data: [1]}}", "/flavors/a/data is a list"),
        ("flavors: {a: {}}\nsignature: {inputs: 'no json'}", "/signature/inputs is not JSON"),
        ("flavors: {a: {}}\nsignature: {inputs: '[3]'}", "/signature/inputs/0 is a number"),
        ("flavors: {a: {}}\nsignature: []", "/signature is a list"),
    ],
)
def test_a_mistyped_part_is_a_defect(text: str, words: str) -> None:
    assert words in model(text).defects[0].message


def test_recognised_by_its_exact_name() -> None:
    assert FORMAT.recognise(probe_of(b"run_id: x\nflavors:\n", "MLmodel")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"run_id: x\n", "MLmodel")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"flavors:\n", "model.mlmodel")) is Match.NO  # Core ML
