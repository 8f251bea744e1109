"""What `aibom diff` says about bills of materials of several makers, folders, files, and one of each."""

from __future__ import annotations

import json
import runpy
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aibom.cli.packs import allowlist, policy
from aibom.domain.difference import Difference
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedKey
from aibom.outputs import cyclonedx
from aibom.workflows.diff import DiffRequest, diff
from aibom.workflows.scan import ScanRequest, scan
from tests.hostile import FIXTURES
from tests.workflows.signed_models import EXPECTED, STRANGER, signed

VERSIONS: dict[str, Any] = runpy.run_path(str(FIXTURES / "scripts/make_versions.py"))
DIGESTS = ["a" * 64, "b" * 64]
SCANNING = ScanRequest(targets=(), policy=policy(None), allowlist=allowlist(()))


def difference(old: Path, new: Path, scanning: ScanRequest = SCANNING) -> Difference:
    return diff(DiffRequest(old=str(old), new=str(new), scanning=scanning))


def told(found: Difference) -> list[tuple[str, str, str, str]]:
    return [(str(change.kind), change.subject, change.old, change.new) for change in found.changes]


def bom(*components: dict[str, Any], version: str = "1.6", **more: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": version, "components": list(components), **more}


def compared(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> Difference:
    for name, document in (("old.json", old), ("new.json", new)):
        (folder / name).write_text(json.dumps(document))
    return difference(folder / "old.json", folder / "new.json")


def trivy(version: str, licence: str) -> dict[str, Any]:
    package = {
        "bom-ref": f"pkg:pypi/transformers@{version}", "type": "library", "name": "transformers",
        "version": version, "licenses": [{"license": {"name": licence}}],
        "purl": f"pkg:pypi/transformers@{version}",
        "properties": [{"name": "aquasecurity:trivy:PkgType", "value": "python-pkg"}],
    }  # fmt: skip
    system = {"bom-ref": f"0e1-{version}", "type": "operating-system", "name": "debian", "version": "12.5"}
    return bom(system, package, serialNumber=f"urn:uuid:{version}")


def syft(version: str, licence: str) -> dict[str, Any]:
    package = {
        "bom-ref": f"pkg:pypi/transformers@{version}?package-id=5f{version}", "type": "library",
        "author": "HF <a@b.example>", "name": "transformers", "version": version,
        "licenses": [{"license": {"id": licence}}],
        "cpe": f"cpe:2.3:a:hf:transformers:{version}:*:*:*:*:*:*:*",
        "purl": f"pkg:pypi/transformers@{version}",
        "properties": [{"name": "syft:package:foundBy", "value": "python-installed-package-cataloger"}],
    }  # fmt: skip
    listed = {
        "bom-ref": f"file-{version}", "type": "file", "name": "/app/requirements.txt",
        "hashes": [{"alg": "SHA-1", "content": "c" * 40}, {"alg": "SHA-256", "content": "c" * 64}],
    }  # fmt: skip
    return bom(package, listed)


def cdxgen(version: str, licence: str) -> dict[str, Any]:
    package = {
        "group": "", "name": "transformers", "version": version, "scope": "required", "type": "framework",
        "purl": f"pkg:pypi/Transformers@{version}", "bom-ref": f"pkg:pypi/transformers@{version}",
        "licenses": [{"expression": licence}],
        "hashes": [{"alg": "SHA-256", "content": DIGESTS[version > "4.40.0"]}],
        "evidence": {"identity": [{"field": "purl", "confidence": 0.5}]},
    }  # fmt: skip
    scoped = {
        "group": "@huggingface", "name": "inference", "version": "2.0.0", "type": "library",
        "purl": "pkg:npm/%40huggingface/inference@2.0.0", "bom-ref": "pkg:npm/@huggingface/inference@2.0.0",
    }  # fmt: skip
    return bom(package, scoped)


@pytest.mark.parametrize("maker", [trivy, syft, cdxgen], ids=["trivy", "syft", "cdxgen"])
def test_a_newer_package_is_a_revision_and_not_another_component(maker: Any, tmp_path: Path) -> None:
    found = compared(tmp_path, maker("4.40.0", "Apache-2.0"), maker("4.41.0", "MIT"))
    licences = ("apache-2.0", "mit") if maker is not trivy else ("Apache-2.0", "MIT")
    expected = [
        ("licence", "transformers", *licences),
        ("revision", "transformers", "4.40.0", "4.41.0"),
    ]
    if maker is cdxgen:
        expected.append(("file", "transformers", "a" * 12, "b" * 12))
    assert told(found) == expected
    assert (found.missed, found.notes) == ((), ())


@pytest.mark.parametrize("maker", [trivy, syft, cdxgen], ids=["trivy", "syft", "cdxgen"])
def test_a_document_does_not_differ_from_itself(maker: Any, tmp_path: Path) -> None:
    document = maker("4.40.0", "MIT")
    assert compared(tmp_path, document, document).changes == ()


def test_documents_of_two_makers_about_one_package_agree(tmp_path: Path) -> None:
    found = compared(tmp_path, cdxgen("4.40.0", "MIT"), trivy("4.40.0", "MIT"))
    kinds = {change.kind for change in found.changes if change.subject == "transformers"}
    assert "component-added" not in kinds
    assert "component-removed" not in kinds


def model(**more: Any) -> dict[str, Any]:
    return {"type": "machine-learning-model", "bom-ref": "m", "name": "acme/small", **more}


def hashed(content: str, alg: str = "SHA-256") -> list[dict[str, str]]:
    return [{"alg": alg, "content": content}]


def ancestor(name: str) -> dict[str, Any]:
    return {"pedigree": {"ancestors": [{"type": "machine-learning-model", "name": name}]}}


def trained_on(name: str) -> dict[str, Any]:
    return {"modelCard": {"modelParameters": {"datasets": [{"type": "dataset", "name": name}]}}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"version": "1"}, {"version": "2"}, ("revision", "acme/small", "1", "2")),
        (
            {"hashes": hashed(DIGESTS[0])}, {"hashes": hashed(DIGESTS[1])},
            ("weights", "acme/small", "a" * 12, "b" * 12),
        ),
        (ancestor("base"), ancestor("other"), ("base-model", "acme/small", "base", "other")),
        ({}, ancestor("other"), ("base-model", "acme/small", "", "other")),
        (trained_on("rows"), trained_on("more"), ("dataset", "acme/small", "rows", "more")),
        (
            {"licenses": [{"license": {"id": "MIT"}}]}, {"licenses": [{"expression": "mit"}]},
            None,
        ),
        (
            {"modelCard": {"modelParameters": {"modelArchitecture": "LlamaForCausalLM"}}},
            {"modelCard": {"modelParameters": {"modelArchitecture": "GPT2LMHeadModel"}}},
            ("configuration", "acme/small", "LlamaForCausalLM", "GPT2LMHeadModel"),
        ),
        ({"description": "small"}, {"description": "tiny"}, None),
    ],
    ids=["version", "hash", "ancestor", "first-ancestor", "dataset", "same-licence", "architecture", "prose"],
)  # fmt: skip
def test_what_a_model_states_otherwise_is_told(
    old: dict[str, Any], new: dict[str, Any], expected: tuple[str, ...] | None, tmp_path: Path
) -> None:
    assert told(compared(tmp_path, bom(model(**old)), bom(model(**new)))) == ([expected] if expected else [])


