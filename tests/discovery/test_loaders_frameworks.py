"""Libraries that load files, and libraries that have catalogues of their own."""

from __future__ import annotations

import pytest

from tests.discovery.python_code import SHA, found, told

FILES = [
    ("import keras", "keras.models.load_model({})", ""),
    ("import keras", "keras.saving.load_model(filepath={})", ""),
    ("from tensorflow import keras", "keras.models.load_model({})", ""),
    ("import tensorflow as tf", "tf.keras.models.load_model({})", ""),
    ("from tensorflow.keras.models import load_model", "load_model({})", ""),
    ("import tf_keras", "tf_keras.models.load_model({})", ""),
    ("import tensorflow as tf", "tf.saved_model.load({})", ""),
    ("import tensorflow as tf", "tf.lite.Interpreter(model_path={})", ""),
    ("from tflite_runtime.interpreter import Interpreter", "Interpreter(model_path={})", ""),
    ("import tensorflow_hub as hub", "hub.load({})", ""),
    ("import tensorflow_hub as hub", "hub.KerasLayer({})", ""),
    ("import onnxruntime as ort", "ort.InferenceSession({})", ""),
    ("import onnxruntime as ort", "ort.InferenceSession(path_or_bytes={})", ""),
    ("import onnx", "onnx.load({})", ""),
    ("import onnx", "onnx.load_model({})", ""),
    ("from safetensors.torch import load_file", "load_file({})", ""),
    ("from safetensors.numpy import load_file as lf", "lf({})", ""),
    ("from safetensors import safe_open", "safe_open({}, framework='pt')", ""),
    ("import safetensors.torch", "safetensors.torch.load_model(net, {})", ""),
    ("import openvino as ov", "ov.Core().read_model({})", ""),
    ("import coremltools as ct", "ct.models.MLModel({})", ""),
    ("import joblib", "joblib.load({})", " unsafe-load"),
    ("from joblib import load", "load(filename={})", " unsafe-load"),
    ("import pickle", "pickle.load(open({}, 'rb'))", " unsafe-load"),
    ("import dill", "dill.load(open({}, 'rb'))", " unsafe-load"),
    ("import cloudpickle as cp", "cp.load(open({}, 'rb'))", " unsafe-load"),
    ("import skops.io as sio", "sio.load({})", ""),
    ("import fasttext", "fasttext.load_model({})", ""),
    ("import xgboost as xgb", "xgb.Booster().load_model({})", ""),
    ("import xgboost as xgb", "xgb.Booster(model_file={})", ""),
    ("import lightgbm as lgb", "lgb.Booster(model_file={})", ""),
    ("import catboost", "catboost.CatBoostClassifier().load_model({})", ""),
    ("from llama_cpp import Llama", "Llama({}, n_ctx=1)", ""),
    ("from llama_cpp import Llama", "Llama(model_path={})", ""),
]


@pytest.mark.parametrize(("imported", "call", "flags"), FILES)
def test_every_loader_of_files_tells_the_file(imported: str, call: str, flags: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name, net):\n    return {call.format(argument)}\n")

    assert loads("'models/a.bin'") == [f"model file:models/a.bin local-path{flags}"]
    assert loads("name") == [f"model ? unresolved{flags}"]


HUB = [
    ("from vllm import LLM", "LLM({})"),
    ("from vllm import LLM", "LLM(model={})"),
    ("from vllm import AsyncEngineArgs", "AsyncEngineArgs(model={})"),
    ("from vllm.engine.arg_utils import EngineArgs", "EngineArgs({})"),
    ("from ctransformers import AutoModelForCausalLM", "AutoModelForCausalLM.from_pretrained({})"),
    ("from llama_cpp import Llama", "Llama.from_pretrained(repo_id={}, filename='*q4.gguf')"),
    ("from setfit import SetFitModel", "SetFitModel.from_pretrained({})"),
    ("from unsloth import FastLanguageModel", "FastLanguageModel.from_pretrained(model_name={})"),
    ("from fastembed import TextEmbedding", "TextEmbedding(model_name={})"),
    ("from FlagEmbedding import FlagModel", "FlagModel({})"),
    ("from mlx_lm import load", "load({})"),
    ("from flair.embeddings import TransformerWordEmbeddings", "TransformerWordEmbeddings({})"),
]


