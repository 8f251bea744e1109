"""Who says what is allowed: the policy that was named, and nothing that lies in what is judged."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from aibom.cli.main import _run
from aibom.cli.rendering import OUTPUTS

# Names a command, and is never loaded.
EVIL = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x07echo hi\x85R."
OFF = "version: 1\nname: baseline\nrules: {dangerous-import: off, unexamined-content: off}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AIBOM_", "XDG_", "SOURCE_DATE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("model/weights.bin").write_bytes(EVIL)


def write(file: str, text: str) -> None:
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(text, "utf-8")


NAMES = [
    "aibom.yaml",
    "aibom-policy.yaml",
    "policy.yaml",
    "baseline.yaml",
    ".aibom.yaml",
    "baseline",
    "strict",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_policy_inside_the_scanned_place_is_not_loaded_unless_it_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(f"model/{name}", OFF)
    write("model/aibom.toml", f"policy = '{name}'\nexit-zero = true\n")
    write("model/pyproject.toml", f"[tool.aibom]\npolicy = '{name}'\n")
    assert _run(["scan", "model", "-q", "--no-cache"]) == 1
    monkeypatch.chdir("model")
    assert _run(["scan", "-q", "--no-cache"]) == 1
    assert _run(["scan", "-q", "--no-cache", "--policy", f"./{name}"]) == 0


def test_a_pack_is_a_pack_wherever_one_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    write("model/policies/baseline.yaml", OFF)
    write("model/strict", OFF)
    monkeypatch.chdir("model")
    assert _run(["scan", "-q", "--no-cache", "--policy", "strict"]) == 1


def bom(*components: object, **rest: object) -> None:
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components, **rest}
    write("bom.json", json.dumps(document))


def check(policy: str, *flags: str) -> int:
    write("p.yaml", f"version: 1\nname: n\n{policy}\n")
    return _run(["check", "bom.json", "--policy", "p.yaml", "-q", *flags])


MODEL = {
    "type": "machine-learning-model",
    "bom-ref": "m",
    "name": "acme/m",
    "purl": "pkg:huggingface/acme/m@main",
}
SIGNED = {"name": "aibom:check:signature", "value": "verified|release@acme.com"}


def test_a_document_cannot_vouch_for_itself() -> None:
    bom({**MODEL, "properties": [SIGNED]})
    signature = "signature: {signers: [{issuer: 'https://idp.acme.com', identity: release@acme.com}]}"
    assert check(signature) == 4


def test_a_document_cannot_switch_off_a_demand() -> None:
    properties = [{"name": "aibom:policy:name", "value": "n"}, {"name": "aibom:external", "value": "true"}]
    bom(MODEL, metadata={"properties": properties, "component": {"name": "x", "properties": properties}})
    assert check("integrity: {revision: pinned}") == 1


@pytest.mark.parametrize(
    "about",
    [
        {"purl": "pkg:huggingface/acme-evil/m"},
        {"purl": "pkg:huggingface/acme/../evil/m"},
        {"purl": "pkg:huggingface/acme%2F..%2Fevil/m"},
        {"purl": "pkg:huggingface/evil/m?x=pkg:huggingface/acme/m"},
        {"purl": ""},
    ],
    ids=["longer", "up", "quoted up", "qualifier", "none"],
)
def test_no_spelling_of_a_place_slips_through(about: dict[str, str]) -> None:
    bom({**MODEL, **about})
    assert check("sources: {allow: ['pkg:huggingface/acme/*']}") in (1, 4)


def test_a_model_that_is_what_the_document_is_about_does_not_escape() -> None:
    bom(metadata={"component": {**MODEL, "licenses": [{"license": {"id": "GPL-3.0"}}]}})
    assert check("licences: {allow: [MIT]}") == 1


def test_a_bill_of_materials_of_bills_of_materials_is_not_complete() -> None:
    link = {"type": "bom", "url": "urn:cdx:f08a6ccd-4dce-4759-bd84-c626675d60a7/1"}
    bom({"type": "application", "name": "a", "externalReferences": [link]})
    assert check("licences: {allow: [MIT]}") == 4


HOSTILE = "\x1b]0;x\x07\x9b31m\u202e\u2066::error::x\n|<script>alert(1)</script>\ud800&#0;]]>"


@pytest.mark.parametrize("form", OUTPUTS)
def test_every_output_stands_hostile_names(form: str) -> None:
    occurrence = {"location": f"/../{HOSTILE}", "line": 2**70, "symbol": HOSTILE}
    external = [{"name": "aibom:external", "value": "true"}, {"name": "aibom:kind", "value": "model"}]
    file = {"type": "file", "name": f"../{HOSTILE}", "hashes": [{"alg": "MD5", "content": "A" * 32}]}
    size = {"name": "aibom:file:size", "value": "9" * 13}
    parts = [{**file, "name": f"{number}{HOSTILE}", "properties": [size]} for number in range(3)]
    bom(
        {**MODEL, "name": HOSTILE, "purl": f"pkg:generic/{HOSTILE}", "version": HOSTILE,
         "licenses": [{"license": {"name": HOSTILE}}], "description": HOSTILE, "components": [file, *parts]},
        {"type": "data", "bom-ref": "external:model:hf:a%2Fb", "name": HOSTILE, "properties": external,
         "evidence": {"occurrences": [occurrence]}},
        {"type": "file", "name": HOSTILE},
        metadata={"component": {"name": HOSTILE, "properties": [{"name": "aibom:target", "value": HOSTILE}]}},
    )  # fmt: skip
    policy = "licences: {allow: [MIT]}\nsources: {allow: ['file:x']}\nreferences: {require: [pinned]}"
    assert check(policy, "-f", f"{form}=out") == 1
    written = Path("out").read_bytes()
    for sign in (b"\x1b", b"\x07", "\x9b".encode(), "\u202e".encode(), "\u2066".encode()):
        assert sign not in written
    assert form not in ("html", "markdown") or b"<script>alert" not in written
    assert written.decode("utf-8")


def test_hostile_text_in_a_policy_does_not_reach_the_terminal_raw(capfd: pytest.CaptureFixture[str]) -> None:
    bom(MODEL)
    assert check('"\\e[2J\\u202e": 1') == 2
    assert check('licences: {allow: ["\\e[2J"], mode: "\\e[2J"}') == 2
    assert check('extends: {file: "\\e[2J.yaml", sha256: x}') == 2
    assert not {"\x1b", "\u202e"} & set(capfd.readouterr().err)


def test_a_policy_extends_nothing_outside_of_its_folder(capfd: pytest.CaptureFixture[str]) -> None:
    write("outside.yaml", OFF)
    digest = hashlib.sha256(OFF.encode()).hexdigest()
    for name in ("../outside.yaml", str(Path("outside.yaml").resolve())):
        write("team/p.yaml", f"version: 1\nname: n\nextends: {{file: '{name}', sha256: {digest}}}\n")
        bom(MODEL)
        assert _run(["check", "bom.json", "--policy", "team/p.yaml"]) == 2
        assert "p.yaml:3:17: file is a path in the folder" in capfd.readouterr().err
    write("team/p.yaml", f"version: 1\nname: n\nextends: {{file: 'gone.yaml', sha256: {digest}}}\n")
    assert _run(["check", "bom.json", "--policy", "team/p.yaml"]) == 2
    assert "Error: p.yaml:3:17: gone.yaml: No such file or directory" in capfd.readouterr().err


def test_an_alias_bomb_is_refused_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    bom(MODEL)
    bomb = "\n".join(
        ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    )
    started = time.process_time()
    assert check(bomb) == 2
    assert time.process_time() - started < 1
    assert "p.yaml:3:5: anchors and aliases are not taken" in capfd.readouterr().err
