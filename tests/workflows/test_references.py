"""References of a whole scan: complete, in order, and the same whatever the cache remembers."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from safetensors.numpy import save_file

from aibom import __version__, discovery
from aibom.discovery import Discoverer, Found, Text, wanting
from aibom.domain.entry import Entry
from aibom.domain.errors import Reason
from aibom.domain.gap import Gap, Stage
from aibom.domain.limits import MIB, REFERRING_BYTES
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import ReferenceReport, Report
from aibom.fingerprint.cache import DigestCache
from aibom.outputs import cyclonedx, json_report, lint, reference_json, schema
from aibom.policy import parse_policy
from aibom.sources.local import LocalSource
from aibom.sources.local_file import LocalFile
from aibom.workflows.refs import ReferencesRequest, find_references
from aibom.workflows.scan import ScanRequest, scan

POLICY = parse_policy(b"version: 1\nname: n\nrules: {unindexed-bytes: medium}\n")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
USES = "from transformers import AutoModel\n"
CELL = "from openai import OpenAI\nOpenAI().responses.create(model='gpt-4o')"
PROJECT = {
    "app.py": f"{USES}from names import BASE\nAutoModel.from_pretrained(BASE)\n"
    'AutoModel.from_pretrained("models/own")\nAutoModel.from_pretrained("acme/m")\n',
    "names.py": 'BASE = "org/base"\n',
    "quiet.py": "print('nothing here')\n",
    "Dockerfile": "FROM vllm/vllm-openai:v0.6.1\n",
    "requirements.txt": "torch==2.1.0\n",
    "nb.ipynb": orjson.dumps(
        {"nbformat": 4, "metadata": {}, "cells": [
            {"cell_type": "markdown", "source": "text"},
            {"cell_type": "code", "source": CELL},
        ]}
    ).decode(),
    "deep/er/run.sh": "huggingface-cli download org/shell\n",
    "broken.py": f"{USES}AutoModel.from_pretrained('org/lost'\n",
}  # fmt: skip


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def weights(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"w": np.ones(4, np.float32)}, path)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = written(tmp_path / "project", PROJECT)
    weights(place / "models" / "own" / "model.safetensors")
    weights(place / "hub" / "models--acme--m" / "snapshots" / COMMIT / "model.safetensors")
    return place


def run(*targets: Path, **more: object) -> Report:
    return scan(ScanRequest(targets=tuple(map(str, targets)), policy=POLICY, **more))  # type: ignore[arg-type]


def refs(*targets: Path, **more: object) -> ReferenceReport:
    return find_references(ReferencesRequest(targets=tuple(map(str, targets)), **more))  # type: ignore[arg-type]


def told(references: tuple[Reference, ...]) -> list[tuple[str, str, int | None, str]]:
    return [
        (
            one.location.path,
            one.location.inside,
            one.location.line,
            one.target.location if one.target else "?",
        )
        for one in references
    ]


def lost(gaps: tuple[Gap, ...]) -> list[tuple[str, Reason]]:
    return [(gap.path, gap.reason) for gap in gaps if gap.stage is Stage.DISCOVER]


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that remembers what was written a moment ago too, so that no test has to wait."""
    monkeypatch.setattr("aibom.sources.local.RACY_NS", 0)
    return tmp_path / "cache" / "d.sqlite"


EXPECTED = [
    ("Dockerfile", "", 1, "vllm/vllm-openai"),
    ("app.py", "", 3, "org/base"),
    ("app.py", "", 4, "models/own"),
    ("app.py", "", 5, "acme/m"),
    ("deep/er/run.sh", "", 1, "org/shell"),
    ("nb.ipynb", "cell 2", 2, "gpt-4o"),
    ("requirements.txt", "", 1, "torch"),
]


def test_a_scan_has_the_references_in_order_of_path_and_place(project: Path) -> None:
    report = run(project)
    assert told(report.references) == EXPECTED
    assert {one.location.path for one in report.references} <= {file.path for file in report.files}
    own = report.references[2]
    assert (own.target and own.target.scheme, own.flags) == ("file", {Flag.LOCAL_PATH})


def test_only_references_are_the_same_references_and_gaps(project: Path) -> None:
    whole, alone = run(project), refs(project)
    assert alone.references == whole.references
    assert alone.gaps == tuple(gap for gap in whole.gaps if gap.stage is Stage.DISCOVER)
    assert (alone.listed, alone.targets) == (whole.coverage.listed, whole.targets)
    assert alone.looked_at == len(PROJECT)


