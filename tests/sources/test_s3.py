"""S3 against a small server in this process; against one of others in tests/integration."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("botocore", reason="the extra [s3] is not installed")

from aibom.domain.digest import Digest, Grade
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.gap import Gap
from aibom.domain.publication import Attached, DocumentKind, WriteState
from aibom.domain.ref import PinnedRef, Ref
from aibom.sources import beside, s3, s3_bucket, s3_digests, s3_session
from aibom.sources.opening import Opening
from aibom.sources.within import within
from tests.services.s3_fake import KEYS, Asked, FakeS3, Reply, error, serving, xml

WEIGHTS = bytes(range(256)) * 4_000  # 1 MB: read by its header
BOM = b'{"bomFormat": "CycloneDX", "version": 1}'
NEWER = b'{"bomFormat": "CycloneDX", "version": 2}'


class Network:
    """Stands for the allowed network; S3 has an HTTP client of its own."""


@pytest.fixture(scope="module")
def server() -> Iterator[FakeS3]:
    with serving() as fake:
        yield fake


@pytest.fixture
def fake(server: FakeS3, monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    server.reset()
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    return server


def opened(fake: FakeS3, target: str, **options: Any) -> s3.S3Source:
    opening = Opening(network=Network, environment=fake.environment, **options)  # type: ignore[arg-type]
    source = s3.PLACE.open(target, opening)
    assert isinstance(source, s3.S3Source)
    return source


def listed(source: s3.S3Source) -> dict[str, Entry]:
    return {item.path: item for item in source.entries() if isinstance(item, Entry)}


def gaps(source: s3.S3Source) -> list[Gap]:
    return [item for item in source.entries() if isinstance(item, Gap)]


def whole(source: s3.S3Source, entry: Entry) -> bytes:
    with source.open(entry) as reader:
        return reader.read_at(0, reader.size)


def document(data: bytes = BOM, name: str = "bom.json", kind: DocumentKind = DocumentKind.BOM) -> Attached:
    return Attached(name=name, kind=kind, media_type="application/vnd.cyclonedx+json", data=data)


def refusal(call: Callable[[], object]) -> UnreadableError:
    with pytest.raises(UnreadableError) as raised:
        call()
    assert "secret-" not in str(raised.value)
    return raised.value


# What the user typed


def test_a_prefix_is_listed_with_paths_relative_to_it(fake: FakeS3) -> None:
    fake.put("m/config.json", b"{}")
    fake.put("m/sub/a.txt", b"1")
    fake.put("other/b.txt", b"2")
    for target in ("s3://models/m", "s3://models/m/"):
        source = opened(fake, target)
        assert list(listed(source)) == ["config.json", "sub/a.txt"]
        assert source.target.ref == Ref(scheme="s3", location="models/m")
        assert source.target.name == "m"


def test_a_whole_bucket_is_a_target(fake: FakeS3) -> None:
    fake.put("a", b"1")
    source = opened(fake, "s3://models")
    assert (list(listed(source)), source.target.name) == (["a"], "models")
    assert source.target.ref == Ref(scheme="s3", location="models")


def test_one_object_is_a_target_of_one_file(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    fake.put("m/model.gguf.bak", b"no")
    source = opened(fake, "s3://models/m/model.gguf")
    (entry,) = listed(source).values()
    assert (entry.path, whole(source, entry)) == ("model.gguf", b"GGUF")
    assert source.target.ref == Ref(scheme="s3", location="models/m/model.gguf")


def test_an_older_version_of_an_object_can_be_named(fake: FakeS3) -> None:
    fake.versioning = "Enabled"
    old = fake.put("model.gguf", b"old!")
    fake.put("model.gguf", b"newer")
    source = opened(fake, f"s3://models/model.gguf?versionId={old.version}")
    (entry,) = listed(source).values()
    assert whole(source, entry) == b"old!"
    assert source.target.ref == PinnedRef(scheme="s3", location="models/model.gguf", revision=old.version)
    assert ("pinned", "by its version id") in source.target.attributes


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("s3://", "s3://bucket/prefix/"),
        ("s3:///key", "s3://bucket/prefix/"),
        ("s3://a", "s3://bucket/prefix/"),
        ("s3://user:password@models/key", "s3://bucket/prefix/"),
        ("s3://models:9000/key", "s3://bucket/prefix/"),
        ("s3://../key", "s3://bucket/prefix/"),
        ("s3://arn:aws:s3:us-east-1:1:accesspoint/x/key", "s3://bucket/prefix/"),
        ("s3://models/a\nb", "characters that none should have"),
        ("s3://models/a//b", "characters that none should have"),
        ("s3://models/" + "k" * 1_025, "longer than 1,024 bytes"),
        ("s3://models/m/?versionId=1", "that of one object"),
        ("s3://models?versionId=1", "that of one object"),
        ("s3://models/key?versionId=", "that of one object"),
        ("s3://models/key?versionId=a b", "that of one object"),
    ],
    ids=lambda value: value[:24].replace("\n", "_") if isinstance(value, str) else None,
)
def test_an_address_that_is_none_says_what_to_type(target: str, words: str) -> None:
    raised = refusal(lambda: s3.parse(target))
    assert raised.reason is Reason.MALFORMED
    assert words in raised.message


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        address = s3.parse(f"s3://{text}")
    except UnreadableError as refused:
        assert refused.reason is Reason.MALFORMED  # noqa: PT017 - either is fine
    else:
        assert text.startswith(f"{address.bucket}/{address.key}".rstrip("/"))


def test_nothing_under_the_address_is_vanished(fake: FakeS3) -> None:
    fake.put("m/a", b"")
    assert refusal(lambda: opened(fake, "s3://models/missing")).reason is Reason.VANISHED
    assert refusal(lambda: opened(fake, "s3://models/missing/")).reason is Reason.VANISHED
    assert refusal(lambda: opened(fake, "s3://models/m/a?versionId=v9")).reason is Reason.MISSING


# Pins


def test_in_a_bucket_with_versions_each_object_is_read_by_its_version_id(fake: FakeS3) -> None:
    fake.versioning = "Enabled"
    fake.put("m/a.json", b"{}")
    second = fake.put("m/a.json", b'{"b":1}')
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    fake.put("m/a.json", b"{}")  # after the listing
    assert whole(source, entry) == b'{"b":1}'
    assert fake.asked[-1].query["versionId"] == second.version
    assert entry.etag.endswith(f"/models/m/a.json#{second.version}")
    assert ("pinned", "each object by its version id") in source.target.attributes


def test_in_a_bucket_without_versions_each_request_names_the_etag(fake: FakeS3) -> None:
    fake.put("m/a.json", b"{}")
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    assert whole(source, entry) == b"{}"
    assert fake.asked[-1].headers["if-match"] == fake.objects["m/a.json"][0].etag
    assert ("pinned", "no: the bucket keeps no versions") in source.target.attributes


@pytest.mark.parametrize("denied", ["versioning", "versions"])
def test_versions_that_may_not_be_seen_leave_the_listing_unpinned(fake: FakeS3, denied: str) -> None:
    fake.versioning = "Enabled"
    fake.put("m/a.json", b"{}")
    fake.twist = lambda asked: error(403, "AccessDenied") if denied in asked.query else None
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    assert ("pinned", "no: the versions may not be seen") in source.target.attributes
    assert whole(source, entry) == b"{}"


def test_an_object_that_changes_after_the_listing_is_changed(fake: FakeS3) -> None:
    fake.put("m/model.gguf", WEIGHTS)
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    with source.open(entry) as reader:
        reader.read_at(0, 8)
        fake.put("m/model.gguf", WEIGHTS[::-1])
        assert refusal(lambda: reader.read_at(900_000, 8)).reason is Reason.CHANGED


def ignoring_conditions(fake: FakeS3) -> Callable[[Asked], Reply | None]:
    def twist(asked: Asked) -> Reply | None:
        plain = {name: value for name, value in asked.headers.items() if name != "if-match"}
        return fake.reply(Asked(method=asked.method, key=asked.key, query=asked.query, headers=plain))

    return twist


def test_a_store_that_ignores_if_match_is_caught_by_the_etag_of_its_answer(fake: FakeS3) -> None:
    fake.put("m/a.json", b"{}")
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    fake.put("m/a.json", b"[]")
    fake.twist = ignoring_conditions(fake)
    assert refusal(lambda: whole(source, entry)).reason is Reason.CHANGED


def test_an_object_that_is_gone_after_the_listing_is_missing(fake: FakeS3) -> None:
    fake.put("m/a.json", b"{}")
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    del fake.objects["m/a.json"]
    assert refusal(lambda: whole(source, entry)).reason is Reason.MISSING


# Cost


def test_weights_cost_one_question_and_one_range_and_a_listing_one_request_per_thousand(fake: FakeS3) -> None:
    fake.put("m/model.gguf", WEIGHTS)
    for number in range(29):
        fake.put(f"m/{number}.txt", b"x")
    source = opened(fake, "s3://models/m/")
    entry = listed(source)["model.gguf"]
    assert [asked.method for asked in fake.asked] == ["GET", "GET", "GET", "HEAD"]
    before = fake.sent
    with source.open(entry) as reader:
        assert reader.read_at(0, 1_000) == WEIGHTS[:1_000]
        assert reader.read_at(2_000, 30_000) == WEIGHTS[2_000:32_000]
    assert len(fake.asked) == 5
    assert fake.sent - before <= 50_000


def test_a_zip_costs_two_ranges(fake: FakeS3) -> None:
    fake.put("m/model.pt", WEIGHTS)
    source = opened(fake, "s3://models/m/")
    entry, before = listed(source)["model.pt"], len(fake.asked)
    with source.open(entry) as reader:
        reader.read_at(0, 30)
        reader.read_at(len(WEIGHTS) - 22, 22)
        reader.read_at(len(WEIGHTS) - 20_000, 1_000)
    assert len(fake.asked) - before == 2
    assert fake.sent <= 110_000


def test_full_reads_all_bytes(fake: FakeS3) -> None:
    fake.put("m/model.gguf", WEIGHTS)
    source = opened(fake, "s3://models/m/", full=True)
    entry = listed(source)["model.gguf"]
    assert not entry.header_only
    assert whole(source, entry) == WEIGHTS


def test_pages_follow_each_other(fake: FakeS3) -> None:
    for versioning in ("", "Enabled"):
        fake.reset()
        fake.page, fake.versioning = 2, versioning
        for number in range(5):
            fake.put(f"m/{number} ü.txt", b"x")
        assert list(listed(opened(fake, "s3://models/m/"))) == [f"{number} ü.txt" for number in range(5)]


def test_excluded_files_are_counted(fake: FakeS3) -> None:
    fake.put("m/a.tmp", b"")
    fake.put("m/b", b"")
    source = opened(fake, "s3://models/m/", exclude=("*.tmp",))
    assert (list(listed(source)), source.excluded) == (["b"], 1)


# Claims


def hexed(text: str) -> str:
    return base64.b64decode(text).hex()


SHA = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
LAST = "<IsTruncated>false</IsTruncated></R>"
PLAIN, PARTS = '"' + "ab" * 16 + '"', '"' + "ab" * 16 + '-4"'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"ETag": PLAIN}, {"md5": "ab" * 16}, id="one part"),
        pytest.param({"ETag": PLAIN, "ServerSideEncryption": "AES256"}, {"md5": "ab" * 16}, id="key of S3"),
        pytest.param({"ETag": PLAIN, "ServerSideEncryption": "aws:kms"}, {}, id="KMS"),
        pytest.param({"ETag": PLAIN, "ServerSideEncryption": "aws:kms:dsse"}, {}, id="KMS twice"),
        pytest.param({"ETag": PLAIN, "SSECustomerAlgorithm": "AES256"}, {}, id="key of the customer"),
        pytest.param({"ETag": PARTS}, {"s3-etag-multipart": "ab" * 16}, id="parts"),
        pytest.param(
            {"ETag": PLAIN, "ChecksumSHA256": SHA, "ChecksumType": "FULL_OBJECT"},
            {"sha256": hexed(SHA), "md5": "ab" * 16},
            id="whole",
        ),
        pytest.param(
            {"ETag": PARTS, "ChecksumSHA256": SHA, "ChecksumType": "COMPOSITE"},
            {"sha256-composite": hexed(SHA), "s3-etag-multipart": "ab" * 16},
            id="composite",
        ),
        pytest.param(
            {"ETag": PARTS, "ChecksumSHA256": SHA},
            {"sha256-composite": hexed(SHA), "s3-etag-multipart": "ab" * 16},
            id="parts, type not told",
        ),
        pytest.param(
            {"ETag": PLAIN, "ChecksumSHA256": f"{SHA}-2"},
            {"sha256-composite": hexed(SHA), "md5": "ab" * 16},
            id="count of parts, type not told",
        ),
        pytest.param(
            {"ETag": PLAIN, "ChecksumSHA256": f"{SHA}-2", "ChecksumType": "FULL_OBJECT"},
            {"sha256-composite": hexed(SHA), "md5": "ab" * 16},
            id="count of parts, type says otherwise",
        ),
        pytest.param(
            {"ETag": PLAIN, "ChecksumSHA256": SHA}, {"sha256": hexed(SHA), "md5": "ab" * 16}, id="old"
        ),
        pytest.param({"ETag": "x" * 32}, {}, id="no hexadecimal"),
        pytest.param({"ETag": 'W/"1"', "ChecksumSHA256": "????"}, {}, id="no base64"),
        pytest.param({"ChecksumSHA256": "QUJD"}, {}, id="too short"),
        pytest.param({"ETag": 7, "ChecksumSHA256": b"x", "ChecksumType": []}, {}, id="no text"),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_a_claim_has_the_name_of_what_it_really_is(
    answer: dict[str, object], expected: dict[str, str]
) -> None:
    found = s3_digests.from_head(answer)
    assert {each.algorithm: each.value for each in found} == expected
    assert all(each.grade is Grade.CLAIMED for each in found)


@given(st.dictionaries(st.sampled_from(["ETag", "ChecksumSHA256", "ChecksumType"]), st.text(max_size=80)))
def test_any_answer_gives_digests_or_none(answer: dict[str, str]) -> None:
    assert len(s3_digests.from_head(answer)) <= 2


def test_a_listing_alone_never_claims_an_md5() -> None:
    assert s3_digests.from_etag(PLAIN) == ()


def test_the_store_is_asked_for_the_claims_of_large_objects(fake: FakeS3) -> None:
    sha = hashlib.sha256(WEIGHTS)
    fake.put("m/model.gguf", WEIGHTS, x_amz_checksum_sha256=base64.b64encode(sha.digest()).decode())
    entry = listed(opened(fake, "s3://models/m/"))["model.gguf"]
    assert entry.claimed == (
        Digest(algorithm="sha256", value=sha.hexdigest(), grade=Grade.CLAIMED),
        Digest(algorithm="md5", value=hashlib.md5(WEIGHTS).hexdigest(), grade=Grade.CLAIMED),
    )
    assert not entry.etag.startswith("sha256:")  # a cache must not believe what is only claimed


def test_claims_about_another_version_than_the_listed_one_are_not_taken(fake: FakeS3) -> None:
    fake.put("m/model.gguf", WEIGHTS)

    def twist(asked: Asked) -> Reply | None:
        headers = {"ETag": PLAIN, "x-amz-checksum-sha256": SHA}
        return Reply(headers=headers, length=len(WEIGHTS)) if asked.method == "HEAD" else None

    fake.twist = twist
    assert listed(opened(fake, "s3://models/m/"))["model.gguf"].claimed == ()


def test_a_question_for_claims_that_is_denied_leaves_the_object_listed(fake: FakeS3) -> None:
    fake.put("m/model.gguf", WEIGHTS)
    fake.twist = lambda asked: error(403, "AccessDenied") if asked.method == "HEAD" else None
    assert listed(opened(fake, "s3://models/m/"))["model.gguf"].claimed == ()


# Bad listings


def test_keys_that_are_no_paths_are_gaps_and_folder_markers_are_none(fake: FakeS3) -> None:
    for key in ("m/../up", "m//b", "m/a\x1b[31m", "m/back\\slash", "m/./x"):
        fake.put(key, b"1")
    fake.put("m/", b"")
    fake.put("m/folder/", b"")
    fake.put("m/full/", b"not empty")
    fake.put("m/ok", b"1")
    source = opened(fake, "s3://models/m/")
    assert list(listed(source)) == ["ok"]
    found = gaps(source)
    assert len(found) == 6
    assert {gap.reason for gap in found} == {Reason.OUTSIDE_TARGET}
    assert all(gap.path.isprintable() for gap in found)


@pytest.mark.parametrize("versioning", ["", "Enabled"])
def test_a_listing_that_goes_round_in_circles_ends_with_a_gap(fake: FakeS3, versioning: str) -> None:
    fake.versioning = versioning
    fake.put("m/a", b"1")
    row = "<Key>m/a</Key><Size>1</Size><ETag>x</ETag>"
    markers = "<NextContinuationToken>t</NextContinuationToken><NextKeyMarker>m/a</NextKeyMarker>"
    body = (
        f"<R><Contents>{row}</Contents><Version>{row}</Version><IsTruncated>true</IsTruncated>{markers}</R>"
    )
    fake.twist = lambda asked: xml(body) if {"list-type", "versions"} & asked.query.keys() else None
    first = gaps(opened(fake, "s3://models/m/"))[0]
    assert (first.path, first.reason) == (".", Reason.MALFORMED)
    assert "circles" in first.detail
    assert len(fake.asked) < 10


def test_pages_without_end_end_at_a_limit(fake: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket, "PAGE_COUNT", 5)
    fake.page = 1
    for number in range(9):
        fake.put(f"m/{number}", b"1")
    source = opened(fake, "s3://models/m/")
    assert [gap.reason for gap in gaps(source)] == [Reason.LIMIT]
    assert len(listed(source)) == 5  # what came before is kept


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("<html>hello</html>", Reason.UNSUPPORTED, id="another document"),
        pytest.param("no xml", Reason.IO_ERROR, id="no XML"),
        pytest.param("", Reason.UNSUPPORTED, id="empty"),
        pytest.param(
            "<R><Contents><Key>m/a</Key><Size>x</Size></Contents></R>", Reason.UNSUPPORTED, id="size"
        ),
        pytest.param(
            "<R><Contents><Key>m/a</Key><Size>-1</Size></Contents>" + LAST,
            Reason.MALFORMED,
            id="negative size",
        ),
        pytest.param(
            "<R><Contents><Key>m/a</Key><LastModified>x</LastModified></Contents></R>",
            Reason.UNSUPPORTED,
            id="time",
        ),
        pytest.param(
            "<R><Contents><Key>other/a</Key><Size>1</Size></Contents>" + LAST,
            Reason.OUTSIDE_TARGET,
            id="other prefix",
        ),
        pytest.param("<R><IsTruncated>true</IsTruncated></R>", Reason.MALFORMED, id="no next page"),
        pytest.param("<R>" + "<a>" * 50_000 + "</a>" * 50_000 + "</R>", Reason.UNSUPPORTED, id="deep"),
        pytest.param(
            '<!DOCTYPE R [<!ENTITY a "' + "b" * 50_000 + '">]><R>' + "&a;" * 5_000 + "</R>",
            Reason.IO_ERROR,
            id="entities",
        ),
    ],
)
def test_a_listing_that_is_none_ends_in_gaps_and_never_as_clean(
    fake: FakeS3, body: str, reason: Reason
) -> None:
    fake.put("m/a", b"1")
    fake.twist = lambda asked: (
        xml(body) if "list-type" in asked.query and asked.query["max-keys"] != "1" else None
    )
    source = opened(fake, "s3://models/m/")
    assert [gap.reason for gap in gaps(source)] == [reason]
    assert listed(source) == {}


def test_a_refusal_that_is_nested_deeply_is_none(fake: FakeS3) -> None:
    deep = Reply(status=400, body=b"<Error>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</Error>")
    fake.twist = lambda _: deep
    with pytest.raises(UnreadableError) as caught:
        opened(fake, "s3://models/m/")
    assert caught.value.reason is Reason.UNSUPPORTED


def test_an_answer_without_end_is_cut_and_not_kept(fake: FakeS3) -> None:
    fake.put("m/a", b"1")
    endless = Reply(headers={"Content-Type": "application/xml"}, body=b"<R>" + b" " * (20 << 20))
    fake.twist = lambda asked: (
        endless if "list-type" in asked.query and asked.query["max-keys"] != "1" else None
    )
    source = opened(fake, "s3://models/m/")
    tracemalloc.start()
    (gap,) = gaps(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert gap.reason is Reason.LIMIT
    assert peak < 40 << 20


# Bad bodies


def got(reply: Callable[[bytes], Reply]) -> Callable[[Asked], Reply | None]:
    """A twist for ranges."""
    return lambda asked: reply(b"0123456789") if "range" in asked.headers else None


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param({"status": 206, "body": b"0123", "length": 10}, Reason.TRUNCATED, id="ends early"),
        pytest.param({"status": 200, "body": b"x" * 30}, Reason.UNSUPPORTED, id="whole of another size"),
        pytest.param(
            {"status": 206, "body": b"0123456789", "headers": {"Content-Range": "bytes 5-14/20"}},
            Reason.CHANGED,
            id="another range",
        ),
        pytest.param(
            {"status": 206, "body": b"0123456789", "headers": {"Content-Range": "bytes 0-9/99"}},
            Reason.CHANGED,
            id="another size",
        ),
        pytest.param(
            {"status": 206, "body": b"0123456789", "headers": {"ETag": PARTS}}, Reason.CHANGED, id="ETag"
        ),
        pytest.param(
            {"status": 301, "headers": {"Location": "http://127.0.0.1:1/"}}, Reason.UNSUPPORTED, id="301"
        ),
        pytest.param(
            {"status": 307, "headers": {"Location": "http://127.0.0.1:1/"}}, Reason.UNSUPPORTED, id="307"
        ),
        pytest.param({"status": 403}, Reason.DENIED, id="403"),
        pytest.param({"status": 404}, Reason.MISSING, id="404"),
        pytest.param({"status": 412}, Reason.CHANGED, id="412"),
        pytest.param({"status": 416}, Reason.CHANGED, id="416"),
        pytest.param({"status": 429}, Reason.IO_ERROR, id="429"),
        pytest.param({"status": 503}, Reason.IO_ERROR, id="503"),
        pytest.param({"status": 418}, Reason.UNSUPPORTED, id="418"),
    ],
)
def test_a_range_that_is_not_what_was_listed_is_an_error(
    fake: FakeS3, reply: dict[str, Any], reason: Reason
) -> None:
    made = fake.put("m/a.json", b"0123456789")
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    headers = {"ETag": made.etag, "Content-Range": "bytes 0-9/10", **reply.get("headers", {})}
    fake.twist = lambda _: Reply(**{**reply, "headers": headers})
    assert refusal(lambda: whole(source, entry)).reason is reason


def test_a_200_for_the_front_of_a_file_is_cut_at_the_range(fake: FakeS3) -> None:
    made = fake.put("m/model.gguf", WEIGHTS)
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    fake.twist = lambda _: Reply(headers={"ETag": made.etag}, body=WEIGHTS)
    with source.open(entry) as reader:
        assert reader.read_at(0, 100) == WEIGHTS[:100]
        assert refusal(lambda: reader.read_at(900_000, 8)).reason is Reason.UNSUPPORTED


def test_an_archived_object_says_so(fake: FakeS3) -> None:
    fake.put("m/a.json", b"{}")
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    fake.twist = lambda _: error(403, "InvalidObjectState")
    assert "archived" in refusal(lambda: whole(source, entry)).message


def test_a_busy_store_is_asked_a_bounded_number_of_times(fake: FakeS3) -> None:
    fake.twist = lambda _: error(503, "SlowDown")
    raised = refusal(lambda: opened(fake, "s3://models/m/"))
    assert raised.reason is Reason.IO_ERROR
    assert len(fake.asked) == s3_session.ATTEMPT_COUNT


def test_a_store_that_drips_is_left_behind_in_time(fake: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.put("m/a.json", b"0123456789" * 10)
    source = opened(fake, "s3://models/m/")
    (entry,) = listed(source).values()
    monkeypatch.setattr(s3_bucket, "ANSWER_SECONDS", 0.3)

    def twist(asked: Asked) -> Reply:
        reply = fake.reply(asked)
        reply.drip = 0.2
        return reply

    fake.twist = twist
    began = time.monotonic()
    assert refusal(lambda: whole(source, entry)).reason is Reason.IO_ERROR
    assert time.monotonic() - began < 2


def test_what_a_call_raises_is_raised_to_the_one_who_waits() -> None:
    def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        within(5, fail)
    assert within(5, lambda: 7) == 7


def test_a_store_that_does_not_answer_cannot_be_reached(fake: FakeS3) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        environment = {
            **fake.environment,
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{taken.getsockname()[1]}",
        }
        opening = Opening(network=Network, environment=environment)  # type: ignore[arg-type]
        assert refusal(lambda: s3.PLACE.open("s3://models/m", opening)).reason is Reason.IO_ERROR


# Settings


def test_offline_opens_no_socket(fake: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    raised = refusal(lambda: s3.PLACE.open("s3://models/m", Opening(environment=fake.environment)))
    assert (raised.reason, "no connection may be opened" in raised.message) == (Reason.IO_ERROR, True)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    settings = s3_session.settings({"AWS_REGION": "eu-central-1"})
    with pytest.raises(UnreadableError, match=r"pip install 'aibom\[s3\]'"):
        s3_session.client.__wrapped__(settings)


def test_the_environment_of_the_process_is_not_looked_at(
    fake: FakeS3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile evil]\nregion = mars-1\nendpoint_url = http://127.0.0.1:1\n")
    ambient = {
        "AWS_PROFILE": "nobody", "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_ACCESS_KEY_ID": "AMBIENT",
        "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "mars-1",
        "HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/nonexistent", "REQUESTS_CA_BUNDLE": "/nonexistent", "AWS_DEFAULTS_MODE": "auto",
        "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)
    s3_session.client.cache_clear()
    fake.put("m/a", b"1")
    assert list(listed(opened(fake, "s3://models/m/"))) == ["a"]
    assert {"AKIDEXAMPLE"} == {
        asked.headers["authorization"].partition("Credential=")[2].partition("/")[0] for asked in fake.asked
    }


def test_without_keys_requests_are_not_signed_and_a_denial_says_so(fake: FakeS3) -> None:
    fake.twist = lambda _: error(403, "AccessDenied")
    environment = {"AWS_ENDPOINT_URL": fake.url, "AWS_EC2_METADATA_DISABLED": "true"}
    opening = Opening(network=Network, environment=environment)  # type: ignore[arg-type]
    raised = refusal(lambda: s3.PLACE.open("s3://models/m/", opening))
    assert (raised.reason, "AWS_ACCESS_KEY_ID" in raised.message) == (Reason.DENIED, True)
    assert all("authorization" not in asked.headers for asked in fake.asked)


def profile_files(folder: Path, config: str, credentials: str = "") -> dict[str, str]:
    (folder / ".aws").mkdir()
    (folder / ".aws" / "config").write_text(config)
    (folder / ".aws" / "credentials").write_text(credentials)
    return {"HOME": str(folder)}


def test_profiles_give_keys_region_endpoint_and_style(tmp_path: Path) -> None:
    environment = profile_files(
        tmp_path,
        "[default]\nregion = eu-west-1\n[profile lab]\nregion = eu-central-1\nservices = ours\n"
        "s3 =\n  addressing_style = virtual\n[services ours]\ns3 =\n  endpoint_url = https://s3.lab.example\n",
        "[lab]\naws_access_key_id = LABKEY\naws_secret_access_key = lab\naws_session_token = token\n",
    )
    found = s3_session.settings({**environment, "AWS_PROFILE": "lab"})
    assert (found.key, found.secret, found.token) == ("LABKEY", "lab", "token")
    assert (found.region, found.endpoint, found.style) == (
        "eu-central-1",
        "https://s3.lab.example",
        "virtual",
    )
    other = s3_session.settings(environment)
    assert (other.key, other.region, other.endpoint, other.style) == (None, "eu-west-1", None, "auto")


def test_keys_of_the_environment_count_before_those_of_a_profile(tmp_path: Path) -> None:
    files = profile_files(tmp_path, "", "[lab]\naws_access_key_id = A\naws_secret_access_key = B\n")
    assert s3_session.settings({**files, **KEYS, "AWS_PROFILE": "lab"}).key == KEYS["AWS_ACCESS_KEY_ID"]


def test_settings_never_show_keys() -> None:
    shown = repr(
        s3_session.settings({**KEYS, "AWS_SESSION_TOKEN": "secret-token", "HTTPS_PROXY": "http://u:secret@p"})
    )
    assert "secret" not in shown
    assert "AKID" not in shown


@pytest.mark.parametrize(
    ("environment", "reason", "words"),
    [
        pytest.param({"AWS_PROFILE": "missing"}, Reason.MALFORMED, "AWS_PROFILE", id="no such profile"),
        pytest.param({"AWS_ACCESS_KEY_ID": "A"}, Reason.MALFORMED, "only one is set", id="half a key"),
        pytest.param({"AWS_REGION": "eu/../x"}, Reason.MALFORMED, "region", id="no region"),
        pytest.param({"AWS_ENDPOINT_URL": "ftp://h"}, Reason.MALFORMED, "https://", id="scheme"),
        pytest.param({"AWS_ENDPOINT_URL": "https://u:secret-@h"}, Reason.MALFORMED, "no user", id="user"),
        pytest.param({"AWS_ENDPOINT_URL": "https://h:x"}, Reason.MALFORMED, "no URL", id="port"),
        pytest.param(
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t"}, Reason.UNSUPPORTED, "export-credentials", id="role"
        ),
        pytest.param(
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/"},
            Reason.UNSUPPORTED,
            "export-credentials",
            id="container",
        ),
    ],
)
def test_settings_that_cannot_be_used_say_why(
    environment: dict[str, str], reason: Reason, words: str
) -> None:
    raised = refusal(lambda: s3_session.settings(environment))
    assert (raised.reason, words in raised.message) == (reason, True)


@pytest.mark.parametrize("line", ["role_arn = arn:x", "credential_process = touch x", "sso_session = y"])
def test_a_profile_whose_keys_need_a_program_or_a_sign_in_is_refused(tmp_path: Path, line: str) -> None:
    files = profile_files(tmp_path, f"[default]\n{line}\n")
    raised = refusal(lambda: s3_session.settings(files))
    assert (raised.reason, "export-credentials" in raised.message) == (Reason.UNSUPPORTED, True)


def test_a_file_of_profiles_that_cannot_be_parsed_is_named_and_not_shown(tmp_path: Path) -> None:
    files = profile_files(tmp_path, "secret = without a section\n")
    assert "~/.aws/config" in refusal(lambda: s3_session.settings(files)).message


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p"}, "http://p"),
        ({"https_proxy": "http://p", "NO_PROXY": "other.example"}, "http://p"),
        ({"HTTPS_PROXY": "http://p", "NO_PROXY": "localhost, .amazonaws.com"}, None),
        ({"HTTPS_PROXY": "http://p", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, None),
        ({"HTTP_PROXY": "http://p"}, None),
    ],
    ids=["named", "exception of another", "exception", "loopback", "plain only"],
)
def test_a_proxy_is_for_what_is_encrypted(environment: dict[str, str], proxy: str | None) -> None:
    assert s3_session.settings(environment).proxy == proxy


def test_another_host_than_the_named_one_is_never_asked(fake: FakeS3) -> None:
    settings = s3_session.settings(fake.environment)
    transport = s3_session._Transport(settings, fake.url)
    for host in ("evil.example", "127.0.0.1.evil.example", "169.254.169.254", "x127.0.0.1"):
        request: Any = SimpleNamespace(url=f"https://{host}/models/a", stream_output=True)
        assert "another host" in refusal(lambda asked=request: transport(asked)).message  # type: ignore[misc]


def test_a_bucket_of_another_region_is_asked_there_and_the_host_stays(fake: FakeS3) -> None:
    s3_session.client.cache_clear()  # a client remembers the region
    fake.put("m/a", b"1")

    def twist(asked: Asked) -> Reply | None:
        if "/us-east-1/" not in asked.headers["authorization"]:
            return None
        headers = {"Location": "http://127.0.0.1:1/", "x-amz-bucket-region": "eu-west-1"}
        return Reply(status=301, headers=headers)

    fake.twist = twist
    assert list(listed(opened(fake, "s3://models/m/"))) == ["a"]
    assert "/eu-west-1/" in fake.asked[-1].headers["authorization"]


@pytest.mark.parametrize("status", [301, 302, 307, 400])
def test_a_store_that_sends_round_in_circles_is_left(fake: FakeS3, status: int) -> None:
    s3_session.client.cache_clear()
    fake.twist = lambda _: Reply(status=status, headers={"x-amz-bucket-region": "eu-west-1"})
    for target in ("s3://models/m", "s3://models/m/"):
        assert refusal(lambda here=target: opened(fake, here)).reason is Reason.UNSUPPORTED  # type: ignore[misc]
    fake.twist = lambda _: Reply(status=status)
    for target in ("s3://models/m", "s3://models/m/"):
        assert refusal(lambda here=target: opened(fake, here)).reason is Reason.UNSUPPORTED  # type: ignore[misc]
    assert len(fake.asked) < 10


def test_the_store_is_named_when_it_is_not_that_of_aws(fake: FakeS3) -> None:
    fake.put("a", b"1")
    attributes = dict(opened(fake, "s3://models/").target.attributes)
    assert attributes["endpoint"] == fake.url.removeprefix("http://")
    assert attributes["transport"] == "not encrypted"
    assert s3._store("https://s3.eu-central-1.amazonaws.com") == ()


def test_nothing_of_the_answer_or_the_keys_reaches_an_error(fake: FakeS3) -> None:
    fake.twist = lambda _: error(400, "<b>\x1b[31m")
    assert "\x1b" not in str(refusal(lambda: opened(fake, "s3://models/m/")))


# Documents beside the model


def test_documents_in_the_top_of_a_prefix_are_found(fake: FakeS3) -> None:
    fake.put("m/bom.json", BOM)
    fake.put("m/model.sig", b'{"mediaType": "x"}')
    fake.put("m/model.gguf", b"GGUF")
    fake.put("m/sub/bom.json", BOM)
    fake.put("m/pgp.sig", b"-----BEGIN PGP SIGNATURE-----")
    fake.put("m/sbom.json", b'{"spdxVersion": "SPDX-2.3"}')
    found = opened(fake, "s3://models/m/").attached()
    assert [(each.name, each.kind) for each in found] == [
        ("bom.json", DocumentKind.BOM),
        ("model.sig", DocumentKind.SIGNATURE),
    ]
    assert found[0].data == BOM


def test_beside_one_object_documents_are_named_after_it(fake: FakeS3) -> None:
    fake.put("m/a.gguf", b"GGUF")
    fake.put("m/b.gguf.cdx.json", BOM)
    fake.put("m/a.gguf.cdx.json", BOM)
    fake.put("m/model.sig", b"{}")
    source = opened(fake, "s3://models/m/a.gguf")
    assert [each.name for each in source.attached()] == ["a.gguf.cdx.json", "model.sig"]
    fake.put("m/a.gguf.sigstore.json", b"{}")
    assert [each.name for each in source.attached()] == ["a.gguf.cdx.json", "a.gguf.sigstore.json"]


def test_a_document_of_the_size_of_a_model_is_not_fetched(fake: FakeS3) -> None:
    fake.put("m/model.sig", b"{}", size=1 << 40)
    assert refusal(opened(fake, "s3://models/m/").attached).reason is Reason.LIMIT


def test_all_documents_together_fit_into_memory(fake: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.put("m/a.sig", b"{}")
    fake.put("m/b.sig", b"{}")
    monkeypatch.setattr(beside, "DOCUMENTS_BYTES", 4)
    assert len(opened(fake, "s3://models/m/").attached()) == 2
    monkeypatch.setattr(beside, "DOCUMENTS_BYTES", 3)
    assert refusal(opened(fake, "s3://models/m/").attached).reason is Reason.LIMIT


def test_a_hundred_documents_are_enough(fake: FakeS3) -> None:
    for number in range(101):
        fake.put(f"m/{number}.sig", b"{}")
    assert refusal(opened(fake, "s3://models/m/").attached).reason is Reason.MALFORMED


def published(source: s3.S3Source, *documents: Attached, dry_run: bool = False) -> list[WriteState]:
    receipt = source.publish(documents, dry_run=dry_run, pull_request=False)
    assert receipt.subject == source.target.ref
    assert [each.sha256 for each in receipt.written] == [
        hashlib.sha256(d.data).hexdigest() for d in documents
    ]
    return [each.state for each in receipt.written]


def puts(fake: FakeS3) -> list[Asked]:
    return [asked for asked in fake.asked if asked.method == "PUT"]


def test_publishing_twice_writes_once(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    source = opened(fake, "s3://models/m/")
    assert published(source, document(), dry_run=True) == [WriteState.PLANNED]
    assert puts(fake) == []
    assert published(source, document()) == [WriteState.WRITTEN]
    assert published(source, document()) == [WriteState.UNCHANGED]
    (put,) = puts(fake)
    assert (put.headers["if-none-match"], put.body) == ("*", BOM)
    assert base64.b64decode(put.headers["x-amz-checksum-sha256"]) == hashlib.sha256(BOM).digest()
    assert source.attached()[0].data == BOM


def test_an_older_document_is_replaced_if_it_is_still_that(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    old = fake.put("m/bom.json", BOM)
    source = opened(fake, "s3://models/m/")
    assert published(source, document(NEWER)) == [WriteState.WRITTEN]
    assert puts(fake)[0].headers["if-match"] == old.etag
    assert source.attached()[0].data == NEWER


def test_the_version_that_was_written_is_in_the_receipt(fake: FakeS3) -> None:
    fake.versioning = "Enabled"
    fake.put("m/model.gguf", b"GGUF")
    receipt = opened(fake, "s3://models/m/model.gguf").publish(
        (document(name="model.gguf.cdx.json"),), dry_run=False, pull_request=False
    )
    version = fake.objects["m/model.gguf.cdx.json"][-1].version
    assert receipt.written[0].place == f"s3://models/m/model.gguf.cdx.json?versionId={version}"
    assert isinstance(receipt.subject, PinnedRef)


def test_what_somebody_else_writes_meanwhile_is_not_lost(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    for before in (None, BOM):
        if before:
            fake.put("m/bom.json", before)
        source = opened(fake, "s3://models/m/")

        def twist(asked: Asked) -> None:
            if asked.method == "PUT":
                fake.twist = lambda _: None
                fake.put("m/bom.json", b'{"bomFormat": "CycloneDX", "by": "another"}')

        fake.twist = twist
        raised = refusal(lambda here=source: published(here, document(NEWER)))  # type: ignore[misc]
        assert raised.reason is Reason.CHANGED
        assert b"another" in fake.objects["m/bom.json"][-1].data
        del fake.objects["m/bom.json"]


def test_a_write_whose_answer_was_lost_is_found_again(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    source = opened(fake, "s3://models/m/")

    def twist(asked: Asked) -> Reply | None:
        if asked.method != "PUT":
            return None
        fake.reply(asked)
        return error(500, "InternalError")

    fake.twist = twist
    assert published(source, document()) == [WriteState.UNCHANGED]


def test_a_store_that_refuses_each_time_ends_the_attempts(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    source = opened(fake, "s3://models/m/")
    fake.twist = lambda asked: error(409, "ConditionalRequestConflict") if asked.method == "PUT" else None
    assert refusal(lambda: published(source, document())).reason is Reason.CHANGED
    assert len(puts(fake)) == 5


def test_a_store_without_conditions_is_refused(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    source = opened(fake, "s3://models/m/")
    fake.twist = lambda asked: error(501, "NotImplemented") if asked.method == "PUT" else None
    assert refusal(lambda: published(source, document())).reason is Reason.UNSUPPORTED


def test_two_publishers_at_once_lose_nothing(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    names = [f"{number}.cdx.json" for number in range(6)]
    sources = [opened(fake, "s3://models/m/") for _ in names]
    threads = [
        threading.Thread(target=published, args=(source, document(name=name)))
        for source, name in zip(sources, names, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.name for each in sources[0].attached()] == names


@pytest.mark.parametrize(
    ("target", "offered", "words"),
    [
        pytest.param("s3://models/m/", {"name": "model.gguf"}, "not how a bom is called", id="weights"),
        pytest.param("s3://models/m/", {"name": "config.json"}, "not how a bom is called", id="config"),
        pytest.param("s3://models/m/", {"name": "x.sig"}, "not how a bom is called", id="another kind"),
        pytest.param("s3://models/m/", {"name": "taken-bom.json"}, "is not replaced", id="taken"),
        pytest.param("s3://models/m/model.gguf", {"name": "bom.json"}, "'model.gguf.bom.json'", id="beside"),
    ],
)
def test_nothing_of_the_model_is_replaced(
    fake: FakeS3, target: str, offered: dict[str, Any], words: str
) -> None:
    fake.put("m/model.gguf", b"GGUF")
    fake.put("m/taken-bom.json", b'{"spare parts": []}')
    source = opened(fake, target)
    both = (document(name="model.gguf.cdx.json"), document(**offered))
    raised = refusal(lambda: published(source, *both))
    assert (raised.reason, words in raised.message) == (Reason.UNSUPPORTED, True)
    assert puts(fake) == []  # not even the one that would have been fine


def test_an_attestation_may_be_called_like_the_bundle_that_it_is(fake: FakeS3) -> None:
    fake.put("m/model.gguf", b"GGUF")
    source = opened(fake, "s3://models/m/")
    names = ("build.intoto.jsonl", "build.sigstore.json")
    documents = [document(b"{}", name, DocumentKind.ATTESTATION) for name in names]
    assert published(source, *documents) == [WriteState.WRITTEN] * 2
    assert [each.name for each in source.attached()] == list(names)


def test_a_bucket_has_no_pull_requests(fake: FakeS3) -> None:
    fake.put("m/a", b"1")
    source = opened(fake, "s3://models/m/")
    raised = refusal(lambda: source.publish((document(),), dry_run=True, pull_request=True))
    assert raised.reason is Reason.UNSUPPORTED


def test_the_module_is_imported_without_the_library() -> None:
    script = "import sys; import aibom.sources.s3; assert 'botocore' not in sys.modules"
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", script]) == 0
