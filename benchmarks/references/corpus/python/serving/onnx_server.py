"""Tiny inference server around ONNX files."""
import logging
import numpy as np
import onnxruntime as ort
from flask import Flask, jsonify, request
from onnxruntime import InferenceSession, SessionOptions
from optimum.onnxruntime import ORTModelForFeatureExtraction

app = Flask(__name__)
opts = SessionOptions()
opts.intra_op_num_threads = 2

PROVIDERS = ["CPUExecutionProvider"]
detector = ort.InferenceSession("models/detector.onnx", sess_options=opts, providers=PROVIDERS)
ocr = InferenceSession(
    path_or_bytes="models/ocr/v5/rec.onnx",
    providers=PROVIDERS,
)
encoder = ORTModelForFeatureExtraction.from_pretrained("optimum/all-MiniLM-L6-v2", revision="onnx")


def swap(path):
    logging.info("replacing models/detector.onnx by %s", path)
    return ort.InferenceSession(path, providers=PROVIDERS)


@app.post("/detect")
def detect():
    x = np.asarray(request.get_json()["pixels"], dtype=np.float32)
    return jsonify(detector.run(None, {"input": x})[0].tolist())