def test_json_has_them_as_the_report_alone_has_them(project: Path) -> None:
    whole = orjson.loads(json_report.render(run(project)))["references"]
    assert len(whole) == len(EXPECTED)
    assert whole == orjson.loads(reference_json.render(refs(project)))["references"]


@pytest.mark.parametrize("spec_version", ["1.6", "1.7"])
def test_the_bom_has_them_and_is_valid(project: Path, spec_version: str) -> None:
    report = run(project)
    document = cyclonedx.render(report, spec_version=spec_version)
    assert schema.errors(document) == []
    assert lint.problems(document) == ()
    strict = JsonStrictValidator(SchemaVersion.from_version(spec_version))
    assert strict.validate_str(document.decode()) is None
    parts = orjson.loads(document)["components"]
    for component in report.components:
        (entry,) = [part for part in parts if part["bom-ref"] == f"component:{component.id}"]
        place = entry["evidence"]["occurrences"][-1]
        assert (place["location"], place["line"]) == ("app.py", 5 if component.ref else 4)
    assert [p["bom-ref"] for p in parts if p["bom-ref"].startswith("external:model:")] == [
        "external:model:hf:org/base",
        "external:model:hf:org/shell",
    ]


def test_a_file_that_does_not_parse_is_a_gap_and_is_digested(project: Path) -> None:
    report = run(project)
    assert lost(report.gaps) == [("broken.py", Reason.MALFORMED)]
    (broken,) = [file for file in report.files if file.path == "broken.py"]
    assert broken.sha256 is not None
    assert report.coverage.partial == 1


def test_several_targets_get_their_names_in_front(tmp_path: Path) -> None:
    code = f'{USES}AutoModel.from_pretrained("m")\n'
    for name in "xy":
        written(tmp_path / name / "same", {"app.py": code, "bad.py": f"{USES}AutoModel.from_pretrained(\n"})
    weights(tmp_path / "y" / "same" / "m" / "model.safetensors")
    for report in (
        run(tmp_path / "x" / "same", tmp_path / "y" / "same"),
        refs(tmp_path / "x" / "same", tmp_path / "y" / "same"),
    ):
        assert told(report.references) == [("same-2/app.py", "", 2, "same-2/m"), ("same/app.py", "", 2, "m")]
        assert lost(report.gaps) == [(f"{name}/bad.py", Reason.MALFORMED) for name in ("same-2", "same")]
    assert report.listed == 5


def test_a_single_file_can_be_the_target(project: Path) -> None:
    assert told(refs(project / "requirements.txt").references) == [("requirements.txt", "", 1, "torch")]