@pytest.mark.parametrize(("imported", "call"), HUB)
def test_every_loader_of_the_hub_tells_id_and_revision(imported: str, call: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name):\n    return {call.format(argument)}\n")

    assert loads("'org/m'") == ["model hf:org/m unpinned"]
    assert loads(f"'org/m', revision={SHA!r}") == [f"model hf:org/m@{SHA}"]
    assert loads("name") == ["model ? unresolved"]


CATALOGUES = [
    ("import whisper", "whisper.load_model({})", "openai-whisper"),
    ("from faster_whisper import WhisperModel", "WhisperModel({})", "faster-whisper"),
    ("import spacy", "spacy.load({})", "spacy"),
    ("from spacy.cli import download", "download({})", "spacy"),
    ("from flair.models import SequenceTagger", "SequenceTagger.load({})", "flair"),
    ("from flair.nn import Classifier", "Classifier.load({})", "flair"),
    ("from flair.embeddings import WordEmbeddings", "WordEmbeddings({})", "flair"),
    ("from flair.embeddings import FlairEmbeddings", "FlairEmbeddings({})", "flair"),
    ("import gensim.downloader as api", "api.load({})", "gensim"),
    ("import stanza", "stanza.Pipeline({})", "stanza"),
    ("import clip", "clip.load({})", "openai-clip"),
    ("import keras_hub", "keras_hub.models.GemmaCausalLM.from_preset({})", "keras-hub"),
]


