"""Manifests of clusters and values of charts: each platform's way to name a model."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery.kubernetes import DISCOVERER, VALUES
from aibom.domain.errors import Reason, UnreadableError
from tests.discovery.references import found_in, told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "sha256:" + "a" * 64


def manifest(body: str, kind: str = "Deployment", version: str = "apps/v1") -> list[str]:
    """References of a manifest; its body begins in line 3."""
    return told(DISCOVERER, "a.yaml", f"apiVersion: {version}\nkind: {kind}\n{body}\n")


def container(body: str) -> list[str]:
    """References of one container; its body begins in line 5."""
    return manifest("spec:\n  containers:\n  -\n" + "".join(f"    {line}\n" for line in body.split("\n")))


def test_what_a_command_loads_is_not_told_for_its_variable_as_well() -> None:
    body = "command: [sh, -c, vllm serve $(MODEL)]\nenv:\n- {name: MODEL, value: org/m}"
    assert container(body) == ["6 model hf:org/m unpinned"]
    assert container(body.replace("$(MODEL)", "org/n")) == [
        "6 model hf:org/n unpinned",
        "8 model hf:org/m unpinned",
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "image: amazon/aws-cli:2\nargs: [s3, cp, s3://b/m.plan, /models/m.plan]",
            ["7 model s3:b/m.plan unpinned"],
        ),
        (
            "image: vllm/vllm-openai:v1\nargs: [serve, /models/m]",
            ["6 library docker:vllm/vllm-openai@v1 unpinned", "7 model file:/models/m local-path"],
        ),
        ("command: [sh, -c, pip install torch==2.0]", ["6 library pypi:torch@2.0"]),
        ("image: vllm/vllm-openai:v1", ["6 library docker:vllm/vllm-openai@v1 unpinned"]),
        (f"image: ollama/ollama@{DIGEST}", [f"6 library docker:ollama/ollama@{DIGEST}"]),
        ("image: nginx\nargs: [--model, fast]", []),
        (
            "command: [vllm, serve]\nargs:\n- org/m\n- --trust-remote-code",
            ["8 model hf:org/m remote-code unpinned"],
        ),
        (f"args: [--model=org/m, --revision={COMMIT}]", [f"6 model hf:org/m@{COMMIT}"]),
        (
            "command: [sh, -c]\nargs:\n- |\n  set -e\n  hf download org/m --revision v1",
            ["10 model hf:org/m@v1 unpinned"],
        ),
        ("command: [sh, -c, 'M=org/m; hf download $M']", ["6 model hf:org/m unpinned"]),
        (
            "command: [sh, -c, 'hf download $M']\nenv: [{name: M, value: org/m}]",
            ["6 model hf:org/m unpinned"],
        ),
        (
            "args: [--model, $(M)]\nimage: x/vllm:1\nenv: [{name: M, value: org/m}]",
            ["6 model hf:org/m unpinned", "7 library docker:x/vllm@1 unpinned"],
        ),
        (
            "args: [--model, $(UNSET)]\nimage: x/vllm:1",
            ["6 model ? unresolved", "7 library docker:x/vllm@1 unpinned"],
        ),
        (
            "env:\n- name: MODEL_ID\n  value: org/m\n- {name: REVISION, value: v1}\n- {name: X}",
            ["8 model hf:org/m@v1 unpinned"],
        ),
        ("lifecycle: {postStart: {exec: {command: [ollama, pull, 'm:1']}}}", ["6 model ollama:m@1 unpinned"]),
        (
            "command: [python, -c, \"from datasets import load_dataset; load_dataset('org/d')\"]",
            ["6 dataset hf-dataset:org/d unpinned"],
        ),
        ("command: [echo, vllm, serve, org/m]\nargs: [hf download org/m]\n# image: ollama/ollama", []),
    ],
)
def test_containers(body: str, expected: list[str]) -> None:
    assert container(body) == expected


ARGO = """spec:
  image: x
  command: [python]
  source: |
    import datasets
    datasets.load_dataset('org/d')
"""
RAY = """spec:
  serveConfigV2: |
    applications:
    - model_loading_config:
        model_id: x
        model_source: org/m
      env_vars: {MODEL_ID: org/n}