def test_a_crash_of_a_discoverer_is_a_gap_and_everything_else_is_there(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(text: Text, found: Found) -> None:
        raise ZeroDivisionError("oops")

    (project / "names.txt").write_text("x")
    crashing = Discoverer(name="broken", title="", wants=lambda path: path == "names.txt", discover=broken)
    monkeypatch.setattr("aibom.discovery.DISCOVERERS", (crashing, *discovery.DISCOVERERS))
    whole, alone = run(project, jobs=2), refs(project)
    assert told(whole.references) == told(alone.references) == EXPECTED
    (gap,) = [gap for gap in whole.gaps if gap.path == "names.txt"]
    assert gap in alone.gaps
    assert (gap.stage, gap.reason) == (Stage.DISCOVER, Reason.INTERNAL)
    assert "ZeroDivisionError: oops" in gap.detail
    assert [file.sha256 is not None for file in whole.files if file.path == "names.txt"] == [True]


def test_code_that_is_too_long_is_a_gap_and_a_byte_less_is_none(tmp_path: Path) -> None:
    for name, size in (("long.sh", REFERRING_BYTES + 1), ("fits.py", REFERRING_BYTES)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    report = refs(tmp_path)
    assert lost(report.gaps) == [("long.sh", Reason.LIMIT)]
    assert str(REFERRING_BYTES) in report.gaps[0].detail
    assert report.looked_at == 2


@pytest.mark.parametrize(
    "folder", ["", "a/", ".github/workflows/", ".circleci/", "skills/x/", "requirements/"]
)
@pytest.mark.parametrize("ending", ["py", "pyi", "cu", "c", "bin", "gif", "safetensors", "json", "PY", ""])
def test_who_wants_a_file_is_what_everybody_says_alone(folder: str, ending: str) -> None:
    for name in ("x", "Dockerfile", "Containerfile", "Makefile", "Jenkinsfile", "Modelfile", ".env",
                 "compose", "values", "SKILL", "requirements", "environment"):  # fmt: skip
        path = f"{folder}{name}.{ending}"
        assert wanting(path) == tuple(each for each in discovery.DISCOVERERS if each.wants(path))


def test_a_large_json_is_data_and_no_gap(tmp_path: Path) -> None:
    settings = {"model_name_or_path": "org/m", "padding": "x" * (5 * MIB)}
    (tmp_path / "train.json").write_bytes(orjson.dumps(settings))
    report = refs(tmp_path)
    assert (report.references, report.gaps, report.listed, report.looked_at) == ((), (), 1, 0)
    assert lost(run(tmp_path).gaps) == []
    (tmp_path / "train.json").write_bytes(orjson.dumps(settings | {"padding": ""}))
    assert told(refs(tmp_path).references) == [("train.json", "", 1, "org/m")]


def test_more_references_than_are_kept_are_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.discovery.found.REFERENCE_COUNT", 3)
    files = {
        "a.py": USES + "".join(f'AutoModel.from_pretrained("o/{n}")\n' for n in range(9)),
        "requirements.txt": "torch==2.1.0\ntransformers==4.0.0\nopenai==1.0\nvllm==0.6.1\n",
        "run.sh": "".join(f"hf download o/{n}\n" for n in range(9)),
    }
    report = refs(written(tmp_path, files))
    assert len(report.references) == 9
    assert lost(report.gaps) == [(name, Reason.LIMIT) for name in files]


def test_one_thread_and_many_find_the_same(project: Path) -> None:
    written(project, {f"p{n}/app.py": PROJECT["app.py"] for n in range(140)})
    written(project, {f"p{n}/names.py": f'BASE = "org/base{n}"\n' for n in range(140)})
    one, many = refs(project, jobs=1), refs(project, jobs=4)
    assert one == many
    assert ("p7/app.py", "", 3, "org/base7") in told(one.references)
    assert run(project / "p1", jobs=1).references == run(project / "p1", jobs=4).references


# What a scan and a list of references tell, and with the cache must tell again.
LOOKS: list[Callable[..., tuple[object, ...]]] = [
    lambda place, **more: (
        (seen := run(place, **more)).references, seen.gaps, seen.findings, seen.components, seen.coverage
    ),
    lambda place, **more: (
        (seen := refs(place, **more)).references, seen.gaps, seen.listed, seen.looked_at
    ),
]  # fmt: skip


def add_constant(place: Path) -> None:
    (place / "names.py").write_text('BASE = "org/other"\n')


def take_constant(place: Path) -> None:
    (place / "names.py").unlink()


def shadow_constant(place: Path) -> None:
    written(place, {"names/__init__.py": 'BASE = "org/package"\n'})


def move_constant(place: Path) -> None:
    (place / "names.py").rename(place / "moved.py")
    (place / "names").mkdir()
    (place / "moved.py").rename(place / "names" / "__init__.py")


def rename_weights(place: Path) -> None:
    (place / "models" / "own").rename(place / "models" / "owned")


def mend(place: Path) -> None:
    (place / "broken.py").write_text(f"{USES}AutoModel.from_pretrained('org/lost')\n")


def touch(place: Path) -> None:
    os.utime(place / "app.py")


def nothing(place: Path) -> None:
    pass


CHANGES = [
    nothing, touch, add_constant, take_constant, shadow_constant, move_constant, rename_weights, mend
]  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids=["scan", "refs"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_warm_cache_tells_exactly_what_a_cold_one_does(
    look: Callable[..., tuple[object, ...]], change: Callable[[Path], None], project: Path, memory: Path
) -> None:
    first = look(project, cache=memory)
    assert first == look(project)
    change(project)
    cold = look(project)
    for _ in range(2):  # the first of these learns, the second only remembers
        assert look(project, cache=memory) == cold
    assert (cold[:2] == first[:2]) == (change in (nothing, touch, shadow_constant, move_constant))


def test_a_cache_of_one_command_serves_the_other(project: Path, memory: Path) -> None:
    for first, second in (LOOKS, LOOKS[::-1]):
        cache = memory.with_name(f"{LOOKS.index(first)}.sqlite")
        first(project, cache=cache)
        assert second(project, cache=cache) == second(project)


def test_a_file_that_moves_to_where_it_means_something_is_looked_at_anew(
    tmp_path: Path, memory: Path
) -> None:
    place = tmp_path / "place"
    flow = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: hf download org/m\n"
    written(place, {"flow.yml": flow, ".github/workflows/other.txt": ""})
    before = [refs(place, cache=memory) for _ in range(2)]
    assert [one.references for one in before] == [(), ()]
    # A rename changes the version of a file (its ctime); a hard link to it has the same one.
    (place / ".github" / "workflows" / "flow.yml").hardlink_to(place / "flow.yml")
    for _ in range(2):
        found = refs(place, cache=memory)
        assert told(found.references) == [(".github/workflows/flow.yml", "", 6, "org/m")]
        assert found == refs(place)


def test_a_gap_of_an_unchanged_file_is_told_again(tmp_path: Path, memory: Path) -> None:
    place = tmp_path / "place"
    written(place, {"bad.py": PROJECT["broken.py"], "bad.yaml": "model_name: [&a *a]\n"})
    for look in (run, refs):
        cold = look(place)
        assert [path for path, _ in lost(cold.gaps)] == ["bad.py", "bad.yaml"]
        assert [look(place, cache=memory).gaps for _ in range(3)] == [cold.gaps] * 3


def test_a_target_has_its_own_prefix_whatever_the_cache_was_filled_with(
    project: Path, tmp_path: Path, memory: Path
) -> None:
    other = shutil.copytree(project, tmp_path / "other")
    alone = refs(project, cache=memory)
    both = refs(project, other, cache=memory)
    assert both == refs(project, other)
    assert refs(project, cache=memory) == alone
    assert {one.location.path.partition("/")[0] for one in both.references} == {"project", "other"}


class Opens:
    """Which files are opened, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        real = LocalSource.open

        def counting(source: LocalSource, entry: Entry) -> LocalFile:
            self.paths.append(entry.path)
            return real(source, entry)

        monkeypatch.setattr(LocalSource, "open", counting)

    def taken(self) -> list[str]:
        paths, self.paths = self.paths, []
        return sorted(paths)


CODE = {"app.py", "broken.py", "names.py", "quiet.py", "Dockerfile", "requirements.txt", "nb.ipynb",
        "deep/er/run.sh"}  # fmt: skip


def test_weights_and_data_are_not_opened_for_references(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(project, {"data.csv": "a,b\n", "README.md": "text", "x.bin": "x", "vocab.txt": "a"})
    opens = Opens(monkeypatch)
    refs(project)
    assert set(opens.taken()) == CODE


@pytest.mark.parametrize("look", [run, refs])
def test_code_that_has_not_changed_is_not_opened_a_second_time(
    look: Callable[..., Report | ReferenceReport],
    project: Path,
    memory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opens = Opens(monkeypatch)
    look(project, cache=memory)
    assert set(opens.taken()) >= CODE
    look(project, cache=memory)
    assert set(opens.taken()) & CODE == set()
    add_constant(project)
    look(project, cache=memory)
    # It is opened for itself and for the file that has a constant from it.
    assert [path for path in opens.taken() if path in CODE] == ["app.py", "names.py", "names.py"]


def test_a_run_that_reads_everything_anew_asks_no_cache(
    project: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = run(project, cache=memory)
    opens = Opens(monkeypatch)
    again = run(project, cache=memory, reread=True)
    assert set(opens.taken()) >= CODE
    assert again.references == before.references


def test_what_is_too_young_is_not_remembered(project: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "d.sqlite"
    threading.Event().wait(0.15)
    add_constant(project)
    refs(project, cache=cache)
    with DigestCache(cache, __version__) as opened:
        (count,) = opened._connection.execute("SELECT count(*) FROM referred").fetchone()
    # Neither the file that just changed, nor the one that has a constant from it.
    assert count == len(CODE) - 2


def test_progress_adds_up_with_and_without_a_cache(project: Path, memory: Path) -> None:
    class Sum:
        total = 0

        def listed(self, files: int, size: int) -> None: ...
        def hint(self, message: str) -> None: ...
        def advanced(self, count: int) -> None:
            self.total += count

    sums = []
    for _ in range(2):
        progress = Sum()
        request = ReferencesRequest(targets=(str(project),), cache=memory)
        find_references(request, progress)
        sums.append(progress.total)
    expected = sum((project / name).stat().st_size for name in CODE)
    assert sums == [expected, expected]


def test_the_reports_are_values(project: Path) -> None:
    report = refs(project)
    assert replace(report) == report == refs(project)
