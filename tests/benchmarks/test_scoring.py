"""How what a tool tells is held against the truth: strictly for ours, by name for others."""

from __future__ import annotations

import pytest

from benchmarks.references.scoring import Score, Told, generous, same_name, strict
from benchmarks.references.truth import Truth

FILE = "python/app/train.py"


def truth(target: str | None = "hf:org/name", lines: tuple[int, int] = (3, 5), **fields: object) -> Truth:
    values = {"path": FILE, "part": "", "kinds": frozenset({"model"}), "revision": None, "flags": frozenset()}
    first, last = lines
    return Truth(files="python", target=target, first=first, last=last, **{**values, **fields})  # type: ignore[arg-type]


def told(target: str | None = "hf:org/name", line: int | None = 4, **fields: object) -> Told:
    return Told(**{"path": FILE, "kind": "model", "target": target, "line": line, **fields})  # type: ignore[arg-type]


def counts(score: Score) -> tuple[int, int, int]:
    return score.found, score.missed, score.wrong


STRICT = {
    "the same target within the statement": ([truth()], [told()], (1, 0, 0)),
    "its first and its last line": ([truth(), truth()], [told(line=3), told(line=5)], (2, 0, 0)),
    "a line before the statement": ([truth()], [told(line=2)], (0, 1, 1)),
    "a line behind the statement": ([truth()], [told(line=6)], (0, 1, 1)),
    "no line at all": ([truth()], [told(line=None)], (1, 0, 0)),
    "another file": ([truth()], [told(path="python/app/other.py")], (0, 1, 1)),
    "another target": ([truth()], [told("hf:org/other")], (0, 1, 1)),
    "another scheme": ([truth()], [told("hf-dataset:org/name")], (0, 1, 1)),
    "the scheme in another case": ([truth()], [told("HF:org/name")], (1, 0, 0)),
    "the location in another case": ([truth()], [told("hf:Org/Name")], (0, 1, 1)),
    "another cell": ([truth(part="cell 2")], [told(part="cell 3")], (0, 1, 1)),
    "the same cell": ([truth(part="cell 2")], [told(part="cell 2")], (1, 0, 0)),
    "unresolved, as it should be": ([truth(None)], [told(None)], (1, 0, 0)),
    "unresolved in another statement": ([truth(None)], [told(None, 9)], (0, 1, 1)),
    "unresolved, and it can be known": ([truth()], [told(None)], (0, 1, 1)),
    "resolved, and it cannot be known": ([truth(None)], [told()], (0, 1, 1)),
    "told twice": ([truth()], [told(), told()], (1, 0, 1)),
    "told once of two": ([truth(), truth()], [told()], (1, 1, 0)),
    "nothing told": ([truth()], [], (0, 1, 0)),
    "nothing true": ([], [told()], (0, 0, 1)),
    # The one without a line, and the wide range, leave the narrow one to those that need it.
    "a statement in another": ([truth(lines=(1, 9)), truth(lines=(4, 4))], [told(line=8), told()], (2, 0, 0)),
    "no line beside a line": ([truth(lines=(1, 1)), truth()], [told(line=None), told(line=1)], (2, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", STRICT)
def test_references_are_paired_one_to_one(case: str) -> None:
    truths, tells, expected = STRICT[case]
    outcome = strict(truths, tells)
    assert counts(outcome.score) == expected
    assert (len(outcome.missed), len(outcome.wrong)) == expected[1:]


def test_kind_revision_and_flags_are_counted_among_the_found() -> None:
    truths = [truth(revision="v1", flags=frozenset({"remote-code"})), truth("hf:org/b"), truth("hf:org/c")]
    tells = [
        told(revision="v1", flags=frozenset({"remote-code", "unpinned"})),
        told("hf:org/b", kind="dataset", revision="v2", flags=frozenset({"http"})),
    ]
    score = strict(truths, tells).score
    assert (score.found, score.kind, score.revision, score.flags) == (2, 1, 1, 1)


def test_any_of_several_kinds_is_right() -> None:
    truths = [truth(kinds=frozenset({"model", "service"}))]
    assert [strict(truths, [told(kind=kind)]).score.kind for kind in ("model", "service", "code")] == [
        1,
        1,
        0,
    ]


def test_a_model_and_its_tokenizer_on_one_line_are_not_confused() -> None:
    truths = [truth(kinds=frozenset({"tokenizer"})), truth(revision="v1"), truth(revision="v2")]
    tells = [told(revision="v2"), told(revision="v1"), told(kind="tokenizer")]
    score = strict(truths, tells).score
    assert (score.found, score.kind, score.revision) == (3, 3, 3)


GENEROUS = {
    "the name in the file": ([truth()], [told("org/name", 99)], (1, 0, 0)),
    "once for many": ([truth(), truth(lines=(7, 7))], [told("org/name")], (2, 0, 0)),
    "many for one": ([truth()], [told("org/name"), told("org/name", 9)], (1, 0, 0)),
    "the folder that it was given": ([truth()], [told("name", path="python/")], (1, 0, 0)),
    "another folder": ([truth()], [told("name", path="docker/")], (0, 1, 1)),
    "where the constant is defined": ([truth()], [told("name", path="python/app/names.py")], (0, 1, 0)),
    "another project": ([truth()], [told("name", path="python/decoys/names.py")], (0, 1, 1)),
    "a name that is not there": ([truth()], [told("org/other")], (0, 1, 1)),
    "a package that is not there": ([truth()], [told("flask", kind="library")], (0, 1, 0)),
    "a package that is there": ([truth("pypi:torch")], [told("torch", kind="library")], (1, 0, 0)),
    "no claim at all": ([truth()], [told("OpenAI SDK", kind=None)], (0, 1, 0)),
    "a claim and the same name without": ([truth()], [told("no"), told("no", kind=None)], (0, 1, 1)),
    "the wrong kind": ([truth()], [told("org/name", kind="dataset")], (1, 0, 0)),
    "unresolved ones do not count": ([truth(None)], [told(None)], (0, 0, 0)),
}


@pytest.mark.parametrize("case", GENEROUS)
def test_other_tools_are_read_by_name(case: str) -> None:
    truths, tells, expected = GENEROUS[case]
    outcome = generous(truths, tells)
    assert counts(outcome.score) == expected
    assert (len(outcome.missed), len(outcome.wrong)) == expected[1:]


def test_what_a_tool_is_not_asked_for_is_neither_found_nor_missed_nor_wrong() -> None:
    score = generous(
        [truth(), truth("docker:a/b")], [told("a/b")], lambda each: each.target == "hf:org/name"
    ).score
    assert (score.truth, score.found, score.missed, score.right, score.wrong) == (1, 0, 1, 0, 0)


SAME = [
    ("org/name", "org/name"),
    ("Org/Name", "org/name"),
    ("name", "org/name"),
    ("huggingface/org/name", "org/name"),
    ("together_ai/mistralai/mixtral", "mistralai/mixtral"),
    ("openai/gpt-4o", "gpt-4o"),
    ("openai:gpt-4o", "gpt-4o"),
    ("llama3.2:3b", "llama3.2"),
    ("vllm/vllm-openai:v0.6.3", "vllm/vllm-openai"),
    ("localhost:5000/vllm:v1", "localhost:5000/vllm"),
    ("a/b@sha256:00ff", "a/b"),
    ("@scope/name@1.0.2", "@scope/name"),
    ("@scope/name", "@scope/name"),
    ("anthropic.claude-v1:0", "anthropic.claude-v1:0"),
    ("https://huggingface.co/datasets/org/name", "org/name"),
    ("hf.co/org/name:Q4_K_M", "org/name"),
    ("https://huggingface.co/gpt2/resolve/main/model.safetensors", "gpt2"),
    (
        "https://huggingface.co/org/name/resolve/main/a.bin",
        "https://huggingface.co/org/name/resolve/main/a.bin",
    ),
    ("sentence_transformers", "sentence-transformers"),
    ("mcp-server-git==0.6.2", "mcp-server-git"),
    ("https://example.com/a.bin", "https://example.com/a.bin"),
    ("./weights/", "./weights"),
    ("a.pt", "./weights/a.pt"),
]
OTHERS = [
    ("other/name", "org/name"),
    ("org", "org/name"),
    ("name-large", "org/name"),
    ("my-gpt-4o", "gpt-4o"),
    ("@scope/other@1.0", "@scope/name"),
]


@pytest.mark.parametrize(("name", "location"), SAME)
def test_spellings_of_the_same_name(name: str, location: str) -> None:
    assert same_name(name, location)


@pytest.mark.parametrize(("name", "location"), OTHERS)
def test_spellings_of_other_names(name: str, location: str) -> None:
    assert not same_name(name, location)


def test_shares_of_nothing_are_none() -> None:
    assert (Score().precision, Score().recall) == (None, None)
    assert Score(truth=4, found=3, right=3, wrong=1).precision == 0.75
    assert Score(truth=4, found=3).recall == 0.75


def test_scores_add_up() -> None:
    one = Score(truth=1, found=1, right=1, wrong=2, kind=1, revision=0, flags=1)
    assert sum([one, one], Score()) == Score(truth=2, found=2, right=2, wrong=4, kind=2, revision=0, flags=2)