"""


@pytest.mark.parametrize(
    ("kind", "version", "body", "expected"),
    [
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            f"spec: {{model: {{storageUri: 'hf://org/m:{COMMIT}'}}}}",
            [f"3 model hf:org/m@{COMMIT}"],
        ),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec:\n  sklearn:\n    storageUri: gs://b/m",
            ["5 model gs:b/m unpinned"],
        ),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec: {a: {storageUri: 'oci://r.io/m:1'}}",
            ["3 model oci:r.io/m@1 unpinned"],
        ),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec: {a: {storageUri: 'pvc://claim/m'}}",
            ["3 model pvc:claim/m local-path"],
        ),
        ("InferenceService", "serving.kserve.io/v1beta1", "spec: {a: {storageUri: '${PLACE}'}}", []),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec:\n  m:\n    modelFormat: {name: huggingface}\n    args: [--model_name=x, --model_id=gpt2]",
            ["6 model hf:gpt2 no-organisation unpinned"],
        ),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec: {model: {storage: {key: k, path: a/m, parameters: {bucket: b}}}}",
            ["3 model s3:b/a/m"],
        ),
        (
            "InferenceService",
            "serving.kserve.io/v1beta1",
            "spec: {model: {storage: {key: k, path: a/m}}}",
            ["3 model ? unresolved"],
        ),
        (
            "LLMInferenceService",
            "serving.kserve.io/v1alpha1",
            "spec: {model: {uri: 'hf://org/m', name: x}}",
            ["3 model hf:org/m unpinned"],
        ),
        (
            "TrainJob",
            "trainer.kubeflow.org/v1",
            "spec: {dataset: {storageUri: 'hf://org/d'}}",
            ["3 dataset hf-dataset:org/d unpinned"],
        ),
        (
            "Model",
            "kubeai.org/v1",
            "spec: {url: 'ollama://m:1', adapters: [{name: a, url: 'hf://org/a'}]}",
            ["3 model ollama:m@1 unpinned", "3 adapter hf:org/a unpinned"],
        ),
        ("Model", "ollama.ayaka.io/v1", "spec: {image: 'm:1'}", ["3 model ollama:m@1 unpinned"]),
        ("Model", "example.com/v1", "spec: {url: 'hf://org/m', image: 'm:1'}", []),
        (
            "SeldonDeployment",
            "machinelearning.seldon.io/v1",
            "spec: {graph: {modelUri: 's3://b/m'}}",
            ["3 model s3:b/m unpinned"],
        ),
        (
            "Pod",
            "v1",
            "spec: {volumes: [{image: {reference: 'r.io/m:1'}}]}",
            ["3 model oci:r.io/m@1 unpinned"],
        ),
        (
            "Pod",
            "v1",
            f"spec: {{volumes: [{{image: {{reference: 'r.io/m@{DIGEST}'}}}}]}}",
            [f"3 model oci:r.io/m@{DIGEST}"],
        ),
        (
            "ConfigMap",
            "v1",
            "data:\n  MODEL_ID: org/m\n  x.sh: |\n    a\n    ollama pull m:1\n  y.md: hf download org/n",
            ["4 model hf:org/m unpinned", "7 model ollama:m@1 unpinned"],
        ),
        (
            "Workflow",
            "argoproj.io/v1",
            "spec: {arguments: {parameters: [{name: model-id, value: org/m}]}}",
            ["3 model hf:org/m unpinned"],
        ),
        (
            "Workflow",
            "argoproj.io/v1",
            ARGO,
            ["8 dataset hf-dataset:org/d unpinned"],
        ),
        (
            "Task",
            "tekton.dev/v1",
            "spec:\n  steps:\n  - image: x\n    script: |\n      #!/bin/sh\n      hf download org/m",
            ["8 model hf:org/m unpinned"],
        ),
        (
            "RayService",
            "ray.io/v1",
            RAY,
            ["8 model hf:org/m unpinned", "9 model hf:org/n unpinned"],
        ),
        (
            "Kustomization",
            "kustomize.config.k8s.io/v1",
            "images: [{name: vllm/vllm-openai, newTag: v2}]",
            ["3 library docker:vllm/vllm-openai@v2 unpinned"],
        ),
        ("CustomResourceDefinition", "apiextensions.k8s.io/v1", "spec: {image: 'vllm/vllm-openai:v1'}", []),
        ("Deployment", "apps/v1", "metadata: {annotations: {a: 'hf download org/m', model: org/m}}", []),
    ],
)
def test_platforms(kind: str, version: str, body: str, expected: list[str]) -> None:
    assert manifest(body, kind, version) == expected


def test_several_documents_count_lines_on_and_definitions_are_passed_over() -> None:
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nspec: {image: ollama/ollama}\n"
    )
    pod = "apiVersion: v1\nkind: Pod\nspec: {image: 'ollama/ollama:1'}\n"
    assert told(DISCOVERER, "a.yml", f"{definition}---\n{pod}---\n{definition}") == [
        "7 library docker:ollama/ollama@1 unpinned"
    ]


def test_a_manifest_in_json_is_read_as_well() -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "spec": {"image": "ollama/ollama:1"}}, indent=1)
    assert told(DISCOVERER, "a.json", text) == ["5 library docker:ollama/ollama@1 unpinned"]


def test_a_step_of_a_compiled_pipeline_is_a_program() -> None:
    program = "\nimport kfp\ndef step():\n    from datasets import load_dataset\n    load_dataset('org/d')\n"
    text = yaml.safe_dump(
        {"deploymentSpec": {"x": {"container": {"image": "a", "command": ["sh", "-c", "b", program]}}}}
    )
    assert [line.partition(" ")[2] for line in told(DISCOVERER, "p.yaml", text)] == [
        "dataset hf-dataset:org/d unpinned"
    ]


TEMPLATE = """{{- if .Values.on }}
apiVersion: apps/v1
kind: Deployment
spec:
  containers:
  - image: "vllm/vllm-openai:{{ .Values.tag }}"
    args:
    - --model
    - {{ .Values.model | quote }}
  - image: {{ .Values.image }}
    args: ["--model", "org/m"]
{{- end }}
"""


def test_a_template_tells_what_is_not_filled_in() -> None:
    assert told(DISCOVERER, "templates/a.yaml", TEMPLATE) == [
        "6 library docker:vllm/vllm-openai unpinned",
        "9 model ? unresolved",
        "11 model hf:org/m unpinned",
    ]


def test_values_of_a_chart() -> None:
    text = """image:
  repository: vllm/vllm-openai
  tag: v1
