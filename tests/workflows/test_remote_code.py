"""Which Python files belong to a model: those beside and below the modules that it names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.errors import Reason
from aibom.domain.facts import Attribute, FileKind
from aibom.domain.file import File
from aibom.domain.gap import Gap, Stage
from aibom.workflows.remote_code import GAP_COUNT, named_code
from tests.builders import file, says


def config(path: str, *names: str, **details: str) -> File:
    statements = [says(Attribute.REMOTE_CODE, name, **details) for name in names]
    return file(path, "transformers-config", FileKind.CONFIG, *statements)


def test_a_named_module_brings_every_python_file_beside_and_below_it() -> None:
    paths = ["m/config.json", "m/modeling_x.py", "m/configuration_x.py", "m/ops/kernel.py", "m/notes.txt",
             "setup.py", "other/modeling_y.py", "mm/x.py"]  # fmt: skip
    found, gaps = named_code([config("m/config.json", "modeling_x.XModel")], paths)
    assert (found, gaps) == ({"m/modeling_x.py", "m/configuration_x.py", "m/ops/kernel.py"}, ())


def test_a_module_at_the_root_of_the_place_brings_all() -> None:
    found, _ = named_code([config("config.json", "modeling_x.XModel")], ["modeling_x.py", "a/b.py", "c.json"])
    assert found == {"modeling_x.py", "a/b.py"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.b.C", "m/a/b.py"),
        ("a.C", "m/a/__init__.py"),
        ("sub/modeling_x.X", "m/sub/modeling_x.py"),
        ("modeling-x.X", "m/modeling-x.py"),
    ],
)
def test_packages_folders_and_hyphens_are_found(name: str, path: str) -> None:
    assert named_code([config("m/config.json", name)], [path]) == ({path}, ())


def test_a_part_of_a_pipeline_is_looked_for_in_its_own_folder_first() -> None:
    paths = ["p/unet/my_unet.py", "p/vae/my_vae.py"]
    part = config("p/model_index.json", "my_unet.MyUNet", auto_class="component", folder="unet")
    assert named_code([part], paths) == ({"p/unet/my_unet.py"}, ())


def test_a_named_file_that_is_not_there_is_a_gap_of_its_configuration() -> None:
    found, gaps = named_code([config("m/config.json", "modeling_x.X", "modeling_x.X")], ["x/modeling_x.py"])
    assert found == frozenset()
    assert gaps == (
        Gap(
            path="m/config.json",
            stage=Stage.READ,
            reason=Reason.MISSING,
            detail="names code that is not there: modeling_x.X",
        ),
    )


@pytest.mark.parametrize("auto_class", ["module", "component", "base_model_class"])
def test_a_class_that_can_be_of_an_installed_package_is_no_gap(auto_class: str) -> None:
    assert named_code([config("modules.json", "pylate.models.Dense", auto_class=auto_class)], []) == (
        frozenset(),
        (),
    )


def test_code_of_another_repository_is_neither_file_nor_gap() -> None:
    named = config("config.json", "owner/name--modeling_x.X")
    assert named_code([named], ["modeling_x.py"]) == (frozenset(), ())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../evil.X", Reason.OUTSIDE_TARGET),
        ("a/../../evil.X", Reason.OUTSIDE_TARGET),
        ("/etc/evil.X", Reason.OUTSIDE_TARGET),
        ("C:\\evil.X", Reason.OUTSIDE_TARGET),
        ("a..b.X", Reason.OUTSIDE_TARGET),
        ("modeling_x", Reason.MALFORMED),
        ("a b.X", Reason.MALFORMED),
        ("a\n.X", Reason.MALFORMED),
        ("a.\x1b[2J", Reason.MALFORMED),
        (".X", Reason.MALFORMED),
        ("a" * 100_000, Reason.MALFORMED),
    ],
)
def test_a_hostile_name_is_a_gap_and_finds_nothing(name: str, reason: Reason) -> None:
    found, (gap,) = named_code([config("m/config.json", name)], ["evil.py", "etc/evil.py", "m/a.py"])
    assert (found, gap.reason) == (frozenset(), reason)
    assert gap.detail.isprintable()
    assert len(gap.detail) < 400


def test_many_missing_files_are_told_up_to_a_limit() -> None:
    names = [f"m{number}.X" for number in range(GAP_COUNT + 50)]
    assert len(named_code([config("config.json", *names)], [])[1]) == GAP_COUNT


def test_a_file_without_facts_names_nothing() -> None:
    assert named_code([file("x.bin")], ["x.py"]) == (frozenset(), ())


@given(st.text(max_size=30), st.lists(st.sampled_from(["a.py", "b/a.py", "b/c/a.py", "a.txt"])))
def test_only_listed_python_files_are_ever_found(name: str, paths: list[str]) -> None:
    found, _ = named_code([config("b/config.json", name)], paths)
    assert found <= {path for path in paths if path.endswith(".py")}
