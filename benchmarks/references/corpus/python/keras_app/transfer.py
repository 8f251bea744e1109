import os

import keras
import keras_hub
import tensorflow as tf
import tensorflow_hub as hub
from keras.applications import EfficientNetV2B0
from tensorflow.keras.models import load_model

USE_URL = "https://tfhub.dev/google/universal-sentence-encoder/4"


def backbone(trainable=False):
    base = tf.keras.applications.ResNet50(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    base.trainable = trainable
    small = EfficientNetV2B0(include_top=False)
    blank = keras.applications.MobileNetV3Small(weights=None, classes=7)
    return base, small, blank


def text_encoders():
    use = hub.load(USE_URL)
    layer = hub.KerasLayer("https://tfhub.dev/google/nnlm-en-dim50/2", trainable=True)
    bert = keras_hub.models.BertTextClassifier.from_preset("bert_base_en_uncased", num_classes=4)
    gemma = keras_hub.models.GemmaCausalLM.from_preset("hf://google/gemma-2-2b-it")
    return use, layer, bert, gemma


def restore(run_id):
    a = load_model("artifacts/churn/model.keras")
    b = keras.saving.load_model("artifacts/legacy_lambda.keras", safe_mode=False)
    c = tf.saved_model.load("gs://acme-models/ranker/7")
    d = tf.keras.models.load_model(os.path.join("runs", run_id, "model.h5"), compile=False)
    return a, b, c, d


def summary(model):
    """Like keras.applications.VGG16(weights="imagenet").summary()"""
    model.summary()
