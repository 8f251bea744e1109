"""What a trust root is said to hold."""

from __future__ import annotations

import hashlib
import json

import pytest

from aibom.trust.trust_root import Instance, embedded, read_trust_root
from aibom.workflows.trust import show
from tests.services.fake_sigstore import FakeSigstore


@pytest.mark.parametrize("instance", ["production", "staging"])
def test_every_authority_and_log_of_a_public_root_is_told(instance: Instance) -> None:
    root = embedded(instance)
    lines = show(root)
    document = json.loads(root.document)
    told = [name for name, _ in lines]
    for name, key in (
        ("certificate authority", "certificateAuthorities"),
        ("timestamp authority", "timestampAuthorities"),
        ("transparency log", "tlogs"),
        ("certificate log", "ctlogs"),
    ):
        assert told.count(name) == len(document.get(key, []))
    assert lines[0] == ("sha256", hashlib.sha256(root.document).hexdigest())
    assert told.count("its certificate") == sum(
        len(each["certChain"]["certificates"])
        for key in ("certificateAuthorities", "timestampAuthorities")
        for each in document.get(key, [])
    )


def test_the_log_of_production_has_the_identifier_that_its_documentation_names() -> None:
    logs = [text for name, text in show(embedded("production")) if name == "transparency log"]
    assert logs[0] == (
        "https://rekor.sigstore.dev, c0d23d6ad406973f9559f3ba2d1ca01f84147d8ffc5b8445c224f98b9591801d, "
        "PKIX_ECDSA_P256_SHA_256, from 2021-01-12T11:53:27Z"
    )


def test_an_end_of_validity_is_told() -> None:
    authorities = [t for name, t in show(embedded("production")) if name == "certificate authority"]
    assert authorities[0].endswith("from 2021-03-07T03:20:29Z to 2022-12-31T23:59:59.999Z")


def test_a_configuration_is_told_by_the_digest_of_its_file() -> None:
    services = FakeSigstore(rekor=2)
    config, root = read_trust_root(services.trust_config()), read_trust_root(services.trusted_root())
    assert show(config)[0] == ("sha256", hashlib.sha256(services.trust_config()).hexdigest())
    assert show(config)[1:] == show(root)[1:]
