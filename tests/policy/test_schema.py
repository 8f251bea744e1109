"""The published schema and the parser agree: what the one refuses, the other refuses, too."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs
import pytest

from aibom.policy import PolicyError, parse_policy
from aibom.policy.document import POLICY_BYTES
from aibom.policy.rules import REQUIREMENTS
from aibom.policy.schema import DIALECT, document_schema
from aibom.readers import located_yaml
from aibom.readers.located_yaml import Located

PACKS = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
HEAD = "version: 1\nname: n\n"
DIGEST = "sha256:" + "a" * 64
WAIVER = f"rule: formats, component: c, digest: '{DIGEST}', expires: 2027-01-01, reason: r, approved-by: a"


def plain(located: Located) -> object:
    value = located.value
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def keeps(text: bytes) -> bool:
    validator = jsonschema_rs.Draft202012Validator(document_schema(), validate_formats=True)
    return validator.is_valid(plain(located_yaml.parse(text, POLICY_BYTES)))


def test_the_schema_is_one_of_its_dialect() -> None:
    schema = document_schema()
    assert schema["$schema"] == DIALECT
    assert jsonschema_rs.meta.is_valid(json.loads(json.dumps(schema)))


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.stem)
def test_every_pack_keeps_the_schema(pack: Path) -> None:
    assert keeps(pack.read_bytes())


@pytest.mark.parametrize(
    "text",
    [
        "rules: {secret: off}",
        "rules: {secret: low}\nmode: warn\neffective-on: 2027-01-01\ndescription: d",
        "formats: {allow: [safetensors], unknown: fail, mode: warn, severity: low, effective-on: 2027-01-01}",
        "integrity: {revision: pinned}",
        f"rules: {{secret: low}}\nmax-waiver: 90d\nwaivers: [{{{WAIVER}}}]",
    ],
)
def test_a_policy_keeps_the_schema_and_is_parsed(text: str) -> None:
    data = (HEAD + text).encode()
    parse_policy(data)
    assert keeps(data)


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nname: n\nrules: {secret: low}",
        "version: 1\nrules: {secret: low}",
        "version: 1\nname: ' '\nrules: {secret: low}",
        HEAD,
        HEAD + "formatz: {allow: [a]}",
        HEAD + "formats: {allow: []}",
        HEAD + "formats: {alow: [a]}",
        HEAD + "formats: {unknown: fail}",
        HEAD + "formats: {allow: [a], unknown: pass}",
        HEAD + "formats: {allow: [a], mode: off}",
        HEAD + "formats: {allow: [a], effective-on: tomorrow}",
        HEAD + "formats: {allow: [a], severity: bad}",
        HEAD + "formats: {allow: 5}",
        HEAD + "formats: [a]",
        HEAD + "sources: {allow: [acme]}",
        HEAD + "integrity: {mode: warn}",
        HEAD + "integrity: {hashes: [md5]}",
        HEAD + "integrity: {revision: floating}",
        HEAD + "content: {allow: [dangerous]}",
        HEAD + "model-card: {require: [colour]}",
        HEAD + "references: {require: [fast]}",
        HEAD + "references: {unknown: warn}",
        HEAD + "signature: {signers: [{issuer: a}]}",
        HEAD + "signature: {signers: [{}]}",
        HEAD + "attestations: {require: [{builder: b}]}",
        HEAD + "rules: {}",
        HEAD + "rules: {nope: low}",
        HEAD + "rules: {secret: terrible}",
        HEAD + "rules: {secret: true}",
        HEAD + "extends: {file: a.yaml}",
        HEAD + "rules: {secret: low}\nmode: off",
        HEAD + "rules: {secret: low}\nmax-waiver: 90",
        HEAD + "rules: {secret: low}\nwaivers: []",
        HEAD + f"rules: {{secret: low}}\nwaivers: [{{{WAIVER}, extra: 1}}]",
        HEAD + f"rules: {{secret: low}}\nwaivers: [{{{WAIVER.replace(', reason: r', '')}}}]",
        HEAD + f"rules: {{secret: low}}\nwaivers: [{{{WAIVER.replace('formats', 'digest-mismatch')}}}]",
        HEAD + f"rules: {{secret: low}}\nwaivers: [{{{WAIVER.replace('sha256:', 'md5:')}}}]",
        HEAD + f"rules: {{secret: low}}\nwaivers: [{{{WAIVER.replace('2027-01-01', 'never')}}}]",
    ],
)  # fmt: skip
def test_what_the_schema_refuses_the_parser_refuses(text: str) -> None:
    assert not keeps(text.encode())
    with pytest.raises(PolicyError):
        parse_policy(text.encode())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_a_section_with_an_unknown_key_breaks_the_schema_and_is_refused(requirement: object) -> None:
    data = f"{HEAD}{requirement.id}: {{nonsense: 1}}".encode()  # type: ignore[attr-defined]
    assert not keeps(data)
    with pytest.raises(PolicyError, match="unknown key 'nonsense'"):
        parse_policy(data)
