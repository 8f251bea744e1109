"""References that lead to something in the scan itself, and those that must not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.component import ComponentKind
from aibom.domain.finding import Location
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Flag, Reference
from aibom.inventory.references import at_home

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = "model.safetensors"


def refers(path: str, location: str, scheme: str = "file", *flags: Flag, **more: object) -> Reference:
    return Reference(
        kind=ComponentKind.MODEL,
        target=Ref(scheme=scheme, location=location, **more),  # type: ignore[arg-type]
        loader="torch.load",
        location=Location(path=path, line=1),
        flags=frozenset(flags),
    )


def led(reference: Reference, *paths: str, roots: tuple[str, ...] = ("",)) -> str | None:
    """Where in the scan the reference leads; None when it stays as it was."""
    (found,) = at_home([reference], paths, roots)
    if found == reference:
        return None
    assert found.target is not None
    assert (found.target.scheme, found.target.revision, found.target.subpath) == ("file", None, None)
    assert replace(found, target=reference.target, flags=reference.flags) == reference
    return found.target.location


@pytest.mark.parametrize(
    ("path", "location", "there", "expected"),
    [
        ("src/app.py", "m.pt", "src/m.pt", "src/m.pt"),
        ("src/app.py", "./m.pt", "src/m.pt", "src/m.pt"),
        ("src/app.py", "weights//./m.pt", "src/weights/m.pt", "src/weights/m.pt"),
        ("src/app.py", "src/m.pt", "src/m.pt", "src/m.pt"),
        ("src/a/app.py", "../m.pt", "src/m.pt", "src/m.pt"),
        ("src/a/app.py", "../../m.pt", "m.pt", "m.pt"),
        ("src/a/app.py", "x/../m.pt", "src/a/m.pt", "src/a/m.pt"),
        ("src/app.py", "weights/", "src/weights/deep/m.pt", "src/weights"),
        ("src/app.py", "weights", "weights/README.md", "weights"),
        ("app.py", "m.pt", "m.pt", "m.pt"),
        ("skills/x/SKILL.md", "skills/x/SKILL.md", "skills/x/SKILL.md", "skills/x/SKILL.md"),
        ("src/app.py", "m.pt", "src/mm.pt", None),
        ("src/app.py", "weight", "src/weights/m.pt", None),
        ("src/app.py", "../../m.pt", "m.pt", None),
        ("app.py", "../m.pt", "m.pt", None),
        ("src/app.py", "../src/../../src/m.pt", "src/m.pt", None),
        ("app.py", "/m.pt", "m.pt", None),
        ("app.py", "~/m.pt", "~/m.pt", None),
        ("app.py", "$HOME/m.pt", "$HOME/m.pt", None),
        ("app.py", "C:/m.pt", "C:/m.pt", None),
        ("app.py", "c:m.pt", "c:m.pt", None),
        ("app.py", "models\\m.pt", "models\\m.pt", None),
        ("src/app.py", ".", "src/m.pt", None),
        ("src/app.py", "./", "src/m.pt", None),
        ("src/app.py", "..", "src/m.pt", None),
    ],
)
def test_a_path_leads_to_what_is_there_and_nowhere_else(
    path: str, location: str, there: str, expected: str | None
) -> None:
    assert led(refers(path, location), path, there) == expected


def test_the_folder_of_the_file_comes_before_the_root_of_the_target() -> None:
    assert led(refers("src/app.py", "m.pt"), "m.pt", "src/m.pt") == "src/m.pt"
    assert led(refers("src/app.py", "m.pt"), "m.pt", "other/m.pt") == "m.pt"


@pytest.mark.parametrize("scheme", ["hf", "hf-dataset", "modelscope"])
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (f"org/name/{WEIGHTS}", "org/name"),
        ("org/name/deep/config.json", "org/name"),
        ("org/name/data.parquet", "org/name"),
        ("org/name/train.py", None),
        ("org/name/README.md", None),
        ("org/name", None),
        (f"org/named/{WEIGHTS}", None),
    ],
)
def test_an_id_of_the_hub_is_a_folder_only_when_a_loader_could_read_it(
    scheme: str, file: str, expected: str | None
) -> None:
    assert led(refers("app.py", "org/name", scheme), "app.py", file) == expected


@pytest.mark.parametrize(
    "target",
    [
        PinnedRef(scheme="hf", location="org/name", revision=COMMIT),
        Ref(scheme="hf", location="org/name", revision="main"),
        Ref(scheme="hf", location="org/name", subpath=WEIGHTS),
        Ref(scheme="git", location="org/name"),
        Ref(scheme="openai", location="org/name"),
        Ref(scheme="docker", location="org/name"),
    ],
)
def test_what_asks_the_hub_for_a_revision_or_file_or_another_place_is_never_a_folder(target: Ref) -> None:
    reference = replace(refers("app.py", "x"), target=target)
    assert led(reference, f"org/name/{WEIGHTS}") is None


def test_what_was_not_resolved_stays_so() -> None:
    reference = replace(refers("app.py", "x"), target=None, flags=frozenset({Flag.UNRESOLVED}))
    assert at_home([reference], ["x", "x/m.pt"], [""]) == (reference,)


def test_a_folder_is_no_longer_unpinned_and_other_flags_stay() -> None:
    before = {Flag.UNPINNED, Flag.NO_ORGANISATION, Flag.FLOATING_TAG, Flag.REMOTE_CODE}
    reference = refers("app.py", "bert", "hf", *before)
    (found,) = at_home([reference], [f"bert/{WEIGHTS}"], [""])
    assert found.flags == {Flag.REMOTE_CODE, Flag.LOCAL_PATH}
    assert (found.location, found.kind, found.loader) == (
        reference.location,
        reference.kind,
        reference.loader,
    )


def test_several_targets_never_mix() -> None:
    roots = ("same/", "same-2/")
    paths = ("same/app.py", "same-2/m.pt", "same-2/a/app.py")
    assert led(refers("same/app.py", "m.pt"), *paths, roots=roots) is None
    assert led(refers("same/app.py", "../same-2/m.pt"), *paths, roots=roots) is None
    assert led(refers("same/app.py", "same-2/m.pt"), *paths, roots=roots) is None
    assert led(refers("same-2/a/app.py", "m.pt"), *paths, roots=roots) == "same-2/m.pt"
    assert led(refers("same-2/a/app.py", "../m.pt"), *paths, roots=roots) == "same-2/m.pt"
    assert led(refers("same-2/a/app.py", "../../m.pt"), *paths, roots=roots) is None


def test_the_order_is_kept_and_one_reference_does_not_change_another() -> None:
    here, away = refers("app.py", "m.pt"), refers("app.py", "gone.pt")
    weights, code = refers("app.py", "org/w", "hf"), refers("app.py", "org/c", "hf")
    found = at_home([here, away, weights, code], ["m.pt", "org/w/x.bin", "org/c/x.py"], [""])
    assert [one.target.location for one in found if one.target] == ["m.pt", "gone.pt", "org/w", "org/c"]
    assert [one.target.scheme for one in found if one.target] == ["file", "file", "file", "hf"]


parts = st.sampled_from(["a", "b", "..", ".", "", "~", "C:", "$X", "a.pt", "é", "\\"])
locations = st.lists(parts, min_size=1, max_size=5).map("/".join).filter(bool)
names = st.sampled_from(["a", "b", "a.pt", "é", "config.json", "~", "C:"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(
    st.lists(st.tuples(paths, locations, st.sampled_from(["file", "hf", "https"])), max_size=4),
    st.lists(paths, max_size=6),
    st.booleans(),
)
def test_a_result_is_a_given_path_or_a_folder_of_one_of_its_own_target_or_unchanged(
    asked: list[tuple[str, str, str]], there: list[str], several: bool
) -> None:
    roots = ("x/", "y/") if several else ("",)
    given_references = [refers(roots[0] + path, place, scheme) for path, place, scheme in asked]
    listed = [roots[-1] + path for path in there]
    for before, after in zip(given_references, at_home(given_references, listed, roots), strict=True):
        if after == before:
            continue
        assert not several  # everything listed is in the other target
        assert after.target is not None
        assert any(f"{path}/".startswith(f"{after.target.location}/") for path in listed)
