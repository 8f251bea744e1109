"""Tensors of two weight files by their digests."""

from __future__ import annotations

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.facts import Facts, FileKind, Layout, Tensor
from aibom.domain.file import File, Unindexed
from aibom.inventory.weights_difference import (
    Held,
    held,
    is_explained,
    is_read,
    metadata_keys,
    surplus_changes,
    tensor_changes,
)


def weights(tensors: dict[str, bytes | None], **more: object) -> File:
    """A file with tensors of one element, each with the digest that is given."""
    listed = tuple(
        Tensor(name=name, dtype="F32", shape=(1,), offset=4 * at, length=4,
               layout=Layout.RAW if digest else Layout.STRIDED)
        for at, (name, digest) in enumerate(tensors.items())
    )  # fmt: skip
    metadata = more.pop("metadata", ())
    facts = Facts(format="safetensors", kind=FileKind.WEIGHTS, tensors=listed, metadata=metadata)  # type: ignore[arg-type]
    digest = Digest(algorithm="sha256", value="a" * 64, grade=Grade.COMPUTED)
    return File(
        entry=Entry(path="w", size=100), digests=(digest,), facts=facts,
        tensor_digests=tuple(tensors.values()), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def told(
    old: dict[str, bytes | None], new: dict[str, bytes | None], says: str = ""
) -> list[tuple[str, str, str, str]]:
    def examine(_old: Held, _new: Held) -> str:
        return says

    changes = tensor_changes("w", held([weights(old)]), held([weights(new)]), examine)
    return [(change.subject, change.old, change.new, change.detail) for change in changes]


ONE, TWO = b"\x01" * 32, b"\x02" * 32


def test_tensors_come_go_change_and_stay() -> None:
    old: dict[str, bytes | None] = {"same": ONE, "gone": b"\x05" * 32, "edited": ONE}
    new: dict[str, bytes | None] = {"same": ONE, "come": b"\x06" * 32, "edited": TWO}
    assert told(old, new, "few rows") == [
        ("w: come", "", "F32 [1]", "tensor added"),
        ("w: edited", "01" * 6, "02" * 6, "few rows"),
        ("w: gone", "F32 [1]", "", "tensor removed"),
    ]


def test_without_the_bytes_the_values_are_others() -> None:
    assert told({"a": ONE}, {"a": TWO}) == [("w: a", "01" * 6, "02" * 6, "other values")]


def test_one_content_under_another_name_is_renamed_when_it_is_the_only_one() -> None:
    assert told({"a": ONE}, {"b": ONE}) == [("w: b", "a", "b", "tensor renamed")]
    twice = told({"a": ONE, "b": ONE}, {"c": ONE})
    assert [detail for *_, detail in twice] == ["tensor removed", "tensor removed", "tensor added"]


def test_a_tensor_without_a_digest_is_not_called_the_same() -> None:
    for old, new in ((None, ONE), (ONE, None), (None, None)):
        (change,) = told({"a": old}, {"a": new})
        assert change[3].startswith("not compared: ")


def test_the_second_tensor_of_one_name_is_compared_with_the_second() -> None:
    def changes(second: bytes) -> list[str]:
        sides = [held([weights({"a": ONE}), weights({"a": digest})]) for digest in (ONE, second)]
        return [change.subject for change in tensor_changes("w", *sides, lambda _old, _new: "")]

    assert (changes(ONE), changes(TWO)) == ([], ["w: a (2)"])


def test_bytes_that_no_tensor_explains_and_header_texts_are_told() -> None:
    old = weights(
        {"a": ONE}, unindexed=Unindexed(bytes=0, sha256="0"), metadata=(("note", "x"), ("same", "y"))
    )
    new = weights(
        {"a": ONE}, unindexed=Unindexed(bytes=9, sha256="1"), metadata=(("note", "z"), ("same", "y"))
    )
    assert [(each.old, each.new, each.detail) for each in surplus_changes("w", old, new)] == [
        ("0 bytes", "9 bytes", "unindexed bytes"),
        ("", "", "metadata: note"),
    ]
    assert list(surplus_changes("w", old, old)) == []


def test_many_header_texts_are_counted() -> None:
    new = weights({"a": ONE}, metadata=tuple((f"key-{number}", "x") for number in range(9)))
    assert metadata_keys(weights({"a": ONE}), new) == "key-0, key-1, key-2, key-3, key-4 and 4 more"


def test_a_file_is_explained_when_every_byte_has_a_digest() -> None:
    rest = Unindexed(bytes=0, sha256="0")
    assert is_explained(weights({"a": ONE}, unindexed=rest))
    assert not is_explained(weights({"a": ONE}))
    assert not is_explained(weights({"a": None}, unindexed=rest))
    assert not is_read(weights({}))
