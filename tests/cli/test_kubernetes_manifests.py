"""The manifests of `deploy/kubernetes`: they parse, use what the program has, and fit together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from aibom.cli import admission_server, admit, verify
from aibom.workflows.admit import Gate, decide
from aibom.workflows.approvals import Approval, Approvals
from aibom.workflows.init_containers import read_known
from aibom.workflows.pods import KINDS

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "kubernetes"
DOCUMENTS: list[dict[str, Any]] = [
    document
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
]
COMMANDS = {"admit": admit.command, "verify": verify.command}
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def one(kind: str, name: str = "") -> dict[str, Any]:
    (found,) = (each for each in DOCUMENTS if each["kind"] == kind and name in ("", each["metadata"]["name"]))
    return found


def pods() -> list[dict[str, Any]]:
    return [one("Deployment")["spec"]["template"]["spec"], one("Pod")["spec"]]


def containers() -> list[dict[str, Any]]:
    return [each for spec in pods() for each in (*spec.get("initContainers", ()), *spec["containers"])]


def ours() -> list[dict[str, Any]]:
    return [each for each in containers() if each.get("command") == ["aibom"]]


@pytest.mark.parametrize("container", ours(), ids=lambda each: each["name"])
def test_the_arguments_of_a_container_are_flags_that_exist(container: dict[str, Any]) -> None:
    name, *arguments = container["args"]
    parsed = COMMANDS[name].make_context(name, list(arguments))
    assert isinstance(parsed, click.Context)
    paths = [str(value) for value in parsed.params.values() if isinstance(value, Path)]
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert all(path.startswith(tuple(mounts)) for path in paths)


@pytest.mark.parametrize("container", containers(), ids=lambda each: each["name"])
def test_every_container_is_pinned_and_may_do_as_little_as_possible(container: dict[str, Any]) -> None:
    assert "@sha256:" in container["image"]
    allowed = container["securityContext"]
    assert allowed["allowPrivilegeEscalation"] is False
    assert allowed["readOnlyRootFilesystem"] is True
    assert allowed["capabilities"] == {"drop": ["ALL"]}
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert "memory" in container["resources"]["limits"]


def test_every_pod_runs_without_root_and_without_a_token() -> None:
    for spec in pods():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False


def test_the_webhook_fails_closed_and_leads_to_the_server() -> None:
    (webhook,) = one("ValidatingWebhookConfiguration")["webhooks"]
    assert webhook["failurePolicy"] == "Fail"
    assert webhook["sideEffects"] == "None"
    assert webhook["admissionReviewVersions"] == ["v1"]
    assert webhook["timeoutSeconds"] > admission_server.CONNECTION_SECONDS
    assert "objectSelector" not in webhook  # a pod must not choose
    service = webhook["clientConfig"]["service"]
    assert service["path"] == admission_server.PATH
    target = one("Service")
    assert (service["name"], service["namespace"]) == (
        target["metadata"]["name"],
        target["metadata"]["namespace"],
    )
    assert service["port"] == target["spec"]["ports"][0]["port"]
    (container,) = one("Deployment")["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == admission_server.HEALTH
    assert f"--listen=0.0.0.0:{container['ports'][0]['containerPort']}" in container["args"]
    assert target["spec"]["selector"] == one("Deployment")["spec"]["selector"]["matchLabels"]


def test_the_rules_are_for_exactly_the_kinds_that_are_judged() -> None:
    (webhook,) = one("ValidatingWebhookConfiguration")["webhooks"]
    asked = {
        (group, version, resource)
        for rule in webhook["rules"]
        for group in rule["apiGroups"]
        for version in rule["apiVersions"]
        for resource in rule["resources"]
    }
    assert asked == {(group, version, f"{kind.lower()}s") for group, version, kind in KINDS}
    assert all(rule["operations"] == ["CREATE", "UPDATE"] for rule in webhook["rules"])


def test_the_pod_of_the_example_is_admitted_by_the_webhook_of_the_example() -> None:
    known = read_known(one("ConfigMap", "aibom-admit")["data"]["init-containers.yaml"].encode())
    approval = Approval(passed=True, at=NOW, document="d")
    gate = Gate(approvals=Approvals(newest={"1" * 64: approval}), verifying=known)
    kind = {"group": "", "version": "v1", "kind": "Pod"}
    request = {"uid": "1", "operation": "CREATE", "kind": kind, "object": one("Pod")}
    document = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    assert decide(json.dumps(document).encode(), gate, NOW).message == "aibom: admitted"
    (init,) = one("Pod")["spec"]["initContainers"]
    init["args"].append("--allow-extra")
    try:
        assert not decide(json.dumps(document).encode(), gate, NOW).allowed
    finally:
        init["args"].pop()
