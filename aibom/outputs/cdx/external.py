"""What lies outside of the target: datasets and models by reference, libraries and services in code."""

from __future__ import annotations

from typing import Final

from aibom.domain.component import ComponentKind
from aibom.domain.confidence import Confidence
from aibom.domain.reference import Reference
from aibom.outputs.cdx import refs
from aibom.outputs.cdx.dataset import component_data
from aibom.outputs.cdx.index import TYPES, External, Index
from aibom.outputs.cdx.occurrences import occurrences, places
from aibom.outputs.cdx.text import Json, present, prop, shown, title

_CONFIDENCE: Final = {Confidence.LOW: 0.3, Confidence.MEDIUM: 0.6, Confidence.HIGH: 0.9}

_ADDRESSES: Final = ("http", "https", "hf", "file")
_CONTAINERS: Final = ("docker", "oci")
# What programs are built in, and not merely with; the names are those of PyPI, npm and conda.
_FRAMEWORKS: Final = frozenset(
    (
        "torch", "pytorch", "pytorch-lightning", "lightning", "tensorflow", "tensorflow-cpu",
        "tensorflow-gpu", "keras", "jax", "flax", "mxnet", "paddlepaddle", "transformers", "diffusers",
        "langchain", "llama-index", "haystack-ai", "semantic-kernel", "crewai", "autogen", "langgraph",
        "@tensorflow/tfjs", "@huggingface/transformers", "llamaindex", "scikit-learn",
    )
)  # fmt: skip


def external(subject: External, index: Index, spec_version: str) -> Json:
    """The component of something that was referred to and not scanned."""
    uses = index.uses.get(subject.bom_ref, [])
    version = refs.version(None, subject.target)
    return present(
        type=_type(subject),
        bom_ref=subject.bom_ref,
        name=title(subject.name),
        version=version,
        purl=refs.purl(subject.target),
        isExternal=True if spec_version == "1.7" else None,
        externalReferences=refs.external_references(subject.target, subject.kind),
        evidence=present(identity=_identity(uses), occurrences=occurrences(uses)),
        data=component_data(subject.kind, subject.name, subject.target, []),
        properties=_properties(subject, uses),
    )


def external_service(subject: External, index: Index) -> Json:
    """The same as a service, which has no evidence: the places are properties."""
    uses = index.uses.get(subject.bom_ref, [])
    return present(
        bom_ref=subject.bom_ref,
        provider=present(name=_provider(subject)),
        name=title(subject.name),
        externalReferences=refs.external_references(subject.target, subject.kind),
        properties=_properties(subject, uses) + places(uses),
    )


def _provider(subject: External) -> str | None:
    """Who runs a hosted model; at an address of its own, nobody knows."""
    scheme = subject.target.scheme if subject.target else None
    return None if scheme in _ADDRESSES else scheme


def _type(subject: External) -> str:
    scheme = subject.target.scheme if subject.target else ""
    if subject.kind is ComponentKind.LIBRARY and scheme in _CONTAINERS:
        return "container"
    if subject.kind is ComponentKind.LIBRARY and subject.name.lower() in _FRAMEWORKS:
        return "framework"
    return TYPES[subject.kind]


def _identity(uses: list[Reference]) -> list[Json]:
    if not uses:
        return []
    confidence = _CONFIDENCE[max(use.confidence for use in uses)]
    method = {"technique": "source-code-analysis", "confidence": confidence}
    return [{"field": "name", "confidence": confidence, "methods": [method], "tools": [refs.TOOL]}]


def _properties(subject: External, uses: list[Reference]) -> list[Json]:
    properties = [prop("aibom:kind", subject.kind.value), prop("aibom:external", "true")]
    if subject.target is None:
        properties.append(prop("aibom:reference:unresolved", "true"))
    elif subject.target.revision:
        properties.append(prop("aibom:reference:revision", shown(subject.target.revision)))
    flags = sorted({flag for use in uses for flag in use.flags})
    return properties + [prop("aibom:reference:flag", shown(flag)) for flag in flags]