@pytest.mark.parametrize(("imported", "call", "scheme"), CATALOGUES)
def test_every_catalogue_tells_its_names(imported: str, call: str, scheme: str) -> None:
    def loads(argument: str) -> list[str]:
        return told(f"{imported}\ndef run(name):\n    return {call.format(argument)}\n")

    assert loads("'small'") == [f"model {scheme}:small unpinned"]
    assert loads("'./small.pt'") == ["model file:./small.pt local-path"]
    assert loads("name") == ["model ? unresolved"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import keras; keras.models.load_model('a.keras', safe_mode=False)",
         ["model file:a.keras local-path unsafe-load"]),
        ("import keras; keras.models.load_model('hf://org/m')", ["model hf:org/m unpinned"]),
        ("import keras; keras.applications.ResNet50()", ["model keras:ResNet50 unpinned"]),
        ("import keras; keras.applications.ResNet50(weights='imagenet')", ["model keras:ResNet50 unpinned"]),
        ("import keras; keras.applications.ResNet50(weights='w.h5')", ["model file:w.h5 local-path"]),
        ("import keras; keras.applications.ResNet50(weights=None)", []),
        ("from tensorflow.keras.applications.vgg16 import VGG16; VGG16(include_top=False)",
         ["model keras:VGG16 unpinned"]),
        ("import keras; keras.applications.resnet50.preprocess_input(x)", []),
        ("import keras; keras.Sequential(); keras.layers.Dense(1)", []),
        ("import kagglehub; kagglehub.model_download('a/b/c/d')", ["model kaggle:a/b/c/d unpinned"]),
        ("import kagglehub; kagglehub.model_download('a/b/c/d/3')", ["model kaggle:a/b/c/d@3"]),
        ("import kagglehub; kagglehub.model_download(name)", ["model ? unresolved"]),
        ("import kagglehub; kagglehub.dataset_download('a/b')", ["dataset kaggle:a/b unpinned"]),
        ("import kagglehub; kagglehub.dataset_download('a/b/versions/2')", ["dataset kaggle:a/b@2"]),
        ("import kagglehub; kagglehub.dataset_load(adapter, 'a/b', 'x.csv')",
         ["dataset kaggle:a/b unpinned"]),
        ("import tensorflow_hub as hub; hub.load('https://tfhub.dev/google/x/4')",
         ["model https:https://tfhub.dev/google/x/4 unpinned"]),
        ("from faster_whisper import WhisperModel; WhisperModel('Systran/x')",
         ["model hf:Systran/x unpinned"]),
        ("from flair.models import X; X.load('flair/ner-english')", ["model hf:flair/ner-english unpinned"]),
        ("from flair.embeddings import StackedEmbeddings; StackedEmbeddings([a, b])", []),
        ("from ultralytics import YOLO; YOLO('yolov8n.pt')", ["model ultralytics:yolov8n.pt unpinned"]),
        ("from ultralytics import YOLO; YOLO('runs/best.pt')", ["model file:runs/best.pt local-path"]),
        ("from ultralytics import YOLO; YOLO(name)", ["model ? unresolved"]),
        ("from ultralytics import YOLO; YOLO('yolov8n.yaml'); YOLO()", []),
        ("import clip; clip.load('ViT-B/32')", ["model openai-clip:ViT-B/32 unpinned"]),
        ("import open_clip; open_clip.create_model_and_transforms('ViT-B-32', pretrained='laion2b')",
         ["model open-clip:ViT-B-32@laion2b"]),
        ("import open_clip; open_clip.create_model_and_transforms('hf-hub:org/m')",
         ["model hf:org/m unpinned"]),
        ("import open_clip; open_clip.create_model_and_transforms('ViT-B-32')", []),
        ("import spacy; spacy.blank('en'); spacy.load('blank:en')", []),
        ((
            "from spacy.cli import download; "
            "download('en_core_web_sm-3.7.1')"
        ), ["model spacy:en_core_web_sm@3.7.1"]),
        ("import en_core_web_sm; en_core_web_sm.load()", ["model spacy:en_core_web_sm unpinned"]),
        ("import de_core_news_md as de; de.load(disable=['ner'])", ["model spacy:de_core_news_md unpinned"]),
        ((
            f"from faster_whisper import WhisperModel as W; "
            f"W('o/m', revision={SHA!r})"
        ), [f"model hf:o/m@{SHA}"]),
        ("from llama_cpp import Llama; Llama.from_pretrained('org/m', 'a.gguf')",
         ["model hf:org/m#a.gguf unpinned"]),
        ("from vllm import LLM; LLM('org/m', trust_remote_code=True)",
         ["model hf:org/m remote-code unpinned"]),
        ("import onnxruntime as ort; ort.InferenceSession(model.SerializeToString())", []),
        ("import pickle\nwith open('a.pkl', 'rb') as f:\n    pickle.load(f)",
         ["model file:a.pkl local-path unsafe-load"]),
        ("import gzip, pickle\npickle.load(gzip.open('a.pkl.gz'))",
         ["model file:a.pkl.gz local-path unsafe-load"]),
        ("import pickle\nfrom pathlib import Path\npickle.load(Path('a.pkl').open('rb'))",
         ["model file:a.pkl local-path unsafe-load"]),
        ("import pickle; pickle.dump(x, f); pickle.dumps(x); pickle.loads(pickle.dumps(x))", []),
        ("import pandas as pd; pd.read_pickle('a.pkl')", ["dataset file:a.pkl local-path unsafe-load"]),
        ("import pandas as pd; pd.read_csv('a.csv'); pd.read_parquet('a.parquet')", []),
        ("import joblib; joblib.dump(x, 'a'); joblib.Parallel()(x)", []),
        ("import xgboost as xgb; xgb.XGBClassifier().fit(a, b)", []),
    ],
)  # fmt: skip
def test_forms_of_frameworks(code: str, expected: list[str]) -> None:
    assert sorted(told(code)) == sorted(expected)


def test_a_file_that_was_downloaded_is_told_where_that_was() -> None:
    assert told(
        """
        import fasttext, onnxruntime, safetensors.torch
        from huggingface_hub import hf_hub_download
        path = hf_hub_download("org/m", "a.bin")
        fasttext.load_model(path); onnxruntime.InferenceSession(path); safetensors.torch.load_file(path)
        """
    ) == ["model hf:org/m#a.bin unpinned"]


def test_the_loader_is_told_by_its_full_name() -> None:
    (reference,) = found(
        "import onnxruntime as ort\n\n  # here\nx = ort.InferenceSession('a.onnx')"
    ).references
    assert reference.loader == "onnxruntime.InferenceSession"
    assert (reference.location.line, reference.location.column) == (4, 5)
