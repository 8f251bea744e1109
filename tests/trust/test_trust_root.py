"""Trust roots: only from bytes that somebody named or from the library's own, and complete."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import sigstore
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason, UnreadableError
from aibom.trust import trust_root
from aibom.trust.trust_root import embedded, embedded_config, read_trust_root
from tests.services.fake_sigstore import FakeSigstore

SERVICES = FakeSigstore()
ROOT = SERVICES.trusted_root()
STORE = Path(sigstore.__file__).parent / "_store"


def changed(**members: Any) -> bytes:
    return json.dumps(json.loads(ROOT) | members).encode()


def without(*names: str) -> bytes:
    return json.dumps({name: value for name, value in json.loads(ROOT).items() if name not in names}).encode()


INSTANCES = [("production", "sigstore.dev"), ("staging", "sigstage.dev")]


@pytest.mark.parametrize(("instance", "folder"), INSTANCES)
def test_an_embedded_root_is_the_file_in_the_installed_library(instance: Any, folder: str) -> None:
    (file,) = STORE.glob(f"*{folder}/trusted_root.json")
    root = embedded(instance)
    assert root.document == file.read_bytes()
    assert root.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert root.logs == {log["logId"]["keyId"] for log in json.loads(root.document)["tlogs"]}


@pytest.mark.parametrize(("instance", "folder"), INSTANCES)
def test_an_embedded_configuration_holds_the_same_root_and_its_services(instance: Any, folder: str) -> None:
    config = embedded_config(instance)
    assert json.loads(read_trust_root(config).document) == json.loads(embedded(instance).document)
    services = json.loads(config)["signingConfig"]
    assert [service["url"] for service in services["caUrls"]] == [f"https://fulcio.{folder}"]


def test_the_root_of_a_configuration_is_read_and_the_digest_is_that_of_the_configuration() -> None:
    config = SERVICES.trust_config()
    root = read_trust_root(config)
    assert json.loads(root.document) == json.loads(ROOT)
    assert root.sha256 == hashlib.sha256(config).hexdigest()
    assert root.parsed().get_fulcio_certs() == read_trust_root(ROOT).parsed().get_fulcio_certs()


HOSTILE = {
    "nothing": (b"", Reason.MALFORMED, "not JSON"),
    "a list": (b"[]", Reason.MALFORMED, "object"),
    "a double key": (ROOT[:-1] + b',"ctlogs":[]}', Reason.MALFORMED, "duplicate key"),
    "no media type": (without("mediaType"), Reason.UNSUPPORTED, "None"),
    "another media type": (changed(mediaType="x\x1b[2J"), Reason.UNSUPPORTED, r"x\x1b"),
    "a bundle": (SERVICES.sign(b"{}"), Reason.UNSUPPORTED, "bundle.v0.3"),
    "an empty configuration": (
        json.dumps({"mediaType": trust_root.CONFIG_TYPE}).encode(), Reason.UNSUPPORTED, "None",
    ),
    "no authority": (changed(certificateAuthorities=[]), Reason.MALFORMED, "cannot be used"),
    "no log": (changed(tlogs=[]), Reason.MALFORMED, "no transparency log"),
    "no certificate log": (changed(ctlogs=[]), Reason.MALFORMED, "no certificate log"),
    "logs that are text": (changed(tlogs="log"), Reason.MALFORMED, "no transparency log"),
    "an authority without a certificate": (
        changed(certificateAuthorities=[{"subject": {}, "certChain": {"certificates": []}, "validFor": {}}]),
        Reason.MALFORMED, "cannot be used",
    ),
    "a clock without a certificate": (
        changed(timestampAuthorities=[SERVICES.clock.authority() | {"certChain": {"certificates": []}}]),
        Reason.MALFORMED, "cannot be used",
    ),
    "a member that is not known": (changed(more=1), Reason.MALFORMED, "cannot be used"),
    "too many bytes": (b" " * (trust_root.TRUST_ROOT_BYTES + 1), Reason.LIMIT, "at most"),
    "too many values": (b"[" + b"0," * trust_root.TRUST_ROOT_VALUES + b"0]", Reason.LIMIT, "values"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_not_a_complete_root_is_refused(kind: str) -> None:
    data, reason, words = HOSTILE[kind]
    with pytest.raises(UnreadableError) as caught:
        read_trust_root(data)
    assert caught.value.reason is reason
    assert words in str(caught.value)


def test_a_library_without_embedded_roots_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trust_root._FOLDERS, "staging", "nowhere")
    with pytest.raises(UnreadableError, match=r"carries no trusted_root\.json of staging") as caught:
        embedded("staging")
    assert caught.value.reason is Reason.UNSUPPORTED


@given(st.binary(max_size=200))
def test_bytes_are_a_root_or_an_unreadable_error(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_trust_root(data)


@given(st.integers(0, len(ROOT) - 1), st.integers(1, 255))
def test_a_changed_byte_changes_the_digest_or_makes_the_root_unreadable(place: int, change: int) -> None:
    data = bytearray(ROOT)
    data[place] ^= change
    with contextlib.suppress(UnreadableError):
        assert read_trust_root(bytes(data)).sha256 != read_trust_root(ROOT).sha256


def test_a_root_that_ends_early_is_refused() -> None:
    for length in range(0, len(ROOT), 61):
        with pytest.raises(UnreadableError):
            read_trust_root(ROOT[:length])
