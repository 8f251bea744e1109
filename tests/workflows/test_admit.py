"""Which objects a cluster may store: the decision, from the bytes of a review to those of the answer."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.domain.attestation import Subject, VerificationSummary
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.signing import ExpectedKey
from aibom.trust.attestations import verification_summary
from aibom.trust.signers import key_signer, sign_file, sign_statement
from aibom.workflows.admit import MESSAGE_CHARS, REVIEW_BYTES, Decision, Gate, decide
from aibom.workflows.approvals import Approvals, Signers, read_approvals
from aibom.workflows.init_containers import read_known
from aibom.workflows.pods import KINDS
from tests.hostile import flips, truncations
from tests.trust.certificates import ec_key, private_pem, public_pem

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY, OTHER = ec_key(), ec_key()
SIGNER, STRANGER = key_signer(private_pem(KEY)), key_signer(private_pem(OTHER))
SIGNERS = Signers(expected=ExpectedKey(public_key=public_pem(KEY)))
GOOD, BAD, OLD, NEW, AHEAD = (letter * 64 for letter in "abcde")
POLICY = "9" * 64
IMAGE = f"registry.example/models/acme@sha256:{GOOD}"
TOOL = f"registry.example/aibom@sha256:{'7' * 64}"
ARGS = ["verify", "/models", "--identity", "https://ci.example/acme", "--issuer", "https://id.example"]
VERIFIER: dict[str, Any] = {
    "name": "verify", "image": TOOL, "args": ARGS, "volumeMounts": [{"name": "m", "mountPath": "/models"}],
    "resources": {}, "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "Always",
}  # fmt: skip
KNOWN = read_known(
    f"- image: {TOOL}\n  args: {json.dumps(ARGS)}\n  mounts: [/models]\n".encode()
)  # fmt: skip


def summary(
    *digests: str, passed: bool = True, at: datetime | str = NOW - timedelta(days=1), by: Any = SIGNER
) -> bytes:
    """A bundle with a verdict."""
    told = VerificationSummary(
        verifier="https://verifier.example",
        resource="pkg:generic/model",
        policy="https://policy.example",
        passed=passed,
        policy_digests=(("sha256", POLICY),),
        verified_at=at if isinstance(at, str) else at.isoformat(),
    )
    subjects = [Subject(name="m", digests=(("sha256", digest),)) for digest in digests]
    return sign_statement(by, verification_summary(told, subjects))


APPROVALS = read_approvals(
    [
        ("good", summary(GOOD)),
        ("bad", summary(BAD, passed=False)),
        ("old", summary(OLD, at=NOW - timedelta(days=31))),
        ("new", summary(NEW, at=NOW)),
        ("ahead", summary(AHEAD, at=NOW + timedelta(hours=1))),
    ],
    SIGNERS,
)
GATE = Gate(approvals=APPROVALS, verifying=KNOWN)


def pod(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "server", "image": "registry.example/server:1"}]
    spec = {"containers": containers, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def mounting(reference: str) -> dict[str, Any]:
    return pod(volumes=[{"name": "m", "image": {"reference": reference}}, {"name": "c", "emptyDir": {}}])


def named(text: Any, **spec: Any) -> dict[str, Any]:
    found = pod(**spec)
    found["metadata"]["annotations"] = {"aibom.dev/model": text, "other": "x"}
    return found


def review(
    document: Any,
    kind: tuple[str, str, str] = ("", "v1", "Pod"),
    operation: str = "CREATE",
    old: Any = None,
    **more: Any,
) -> bytes:
    group, version, name = kind
    request = {
        "uid": "705ab4f5", "kind": {"group": group, "version": version, "kind": name}, "name": "p",
        "namespace": "team", "operation": operation, "object": document, "oldObject": old,
        "userInfo": {"username": "me"}, "dryRun": False, **more,
    }  # fmt: skip
    return json.dumps(
        {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    ).encode()


def judged(document: Any, gate: Gate = GATE, **more: Any) -> Decision:
    return decide(review(document, **more), gate, NOW)


def test_the_answer_is_an_admission_review_with_the_uid_of_the_request() -> None:
    answer = json.loads(judged(mounting(IMAGE)).answer())
    assert answer == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": "705ab4f5", "allowed": True, "status": {"code": 200, "message": "aibom: admitted"},
        },
    }  # fmt: skip
    denied = json.loads(judged(mounting("registry.example/m:1")).answer())["response"]
    assert (denied["uid"], denied["allowed"]) == ("705ab4f5", False)
    assert denied["status"]["code"] == 403
    assert denied["status"]["reason"] == "Forbidden"
    assert "@sha256:" in denied["status"]["message"]


def test_the_log_is_told_what_the_request_is_about_and_not_who_asks() -> None:
    told = dict(judged(mounting(IMAGE)).about)
    assert told == {"operation": "CREATE", "kind": "v1/Pod", "namespace": "team", "name": "p"}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (f"registry.example/m:1@sha256:{GOOD}", None),
        (f"registry.example/m@sha256:{NEW}", None),
        ("registry.example/m:1", "names no digest"),
        ("", "the reference names no digest"),
        (f"registry.example/m@sha256:{GOOD[1:]}", "names no digest"),
        (f"registry.example/m@sha256:{GOOD.upper()}", "names no digest"),
        (f"registry.example/m@sha512:{GOOD}", "names no digest"),
        (f"a@sha256:{GOOD}@sha256:{BAD}", "names no digest"),
        (f"m@sha256:{GOOD}\n", "names no digest"),
        (f"m@sha256:{'f' * 64}", "not verified"),
        (f"m@sha256:{BAD}", "FAILED verification, says bad"),
        (f"m@sha256:{OLD}", "2026-10-23, which is too long ago"),
        (f"m@sha256:{AHEAD}", "in the future"),
    ],
    ids=["tag-and-digest", "digest", "tag", "empty", "short", "upper", "sha512", "two", "line-end", "unknown",
         "failed", "old", "ahead"],
)  # fmt: skip
def test_a_mounted_image_has_to_be_verified_by_its_digest(reference: str, words: str | None) -> None:
    decision = judged(mounting(reference))
    assert decision.allowed is (words is None)
    assert (words or "admitted") in decision.message
    assert words is None or decision.message.startswith("aibom: spec.volumes[0].image.reference: ")


def test_how_old_a_summary_may_be_is_a_setting() -> None:
    gate = Gate(approvals=APPROVALS, max_age=timedelta(days=32))
    assert judged(mounting(f"m@sha256:{OLD}"), gate).allowed
    assert not judged(mounting(IMAGE), Gate(approvals=APPROVALS, max_age=timedelta(hours=23))).allowed


def test_a_pod_without_models_is_not_our_matter_unless_it_has_to_have_one() -> None:
    assert judged(pod()).allowed
    decision = judged(pod(), Gate(approvals=APPROVALS, model_required=True))
    assert not decision.allowed
    assert "aibom.dev/model" in decision.message
    assert judged(mounting(IMAGE), Gate(approvals=APPROVALS, model_required=True)).allowed


@pytest.mark.parametrize(
    "text",
    [
        f"pkg:huggingface/acme/m@sha256:{GOOD}",
        f"pkg:oci/m@sha256%3A{GOOD}?repository_url=registry.example/m",
        f"oci://registry.example/m@sha256:{GOOD}",
        f"  pkg:generic/a@sha256:{GOOD}\n  pkg:generic/b@sha256:{NEW}#b.safetensors ",
    ],
    ids=["purl", "escaped", "oci", "several"],
)
def test_a_named_model_is_admitted_when_it_is_verified_and_an_init_container_checks_the_bytes(
    text: str,
) -> None:
    assert judged(named(text, initContainers=[VERIFIER])).allowed
    decision = judged(named(text))
    assert not decision.allowed
    assert "an init container has to verify the bytes" in decision.message


def test_a_named_model_that_the_pod_pulls_by_the_same_digest_needs_no_init_container() -> None:
    document = mounting(IMAGE)
    document["metadata"]["annotations"] = {"aibom.dev/model": f"oci://registry.example/x@sha256:{GOOD}"}
    assert judged(document).allowed
    in_a_container = named(f"oci://x@sha256:{GOOD}", containers=[{"name": "s", "image": IMAGE}])
    assert judged(in_a_container).allowed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("acme/m", "names no digest"),
        ("pkg:huggingface/acme/m@main", "names no digest"),
        (f"pkg:a/b@sha256:{GOOD},pkg:a/c@sha256:{GOOD}", "names no digest"),
        (f"https://a/b@sha256:{GOOD}", "names no digest"),
        (f"pkg:a/b@sha256:{GOOD}x", "names no digest"),
        (f"pkg:a/b@sha256:{GOOD} acme/m", "acme/m names no digest"),
        (f"pkg:a/b@sha256:{BAD}", "FAILED"),
        ("", "is empty"),
        ("  \n", "is empty"),
        (7, "not text"),
        ({}, "not text"),
        ("x" * 300_000, "too long"),
        ("x" * 5_000, "5000 characters"),
        ("\x1b[31m", r"\x1b[31m"),
    ],
    ids=["plain", "branch", "comma", "https", "longer", "second", "failed", "empty", "blank", "number",
         "object", "long", "long-name", "escape"],
)  # fmt: skip
def test_an_annotation_that_names_no_verified_digest_is_denied(text: Any, words: str) -> None:
    decision = judged(named(text, initContainers=[VERIFIER]))
    assert not decision.allowed
    assert words in decision.message
    assert decision.message.isprintable()


@pytest.mark.parametrize("key", ["aibom.dev/models", "aibom.dev/skip", "aibom.dev/"])
def test_an_annotation_of_ours_that_is_not_known_is_denied(key: str) -> None:
    document = pod()
    document["metadata"]["annotations"] = {key: "true"}
    decision = judged(document)
    assert not decision.allowed
    assert "there is aibom.dev/model" in decision.message


def test_no_label_of_a_pod_lets_it_through() -> None:
    document = mounting("registry.example/m:1")
    document["metadata"]["labels"] = {"aibom.dev/admission": "disabled", "aibom.dev/skip": "true"}
    assert not judged(document).allowed


def altered(**changes: Any) -> dict[str, Any]:
    return {**VERIFIER, **changes}


@pytest.mark.parametrize(
    "containers",
    [
        [altered(image="registry.example/aibom:1")],
        [altered(image=f"registry.example/aibom@sha256:{'8' * 64}")],
        [altered(args=[*ARGS, "--allow-extra"])],
        [altered(args=ARGS[:2])],
        [altered(args=[])],
        [altered(command=["true"])],
        [altered(env=[{"name": "AIBOM_ALLOW_EXTRA", "value": "1"}])],
        [altered(envFrom=[{"configMapRef": {"name": "x"}}])],
        [altered(volumeMounts=[*VERIFIER["volumeMounts"], {"name": "x", "mountPath": "/usr/lib"}])],
        [altered(restartPolicy="Always")],
        [altered(restartPolicy="Never")],
        [altered(workingDir="/x")],
        [altered(lifecycle={"postStart": {}, "preStop": {"exec": {}}})],
        [VERIFIER, {"name": "verify", "image": "registry.example/change:1"}],
        [{"name": "verify", "image": "registry.example/nothing:1"}],
        [],
    ],
    ids=["tag", "other-image", "more-args", "less-args", "no-args", "command", "env", "env-from", "mount",
         "sidecar", "restart", "folder", "lifecycle", "not-last", "name-only", "none"],
)  # fmt: skip
def test_an_init_container_is_known_by_what_it_does_and_never_by_its_name(containers: list[Any]) -> None:
    document = named(f"pkg:a/b@sha256:{GOOD}", initContainers=containers)
    assert not judged(document).allowed


@pytest.mark.parametrize(
    "containers",
    [
        [altered(name="other", resources={"limits": {"cpu": 1}}, securityContext={"runAsNonRoot": True})],
        [{"name": "download", "image": "registry.example/download:1"}, VERIFIER],
        [VERIFIER, {"name": "proxy", "image": "registry.example/proxy:1", "restartPolicy": "Always"}],
        [altered(env=[], command=None, volumeMounts=[
            {"name": "m", "mountPath": "/models/"},
            {"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}])],
    ],
    ids=["renamed", "after-download", "before-sidecar", "as-stored"],
)  # fmt: skip
def test_what_does_not_decide_what_an_init_container_does_may_differ(containers: list[Any]) -> None:
    assert judged(named(f"pkg:a/b@sha256:{GOOD}", initContainers=containers)).allowed


def holding(kind: tuple[str, str, str], template: dict[str, Any]) -> dict[str, Any]:
    """An object of the kind with this pod."""
    inner: dict[str, Any] = {"metadata": template["metadata"], "spec": template["spec"]}
    if kind[2] == "InferenceService":
        inner = {"predictor": template["spec"]}
    for step in reversed(KINDS[kind]):
        inner = {step: inner}
    return {"metadata": {"name": "o"}, **inner}


@pytest.mark.parametrize("kind", KINDS, ids="/".join)
def test_every_kind_that_makes_pods_is_judged(kind: tuple[str, str, str]) -> None:
    assert judged(holding(kind, mounting(IMAGE)), kind=kind).allowed
    assert not judged(holding(kind, mounting("registry.example/m:1")), kind=kind).allowed
    assert not judged({"metadata": {}}, kind=kind).allowed
    own = holding(kind, pod())
    own["metadata"]["annotations"] = {"aibom.dev/model": f"pkg:a/b@sha256:{BAD}"}
    assert "FAILED" in judged(own, kind=kind).message


@pytest.mark.parametrize(
    "kind",
    [("", "v1", "Service"), ("apps", "v1beta1", "Deployment"), ("", "v2", "Pod"),
     ("evil.example", "v1", "Pod"),
     ("autoscaling", "v1", "Scale"), ("serving.kserve.io", "v1alpha1", "LLMInferenceService")],
    ids="/".join,
)  # fmt: skip
def test_an_unknown_kind_is_denied(kind: tuple[str, str, str]) -> None:
    decision = judged(pod(), kind=kind)
    assert not decision.allowed
    assert "of a kind that is not judged" in decision.message


SERVICE = ("serving.kserve.io", "v1beta1", "InferenceService")


@pytest.mark.parametrize(
    ("predictor", "words"),
    [
        ({"model": {"storageUri": f"oci://{IMAGE}"}}, None),
        ({"sklearn": {"storageUri": f"oci://{IMAGE}"}}, None),
        ({"model": {"storageUri": "oci://registry.example/m:1"}}, "names no digest"),
        ({"model": {"storageUri": "s3://bucket/m"}}, "s3://bucket/m names no digest"),
        ({"model": {"storageUri": f"hf://acme/m@sha256:{GOOD}"}}, "names no digest"),
        ({"model": {"storage": {"key": "k", "path": "p"}}}, "storage names no digest"),
        ({"model": {"storageUris": [{"uri": "s3://bucket/m"}]}}, "s3://bucket/m names no digest"),
        ({"model": {"storageUris": [{"uri": f"oci://m@sha256:{BAD}"}]}}, "FAILED"),
        ({"model": {"storageUri": 7}}, "not text"),
    ],
    ids=["oci", "old-form", "tag", "s3", "hf", "storage", "several", "failed", "number"],
)
def test_a_store_of_an_inference_service_has_to_name_a_verified_digest(
    predictor: Any, words: str | None
) -> None:
    decision = judged({"metadata": {}, "spec": {"predictor": predictor}}, kind=SERVICE)
    assert decision.allowed is (words is None)
    assert (words or "admitted") in decision.message


def test_a_store_without_digests_needs_the_annotation_and_the_init_container() -> None:
    predictor: dict[str, Any] = {"model": {"storageUri": "s3://bucket/m"}}
    annotations = {"aibom.dev/model": f"pkg:generic/m@sha256:{GOOD}"}
    document = {"metadata": {"annotations": annotations}, "spec": {"predictor": predictor}}
    assert "init container" in judged(document, kind=SERVICE).message
    predictor["initContainers"] = [VERIFIER]
    assert judged(document, kind=SERVICE).allowed


def test_an_update_that_brings_in_nothing_new_is_admitted_so_that_finalizers_go_away() -> None:
    before = mounting("registry.example/m:1")
    after = copy.deepcopy(before)
    after["metadata"]["labels"] = {"a": "b"}
    assert judged(after, operation="UPDATE", old=before).allowed
    assert not judged(after, operation="CREATE", old=before).allowed
    assert not judged(after, operation="UPDATE", old=pod()).allowed
    assert not judged(after, operation="UPDATE", old=None).allowed
    assert not judged(after, operation="UPDATE", old={"spec": []}).allowed


def test_an_update_that_takes_the_init_container_away_is_judged() -> None:
    before = named(f"pkg:a/b@sha256:{GOOD}", initContainers=[VERIFIER])
    assert not judged(named(f"pkg:a/b@sha256:{GOOD}"), operation="UPDATE", old=before).allowed


def test_a_deletion_brings_nothing_in() -> None:
    assert judged(None, operation="DELETE", old=mounting("registry.example/m:1")).allowed


@pytest.mark.parametrize("operation", ["CONNECT", "", "create", "*"])
def test_another_operation_is_denied(operation: str) -> None:
    assert not judged(pod(), operation=operation).allowed


def test_a_dry_run_is_decided_alike() -> None:
    assert judged(mounting(IMAGE), dryRun=True) == judged(mounting(IMAGE))
    assert not judged(mounting("m:1"), dryRun=True).allowed


@pytest.mark.parametrize(
    "spec",
    [
        {"volumes": {"image": {"reference": "m:1"}}}, {"volumes": [None]}, {"volumes": [{"image": "m:1"}]},
        {"volumes": [{"image": {"reference": 7}}]}, {"containers": "x"}, {"containers": [{"image": 7}]},
        {"initContainers": [{"restartPolicy": 1}]}, {"volumes": [{}] * 3_000},
    ],
    ids=["object", "null", "text", "number", "containers", "image", "restart", "many"],
)  # fmt: skip
def test_an_object_of_another_shape_is_denied(spec: dict[str, Any]) -> None:
    decision = judged(pod(**spec))
    assert not decision.allowed
    assert decision.uid == "705ab4f5"
    assert "cannot be judged" in decision.message


BETA = review(pod()).replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1")


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"not json", b"\xff", b"[" * 100_000, BETA,
     b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}',
     b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":""}}',
     b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":7}}',
     b'{"a":1,"a":2}', b" " * (REVIEW_BYTES + 1), b"[" + b"1," * 300_000 + b"1]"],
    ids=["empty", "object", "list", "null", "text", "bytes", "deep", "v1beta1", "no-request", "empty-uid",
         "uid", "twice", "large", "values"],
)  # fmt: skip
def test_what_is_no_review_is_denied_without_a_uid(data: bytes) -> None:
    decision = decide(data, GATE, NOW)
    assert (decision.uid, decision.allowed) == ("", False)
    assert decision.message.startswith("aibom: the review cannot be judged: ")


def test_a_review_of_no_request_is_denied_whatever_its_object() -> None:
    assert judged(mounting(IMAGE)).allowed
    assert not judged(mounting(IMAGE), uid="").allowed


def test_a_damaged_review_is_denied_or_means_the_same() -> None:
    whole = review(mounting(f"m@sha256:{BAD}"))
    for data in truncations(whole):
        assert not decide(data, GATE, NOW).allowed


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_denied(data: bytes) -> None:
    assert not decide(data, GATE, NOW).allowed


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(("spec", "metadata", "annotations", "volumes", "image", "aibom.dev/model")),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_arbitrary_objects_are_answered(document: Any) -> None:
    decision = judged(document)
    assert json.loads(decision.answer())["response"]["uid"] == "705ab4f5"


def test_a_long_list_of_reasons_is_cut() -> None:
    volumes = [{"image": {"reference": f"registry.example/{'n' * 300}{n}"}} for n in range(1_000)]
    decision = judged(pod(volumes=volumes))
    assert len(decision.message) <= MESSAGE_CHARS + 40
    short = judged(pod(volumes=[{"image": {"reference": f"m{n}"}} for n in range(9)]))
    assert short.message.endswith("; and 4 more")


def approvals(*documents: bytes | UnreadableError, signers: Signers = SIGNERS) -> Approvals:
    return read_approvals([(f"d{n}", data) for n, data in enumerate(documents)], signers)


def test_the_newest_summary_of_a_digest_counts_in_any_order() -> None:
    passed = summary(GOOD, at=NOW - timedelta(days=2))
    failed = summary(GOOD, at=NOW - timedelta(days=1), passed=False)
    again = summary(GOOD, at=NOW)
    same = summary(GOOD, at=NOW, passed=False)
    undated = summary(GOOD, at="", passed=False)
    for documents, expected in (
        ((passed, failed), False), ((failed, passed), False), ((passed, failed, again), True),
        ((again, same), False), ((same, again), False), ((undated, again), False),
    ):  # fmt: skip
        assert approvals(*documents).newest[GOOD].passed is expected


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (summary(GOOD, by=STRANGER), "untrusted-signer"),
        (summary(GOOD, at=""), "timeVerified is missing"),
        (summary(GOOD, at="yesterday"), "timeVerified is missing"),
        (summary(GOOD, at="2026-11-23T10:00:00"), "no time zone"),
        (sign_file(SIGNER, bytes(32)), "signs a file"),
        (b"{}", "not a sigstore bundle"),
        (b'{"schema": "aibom-verification/1", "outcome": "verified"}', "not a sigstore bundle"),
        (UnreadableError(Reason.IO_ERROR, "input/output error"), "input/output error"),
    ],
    ids=["stranger", "no-time", "no-date", "no-zone", "file", "object", "unsigned", "unreadable"],
)
def test_a_document_that_does_not_count_is_told_and_approves_nothing(
    document: bytes | UnreadableError, words: str
) -> None:
    found = approvals(document, summary(NEW))
    assert found.newest.keys() == {NEW}
    ((name, why),) = found.refused
    assert name == "d0"
    assert words in why


def test_another_signed_statement_approves_nothing() -> None:
    other = {
        "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://example.com/other",
        "subject": [{"name": "m", "digest": {"sha256": GOOD}}], "predicate": {"verificationResult": "PASSED"},
    }  # fmt: skip
    found = approvals(sign_statement(SIGNER, json.dumps(other).encode()))
    assert found.newest == {}
    assert "no verification summary" in found.refused[0][1]


def test_only_summaries_under_the_named_policies_count() -> None:
    same = Signers(expected=SIGNERS.expected, policies=frozenset({POLICY}))
    other = Signers(expected=SIGNERS.expected, policies=frozenset({"8" * 64}))
    assert approvals(summary(GOOD), signers=same).newest.keys() == {GOOD}
    assert approvals(summary(GOOD), signers=other).newest == {}
    assert "--policy-digests" in approvals(summary(GOOD), signers=other).refused[0][1]


def test_a_flipped_summary_never_approves_another_digest() -> None:
    for data in flips(summary(GOOD), 60):
        assert approvals(data).newest.keys() <= {GOOD}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1"),
        ("[]", "1:1: a list of containers"),
        ("image: x", "1:1: a list of containers"),
        ("- x", "1:3: a container has"),
        ("- args: [a]", "1:3: `image` has to end"),
        ("- image: registry.example/aibom:1\n  args: [a]", "1:10: `image` has to end"),
        (f"- image: {TOOL}", "1:3: without `args`"),
        (f"- image: {TOOL}\n  args: verify", "2:9: a list of texts"),
        (f"- image: {TOOL}\n  args: [1]", "2:10: a text is expected"),
        (f"- image: {TOOL}\n  argz: [a]", "2:3: unknown key 'argz'"),
        (f"- image: {TOOL}\n  args: [a]\n  args: [b]", "3:3"),
        (f"- &a\n  image: {TOOL}\n  args: [a]", "anchors"),
    ],
    ids=["empty", "none", "mapping", "text", "no-image", "tag", "no-args", "one-text", "number", "typing",
         "twice", "anchor"],
)  # fmt: skip
def test_a_list_of_init_containers_that_is_wrong_says_where(text: str, words: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        read_known(text.encode())
    assert words in str(raised.value)
