"""What stands elsewhere in a manifest or in the values of a chart: ConfigMaps, lists of models."""

from __future__ import annotations

from aibom.discovery.kubernetes import DISCOVERER, VALUES
from tests.discovery.references import told


def test_variables_of_config_maps_of_the_file_are_filled_in() -> None:
    text = """apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {MODEL: org/m, REV: v1, DATASET_ID: org/d}
---
apiVersion: v1
kind: Pod
spec:
  containers:
  - command: [hf, download, $(MODEL), --revision, $(R)]
    envFrom: [{configMapRef: {name: c}}, {secretRef: {name: s}}]
    env: [{name: R, valueFrom: {configMapKeyRef: {name: c, key: REV}}}]
  - command: [hf, download, $(MODEL)]
"""
    assert told(DISCOVERER, "a.yaml", text) == [
        "4 dataset hf-dataset:org/d unpinned",
        "10 model hf:org/m@v1 unpinned",
        "13 model ? unresolved",
    ]


def test_models_of_the_charts_of_ollama_and_of_llm_d() -> None:
    text = """ollama:
  image: {repository: ollama/ollama, tag: "1"}
  models: {pull: [a:1], run: [b], create: [{name: c, template: FROM d}]}
old: {ollama: {models: [e]}}
other: {models: {pull: [f]}}
modelArtifacts: {uri: "hf://org/m"}
"""
    assert told(VALUES, "values.yaml", text) == [
        "2 library docker:ollama/ollama@1 unpinned",
        "3 model ollama:a@1 unpinned",
        "3 model ollama:b floating-tag unpinned",
        "4 model ollama:e floating-tag unpinned",
        "6 model hf:org/m unpinned",
    ]


def test_parameters_of_tekton_and_argo_are_filled_in() -> None:
    text = """apiVersion: tekton.dev/v1
kind: Task
spec:
  params: [{name: model, default: org/m}, {name: dataset, default: org/d}]
  steps:
  - image: python
    script: |
      #!/bin/sh
      hf download $(params.model) --revision $(params.other)
---
apiVersion: argoproj.io/v1alpha1
kind: Workflow
spec:
  arguments: {parameters: [{name: repo, value: org/a}]}
  templates: [{container: {image: x, command: [hf], args: [download, "{{inputs.parameters.repo}}"]}}]
"""
    assert told(DISCOVERER, "a.yaml", text) == [
        "4 dataset hf-dataset:org/d unpinned",
        "9 model hf:org/m unpinned",
        "15 model hf:org/a unpinned",
    ]
