"""DVC and MLproject: what they pin, and the commands that they run."""

from __future__ import annotations

from aibom.discovery.found import Found, Text
from aibom.discovery.settings import DISCOVERER
from tests.discovery.references import short, told

COMMIT = "4f1c0de" + "a" * 33


def settings(path: str, text: str) -> list[str]:
    return told(DISCOVERER, path, text)


def test_a_dvc_file_pins_what_it_tracks() -> None:
    text = "outs:\n- md5: a304afb96060aad90176268345e10355\n  path: data.xml\n- path: model.pt\n"
    assert settings("data.xml.dvc", text) == [
        "3 dataset file:data.xml@a304afb96060aad90176268345e10355 local-path",
        "4 model file:model.pt local-path unpinned",
    ]


def test_a_dvc_file_tells_where_it_was_imported_from_and_not_the_copy() -> None:
    text = f"""
outs:
- path: weights.pt
deps:
- path: use-cases/weights.pt
  repo:
    url: git@github.com:owner/name.git
    rev_lock: {COMMIT}
- path: https://user:secret@example.com/rows.csv
"""
    assert settings("weights.pt.dvc", text) == [
        f"5 model git:https://github.com/owner/name@{COMMIT}#use-cases/weights.pt",
        "9 dataset https:https://example.com/rows.csv unpinned",
    ]


def test_commands_of_dvc_stages_and_mlprojects_are_read_with_their_parameters() -> None:
    stages = """
vars:
  - base: org/base
stages:
  get:
    cmd: hf download ${base}
  train:
    cmd:
      - python train.py --model_name_or_path ${train.model}
"""
    assert settings("dvc.yaml", stages) == ["6 model hf:org/base unpinned", "9 model ? unresolved"]
    each = "stages: {a: {foreach: [org/a, org/b], do: {cmd: 'hf download ${item}'}}}\n"
    each += "x:\n  stages: y\n"
    assert settings("dvc.yaml", each) == ["1 model hf:org/a unpinned", "1 model hf:org/b unpinned"]
    matrix = "stages:\n  a:\n    matrix: {m: [org/a], r: [v1, v2]}\n"
    matrix += "    cmd: hf download ${item.m} --revision ${item.r}\n"
    assert settings("dvc.yaml", matrix) == ["4 model hf:org/a@v1 unpinned", "4 model hf:org/a@v2 unpinned"]
    nested = "vars: [{m: {rev: v1}}]\nstages: {a: {cmd: 'hf download org/m --revision ${m.rev}'}}"
    assert settings("dvc.yaml", nested) == ["2 model hf:org/m@v1 unpinned"]
    project = """
entry_points:
  main:
    parameters:
      model: {type: string, default: org/m}
      data: string
    command: "python train.py --model_name_or_path {model} --dataset_name {data}"
"""
    assert settings("MLproject", project) == ["7 model hf:org/m unpinned", "7 dataset ? unresolved"]
    unseen = project.replace("--model_name_or_path {model}", "{model}")
    assert settings("MLproject", unseen) == ["5 model hf:org/m unpinned", "7 dataset ? unresolved"]


def test_stages_of_dvc_take_the_parameters_beside_them() -> None:
    files = {"a/params.yaml": b"model: {name: org/m}", "a/more.json": b'{"rev": "v1"}', "a/bad.yaml": b"x: ["}
    text = b"vars: [more.json, bad.yaml, gone.yaml]\n"
    text += b"stages: {a: {cmd: 'hf download ${model.name} --revision ${rev}'}}\n"
    found = Found(path="a/dvc.yaml")
    DISCOVERER.discover(Text(path="a/dvc.yaml", data=text, beside=files.get), found)
    assert [short(one) for one in found.references] == ["2 model hf:org/m@v1 unpinned"]


def test_registered_names_of_llama_factory_are_no_repositories() -> None:
    text = """
model_name_or_path: Qwen/Qwen2.5-7B-Instruct
adapter_name_or_path: saves/qwen/lora/sft
stage: sft
finetuning_type: lora
dataset: identity,alpaca_en_demo,org/open
"""
    assert settings("sft.yaml", text) == [
        "2 model hf:Qwen/Qwen2.5-7B-Instruct unpinned",
        "3 adapter file:saves/qwen/lora/sft local-path",
        "6 dataset hf-dataset:org/open unpinned",
    ]
    info = '{"x": {"hf_hub_url": "org/x", "ms_hub_url": "MS/x"}, "y": {"file_name": "y.json"}}'
    assert settings("data/dataset_info.json", info) == [
        "1 dataset hf-dataset:org/x unpinned",
        "1 dataset modelscope:MS/x unpinned",
        "1 dataset file:y.json local-path",
    ]
    cloud = '{"x": {"cloud_file_name": "s3://b/x.jsonl"}, "y": {"features": 1, "file_name": "y.json"}}'
    assert settings("dataset_info.json", cloud) == ["1 dataset s3:b/x.jsonl unpinned"]