extraArgs: [--model, org/m]
env:
  MODEL_ID: org/n
sidecar:
  image: {registry: docker.io, repository: ollama/ollama, digest: "%s"}
  command: [ollama, pull, "m:1"]
engines:
  - repository: vllm/vllm-openai
    tag: v2
    modelURL: org/u
llm: {modelId: org/i, revision: v1, name: org/x}
LLM_MODEL_ID: org/l
model: production
"""
    assert told(VALUES, "chart/values.yaml", text % DIGEST) == [
        "2 library docker:vllm/vllm-openai@v1 unpinned",
        "4 model hf:org/m unpinned",
        "6 model hf:org/n unpinned",
        f"8 library docker:docker.io/ollama/ollama@{DIGEST}",
        "9 model ollama:m@1 unpinned",
        "11 library docker:vllm/vllm-openai@v2 unpinned",
        "13 model hf:org/u unpinned",
        "14 model hf:org/i@v1 unpinned",
        "15 model hf:org/l unpinned",
    ]


@pytest.mark.parametrize("name", ["values.yaml", "values-prod.yml", "values.gpu.yaml", "prod-values.yaml"])
def test_names_of_values(name: str) -> None:
    assert VALUES.wants(f"a/{name}")
    assert not VALUES.wants("a/valuesets.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "image: vllm/vllm-openai:v1",
        "openapi: 3\nkind: x\nimage: ollama/ollama",
        "- apiVersion\n- kind",
        "# apiVersion: v1\nkind: Pod\nimage: ollama/ollama:1",
        "apiVersion: v1",
        "apiVersion",
        "",
    ],
)
def test_what_is_no_manifest_is_silent(text: str) -> None:
    assert told(DISCOVERER, "a.yaml", text) == []


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(UnreadableError) as caught:
        manifest("image: [")
    assert caught.value.reason is Reason.MALFORMED


def test_an_inner_document_that_is_broken_is_a_defect() -> None:
    text = "apiVersion: ray.io/v1\nkind: RayService\nspec:\n  serveConfigV2: 'a: ['\n  image: x\n"
    (defect,) = found_in(DISCOVERER, "a.yaml", text).defects
    assert defect.message.startswith("serveConfigV2: not YAML")


KEYS = (
    "image",
    "command",
    "args",
    "env",
    "name",
    "value",
    "storageUri",
    "uri",
    "model",
    "spec",
    "url",
    "kind",
    "data",
    "serveConfigV2",
    "storage",
    "path",
    "adapters",
    "volumes",
    "reference",
    "repository",
    "tag",
    "source",
    "newTag",
)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.text("ab $\"'{}:/@-|<\n()", max_size=12)
        | st.sampled_from(["hf://a", "s3://[", "Model"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    )
)
def test_any_manifest_is_read(body: object) -> None:
    for version, kind in (("kubeai.org/v1", "Model"), ("v1", "ConfigMap"), ("ollama.x/v1", "Model")):
        text = json.dumps({"apiVersion": version, "kind": kind, "spec": body, "data": body})
        assert all(one.location.line == 1 for one in found_in(DISCOVERER, "a.json", text).references)
