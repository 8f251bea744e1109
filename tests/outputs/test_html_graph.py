"""The graph of the page: every node has a place of its own and words, arrows go forward, and it ends."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import Component, ComponentKind, Relation, RelationKind
from aibom.domain.finding import Severity
from aibom.domain.ref import Ref
from aibom.domain.report import Report
from aibom.outputs.html_graph import NODES, SENTENCES, Graph, graph, legend
from aibom.outputs.html_layout import GAP, NODE_HEIGHT, NODE_WIDTH, Drawing, draw, groups
from aibom.outputs.html_subjects import Subjects
from tests.outputs.bom_samples import model, report, use
from tests.outputs.html_samples import finding, large_report, page_report


@st.composite
def arrows(draw_from: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Any small graph, with cycles, and with the same arrow twice."""
    count = draw_from(st.integers(1, 12))
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    return count, draw_from(st.lists(ends.filter(lambda pair: pair[0] != pair[1]), max_size=24))


def refuse_overlaps(drawing: Drawing) -> None:
    boxes = sorted(drawing.corners)
    for place, (x, y) in enumerate(boxes):
        assert 0 <= x <= drawing.width - NODE_WIDTH
        assert 0 <= y <= drawing.height - NODE_HEIGHT
        for other_x, other_y in boxes[place + 1 :]:
            assert abs(other_x - x) >= NODE_WIDTH or abs(other_y - y) >= NODE_HEIGHT + GAP


@given(arrows())
def test_no_two_boxes_touch_and_all_are_inside_whatever_points_where(case: tuple[int, list]) -> None:
    count, pairs = case
    drawing = draw(count, pairs)
    assert len(drawing.corners) == count
    assert len(drawing.bends) == len(pairs)
    refuse_overlaps(drawing)
    assert drawing == draw(count, pairs)


@given(arrows())
def test_arrows_go_from_left_to_right_and_pass_beside_the_boxes(case: tuple[int, list]) -> None:
    count, pairs = case
    forward = [(min(pair), max(pair)) for pair in pairs]  # no cycle
    drawing = draw(count, forward)
    for (source, target), bends in zip(forward, drawing.bends, strict=True):
        xs = [drawing.corners[source][0], *(x for x, _ in bends), drawing.corners[target][0]]
        assert xs == sorted(set(xs))
        for x, y in bends:
            assert not any(
                x == left and top < y + GAP // 2 < top + NODE_HEIGHT for left, top in drawing.corners
            )


def test_what_hangs_together_is_one_group_and_the_largest_comes_first() -> None:
    assert groups(6, [(0, 1), (3, 4), (4, 5)]) == [[3, 4, 5], [0, 1], [2]]


def test_a_thousand_nodes_in_a_ring_are_drawn_in_no_time() -> None:
    start = time.process_time()
    draw(1_000, [(n, (n + 1) % 1_000) for n in range(1_000)])
    assert time.process_time() - start < 5


def of(seen: Report) -> Graph:
    return graph(seen, Subjects(seen))


def named(found: Graph) -> dict[str, str]:
    return {box.node.name: box.node.alternative for box in found.boxes}


def arrow_words(found: Graph) -> set[tuple[str, str, str]]:
    return {(line.arrow.style, line.arrow.word, line.arrow.sentence) for line in found.lines}


def test_every_box_says_what_it_is_whether_it_is_outside_and_what_was_found() -> None:
    assert named(of(page_report())) == {
        "acme/m": "model acme/m, 1 finding, the worst high",
        "a": "adapter a, 1 finding, the worst high",
        "tokenizer": "tokenizer tokenizer",
        "acme/data": "dataset acme/data",
        "modeling_m": "code modeling_m",
        "inference": "service inference",
        "acme/base": "model acme/base, outside of what was scanned",
        "acme/corpus": "dataset acme/corpus, outside of what was scanned",
        "app.py": "file app.py",
        "stray\n\udc80.bin": "model stray\\x0a\\x80.bin, outside of what was scanned",
        "nb.ipynb": "file nb.ipynb",
        "gpt-4o": "service gpt-4o, outside of what was scanned",
    }


def test_arrows_tell_what_was_made_from_what() -> None:
    found = of(page_report())
    told = arrow_words(found)
    assert (
        "ancestor",
        "finetune",
        "acme/m was made from acme/base (finetune) as m/README.md says, not verified",
    ) in told
    assert ("trained-on", "trained on", "acme/m was trained on acme/data") in told
    assert ("refers", "", "app.py refers to acme/base in line 3") in told
    assert [style for style, _ in legend(found)] == ["ancestor", "trained-on", "uses", "refers"]
    assert found.hidden_nodes == found.hidden_sentences == 0


def related(identifier: str, *targets: str | Ref, name: str = "") -> Component:
    relations = tuple(
        Relation(kind=RelationKind.ANCESTOR, target=each)
        if isinstance(each, Ref)
        else Relation(kind=RelationKind.ANCESTOR, target_id=each)
        for each in targets
    )
    return model(id=identifier, name=name or identifier, relations=relations)


def test_a_place_that_is_a_component_of_the_report_is_drawn_once() -> None:
    place = Ref(scheme="hf", location="Acme/Base", revision="main")
    base = model(id="base", name="base", ref=Ref(scheme="hf", location="acme/base"))
    found = of(report(components=(related("tuned", place), base)))
    assert len(found.boxes) == 2
    assert len(found.lines) == 1


def test_cycles_and_components_that_are_not_there_are_drawn_all_the_same() -> None:
    found = of(report(components=(related("a", "b"), related("b", "a"), related("c", "c", "gone"))))
    assert named(found)["gone"] == "component gone, outside of what was scanned"
    assert len(found.lines) == 3


def test_libraries_are_left_to_the_table() -> None:
    library = use(ComponentKind.LIBRARY, Ref(scheme="pypi", location="torch"), "requirement", 1)
    assert not of(report(references=(library,))).boxes


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    (box,) = of(report(components=(model(name="organisation/" + "x" * 50 + "-7B-Instruct"),))).boxes
    assert box.node.label.startswith("organisati")
    assert box.node.label.endswith("…-7B-Instruct"[-11:])
    assert "x" * 50 in box.node.alternative


def test_the_drawing_is_capped_keeps_what_belongs_together_and_counts_the_rest() -> None:
    found = of(large_report(1_000))
    assert len(found.boxes) == NODES
    assert found.hidden_nodes == 1_000 + 100 - NODES
    assert len(found.lines) == NODES - len([box for box in found.boxes if box.node.outside])
    assert len(found.sentences) == SENTENCES
    assert found.hidden_sentences == 1_000 - SENTENCES


def test_only_findings_that_count_mark_a_component() -> None:
    seen = page_report()
    dataset = next(box for box in of(seen).boxes if box.node.name == "acme/data")
    assert dataset.node.worst is None  # its only finding is waived
    worse = report(
        components=(model(files=("a",)),),
        findings=(finding("x", Severity.LOW, "a", "m"), finding("x", Severity.CRITICAL, "a", "m")),
    )
    (box,) = of(worse).boxes
    assert (box.node.worst, box.node.findings) == (Severity.CRITICAL, 2)
