"""What the files amount to: models, datasets, adapters, and how they are related."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.confidence import Confidence
from aibom.domain.facts import Attribute, Statement
from aibom.domain.ref import Ref


class ComponentKind(StrEnum):
    MODEL = "model"
    ADAPTER = "adapter"
    DATASET = "dataset"
    TOKENIZER = "tokenizer"
    CODE = "code"
    LIBRARY = "library"
    SERVICE = "service"


class IdentityBasis(StrEnum):
    """By what evidence a component carries its name."""

    CONTENT_PROVEN = "content-proven"  # digests equal those of a known release
    SIGNED = "signed"
    DECLARED = "declared"  # a card, configuration or layout says so
    INFERRED = "inferred"  # from a folder or file name


class Origin(StrEnum):
    """Who says it."""

    MEASURED = "measured"  # by us, from the bytes
    HEADER = "header"  # of the weight or data file
    CARD = "card"
    CONFIG = "config"
    LAYOUT = "layout"  # of the place: cache folder, repository
    API = "api"  # of a registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement about a component, with who makes it and where it stands."""

    statement: Statement
    origin: Origin
    source: str  # path of the file that says so, or the name of the registry
    confidence: Confidence = Confidence.MEDIUM

    @property
    def attribute(self) -> Attribute:
        return self.statement.attribute

    @property
    def value(self) -> str:
        return self.statement.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDigest:
    """Both digests over all tensors as `v1:sha256:<hex>`, or why there are none."""

    named: str | None = None
    anonymous: str | None = None
    absent: str | None = None


class RelationKind(StrEnum):
    ANCESTOR = "ancestor"  # of a model: what it says it was made from
    TRAINED_ON = "trained-on"
    USES = "uses"  # tokenizer, adapter's base, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An arrow to another component (`target_id`) or to a place outside the scan (`target`)."""

    kind: RelationKind
    target_id: str | None = None
    target: Ref | None = None
    detail: str | None = None  # finetune, adapter, quantized, merge
    source: str | None = None  # path of the file that declares it; None when measured

    def __post_init__(self) -> None:
        if (self.target_id is None) == (self.target is None):
            raise ValueError("a relation points to a component or to a reference, not both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One thing of the bill of materials. `id` follows from content and path, never from order."""

    id: str
    kind: ComponentKind
    name: str
    basis: IdentityBasis
    version: str | None = None
    ref: Ref | None = None
    files: tuple[str, ...] = ()  # paths, sorted
    claims: tuple[Claim, ...] = ()
    relations: tuple[Relation, ...] = ()
    complete: bool = True  # False when a part is a gap or missing
    model_digest: str | None = None  # v1, named
    model_digest_anonymous: str | None = None
    model_digest_absent: str | None = None  # why there is none
    tensor_count: int = 0
    parameter_count: int | None = None
    dtypes: tuple[str, ...] = ()
    stated_purl: str | None = None  # as a bill of materials of any maker spells it
    pointer: str = ""  # RFC 6901, where it stands in the bill of materials that was read

    @property
    def purl(self) -> str | None:
        """The package URL of the place that it comes from."""
        return self.stated_purl or (self.ref.purl if self.ref else None)

    def claimed(self, attribute: Attribute) -> tuple[Claim, ...]:
        """All claims about one attribute, in the order of trust that inventory gave them."""
        return tuple(c for c in self.claims if c.attribute is attribute)

    def first(self, attribute: Attribute) -> str | None:
        return next((c.value for c in self.claims if c.attribute is attribute), None)
