"""Matrices: the combinations that each dialect of pipelines makes of them."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.marked import Node, documents
from aibom.discovery.matrices import COMBINATION_COUNT, columns, matrix, passed, product
from aibom.readers.marks import UNKNOWN


def node(text: str) -> Node:
    return documents(text.encode(), kind="yaml")[0]


def combinations(text: str) -> list[str]:
    found = matrix(node(text))
    return [
        " ".join(f"{name.removeprefix('matrix_')}={value}" for name, value in one.items()) for one in found
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("strategy: {matrix: {m: [a, b], os: [x]}}", ["m=a os=x", "m=b os=x"]),
        ("strategy: {matrix: {m: [a], include: [{m: b, r: v}]}}", ["m=a", "m=b r=v"]),
        ("strategy: {matrix: {m: [a, b], include: [{m: b, r: v}]}}", ["m=a", "m=b r=v"]),
        ("strategy: {matrix: {m: [a, b], include: [{r: v}]}}", ["m=a r=v", "m=b r=v"]),
        ("strategy: {matrix: {include: [{m: a, r: 1}, {m: b, r: 2}]}}", ["m=a r=1", "m=b r=2"]),
        ("strategy: {matrix: {m: [a, b], exclude: [{m: b}]}}", ["m=a"]),
        ("strategy: {matrix: {c: [{m: a, r: 1}, {m: b}]}}", ["c_m=a c_r=1", "c_m=b"]),
        ('strategy: {matrix: {m: "${{ fromJSON(\'[\\"a\\", \\"b\\", 1]\') }}"}}', ["m=a", "m=b"]),
        ("strategy: {matrix: {m: \"${{ fromJSON('[') }}\"}}", []),
        ("parallel: {matrix: [{M: [a, b], R: x}, {M: c}]}", ["M=a R=x", "M=b R=x", "M=c"]),
        ("strategy: {matrix: {one: {M: a}, two: {M: b}}}", ["M=a", "M=b"]),
        ("strategy: {matrix: '${{ x }}'}", []),
        ("parallel: 5", []),
        ("steps: []", []),
    ],
)
def test_matrices(text: str, expected: list[str]) -> None:
    assert combinations(text) == expected


def test_columns_are_of_one_length() -> None:
    found = columns([{"a": "1"}, {"a": "2", "b": "3"}, {"c": "4"}], {"b": "other"})
    assert found == {
        "a": ("1", "2", UNKNOWN),
        "b": ("other", "3", "other"),
        "c": (UNKNOWN, UNKNOWN, "4"),
    }


def test_what_a_pipeline_gives_to_its_jobs_and_commands() -> None:
    text = """
jobs: {a: {steps: [{fetch: {repo: org/x}}, {run: {name: a}}]}}
commands: {fetch: {}}
workflows:
  w: {jobs: [a, {a: {model: org/m}}, {a: {matrix: {parameters: {model: [b, c]}}}}, {other: {model: d}}]}
"""
    assert passed(node(text)) == {
        "fetch": [{"parameters_repo": "org/x"}],
        "a": [{"parameters_model": "org/m"}, {"parameters_model": "b"}, {"parameters_model": "c"}],
    }


@pytest.mark.parametrize("axes", [1, 3, 500])
def test_combinations_are_counted(axes: int) -> None:
    text = json.dumps({f"a{number}": list(range(60)) for number in range(axes)})
    assert len(product(node(text), "")) <= COMBINATION_COUNT


@given(
    st.recursive(
        st.none() | st.integers() | st.text("ab ${}'[]()", max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["matrix", "include", "exclude", "parameters", "jobs", "a"]),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_matrix_is_read(body: object) -> None:
    root = node(
        yaml.safe_dump({"strategy": {"matrix": body}, "parallel": {"matrix": [body]}, "jobs": {"a": body}})
    )
    assert all(isinstance(value, str) for one in matrix(root) for value in one.values())
    passed(root)