def test_a_component_under_another_name_with_the_same_bytes_is_renamed(tmp_path: Path) -> None:
    old, new = (model(name=name, hashes=hashed(DIGESTS[0])) for name in ("acme/small", "evil/small"))
    assert told(compared(tmp_path, bom(old), bom(new))) == [
        ("component-renamed", "evil/small", "acme/small", "evil/small")
    ]


def test_components_that_have_nothing_in_common_come_and_go(tmp_path: Path) -> None:
    old, new = model(name="one", version="1"), model(name="two", version="7")
    assert told(compared(tmp_path, bom(old), bom(new))) == [
        ("component-added", "two", "", "model 7"),
        ("component-removed", "one", "model 1", ""),
    ]


def test_two_models_that_change_alike_are_both_told(tmp_path: Path) -> None:
    def models(licence: str) -> list[dict[str, Any]]:
        told = [{"license": {"id": licence}}]
        return [model(name=name, **{"bom-ref": name, "licenses": told}) for name in ("one", "two")]

    found = compared(tmp_path, bom(*models("MIT")), bom(*models("GPL-3.0-only")))
    assert [each[:2] for each in told(found)] == [("licence", "one"), ("licence", "two")]


def test_two_versions_of_one_package_stay_apart(tmp_path: Path) -> None:
    packages = [
        {"type": "library", "bom-ref": f"r{version}", "name": "left", "version": version,
         "purl": f"pkg:npm/left@{version}"}
        for version in ("1", "2", "3")
    ]  # fmt: skip
    found = compared(tmp_path, bom(*packages[:2]), bom(packages[2], packages[1]))
    assert told(found) == [("revision", "left", "1", "3")]


