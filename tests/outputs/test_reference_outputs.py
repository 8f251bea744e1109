"""References as a table, JSON and CSV: complete, readable, and nothing scanned reaches anybody raw."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom import __version__
from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.finding import Location
from aibom.domain.gap import Gap, Stage
from aibom.domain.ref import PinnedRef, Ref
from aibom.domain.reference import Flag, Reference
from aibom.domain.report import ReferenceReport
from aibom.domain.target import Target, Tool
from aibom.outputs import json_report, reference_csv, reference_json, reference_table, reference_text
from tests.builders import report as scan_report
from tests.outputs.bom_samples import COMMIT

GAP = Gap(path="old.py", stage=Stage.DISCOVER, reason=Reason.MALFORMED, detail="not Python 3.11", offset=7)
HOSTILE = ["a\nb", "a\r\n,b", "\x1b[31mred", "\udcff", "\u202egpj", "q\"u,o'te", "=1+1", "a\tb", "|x", ""]
COLOUR = re.compile(r"\x1b\[\d+m")


def refers(
    target: Ref | None, path: str = "app.py", line: int | None = 3, inside: str = "", **more: object
) -> Reference:
    parts: dict[str, object] = {"kind": ComponentKind.MODEL, "loader": "transformers.pipeline"} | more
    place = Location(path=path, line=line, column=5, inside=inside)
    return Reference(target=target, location=place, **parts)  # type: ignore[arg-type]


def report(*references: Reference, **more: object) -> ReferenceReport:
    parts: dict[str, object] = {"listed": 9, "looked_at": 4, "targets": (Target(name="place"),)} | more
    tool = Tool(name="aibom", version=__version__)
    return ReferenceReport(tool=tool, references=references, **parts)  # type: ignore[arg-type]


PINNED = refers(PinnedRef(scheme="hf", location="org/pinned", revision=COMMIT, subpath="q4.gguf"))
LOOSE = refers(
    Ref(scheme="hf", location="bert"), line=9, flags=frozenset({Flag.UNPINNED, Flag.NO_ORGANISATION})
)
UNKNOWN = refers(None, line=12, loader="torch.load", flags=frozenset({Flag.UNRESOLVED, Flag.UNSAFE_LOAD}))
CELL = refers(Ref(scheme="openai", location="gpt-4o"), "nb.ipynb", 2, "cell 7", kind=ComponentKind.SERVICE)
IMAGE = refers(
    PinnedRef(scheme="docker", location="vllm/vllm-openai", revision="sha256:" + "ab" * 32),
    "Dockerfile",
    1,
    kind=ComponentKind.LIBRARY,
    loader="FROM",
    confidence=Confidence.HIGH,
)
PAGE = refers(Ref(scheme="http", location="http://example.org/m.bin"), flags=frozenset({Flag.HTTP}))
ALL = report(PINNED, LOOSE, UNKNOWN, CELL, IMAGE, gaps=(GAP,))


def table(seen: ReferenceReport, **more: object) -> str:
    return reference_table.render(seen, **more).decode()  # type: ignore[arg-type]


def rows(seen: ReferenceReport) -> list[dict[str, str]]:
    text = reference_csv.render(seen).decode()
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        (PINNED, f"hf:org/pinned@{COMMIT}#q4.gguf"),
        (LOOSE, "hf:bert"),
        (UNKNOWN, "?"),
        (IMAGE, "docker:vllm/vllm-openai@sha256:" + "ab" * 32),
        (PAGE, "http://example.org/m.bin"),
        (refers(Ref(scheme="hf", location="a\nb")), r"hf:a\x0ab"),
    ],
)
def test_a_place_is_written_with_its_scheme_revision_and_file(reference: Reference, text: str) -> None:
    assert reference_text.written(reference.target) == text


def test_only_commits_and_digests_are_cut_for_people() -> None:
    assert reference_text.shortened(PINNED.target) == f"hf:org/pinned@{COMMIT[:12]}#q4.gguf"
    assert reference_text.shortened(IMAGE.target) == "docker:vllm/vllm-openai@sha256:" + "ab" * 6
    branch = Ref(scheme="git", location="https://example.org/r", revision="a-long-name-of-a-branch")
    assert reference_text.shortened(branch) == "git:https://example.org/r@a-long-name-of-a-branch"
    assert reference_text.shortened(None) == "?"


def test_the_table_shows_file_line_kind_target_and_flags() -> None:
    assert table(ALL).splitlines() == [
        "app.py",
        "     3  model      hf:org/pinned@0123456789ab#q4.gguf",
        "     9  model      hf:bert  unpinned no-organisation",
        "    12  model      ? torch.load  unsafe-load unresolved",
        "",
        "nb.ipynb",
        "cell 7:2  service    openai:gpt-4o",
        "",
        "Dockerfile",
        "     1  library    docker:vllm/vllm-openai@sha256:abababababab",
        "",
        "Gaps (1): not, or not fully, looked at",
        "  old.py at byte 7: malformed: not Python 3.11",
        "",
        "5 references in 3 files: 3 models, 1 service, 1 library",
        "  1 unpinned, 1 unsafe-load, 1 unresolved, 1 no-organisation",
        "4 of 9 files can refer to something, 1 gap",
    ]


def test_nothing_found_says_so_and_how_much_was_looked_at() -> None:
    assert table(report()) == "No references found.\n4 of 9 files can refer to something, 0 gaps\n"


@pytest.mark.parametrize("width", [72, 80, 140])
@pytest.mark.parametrize("flags", [("unpinned",), ("unpinned", "remote-code"), tuple(Flag)[:4]])
@pytest.mark.parametrize("inside", ["", "cell 12345"])
def test_flags_go_to_a_line_of_their_own_rather_than_beyond_the_width(
    width: int, flags: tuple[str, ...], inside: str
) -> None:
    for length in range(1, 120, 7):
        wide = refers(
            Ref(scheme="hf", location="o/" + "n" * length), inside=inside, flags=frozenset(map(Flag, flags))
        )
        body = table(report(wide), width=width).split("\n\n")[0].splitlines()[1:]
        for line in body:
            assert len(line) <= width or line.endswith("n" * length)
        assert " ".join(body).split()[-len(flags) :] == [flag for flag in Flag if flag in flags]


def test_the_sums_are_wrapped_too() -> None:
    every = [refers(LOOSE.target, f"{n}.py", kind=kind) for n, kind in enumerate(ComponentKind)]
    every[0] = replace(every[0], flags=frozenset(Flag))
    foot = table(report(*every)).rpartition("\n\n")[2]
    assert max(map(len, foot.splitlines())) <= 80
    assert " ".join(foot.split()).startswith("7 references in 7 files: 1 model, 1 adapter,")
    assert "1 local-path, 1 no-organisation" in " ".join(foot.split())


def test_a_long_gap_is_wrapped_and_many_are_cut() -> None:
    long = replace(GAP, detail="word " * 60)
    shown = table(report(gaps=(long,) * 25)).splitlines()
    assert max(map(len, shown)) <= 80
    assert "  ... and 5 gaps more; `-f json` shows all" in shown


def test_colours_only_when_asked_and_they_change_no_text() -> None:
    plain, painted = table(ALL), table(ALL, color=True)
    assert "\x1b" not in plain
    assert "\x1b[33munpinned\x1b[0m" in painted
    assert "\x1b[31munsafe-load\x1b[0m" in painted
    assert "\x1b[1mapp.py\x1b[0m" in painted
    assert COLOUR.sub("", painted) == plain


@given(st.sampled_from(HOSTILE), st.sampled_from(HOSTILE).filter(bool), st.text(max_size=20))
def test_no_control_or_undecodable_character_reaches_a_terminal_or_a_document(
    path: str, name: str, more: str
) -> None:
    path, name = path + more, name + more.replace("@", "")
    hostile = refers(
        Ref(scheme="hf", location=name, revision=path or None), path or "p", inside=path, loader=name
    )
    gap = replace(GAP, path=path, detail=name)
    seen = report(hostile, refers(None, path or "p", loader=name), gaps=(gap,), targets=(Target(name=name),))
    outputs = [reference_table.render(seen), reference_json.render(seen), reference_csv.render(seen)]
    for output in outputs:
        text = output.decode()
        assert "\x1b" not in text
        assert "\u202e" not in text
    lines = outputs[0].decode().splitlines()
    # Two references under one path, a gap, and blank lines and sums around them.
    assert len(lines) >= 9
    assert len(rows(seen)) == 2
    assert outputs[2].count(b"\n") == outputs[2].count(b"\r\n") == 3


def test_json_names_its_layout_and_has_the_objects_of_the_report() -> None:
    document = orjson.loads(reference_json.render(ALL))
    assert list(document) == ["schema", "tool", "targets", "listed", "lookedAt", "references", "gaps"]
    assert document["schema"] == "aibom-references/1"
    assert document["tool"] == {"name": "aibom", "version": __version__}
    assert (document["listed"], document["lookedAt"]) == (9, 4)
    whole = orjson.loads(
        json_report.render(scan_report(references=ALL.references, gaps=ALL.gaps, targets=ALL.targets))
    )
    for part in ("references", "gaps", "targets"):
        assert document[part] == whole[part]
    assert document["references"][0] == {
        "kind": "model",
        "target": {
            "scheme": "hf",
            "location": "org/pinned",
            "revision": COMMIT,
            "subpath": "q4.gguf",
            "purl": f"pkg:huggingface/org/pinned@{COMMIT}#q4.gguf",
        },
        "loader": "transformers.pipeline",
        "path": "app.py",
        "inside": "",
        "line": 3,
        "column": 5,
        "flags": [],
        "confidence": "medium",
    }


def test_json_of_nothing_is_json() -> None:
    document = reference_json.render(report())
    assert document.endswith(b"}\n")
    assert orjson.loads(document)["references"] == []


def test_csv_has_a_header_and_a_line_per_reference_that_end_as_rfc_4180_says() -> None:
    data = reference_csv.render(ALL)
    assert data.startswith(
        b"path,inside,line,column,kind,target,revision,purl,loader,flags,confidence\r\napp.py,,3,5,model,"
    )
    assert data.endswith(b"\r\n")
    assert data.count(b"\r\n") == data.count(b"\n") == 6
    assert rows(ALL)[1:3] == [
        {"path": "app.py", "inside": "", "line": "9", "column": "5", "kind": "model", "target": "hf:bert",
         "revision": "", "purl": "", "loader": "transformers.pipeline",
         "flags": "no-organisation unpinned", "confidence": "medium"},
        {"path": "app.py", "inside": "", "line": "12", "column": "5", "kind": "model", "target": "?",
         "revision": "", "purl": "", "loader": "torch.load", "flags": "unresolved unsafe-load",
         "confidence": "medium"},
    ]  # fmt: skip
    assert rows(ALL)[3]["inside"] == "cell 7"
    assert reference_csv.render(report()).count(b"\n") == 1


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", r"\x09=1"),
        ("\r=1", r"\x0d=1"),
        ("a=1", "a=1"),
        ('say "hi", x', 'say "hi", x'),
        ("two\nlines", r"two\x0alines"),
    ],
)
def test_a_name_is_no_formula_and_no_second_line(path: str, shown: str) -> None:
    hostile = refers(Ref(scheme="hf", location="o/n", revision=path), path, loader=path)
    (row,) = rows(report(hostile))
    assert (row["path"], row["revision"], row["loader"]) == (shown, shown, shown)


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_a_cell_holds_the_others_stay_where_they_are(path: str, loader: str) -> None:
    (row,) = rows(report(refers(None, path, loader=loader)))
    assert (row["line"], row["column"], row["kind"], row["target"]) == ("3", "5", "model", "?")
    assert not row["path"].startswith(("=", "+", "-", "@"))
    assert None not in row


def test_counts_are_in_words() -> None:
    one = (LOOSE,)
    assert reference_text.counts(()) == reference_text.flags(()) == ""
    assert reference_text.counts(one) == "1 reference in 1 file: 1 model"
    many = tuple(replace(IMAGE, location=Location(path=f"{n}")) for n in range(2_000))
    assert reference_text.counts(many) == "2,000 references in 2,000 files: 2,000 libraries"
    prompts = tuple(replace(each, kind=ComponentKind.CODE) for each in many[:2])
    assert reference_text.counts(prompts) == "2 references in 2 files: 2 code"
    assert reference_text.flags(one) == "1 unpinned, 1 no-organisation"
