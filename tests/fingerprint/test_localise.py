"""Every edit is told, and where it is, from the sidecar and the present bytes alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Facts, Layout, Span
from aibom.domain.limits import MIB
from aibom.domain.weights_evidence import Localised, TensorChange, WeightsEvidence
from aibom.fingerprint.localise import compare, localise
from aibom.fingerprint.weights_sidecar import read, render
from aibom.formats import npz
from aibom.readers.ranges import Memory
from tests import hostile
from tests.fingerprint.weights import Arrays, arrays, evidence_of, facts_of, model, saved


def located(old: bytes, new: bytes) -> Localised:
    """From the sidecar of one file, read back, and the other file."""
    evidence = read(Memory(render(evidence_of(old))))
    return localise(evidence, Memory(new), facts_of(new))


def edited(change: Callable[[Arrays], object]) -> Localised:
    new = {name: array.copy() for name, array in arrays().items()}
    change(new)
    return located(model()[0], saved(new))


def kinds(found: Localised) -> list[tuple[str, TensorChange]]:
    return [((each.new or each.old).tensor.name, each.change) for each in found.tensors]  # type: ignore[union-attr]


def test_an_unchanged_file_has_no_difference() -> None:
    data, facts, evidence = model()
    found = localise(evidence, Memory(data), facts)
    assert found == Localised()
    assert found.same
    assert str(found) == "no difference"


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_is_localised_to_its_tensor_and_leaf(data: st.DataObject) -> None:
    body, facts, evidence = model()
    # The header and small tensors are few bytes of the file: choose the place first, then the byte.
    spans = [(0, facts.covered[0].end)] + [(t.offset, t.offset + t.length) for t in facts.tensors if t.length]
    start, end = data.draw(st.sampled_from(spans))
    at = data.draw(st.integers(start, end - 1))
    changed = bytearray(body)
    changed[at] ^= data.draw(st.integers(1, 255))
    found = localise(evidence, Memory(bytes(changed)), facts)
    hit = [tensor for tensor in facts.tensors if tensor.offset <= at < tensor.offset + tensor.length]
    assert not found.same
    assert found.metadata_only is not bool(hit)
    assert [each.new.tensor.name for each in found.tensors if each.new] == [tensor.name for tensor in hit]
    for tensor, each in zip(hit, found.tensors, strict=True):
        leaf = (at - tensor.offset) // MIB
        assert each.spans == (Span(start=leaf * MIB, end=min((leaf + 1) * MIB, tensor.length)),)
        assert each.sampled in (0, 1)


def test_one_line_says_tensor_and_bytes() -> None:
    def change(new: Arrays) -> None:
        new["big"].reshape(-1)[300_000] += 1

    assert str(edited(change)) == "big: bytes 1,048,576 to 2,097,151 of 3,600,000"


def test_neighbouring_leaves_are_one_range_and_others_are_not() -> None:
    def change(new: Arrays) -> None:
        flat = new["big"].reshape(-1)
        flat[0] += 1
        flat[262_144 + 5] += 1
        flat[-1] += 1

    found = edited(change)
    assert found.tensors[0].spans == (Span(start=0, end=2 * MIB), Span(start=3 * MIB, end=3_600_000))
    assert str(found) == "big: bytes 0 to 2,097,151, 3,145,728 to 3,599,999 of 3,600,000"


def test_a_change_of_all_values_differs_in_all_samples() -> None:
    def change(new: Arrays) -> None:
        new["big"] *= np.float32(1.01)
        new["norm"] += 1

    found = edited(change)
    assert {str(each).partition(":")[0]: each.sampled for each in found.tensors} == {"big": 64, "norm": 5}
    assert found.tensors[0].spans == (Span(start=0, end=3_600_000),)


@pytest.mark.parametrize(
    ("change", "expected", "text"),
    [
        (lambda new: new.update(more=np.ones(2)), ("more", TensorChange.ADDED), "more: added"),
        (lambda new: new.pop("small"), ("small", TensorChange.REMOVED), "small: removed"),
        (
            lambda new: new.update(other=new.pop("small")),
            ("other", TensorChange.RENAMED),
            "other: renamed, was small",
        ),
        (
            lambda new: new.update(small=new["small"].reshape(3, 100)),
            ("small", TensorChange.SHAPE),
            "small: shape 300 became 3x100",
        ),
        (
            lambda new: new.update(small=new["small"].astype(np.uint64)),
            ("small", TensorChange.DTYPE),
            "small: dtype I64 became U64",
        ),
        (
            lambda new: new.update(norm=new["norm"] * 2),
            ("norm", TensorChange.VALUES),
            "norm: bytes 0 to 19 of 20",
        ),
    ],
    ids=["added", "removed", "renamed", "shape", "dtype", "values"],
)  # fmt: skip
def test_a_tensor_that_came_went_or_became_another_is_told(
    change: Callable[[Arrays], object], expected: tuple[str, TensorChange], text: str
) -> None:
    found = edited(change)
    assert kinds(found) == [expected]
    assert str(found).splitlines()[0] == text


def test_swapped_names_are_changed_values_and_not_renamed() -> None:
    one, other = np.ones(4, np.float32), np.zeros(4, np.float32)
    found = located(saved({"a": one, "b": other}), saved({"a": other, "b": one}))
    assert kinds(found) == [("a", TensorChange.VALUES), ("b", TensorChange.VALUES)]


def test_other_metadata_is_metadata_only() -> None:
    old, new = saved(arrays(), note="one"), saved(arrays(), note="another one")
    found = located(old, new)
    assert found.metadata_only
    assert str(found).startswith("metadata only: ")


def test_bytes_that_nothing_explains_are_told_apart() -> None:
    data, facts, evidence = model()
    longer = data + b"payload"
    found = localise(evidence, Memory(longer), replace(facts, defects=()))
    assert found.unindexed_only
    assert str(found) == "unindexed bytes only: 0 bytes became 7"
    again = localise(evidence_of(longer, facts), Memory(data + b"PAYLOAD"), facts)
    assert str(again) == "unindexed bytes only: other content in 7 bytes"


def test_two_sidecars_say_the_same_as_a_sidecar_and_a_file() -> None:
    old, new = arrays(), dict(arrays())
    new["big"] = new["big"].copy()
    new["big"][700, 3] = 9
    new.pop("leaf")
    files = saved(old), saved(new)
    assert compare(evidence_of(files[0]).content, evidence_of(files[1]).content) == located(*files)


def without(evidence: WeightsEvidence, **parts: bytes) -> WeightsEvidence:
    tensors = tuple(replace(entry, **parts) for entry in evidence.content.tensors)  # type: ignore[arg-type]
    return replace(evidence, content=replace(evidence.content, tensors=tensors))


def test_evidence_without_leaves_still_names_the_tensor() -> None:
    new = dict(arrays(), big=arrays()["big"] + 1)
    evidence = without(model()[2], leaves=b"", sample=b"")
    data = saved(new)
    (found,) = localise(evidence, Memory(data), facts_of(data)).tensors
    assert (found.spans, found.sampled) == ((), None)
    assert str(found) == "big: somewhere in its 3,600,000 bytes"


def test_forged_leaves_hide_the_place_and_not_the_change() -> None:
    new = saved(dict(arrays(), big=arrays()["big"] + 1))
    forged = evidence_of(new).content.tensors
    tensors = tuple(
        replace(entry, leaves=other.leaves)
        for entry, other in zip(model()[2].content.tensors, forged, strict=True)
    )
    evidence = replace(model()[2], content=replace(model()[2].content, tensors=tensors))
    (found,) = localise(evidence, Memory(new), facts_of(new)).tensors
    assert (found.change, found.spans) == (TensorChange.VALUES, ())


def packed(arrays: Arrays, compression: int) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, array in arrays.items():
            body = BytesIO()
            np.save(body, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), body.getvalue(), compression)
    return out.getvalue()


def facts_of_npz(data: bytes) -> Facts:
    return hostile.read(npz.FORMAT, data, "m.npz")


def test_a_compressed_tensor_is_localised_in_its_inflated_bytes() -> None:
    new = dict(arrays(), big=arrays()["big"].copy())
    new["big"].reshape(-1)[600_000] = 3
    files = [packed(each, zipfile.ZIP_DEFLATED) for each in (arrays(), new)]
    evidence = read(Memory(render(evidence_of(files[0], facts_of_npz(files[0])))))
    assert evidence.content.tensors[0].tensor.layout is Layout.DEFLATED
    found = localise(evidence, Memory(files[1]), facts_of_npz(files[1]))
    assert str(found).splitlines()[0] == "big: bytes 2,097,152 to 3,145,727 of 3,600,000"


def test_stored_in_another_way_is_metadata_only() -> None:
    old, new = (packed(arrays(), way) for way in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    evidence = evidence_of(old, facts_of_npz(old))
    assert localise(evidence, Memory(new), facts_of_npz(new)).metadata_only


def strided(data: bytes, name: str) -> Facts:
    facts = facts_of(data)
    return replace(
        facts,
        tensors=tuple(
            replace(tensor, layout=Layout.STRIDED) if tensor.name == name else tensor
            for tensor in facts.tensors
        ),
    )


def test_a_tensor_without_a_digest_is_compared_with_the_rest_of_the_file() -> None:
    data = model()[0]
    facts = strided(data, "small")
    evidence = evidence_of(data, facts)
    assert localise(evidence, Memory(data), facts).same
    new = saved(dict(arrays(), small=arrays()["small"] + 1))
    found = localise(evidence, Memory(new), strided(new, "small"))
    assert kinds(found) == [("small", TensorChange.NOT_COMPARED)]
    assert str(found).splitlines()[0] == "small: not compared"


class Changing(Memory):
    """Gives other bytes when it is read again."""

    def __init__(self, data: bytes) -> None:
        super().__init__(bytearray(data))  # type: ignore[arg-type]
        self.end = False

    def read_into(self, offset: int, buffer: memoryview) -> int:
        count = super().read_into(offset, buffer)
        if self.end:
            buffer[0] ^= 1
        self.end = self.end or offset + count == self.size
        return count


def test_a_file_that_changes_while_it_is_read_is_an_error() -> None:
    new = saved(dict(arrays(), big=arrays()["big"] + 1))
    with pytest.raises(UnreadableError, match="changed while") as caught:
        localise(model()[2], Changing(new), facts_of(new))
    assert caught.value.reason is Reason.CHANGED


def test_progress_adds_up_to_the_size() -> None:
    data, facts, evidence = model()
    seen: list[int] = []
    localise(evidence, Memory(data), facts, advanced=seen.append)
    assert sum(seen) == len(data)


def test_names_are_shown_without_control_characters() -> None:
    old, new = saved({"a\x1b[2J\n": np.ones(3)}), saved({"a\x1b[2J\n": np.zeros(3)})
    assert str(located(old, new)).splitlines() == ["a\\x1b[2J\\x0a: bytes 0 to 23 of 24"]
