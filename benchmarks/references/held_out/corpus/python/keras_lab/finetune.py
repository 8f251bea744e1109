import os

import kagglehub
import keras
import keras_hub
import tensorflow as tf
import tensorflow_hub as tfhub
from tensorflow.keras.applications import EfficientNetV2B0, MobileNetV3Small

os.environ.setdefault("KERAS_BACKEND", "jax")
USE = "https://tfhub.dev/google/universal-sentence-encoder/4"


def image_model(n):
    base = EfficientNetV2B0(include_top=False, weights="imagenet", pooling="avg")
    teacher = tf.keras.applications.ConvNeXtTiny(weights="imagenet")
    student = MobileNetV3Small(weights=None, classes=n)
    return base, teacher, student


def text_models():
    gemma = keras_hub.models.GemmaCausalLM.from_preset("gemma2_instruct_2b_en")
    llama = keras_hub.models.CausalLM.from_preset("hf://acme-ai/keras-llama-1b", dtype="bfloat16")
    tok = keras_hub.models.BertTokenizer.from_preset("bert_base_en")
    use = tfhub.load(USE)
    layer = tfhub.KerasLayer(
        "https://tfhub.dev/google/nnlm-en-dim50/2", input_shape=[],
        dtype=tf.string, trainable=True,
    )
    return gemma, llama, tok, use, layer


def from_kaggle():
    weights = kagglehub.model_download("google/paligemma-2/transformers/paligemma2-3b-pt-224/1")
    plants = kagglehub.dataset_download("emmarex/plantdisease")
    return weights, plants


def restore(path):
    old = keras.models.load_model("saved/classifier.keras", safe_mode=False, compile=False)
    exported = tf.saved_model.load("gs://acme-models/classifier/0007")
    mine = keras.saving.load_model(path)
    # keras.models.load_model("saved/classifier.h5") stopped working with Keras 3
    return old, exported, mine