def test_digests_of_different_algorithms_are_not_compared_and_said_so(tmp_path: Path) -> None:
    old, new = model(hashes=hashed(DIGESTS[0])), model(hashes=hashed("a" * 128, "SHA-512"))
    found = compared(tmp_path, bom(old), bom(new))
    assert found.changes == ()
    assert [(each.side, each.gap.path, each.gap.reason) for each in found.missed] == [
        ("new", "acme/small", Reason.UNSUPPORTED)
    ]


def test_a_signer_that_the_documents_record_is_compared(tmp_path: Path) -> None:
    def signed(outcome: str) -> dict[str, Any]:
        return model(properties=[{"name": "aibom:check:signature", "value": outcome}])

    old, new = signed("verified|release@acme.example"), signed("untrusted-signer|eve@evil.example")
    found = compared(tmp_path, bom(old), bom(new))
    assert [each for each in told(found) if each[0] == "signer"] == [
        ("signer", "acme/small", "release@acme.example (verified)", "eve@evil.example (untrusted-signer)")
    ]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.2"}', "CycloneDX 1.2"),
        (b'{"spdxVersion": "SPDX-2.3"}', "SPDX"),
        (b'<bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>', "XML"),
        (b'{"bomFormat": "CycloneDX", "specVersion": "1.6", ', "JSON"),
    ],
    ids=["old-version", "spdx", "xml", "cut"],
)
def test_a_document_that_is_not_read_is_an_error_and_no_file(
    document: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "old.json").write_bytes(document)
    (tmp_path / "new.json").write_text(json.dumps(bom()))
    with pytest.raises(UnreadableError, match=words):
        difference(tmp_path / "old.json", tmp_path / "new.json")


def test_a_document_that_says_last_what_it_is_is_one(tmp_path: Path) -> None:
    component = model(description="x" * 100_000)
    for name in ("old.json", "new.json"):
        document = dict(reversed(bom({**component, "name": name}).items()))
        (tmp_path / name).write_text(json.dumps(document))
    found = difference(tmp_path / "old.json", tmp_path / "new.json")
    assert [str(change.kind) for change in found.changes] == ["component-added", "component-removed"]


def listed(folder: Path, out: Path) -> Path:
    """The bill of materials that `aibom scan` writes of a folder."""
    report = scan(replace(SCANNING, targets=(str(folder),)))
    out.write_bytes(cyclonedx.render(report))
    return out


