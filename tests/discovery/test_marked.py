"""Configuration with lines: documents by kind, and templates with their holes."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.marked import PIECE_COUNT, UNKNOWN, Kind, Node, documents, kind_of
from aibom.domain.errors import Reason, UnreadableError
from tests.readers.test_marks import plain


def values(text: str, kind: Kind = "yaml") -> list[object]:
    return [plain(node) for node in documents(text.encode(), kind=kind)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/values.yaml", "yaml"),
        ("b.YML", "yaml"),
        ("c.json", "json"),
        (".devcontainer/d.jsonc", "json"),
        ("e.toml", "toml"),
        ("f.txt", None),
        ("yaml", "yaml"),
        ("g", None),
    ],
)
def test_the_ending_of_a_path_promises_a_kind(path: str, kind: Kind | None) -> None:
    assert kind_of(path) == kind


def test_each_kind_is_read_by_its_reader() -> None:
    assert values("a: 1\n---\nb: 2") == [{"a": 1}, {"b": 2}]
    assert values('\ufeff{"a": 1} // c', "json") == [{"a": 1}]
    assert values("a = 1", "toml") == [{"a": 1}]


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
def test_an_empty_file_has_no_document(kind: Kind) -> None:
    assert documents(b" \n", kind=kind) == []


HELM = """{{- /* a
comment */ -}}
{{- if .Values.enabled }}
kind: Deployment
spec:
  image: {{ .Values.image }}
  args:
    {{- range .Values.args }}
    - {{ . | quote }}
    {{- end }}
    - --model
    - "org/{{ .Values.model }}"
    - org/model # {{ comment }}
{{- end }}
"""


def test_a_template_is_read_with_holes_where_values_are_filled_in() -> None:
    assert values(HELM) == [
        {
            "kind": "Deployment",
            "spec": {"image": UNKNOWN, "args": [UNKNOWN, "--model", f"org/{UNKNOWN}", "org/model"]},
        }
    ]


def test_lines_and_columns_of_a_template_are_those_of_the_file() -> None:
    (document,) = documents(HELM.encode(), kind="yaml")
    node = document.get("spec", "args", 3)
    assert node is not None
    assert (node.line, node.column) == (13, 7)


def test_yaml_that_only_mentions_a_template_is_read_as_it_is() -> None:
    assert values("run: echo ${{ secrets.A }}\nb: '{{ c }}'") == [
        {"run": "echo ${{ secrets.A }}", "b": "{{ c }}"}
    ]


def test_a_template_that_is_no_yaml_at_all_is_read_by_its_lines() -> None:
    text = "a: b\n {% if x %}{{ y }}\n  - model: 'org/m' # c\n\t\"k\": {{ v }}\n #n: o\n"
    (document,) = documents(text.encode(), kind="yaml")
    assert plain(document) == [{"a": "b"}, {"model": "org/m"}, {"k": UNKNOWN}]
    node = document.get(1, "model")
    assert node is not None
    assert (node.line, node.column) == (3, 12)


@pytest.mark.parametrize(
    ("data", "kind", "reason", "words"),
    [
        (b"a" * (4 * 2**20 + 1), "yaml", Reason.LIMIT, "bytes of YAML"),
        (b" " * (16 * 2**20 + 1), "json", Reason.LIMIT, "bytes of JSON"),
        (b"\xff", "toml", Reason.MALFORMED, "not UTF-8"),
        (b"a: b: c", "yaml", Reason.MALFORMED, "not YAML"),
        (b"{{ x }}\n" * (PIECE_COUNT + 1), "yaml", Reason.LIMIT, "pieces"),
        (b"{{ x }}: [\n" + b"k: v\n" * 30_000, "yaml", Reason.LIMIT, "values"),
        (b"{{ x }}\n" + b"- a\n" * 60_000, "yaml", Reason.LIMIT, "nodes"),
    ],
)
def test_hostile_files_are_refused(data: bytes, kind: Kind, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        documents(data, kind=kind)
    assert caught.value.reason is reason
    assert words in caught.value.message


@pytest.mark.parametrize("data", [b"{{ " * 2**20, b"{%" * 2**20 + b"}}", b"{{}}: [" + b" " * 2**21 + b"x"])
def test_openings_that_never_close_cost_no_more_than_their_bytes(data: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(UnreadableError):
        documents(data, kind="yaml")
    assert time.process_time() - started < 3


@given(st.text("{}%# :-a\n\"'[]", max_size=60))
def test_any_template_is_read_or_refused(text: str) -> None:
    found: list[Node] = []
    with contextlib.suppress(UnreadableError):
        found = documents(text.encode(), kind="yaml")
    lines = text.count("\n") + 1
    assert all(1 <= node.line <= lines for document in found for _, node in document.walk())
