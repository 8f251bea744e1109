"""`aibom admit`: the bytes of an AdmissionReview in, the bytes of the answer out. Nothing else happens.

Format: admission.k8s.io/v1 AdmissionReview. Whatever cannot be judged is denied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from aibom.domain.errors import UnreadableError, malformed, unsupported
from aibom.domain.limits import MIB
from aibom.domain.text import capped, visible
from aibom.readers.json import Json
from aibom.trust.fields import Fields, canonical, parse
from aibom.workflows.approvals import Approvals
from aibom.workflows.init_containers import Container
from aibom.workflows.pods import ANNOTATION, Model, Pod, read_pods

REVIEW_BYTES: Final = 8 * MIB  # two objects of the 3 MiB that an API server takes, and what is around them
REVIEW_VALUE_COUNT: Final = 200_000
MESSAGE_CHARS: Final = 2_000
TOLD_COUNT: Final = 5  # reasons in one message
_API: Final = "admission.k8s.io/v1"
_AHEAD: Final = timedelta(minutes=5)  # how far two clocks may be apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What models are held against."""

    approvals: Approvals
    verifying: tuple[Container, ...] = ()  # init containers that are known to verify
    max_age: timedelta = timedelta(days=30)  # of a summary
    model_required: bool = False  # a pod that names no model is denied, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer. `uid` is empty when the review does not say which request it is about."""

    uid: str
    allowed: bool
    message: str
    about: tuple[tuple[str, str], ...] = field(default=())  # operation, kind, namespace, name: for the log

    def answer(self) -> bytes:
        """The AdmissionReview to send back."""
        status: dict[str, Json] = {"code": 200, "message": self.message}
        if not self.allowed:
            status |= {"code": 403, "status": "Failure", "reason": "Forbidden"}
        response: dict[str, Json] = {"uid": self.uid, "allowed": self.allowed, "status": status}
        return canonical({"apiVersion": _API, "kind": "AdmissionReview", "response": response})


def decide(review: bytes, gate: Gate, now: datetime) -> Decision:
    """Whether the object may be stored. Never raises for what is in the review."""
    uid = ""
    about: tuple[tuple[str, str], ...] = ()
    try:
        request = _request(review)
        uid, about = request.text("uid"), tuple(_about(request))
        reasons = list(_reasons(request, gate, now))
    except UnreadableError as error:
        reasons = [f"the review cannot be judged: {error}"]
    return Decision(uid=uid, allowed=not reasons, message=_message(reasons), about=about)


def _message(reasons: list[str]) -> str:
    if not reasons:
        return "aibom: admitted"
    more = len(reasons) - TOLD_COUNT
    told = [visible(reason) for reason in reasons[:TOLD_COUNT]] + ([f"and {more} more"] if more > 0 else [])
    return capped(f"aibom: {'; '.join(told)}", MESSAGE_CHARS)


def _request(review: bytes) -> Fields:
    document = parse(review, REVIEW_BYTES, REVIEW_VALUE_COUNT)
    if (document.text("apiVersion", ""), document.text("kind", "")) != (_API, "AdmissionReview"):
        raise unsupported(f"it is no AdmissionReview of {_API}: set admissionReviewVersions to [v1]")
    request = document.section("request")
    if not request.text("uid"):
        raise malformed("request.uid is empty")
    return request


def _about(request: Fields) -> Iterator[tuple[str, str]]:
    kind = request.section("kind")
    yield "operation", request.text("operation")
    yield "kind", "/".join(filter(None, (kind.text("group", ""), kind.text("version"), kind.text("kind"))))
    for key in ("namespace", "name"):
        yield key, request.text(key, "")


def _reasons(request: Fields, gate: Gate, now: datetime) -> Iterator[str]:
    """Why not."""
    operation = request.text("operation")
    if operation == "DELETE":
        return
    if operation not in ("CREATE", "UPDATE"):
        raise unsupported(
            f"operation {operation[:40]!r} is not judged: take it out of the rules of the webhook"
        )
    kind = request.section("kind")
    named = (kind.text("group", ""), kind.text("version"), kind.text("kind"))
    pods = _pods(request, "object", named)
    if operation == "UPDATE" and pods == _before(request, named):
        return  # a label, a finalizer, a replica more: what it runs was judged when it came in
    for pod in pods:
        yield from _of_pod(pod, gate, now)


def _pods(request: Fields, key: str, kind: tuple[str, str, str]) -> tuple[Pod, ...]:
    return read_pods(kind, Fields(request.section(key).document()))  # places are told within the object


def _before(request: Fields, kind: tuple[str, str, str]) -> tuple[Pod, ...] | None:
    try:
        return _pods(request, "oldObject", kind)
    except UnreadableError:
        return None


def _of_pod(pod: Pod, gate: Gate, now: datetime) -> Iterator[str]:
    if not pod.models and gate.model_required:
        yield f"{pod.where or 'the pod'} names no model: say which in the annotation {ANNOTATION}"
    for model in pod.models:
        yield from _of_model(model, gate, now)
    loose = next((each for each in pod.models if each.digest is not None and not each.pulled), None)
    if loose is not None and not _is_verified(pod, gate.verifying):
        yield (
            f"{loose.where}: nothing pulls {loose.text} by its digest, so that an init container has to "
            "verify the bytes: make the last one the same (image digest, command, args, mounts) as one of "
            "--init-containers"
        )


def _is_verified(pod: Pod, verifying: Iterable[Container]) -> bool:
    return pod.last is not None and any(pod.last.is_one(known) for known in verifying)


def _of_model(model: Model, gate: Gate, now: datetime) -> Iterator[str]:
    if model.digest is None:
        yield (
            f"{model.where}: {model.text or 'the reference'} names no digest: write ...@sha256: and 64 "
            f"lower-case digits, or name the model in the annotation {ANNOTATION}"
        )
        return
    approval = gate.approvals.newest.get(model.digest)
    named = f"{model.where}: {model.text}"
    if approval is None:
        yield f"{named} is not verified: `aibom attest --key` it, and give the webhook the summary (--allow)"
    elif not approval.passed:
        yield f"{named} FAILED verification, says {approval.document}: use another model"
    elif approval.at > now + _AHEAD:
        yield f"{named} was verified in the future, says {approval.document}: set the clocks, attest it anew"
    elif now - approval.at > gate.max_age:
        yield f"{named} was verified on {approval.at:%Y-%m-%d}, which is too long ago: attest it anew"
