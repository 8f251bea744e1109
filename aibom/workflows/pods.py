"""Which models a Kubernetes object brings in, and what verifies them before they are served.

Sources: the API references of Kubernetes (pods and their templates, image volumes) and KServe
(InferenceService v1beta1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import malformed, over_limit, unsupported
from aibom.domain.limits import KIB
from aibom.readers.json import Json
from aibom.trust.fields import Fields, checked_text
from aibom.workflows.init_containers import Container, digest_of, read_container

ANNOTATION: Final = "aibom.dev/model"
ANNOTATION_CHARS: Final = 256 * KIB  # what Kubernetes allows for all annotations of an object
LIST_COUNT: Final = 2_000  # volumes or containers of one pod
_PREFIX: Final = "aibom.dev/"
# A package URL may write the colon of its version as %3A, and go on behind it.
_NAMED: Final = re.compile(
    r"(?:pkg:[a-z][a-z0-9.+-]*/|oci://)[^\s@]+@sha256(?::|%3[Aa])([0-9a-f]{64})(?:[?#]\S*)?"
)
_TEMPLATE: Final = ("spec", "template")
_SERVICE: Final = "InferenceService"
_COMPONENTS: Final = ("predictor", "transformer", "explainer")
# Group, version and kind, and where the template of the pod stands.
KINDS: Final[dict[tuple[str, str, str], tuple[str, ...]]] = {
    ("", "v1", "Pod"): (),
    ("", "v1", "PodTemplate"): ("template",),
    ("", "v1", "ReplicationController"): _TEMPLATE,
    ("apps", "v1", "DaemonSet"): _TEMPLATE,
    ("apps", "v1", "Deployment"): _TEMPLATE,
    ("apps", "v1", "ReplicaSet"): _TEMPLATE,
    ("apps", "v1", "StatefulSet"): _TEMPLATE,
    ("batch", "v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "v1", "Job"): _TEMPLATE,
    ("serving.kserve.io", "v1beta1", _SERVICE): ("spec",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as the object names it. `pulled`: the cluster fetches it by this digest and no other."""

    text: str
    where: str
    digest: str | None  # hex SHA-256
    pulled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod or template. `last` is the init container after which the others start, if any."""

    where: str
    models: tuple[Model, ...]
    last: Container | None = None


def read_pods(kind: tuple[str, str, str], document: Fields) -> tuple[Pod, ...]:
    """The pods that the object is or makes. Raises `UnreadableError` for what it cannot judge."""
    if kind not in KINDS:
        told = "/".join(part for part in kind if part)
        raise unsupported(
            f"{told[:120]} is of a kind that is not judged: take it out of the rules of the webhook"
        )
    own = tuple(_annotated(document.optional("metadata")))
    template = document
    for step in KINDS[kind]:
        template = template.section(step)
    if kind[2] == _SERVICE:
        parts = (template.section(name) for name in _COMPONENTS if template.has(name))
        return tuple(_pod(part, own, tuple(_stored(part.document(), part.where))) for part in parts)
    if template is not document:
        own += tuple(_annotated(template.optional("metadata")))
    return (_pod(template.section("spec"), own, ()),)


def _pod(spec: Fields, named: tuple[Model, ...], stored: tuple[Model, ...]) -> Pod:
    inits = [*spec.sections("initContainers", LIST_COUNT)]
    containers = [*spec.sections("containers", LIST_COUNT), *inits]
    mounted = (*_mounted(spec), *(each for each in stored if each.pulled))
    images = {digest_of(each.text("image", "")) for each in containers} | {each.digest for each in mounted}
    # A store says where the bytes are and not which: the annotation does.
    loose = () if named else tuple(each for each in stored if not each.pulled)
    told = (
        Model(text=each.text, where=each.where, digest=each.digest, pulled=each.digest in images)
        for each in named
    )
    # Those that are restarted run beside the others, and nothing waits until they end.
    waited = [each for each in inits if each.text("restartPolicy", "") != "Always"]
    return Pod(
        where=spec.where,
        models=(*mounted, *told, *loose),
        last=read_container(waited[-1]) if waited and named else None,
    )


def _mounted(spec: Fields) -> Iterator[Model]:
    for volume in spec.sections("volumes", LIST_COUNT):
        if volume.has("image"):
            image = volume.section("image")
            text = image.text("reference", "")
            yield Model(text=text, where=image.path("reference"), digest=digest_of(text), pulled=True)


def _annotated(metadata: Fields) -> Iterator[Model]:
    annotations = metadata.optional("annotations")
    members = annotations.document()
    assert isinstance(members, dict)  # what `Fields` is made of
    for key, value in members.items():
        if not key.startswith(_PREFIX):
            continue
        where = f"{annotations.where}[{key[:80]!r}]"
        if key != ANNOTATION:
            raise unsupported(f"{where}: no such annotation; there is {ANNOTATION}")
        if not isinstance(value, str) or len(value) > ANNOTATION_CHARS:
            raise malformed(f"{where} is not text, or too long")
        if not value.split():
            raise malformed(f"{where} is empty: name the models, or take it out")
        for text in value.split():
            found = _NAMED.fullmatch(checked_text(text, where))
            yield Model(text=text, where=where, digest=found[1] if found else None, pulled=False)


def _stored(value: Json, where: str) -> Iterator[Model]:
    """Every place that a component of KServe loads a model from."""
    todo = [(value, where)]
    while todo:
        value, where = todo.pop()
        if isinstance(value, list):
            todo += [(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            continue
        for key, member in value.items():
            here = f"{where}.{key[:80]}"
            if key == "storageUri" or (key == "uri" and ".storageUris[" in where):
                yield _store(checked_text(member, here), here)
            elif key == "storage" and isinstance(member, dict):
                yield Model(text="storage", where=here, digest=None, pulled=False)
            else:
                todo.append((member, here))
        if len(todo) > LIST_COUNT * 10:
            raise over_limit(f"{where} holds too many values")


def _store(text: str, where: str) -> Model:
    digest = digest_of(text) if text.startswith("oci://") else None
    return Model(text=text, where=where, digest=digest, pulled=digest is not None)
