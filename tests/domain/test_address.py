"""The address of a remote place is what one types to name it again, at the same version."""

from __future__ import annotations

import pytest

from aibom.domain.ref import PinnedRef, Ref, ref_at
from aibom.sources import scheme_of

SHA = "ab" * 32
PLACES = [
    (PinnedRef(scheme="hf", location="org/name", revision="c" * 40), f"hf://org/name@{'c' * 40}"),
    (Ref(scheme="hf-dataset", location="org/name"), "hf://datasets/org/name"),
    (Ref(scheme="hf-space", location="org/name"), "hf://spaces/org/name"),
    (
        PinnedRef(scheme="oci", location="host.example/a/b", revision=f"sha256:{SHA}"),
        f"oci://host.example/a/b@sha256:{SHA}",
    ),
    (PinnedRef(scheme="s3", location="bucket/key", revision="v1"), "s3://bucket/key?versionId=v1"),
    (Ref(scheme="s3", location="bucket/folder/"), "s3://bucket/folder/"),
    (Ref(scheme="gs", location="bucket/key"), "gs://bucket/key"),
    (
        PinnedRef(scheme="git", location="https://host.example/a.git", revision="d" * 40, subpath="model"),
        f"git+https://host.example/a.git@{'d' * 40}#model",
    ),
    (Ref(scheme="mlflow", location="host.example:5000/credit", revision="3"), "models:/credit/3"),
    (Ref(scheme="mlflow", location="host.example/m-0a"), "models:/m-0a"),
    (Ref(scheme="mlflow", location="host.example/runs/0a", subpath="model"), "runs:/0a/model"),
    (Ref(scheme="https", location="https://host.example/a.gguf"), "https://host.example/a.gguf"),
    (
        PinnedRef(scheme="https", location="https://host.example/a.gguf", revision=f"sha256:{SHA}"),
        f"https://host.example/a.gguf#sha256={SHA}",
    ),
]


@pytest.mark.parametrize(("ref", "address"), PLACES, ids=[address.partition("@")[0] for _, address in PLACES])
def test_the_address_names_the_place_and_its_version(ref: Ref, address: str) -> None:
    assert ref.address == address
    assert scheme_of(address)


@pytest.mark.parametrize("scheme", ["file", "pypi", "docker"])
def test_what_is_no_remote_place_has_no_address(scheme: str) -> None:
    assert Ref(scheme=scheme, location="a/b").address is None


def test_a_remote_of_a_checkout_that_is_no_web_address_has_none() -> None:
    assert Ref(scheme="git", location="git@host.example:a/b.git").address is None


@pytest.mark.parametrize(("ref", "address"), PLACES, ids=[address.partition("@")[0] for _, address in PLACES])
def test_the_place_is_the_same_for_all_versions(ref: Ref, address: str) -> None:
    assert ref.place is not None
    assert address.startswith(ref.place)


@pytest.mark.parametrize(("ref", "address"), PLACES, ids=[address.partition("@")[0] for _, address in PLACES])
def test_an_address_leads_back_to_the_place(ref: Ref, address: str) -> None:
    again = ref_at(address)
    assert again is not None
    assert (again.scheme, again.place, again.address) == (ref.scheme, ref.place, address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "model",
        "file:model",
        "s3://",
        "https://u:p@host.example/a",
        "git+https://u@host.example/a",
        "models:/",
    ],
)
def test_what_is_no_address_leads_nowhere(text: str) -> None:
    assert ref_at(text) is None
