"""References in training and serving configuration: YAML, TOML and JSON, recognised by their keys.

Documents that only look alike (schemas, manifests of clusters, lock files, bills of materials,
tokenizers, recorded answers) refer to nothing here; several have discoverers of their own.
"""

from __future__ import annotations

import re
from typing import Final

from aibom.discovery.found import Discoverer, Found, Text
from aibom.discovery.marked import Kind, Node, documents, kind_of
from aibom.discovery.settings_data import data_files, pointers, project, stages
from aibom.discovery.settings_keys import constants, keys, normalised
from aibom.discovery.settings_services import crew, mapping, services
from aibom.discovery.settings_training import component, training
from aibom.discovery.settings_values import Settings
from aibom.domain.limits import CONFIGURATION_BYTES

# Without an ending that tells.
_NAMED: Final[dict[str, Kind]] = {"MLproject": "yaml", "OAI_CONFIG_LIST": "json"}
_FOREIGN: Final = frozenset((
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "composer.json", "composer.lock",
    "deno.json", "bower.json", "lerna.json", "pyproject.toml", "Cargo.toml", "Pipfile.lock",
    "pylock.toml", "uv.toml", "netlify.toml", "meta.yaml", "mkdocs.yml", "_config.yml",
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "generation_config.json", "preprocessor_config.json", "model_index.json",
    "codecov.yml", "dependabot.yml", ".pre-commit-config.yaml", "pubspec.yaml", "action.yml",
    "action.yaml", ".gitlab-ci.yml", "azure-pipelines.yml", "bitbucket-pipelines.yml",
    "cloudbuild.yaml", "Chart.yaml", "kustomization.yaml", "devcontainer.json",
))  # fmt: skip
_FOREIGN_PATHS = re.compile(
    r"(?:\A|/)(?:\.github/(?:workflows|actions)/|\.circleci/|node_modules/|\.devcontainer/)|"
    r"(?:\A|/)(?:docker-)?compose[^/]*\.ya?ml\Z|(?:\A|/)tsconfig[^/]*\.json\Z|-lock\.ya?ml\Z|-lock\.json\Z|"
    r"\.index\.json\Z|\.(?:cdx|spdx|bom|sarif|schema|tokenizer)\.json\Z|(?:\A|/)(?:openapi|swagger)[^/]*\Z|"
    r"(?:\A|/)environment[^/]*\.ya?ml\Z|(?:\A|[/.-])values[^/]*\.ya?ml\Z"
)
_FOREIGN_KEYS: Final = (
    "openapi", "swagger", "bomFormat", "spdxVersion", "weight_map", "$schema", "lockfileVersion", "@graph",
    "nbformat", "asyncapi", "AWSTemplateFormatVersion",
)  # fmt: skip
_HINT = re.compile(
    rb"(?:model|llm|vae|unet|controlnet|adapter|tokenizer|dataset|repo_id|processor|lora|pretrained|encoder|reranker|embed|provider|"
    rb"_target_|_component_|outs|file_name|stages|entry_points|targets|hf_hub_url|hf_path|hf_repo|deployment)"
    rb"[\w-]{0,40}[\"']?[ \t]{0,8}[:=]", re.IGNORECASE
)  # fmt: skip


def _kind(path: str) -> Kind | None:
    name = path.rpartition("/")[2]
    return _NAMED.get(name) or ("yaml" if name.endswith(".dvc") else kind_of(path))


def _wants(path: str) -> bool:
    name = path.rpartition("/")[2]
    return _kind(path) is not None and name not in _FOREIGN and _FOREIGN_PATHS.search(path) is None


def discover(text: Text, found: Found) -> None:
    """Every reference of every document. Raises `UnreadableError`."""
    kind = _kind(text.path)
    for root in documents(text.data, kind=kind) if kind is not None else ():
        if not _is_foreign(root):
            _document(text, root, found)


def _is_foreign(root: Node) -> bool:
    members = root.members
    job = not members.keys().isdisjoint(("run", "setup", "commands")) and (
        "resources" in members or root.text("type") in ("task", "service", "dev-environment")
    )
    cluster = "apiVersion" in members and "kind" in members
    composed = any("image" in one.members or "build" in one.members for one in _of(members, "services"))
    schema = "properties" in members and ("type" in members or "$ref" in members)
    told = any(key in members for key in _FOREIGN_KEYS if key != "$schema" or _is_schema(root))
    return job or cluster or composed or schema or told


def _is_schema(root: Node) -> bool:
    return "json-schema.org" in (root.text("$schema") or "")


def _of(members: dict[str, Node], key: str) -> list[Node]:
    node = members.get(key)
    return list(node.members.values()) if node is not None else []


def _document(text: Text, root: Node, found: Found) -> None:
    settings, name = Settings(found, root), text.name
    if name.endswith(".dvc"):
        pointers(settings)
    elif name == "dvc.yaml":
        stages(root, found, text)
    elif name == "MLproject":
        project(root, found)
    else:
        if name == "dataset_info.json":
            data_files(settings)
        constants(settings)
        training(settings)
        services(settings, name)
        for _, node in root.walk():
            if node.is_mapping:
                _mapping(settings, node)


def _mapping(settings: Settings, node: Node) -> None:
    members = normalised(node)
    component(settings, node)
    crew(settings, members)
    mapping(settings, node, members)
    keys(settings, members)


DISCOVERER = Discoverer(
    name="settings",
    title="Training and serving configuration (YAML, TOML, JSON)",
    wants=_wants,
    discover=discover,
    hint=lambda data: _HINT.search(data) is not None,
    data_bytes=CONFIGURATION_BYTES,
)
