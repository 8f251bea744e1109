"""What a DSSE signature covers, against the example of its specification."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aibom.trust.dsse import INTOTO_TYPE, old_pae, pae

pairs = st.tuples(st.text(st.characters(codec="utf-8"), max_size=12), st.binary(max_size=12))


def test_the_example_of_the_protocol_is_encoded_as_it_says() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_are_in_bytes_and_the_payload_is_not_touched() -> None:
    assert pae("é", b"\xff\x00 ") == b"DSSEv1 2 \xc3\xa9 3 \xff\x00 "
    assert pae("", b"") == b"DSSEv1 0  0 "


def test_a_space_moved_from_the_payload_to_the_type_is_another_encoding() -> None:
    assert pae("a", b"1 b") != pae("a 1", b"b")


@given(pairs, pairs)
def test_two_pairs_never_have_one_encoding(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert (pae(*one) == pae(*other)) is (one == other)


def test_the_old_encoding_holds_the_notation_of_the_payload() -> None:
    payload = b'{\n  "_type": "x"\n}'
    assert old_pae(INTOTO_TYPE, payload) == (
        b'DSSEV1 28 application/vnd.in-toto+json 18 b\'{\\n  "_type": "x"\\n}\''
    )
    assert old_pae("t", b"it's \xe9") == b'DSSEV1 1 t 6 b"it\'s \\xe9"'


@given(pairs, pairs)
def test_an_old_encoding_is_never_a_new_one(one: tuple[str, bytes], other: tuple[str, bytes]) -> None:
    assert old_pae(*one) != pae(*other)
