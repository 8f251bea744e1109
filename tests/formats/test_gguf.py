"""GGUF: facts equal those of the reference library, and nothing hostile gets through."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.facts import Attribute, Capability, Facts, Layout, Statement
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import METADATA_COUNT, MIB, TENSOR_COUNT
from aibom.domain.protocols import Match
from aibom.formats._gguf import FILE_TYPES, TYPES
from aibom.formats.gguf import FORMAT, PAIR_COUNT, STRAY_BYTES, TEMPLATE_BYTES
from aibom.readers.defects import DEFECT_COUNT
from tests.hostile import FIXTURES, flips, outcome, probe_of, read, read_fixture, truncations

CHAT = "gguf/chat.gguf"
ALL = ("chat", "big-endian", "split-00002-of-00002", "vocabulary")


def string(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, elements: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + elements


def info(name: str = "a", shape: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0) -> bytes:
    dims = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return string(name) + dims + struct.pack("<IQ", kind, offset)


def header(tensors: int = 0, pairs: int = 0, *, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs)


def packed(pairs: list[bytes], infos: list[bytes], body: bytes = b"", alignment: int = 32) -> bytes:
    data = header(len(infos), len(pairs)) + b"".join(pairs + infos)
    return data + b"\0" * (-len(data) % alignment) + body


def facts_of(data: bytes) -> Facts:
    return read(FORMAT, data, "m.gguf")


def messages(facts: Facts) -> list[str]:
    return [defect.message for defect in facts.defects]


def names(facts: Facts) -> list[str]:
    return [tensor.name for tensor in facts.tensors]


@pytest.mark.parametrize("name", ALL)
def test_tensors_equal_the_reference_library(name: str) -> None:
    data = (FIXTURES / f"gguf/{name}.gguf").read_bytes()
    facts = read_fixture(FORMAT, f"gguf/{name}.gguf")
    expected = gguf.GGUFReader(FIXTURES / f"gguf/{name}.gguf").tensors
    assert [(t.name, t.dtype, t.shape[::-1], t.offset, t.length) for t in facts.tensors] == [
        (t.name, t.tensor_type.name, tuple(t.shape.tolist()), t.data_offset, t.n_bytes) for t in expected
    ]
    for ours, theirs in zip(facts.tensors, expected, strict=True):
        assert data[ours.offset : ours.offset + ours.length] == theirs.data.tobytes()
    assert facts.first(Attribute.PARAMETER_COUNT) == str(sum(t.n_elements for t in expected))


@pytest.mark.parametrize("name", ALL)
def test_metadata_equals_the_reference_library(name: str) -> None:
    facts = read_fixture(FORMAT, f"gguf/{name}.gguf")
    fields = gguf.GGUFReader(FIXTURES / f"gguf/{name}.gguf").fields
    expected = {key: f.contents() for key, f in fields.items() if not key.startswith("GGUF.")}
    assert [key for key, _ in facts.metadata] == list(expected)
    for key, text in facts.metadata:
        if isinstance(expected[key], (str, int)):
            assert text == str(expected[key])
        elif isinstance(expected[key], float):
            assert float(text) == pytest.approx(expected[key], rel=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_header_tensors_and_padding_cover_every_byte(name: str) -> None:
    facts = read_fixture(FORMAT, f"gguf/{name}.gguf")
    covered = sum(span.end - span.start for span in facts.covered) + sum(t.length for t in facts.tensors)
    assert covered == (FIXTURES / f"gguf/{name}.gguf").stat().st_size
    assert facts.indexed
    assert facts.defects == ()


def test_standard_keys_become_statements() -> None:
    facts = read_fixture(FORMAT, CHAT)
    assert facts.version == "3"
    assert facts.first(Attribute.NAME) == "Tiny Chat"
    assert facts.values(Attribute.MODEL_TYPE) == ("llama", "Tiny")
    assert facts.first(Attribute.LICENCE) == "cc-by-nc-4.0"
    assert facts.values(Attribute.LANGUAGE) == ("en", "no")
    assert facts.values(Attribute.TAG) == ("chat", "tiny")
    assert facts.first(Attribute.QUANTISATION) == "Q4_K_M"
    assert facts.first(Attribute.VOCABULARY_SIZE) == "40"
    assert facts.first(Attribute.TOKENIZER_CLASS) == "llama"
    hyper = {s.detail("name"): s.value for s in facts.statements if s.attribute is Attribute.HYPERPARAMETER}
    assert hyper["context_length"] == "64"
    assert hyper["attention.layer_norm_rms_epsilon"] == "1e-05"


def test_base_models_and_datasets_are_named_by_their_place() -> None:
    facts = read_fixture(FORMAT, CHAT)
    (base,) = (s for s in facts.statements if s.attribute is Attribute.BASE_MODEL)
    assert base.value == "https://huggingface.co/example/tiny-base"
    assert (base.detail("name"), base.detail("organization"), base.detail("version")) == (
        "Tiny Base",
        "Example",
        "v0.1",
    )
    assert facts.values(Attribute.DATASET) == ("https://huggingface.co/datasets/example/tiny-talks",)


def test_chat_templates_are_digested_over_all_their_bytes() -> None:
    facts = read_fixture(FORMAT, CHAT)
    template = gguf.GGUFReader(FIXTURES / CHAT).fields["tokenizer.chat_template"].contents()
    digests = [s for s in facts.statements if s.attribute is Attribute.CHAT_TEMPLATE_SHA256]
    assert [s.detail("name") for s in digests] == [None, "tool"]
    assert digests[0].value == hashlib.sha256(template.encode()).hexdigest()
    assert Capability.CHAT_TEMPLATE in facts.capabilities
    assert not read_fixture(FORMAT, "gguf/vocabulary.gguf").capabilities
    long = b"{{ x }}" * 100_000
    facts = facts_of(packed([pair("tokenizer.chat_template", 8, string(long))], []))
    assert facts.first(Attribute.CHAT_TEMPLATE_SHA256) == hashlib.sha256(long).hexdigest()
    assert len(facts.metadata[0][1]) < 5_000


def test_the_place_in_a_split_stays_in_the_metadata() -> None:
    facts = read_fixture(FORMAT, "gguf/split-00002-of-00002.gguf")
    assert {("split.no", "1"), ("split.count", "2")} <= set(facts.metadata)


def test_big_endian_tensors_are_no_raw_bytes() -> None:
    facts = read_fixture(FORMAT, "gguf/big-endian.gguf")
    assert [t.layout for t in facts.tensors] == [Layout.BIG_ENDIAN, Layout.RAW]  # one byte has no order


def test_type_tables_hold_all_that_the_reference_library_knows() -> None:
    sizes = {t.value: (t.name, *size) for t, size in gguf.GGML_QUANT_SIZES.items()}
    assert sizes.items() <= TYPES.items()
    types = {t.value: t.name.removeprefix("MOSTLY_").removeprefix("ALL_") for t in gguf.LlamaFileType}
    assert {number: name for number, name in types.items() if name != "GUESSED"}.items() <= FILE_TYPES.items()


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(\.[a-z_]{1,8})?", fullmatch=True), st.text(max_size=40), max_size=4
    ),
    st.lists(
        st.tuples(
            st.sampled_from([np.float32, np.float16, np.int8, np.int64]),
            st.lists(st.integers(0, 5), min_size=1, max_size=4),
        ),
        max_size=4,
    ),
    st.sampled_from([8, 32, 64]),
    st.booleans(),
)
def test_any_file_of_the_reference_writer_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    texts: dict[str, str],
    arrays: list[tuple[type[np.generic], list[int]]],
    alignment: int,
    big: bool,
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "any.gguf"
    endianess = gguf.GGUFEndian.BIG if big else gguf.GGUFEndian.LITTLE
    writer = gguf.GGUFWriter(path, "llama", endianess=endianess)
    writer.add_custom_alignment(alignment)
    for key, text in texts.items():
        writer.add_string(key, text)
    for index, (dtype, shape) in enumerate(arrays):
        writer.add_tensor(f"t{index}", np.zeros(shape, dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    facts = facts_of(path.read_bytes())
    assert {t.name: t.shape for t in facts.tensors} == {
        f"t{index}": tuple(shape) for index, (_, shape) in enumerate(arrays)
    }
    assert {key: text for key, text in texts.items() if text}.items() <= dict(facts.metadata).items()
    assert facts.defects == ()


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 3))
def test_arbitrary_bytes_give_facts_or_a_named_error(body: bytes, tensors: int, pairs: int) -> None:
    outcome(FORMAT, header(tensors, pairs) + body, "m.gguf")


@pytest.mark.parametrize("name", ALL)
def test_a_truncation_at_any_byte_is_told(name: str) -> None:
    data = (FIXTURES / f"gguf/{name}.gguf").read_bytes()
    facts = facts_of(data)
    end = max((t.offset + t.length for t in facts.tensors), default=facts.covered[0].end)
    for cut in truncations(data):
        result = outcome(FORMAT, cut, "m.gguf")
        told = isinstance(result, UnreadableError) or result.defects
        assert told or len(cut) >= end  # the padding at the very end may be missing


@pytest.mark.parametrize("name", ALL)
def test_flipped_bytes_never_escape(name: str) -> None:
    for copy in flips((FIXTURES / f"gguf/{name}.gguf").read_bytes(), 400):
        outcome(FORMAT, copy, "m.gguf")


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (b"", Reason.TRUNCATED, "8 bytes expected"),
        (b"GGML" + bytes(20), Reason.MALFORMED, "does not start with GGUF"),
        (header(version=1), Reason.UNSUPPORTED, "GGUF version 1"),
        (header(version=4), Reason.UNSUPPORTED, "GGUF version 4"),
        (b"GGUF\0\0\0\x02" + bytes(16), Reason.UNSUPPORTED, "version 2 (big-endian)"),
        (header(2**63), Reason.LIMIT, f"at most {TENSOR_COUNT}"),
        (header(0, 2**63), Reason.LIMIT, f"at most {PAIR_COUNT}"),
        (header(0, 1), Reason.TRUNCATED, "8 bytes expected"),
        (header(0, 1) + struct.pack("<Q", 2**63), Reason.TRUNCATED, "bytes expected"),
        (header(0, 1) + pair("a", 8, struct.pack("<Q", 2**64 - 1)), Reason.TRUNCATED, "bytes expected"),
        (header(0, 1) + pair("a", 13, b""), Reason.MALFORMED, "no value type 13"),
        (header(0, 1) + pair("a", 9, array(13, 1)), Reason.MALFORMED, "no value type 13"),
        (header(0, 1) + pair("a", 9, array(8, 2**64 - 1)), Reason.TRUNCATED, "8 bytes expected"),
        (header(0, 1) + pair("a", 9, array(10, 2**64 - 1, bytes(512))), Reason.TRUNCATED, "to skip"),
        (header(0, 1) + pair("a", 9, array(9, 2**64 - 1)), Reason.TRUNCATED, "4 bytes expected"),
        (header(0, 1) + pair("a", 9, array(9, 1) * 9), Reason.LIMIT, "nested deeper than 4"),
        (packed([], [info(shape=(1,) * 9)]), Reason.UNSUPPORTED, "9 dimensions"),
        (packed([], [info(shape=(2**32, 2**32))]), Reason.MALFORMED, "impossible shape"),
        (packed([], [info(shape=(0, 2**63))]), Reason.MALFORMED, "impossible shape"),
    ],
)  # fmt: skip
def test_hostile_headers_are_named(data: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        facts_of(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        (packed([], [info(kind=4)], bytes(32)), Reason.UNSUPPORTED, "type 4, which was removed"),
        (packed([], [info(kind=999)], bytes(32)), Reason.UNSUPPORTED, "type 999"),
        (packed([], [info(kind=12)], bytes(32)), Reason.MALFORMED, "do not fill Q4_K blocks of 256"),
        (packed([], [info(offset=2**63)], bytes(32)), Reason.TRUNCATED, "ends at byte"),
        (packed([], [info(offset=8)], bytes(64)), Reason.MALFORMED, "not aligned to 32"),
        (packed([], [info("n" * 65)], bytes(32)), Reason.MALFORMED, "longer than 64 bytes"),
        (packed([pair("a", 7, b"\1"), pair("a", 7, b"\1")], []), Reason.MALFORMED, "'a' is given twice"),
        (packed([], [info(shape=(7,))], bytes(28) + b"evil"), Reason.MALFORMED, "4 bytes of padding are not"),
    ],
)
def test_what_leaves_the_rest_readable_is_a_defect(data: bytes, reason: Reason, words: str) -> None:
    defects = [d for d in facts_of(data).defects if words in d.message]
    assert [d.reason for d in defects] == [reason]
    assert defects[0].offset is not None


def aligned(value: bytes, kind: int = 4) -> list[bytes]:
    return [pair("general.alignment", kind, value)]


@pytest.mark.parametrize(
    ("data", "found", "tensors"),
    [
        (packed([pair("a", 7, b"\1"), pair("a", 7, b"\0")], []), "duplicate-key", {}),
        (packed([], [info(), info(offset=32)], bytes(64)), "duplicate-tensor", {"a": 32}),
        (packed([], [info(), info("b")], bytes(32)), "overlap", {"a": 32, "b": 32}),
        (packed([], [info("a\0b")], bytes(32)), "name", {"a\0b": 32}),
        (packed(aligned(bytes(4)), [info()], bytes(32)), "alignment", {"a": 32}),
        (packed(aligned(string("32"), 8), [info()], bytes(32)), "alignment", {"a": 32}),
        (packed(aligned(b"\x30\0\0\0"), [info(shape=(12,))], bytes(48), 48), "alignment", {"a": 48}),
    ],
)  # fmt: skip
def test_what_readers_disagree_about_is_a_hazard_and_the_tensors_are_told(
    data: bytes, found: str, tensors: dict[str, int]
) -> None:
    facts = facts_of(data)
    assert [(hazard.kind, hazard.found) for hazard in facts.hazards] == [(HazardKind.AMBIGUOUS_HEADER, found)]
    assert {tensor.name: tensor.length for tensor in facts.tensors} == tensors


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (packed([pair("a", 7, b"\1"), pair("a", 7, b"\0")], []), KeyError),
        (packed([], [info(), info(offset=32)], bytes(64)), ValueError),
        (packed(aligned(string("32"), 8), [info()], bytes(32)), ValueError),
        (packed(aligned(bytes(4)), [info()], bytes(32)), ValueError),
    ],
)
def test_the_reference_reader_refuses_them_too(data: bytes, error: type[Exception], tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(data)
    with pytest.raises(error):
        gguf.GGUFReader(tmp_path / "m.gguf")


@pytest.mark.parametrize("stray", [1, STRAY_BYTES, STRAY_BYTES + 1])
def test_padding_that_holds_more_than_stray_bytes_is_a_payload(stray: int) -> None:
    facts = facts_of(packed([], [info(shape=(1,))], bytes(4) + b"x" * stray + bytes(28 - stray)))
    assert "28 bytes of padding are not zero" in messages(facts)
    expected = [(HazardKind.HIDDEN_PAYLOAD, "padding")] if stray > STRAY_BYTES else []
    assert [(hazard.kind, hazard.found) for hazard in facts.hazards] == expected


def test_a_payload_spread_over_many_paddings_adds_up() -> None:
    infos = [info(f"t{i}", (7,), offset=32 * i) for i in range(5)]
    facts = facts_of(packed([], infos, (bytes(28) + b"evil") * 5))
    assert [hazard.found for hazard in facts.hazards] == ["padding"]


@pytest.mark.parametrize("key", ["tokenizer.chat_template", "tokenizer.chat_template.tool"])
def test_every_chat_template_is_examined_to_its_end(key: str) -> None:
    text = "x" * 70_000 + "{{ x.__class__.__mro__ }}"
    facts = facts_of(packed([pair("n", 0, b"\1"), pair(key, 8, string(text))], []))
    assert {hazard.kind for hazard in facts.hazards} == {HazardKind.UNSAFE_TEMPLATE}
    assert not facts.defects


def test_a_chat_template_too_long_to_be_examined_is_a_defect() -> None:
    text = "{{ x }}" + "x" * TEMPLATE_BYTES
    facts = facts_of(packed([pair("tokenizer.chat_template", 8, string(text))], []))
    assert [defect.reason for defect in facts.defects] == [Reason.LIMIT]
    assert facts.first(Attribute.CHAT_TEMPLATE_SHA256) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ALL)
def test_files_of_the_reference_writer_have_no_hazard(name: str) -> None:
    assert read_fixture(FORMAT, f"gguf/{name}.gguf").hazards == ()


def test_trailing_bytes_are_a_defect_and_stay_unexplained() -> None:
    facts = facts_of(packed([], [info()], bytes(32) + b"payload"))
    assert messages(facts) == ["7 bytes belong to no tensor"]
    assert facts.indexed
    assert max(span.end for span in facts.covered) <= facts.tensors[0].offset


def test_a_hole_between_tensors_is_a_defect() -> None:
    facts = facts_of(packed([], [info(), info("b", offset=64)], bytes(96)))
    assert messages(facts) == ["32 bytes belong to no tensor"]
    assert names(facts) == ["a", "b"]


def test_padding_that_carries_data_is_not_covered() -> None:
    facts = facts_of(packed([], [info(shape=(7,))], bytes(28) + b"evil"))
    assert all(span.end <= facts.tensors[0].offset for span in facts.covered)


def test_a_tensor_of_unknown_type_has_no_length_and_the_file_no_claim_to_be_explained() -> None:
    facts = facts_of(packed([], [info(kind=4), info("b", offset=64)], bytes(96)))
    assert [(t.name, t.length, t.layout) for t in facts.tensors] == [
        ("a", 0, Layout.PACKED),
        ("b", 32, Layout.RAW),
    ]
    assert not facts.indexed
    assert facts.first(Attribute.PARAMETER_COUNT) == "16"


def test_pairs_beyond_the_limit_are_passed_over_but_the_alignment_is_not() -> None:
    pairs = [pair(f"k{i}", 0, b"\1") for i in range(METADATA_COUNT + 5)]
    pairs.append(pair("general.alignment", 4, b"\x08\0\0\0"))
    facts = facts_of(packed(pairs, [info()], bytes(32), 8))
    assert len(facts.metadata) == METADATA_COUNT + 1
    assert messages(facts) == [f"{METADATA_COUNT + 6} key-value pairs, the first {METADATA_COUNT} are kept"]
    assert names(facts) == ["a"]


def test_text_that_is_not_unicode_is_escaped() -> None:
    facts = facts_of(packed([pair("general.name", 8, string(b"\xff\x00x"))], []))
    assert facts.first(Attribute.NAME) == "\\xff\0x"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (0, b"\xff", "255"), (1, b"\xff", "-1"), (2, b"\xff\xff", "65535"), (3, b"\xff\xff", "-1"),
        (4, b"\xff" * 4, str(2**32 - 1)), (5, b"\xff" * 4, "-1"), (6, struct.pack("<f", 0.1), "0.1"),
        (7, b"\0", "false"), (8, string("ja"), "ja"), (10, b"\xff" * 8, str(2**64 - 1)),
        (11, b"\xff" * 8, "-1"), (12, struct.pack("<d", 0.1), "0.1"), (6, b"\xff" * 4, "nan"),
        (9, array(7, 2, b"\0\1"), "[false, true]"),
        (9, array(8, 2, string("a") + string("b")), "[a, b]"),
        (9, array(9, 2, array(0, 1, b"\1") * 2), "[, … 2 in all]"),
        (9, array(0, 40, bytes(40)), f"[{'0, ' * 32}… 40 in all]"),
    ],
)  # fmt: skip
def test_every_value_type_is_shown(kind: int, value: bytes, text: str) -> None:
    facts = facts_of(packed([pair("k", kind, value), pair("end", 0, b"\1")], []))
    assert facts.metadata == (("k", text), ("end", "1"))


def test_arrays_of_long_strings_are_passed_over_exactly() -> None:
    texts = [b"x" * size for size in (*range(200), 70_000, 3, 200_000, 0)]
    value = array(8, len(texts), b"".join(map(string, texts)))
    facts = facts_of(packed([pair("k", 9, value), pair("general.name", 8, string("n"))], []))
    assert facts.first(Attribute.NAME) == "n"


def test_a_parameter_count_is_no_claim_of_a_key() -> None:
    facts = facts_of(packed([pair("general.architecture", 8, string("x"))], [info()], bytes(32)))
    assert facts.statements[-1] == Statement(attribute=Attribute.PARAMETER_COUNT, value="8")


def test_padding_too_long_to_be_read_is_not_covered() -> None:
    pairs = [pair("general.alignment", 4, b"\0\0\x08\0")]
    facts = facts_of(packed(pairs, [info()], bytes(2**19), 2**19))
    assert [d.reason for d in facts.defects] == [Reason.LIMIT, Reason.LIMIT]
    assert len(facts.covered) == 1


@pytest.mark.parametrize(
    ("data", "share"),
    [
        (packed([], [info("n" * 250 + str(i), (2**40, 2**20, 2**20, 0)) for i in range(5_000)]), 20),
        (packed([pair(f"k{i}", 9, array(8, 40, string("x" * 300) * 40)) for i in range(64)], []), 8),
        (packed([pair("k", 9, array(8, 50_000, bytes(400_000)))], []), 1),
    ],
    ids=["tensors", "pairs", "strings"],
)
def test_many_entries_stay_within_bounded_memory(data: bytes, share: int) -> None:
    """`share`: what part of the limit the data holds, so that tracing takes no minutes."""
    tracemalloc.start()
    facts = facts_of(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak * share < 64 * MIB
    assert len(facts.defects) <= DEFECT_COUNT + 1


def test_recognised_by_content_under_any_name() -> None:
    data = (FIXTURES / CHAT).read_bytes()
    assert FORMAT.recognise(probe_of(data, "weights.bin")) is Match.CONTENT
    assert FORMAT.recognise(probe_of(b"\x80\x04K\x01.", "model.GGUF")) is Match.NAME
    assert FORMAT.recognise(probe_of(b"hello", "notes.txt")) is Match.NO
