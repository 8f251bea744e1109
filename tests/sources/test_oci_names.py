"""What may stand behind `oci://`, and what is asked of which host then."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.sources.oci_names import Name, is_digest, is_loopback, parse

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("target", "url", "reference", "location"),
    [
        ("oci://ghcr.io/org/model:v1", "https://ghcr.io/v2/org/model", "v1", "ghcr.io/org/model"),
        ("OCI://GHCR.io/org/model", "https://ghcr.io/v2/org/model", "latest", "ghcr.io/org/model"),
        ("oci://r.example:8443/m:v1", "https://r.example:8443/v2/m", "v1", "r.example:8443/m"),
        ("oci://localhost:50/a/b/c__d", "http://localhost:50/v2/a/b/c__d", "latest", "localhost:50/a/b/c__d"),
        ("oci://[::1]:5000/m", "http://[::1]:5000/v2/m", "latest", "[::1]:5000/m"),
        ("oci://127.0.0.9/m", "http://127.0.0.9/v2/m", "latest", "127.0.0.9/m"),
        ("oci://docker.io/m", "https://registry-1.docker.io/v2/library/m", "latest", "docker.io/library/m"),
        ("oci://index.docker.io/ai/m:1", "https://registry-1.docker.io/v2/ai/m", "1", "docker.io/ai/m"),
        (f"oci://r.example/m@sha256:{HEX}", "https://r.example/v2/m", f"sha256:{HEX}", "r.example/m"),
        (f"oci://r.example/m:v1@sha256:{HEX}", "https://r.example/v2/m", f"sha256:{HEX}", "r.example/m"),
    ],
)  # fmt: skip
def test_a_target_says_what_is_asked_where(target: str, url: str, reference: str, location: str) -> None:
    name = parse(target)
    assert (name.url, name.reference, name.location) == (url, reference, location)


def test_a_tag_beside_a_digest_is_kept_and_not_asked_for() -> None:
    assert parse(f"oci://r.example/m:v1@sha256:{HEX}").tag == "v1"


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("oci://", "no host"),
        ("oci:///m", "no host"),
        ("oci://host", "name of the repository"),
        ("oci://host/", "name of the repository"),
        ("oci://user:secret@host/m", "no user or password"),
        ("oci://ho st/m", "no host"),
        ("oci://host:port/m", "no host"),
        ("oci://host\r\nX: y/m", "no host"),
        ("oci://host#/m", "no host"),
        ("oci://host?/m", "no host"),
        ("oci://a..b/m", "no host"),
        ("oci://host/Upper", "name of the repository"),
        ("oci://host/../m", "name of the repository"),
        ("oci://host//m", "name of the repository"),
        ("oci://host/m/", "name of the repository"),
        ("oci://host/m?x=y", "name of the repository"),
        ("oci://host/m%2e", "name of the repository"),
        ("oci://host/" + "a" * 256, "name of the repository"),
        ("oci://host/m:", "the tag is none"),
        ("oci://host/m:a/b", "the tag is none"),
        ("oci://host/m:" + "a" * 129, "the tag is none"),
        ("oci://host/m:.", "the tag is none"),
        ("oci://host/m@", "a digest is"),
        ("oci://host/m@sha256:abc", "a digest is"),
        (f"oci://host/m@sha256:{HEX.upper()}", "a digest is"),
        (f"oci://host/m@{HEX}", "a digest is"),
        ("oci://host/" + "a/" * 1000, "longer than"),
    ],
)
def test_what_is_no_name_is_refused_with_what_to_type(target: str, words: str) -> None:
    with pytest.raises(UnreadableError, match=words) as caught:
        parse(target)
    assert caught.value.reason is Reason.MALFORMED
    assert "secret" not in str(caught.value)


def test_a_digest_of_another_algorithm_is_unsupported() -> None:
    with pytest.raises(UnreadableError, match="digests of blake3 are not supported") as caught:
        parse(f"oci://host/m@blake3:{HEX}")
    assert caught.value.reason is Reason.UNSUPPORTED


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = parse(f"oci://{text}")
    except UnreadableError:
        return
    assert isinstance(name, Name)
    assert not set(" \r\n?#%\\") & set(name.url)


@pytest.mark.parametrize(
    "target", ["oci://" + "a-" * 500, "oci://h/" + "a_" * 120 + "!", "oci://h/" + "a-" * 120]
)
def test_a_name_takes_no_time_to_refuse(target: str) -> None:
    start = time.perf_counter()
    with pytest.raises(UnreadableError):
        parse(target)
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True), ("LOCALHOST:5000", True), ("127.1.2.3:1", True), ("[::1]", True),
        ("[::1]:5", True),
        ("localhost.example", False), ("128.0.0.1", False), ("[::2]:5", False), ("10.0.0.1", False),
        ("127.0.0.1.example", False),
    ],
)  # fmt: skip
def test_plain_http_is_for_this_machine_only(host: str, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize(
    ("text", "true"),
    [
        (f"sha256:{HEX}", True),
        (f"sha512:{HEX}{HEX}", True),
        (f"sha256:{HEX}\n", False),
        (f"sha512:{HEX}", False),
    ],
)
def test_a_digest_has_the_length_of_its_algorithm(text: str, true: bool) -> None:
    assert is_digest(text) is true