@pytest.mark.parametrize("mixed", [False, True], ids=["documents", "document-and-folder"])
@pytest.mark.parametrize(
    ("edit", "classes"),
    [
        ("nothing", []),
        ("low-rank", ["weights"]),
        ("metadata", ["weights"]),
        ("label-file", ["dataset"]),
        ("licence", ["licence", "file"]),
        ("base-model", ["base-model", "file"]),
        ("chat-template", ["tokenizer", "chat-template"]),
        ("renamed", ["component-renamed"]),
        ("pickle", ["component-added", "finding"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_documents_of_our_own_tell_the_classes_of_the_edit(
    edit: str, classes: list[str], mixed: bool, tmp_path: Path
) -> None:
    old, new = VERSIONS["make"](tmp_path, edit)
    before = listed(old, tmp_path / "old.cdx.json")
    after = new if mixed else listed(new, tmp_path / "new.cdx.json")
    found = difference(before, after)
    assert [str(change.kind) for change in found.changes] == classes
    assert bool(found.notes) is mixed
    assert (found.old, found.new) == ("old", "new")


def test_a_model_digest_that_stays_says_that_only_the_container_changed(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "metadata")
    found = difference(listed(old, tmp_path / "a.json"), listed(new, tmp_path / "b.json"))
    assert found.changes[0].detail == "metadata or container only: the model digest is the same"


def test_two_files_are_compared_whatever_they_are_called(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "bit-flip")
    (new / "model/model.safetensors").rename(tmp_path / "other.safetensors")
    found = difference(old / "model/model.safetensors", tmp_path / "other.safetensors")
    details = [change.detail for change in found.changes if change.kind == "weights"]
    assert details == ["one bit flipped, 1 of 4,096 elements, number 457, bit 30"]


def test_a_folder_of_another_name_is_no_rename(tmp_path: Path) -> None:
    old, _ = VERSIONS["make"](tmp_path, "nothing")
    (old / "model").rename(tmp_path / "first")
    other, _ = VERSIONS["make"](tmp_path / "more", "nothing")
    (other / "model").rename(tmp_path / "second")
    assert difference(tmp_path / "first", tmp_path / "second").changes == ()


def test_a_weight_file_that_cannot_be_read_is_not_the_same(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    file = new / VERSIONS["WEIGHTS"]
    file.write_bytes(file.read_bytes()[:100])
    found = difference(old, new)
    assert [str(change.kind) for change in found.changes if change.kind == "weights"] == ["weights"]
    assert {(each.side, each.gap.path) for each in found.missed} == {("new", VERSIONS["WEIGHTS"])}


def test_a_link_that_leads_out_is_missed(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    (new / "data/rows.csv").symlink_to(tmp_path / "rows.csv")
    found = difference(old, new)
    assert [(each.side, each.gap.path, each.gap.reason) for each in found.missed] == [
        ("new", "data/rows.csv", Reason.OUTSIDE_TARGET)
    ]


def test_what_a_policy_finds_in_a_renamed_folder_is_no_news(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "renamed")
    VERSIONS["pickled"](old)
    (new / "renamed/extra.pkl").write_bytes((old / "model/extra.pkl").read_bytes())
    assert [str(change.kind) for change in difference(old, new).changes] == ["component-renamed"]


def test_a_document_with_reordered_keys_is_another_file_with_the_same_values(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    config = json.loads((new / "model/config.json").read_text())
    (new / "model/config.json").write_text(json.dumps(dict(reversed(config.items()))))
    found = difference(old, new)
    assert [change.detail for change in found.changes] == ["other bytes, the same values"]


def test_a_file_that_is_moved_and_one_that_comes_and_goes_are_told(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    (old / "notes.txt").write_text("one")
    (old / "gone.txt").write_text("two")
    (new / "docs").mkdir()
    (new / "docs/notes.txt").write_text("one")
    (new / "come.txt").write_text("three")
    assert [(each.subject, each.detail) for each in difference(old, new).changes] == [
        ("come.txt", "file added"),
        ("docs/notes.txt", "moved"),
        ("gone.txt", "file removed"),
    ]


def test_models_that_are_split_anew_are_compared_each_by_itself(tmp_path: Path) -> None:
    sides = []
    for side in ("old", "new"):
        for name, scale in (("one", 1), ("two", 2)):
            folder = tmp_path / side / name
            folder.mkdir(parents=True)
            (folder / "config.json").write_text(json.dumps(VERSIONS["CONFIG"]))
            tensors = {
                key: tensor * tensor.dtype.type(scale) for key, tensor in VERSIONS["tensors"]().items()
            }
            names = [list(tensors)] if side == "old" else [list(tensors)[:2], list(tensors)[2:]]
            for number, part in enumerate(names, 1):
                shard = VERSIONS["safetensors"]({key: tensors[key] for key in part})
                (folder / f"model-0000{number}-of-0000{len(names)}.safetensors").write_bytes(shard)
        sides.append(tmp_path / side)
    found = difference(*sides)
    assert [change.detail for change in found.changes] == [
        "tensors stand in other files; the tensors are equal"
    ] * 2


@pytest.mark.parametrize("expected", [None, EXPECTED], ids=["nobody-named", "key-named"])
def test_another_signer_of_the_same_bytes_is_told(expected: ExpectedKey | None, tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    signed(old)
    signed(new, STRANGER)
    found = difference(old, new, replace(SCANNING, expected=expected))
    signers = {(each.old[-10:], each.new) for each in found.changes if each.kind == "signer"}
    assert signers == ({("(verified)", "nobody (untrusted-signer)")} if expected else set())
    assert {change.subject for change in found.changes if change.kind == "file"} == {"model.sig"}


def test_a_signature_that_is_gone_is_told(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    signed(old)
    found = difference(old, new, replace(SCANNING, expected=EXPECTED))
    assert "signer" in {str(change.kind) for change in found.changes}


def commit(folder: Path, message: str) -> str:
    names = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    git = ["git", "-C", str(folder), *names]
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_commit_of_a_checkout_is_a_revision(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "nothing")
    commits = []
    for folder in (old, new):
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        commits.append(commit(folder, folder.name))
    assert told(difference(old, new)) == [("revision", "new", *commits)]


def test_the_same_input_gives_the_same_difference(tmp_path: Path) -> None:
    old, new = VERSIONS["make"](tmp_path, "unindexed")
    assert difference(old, new) == difference(old, new)
