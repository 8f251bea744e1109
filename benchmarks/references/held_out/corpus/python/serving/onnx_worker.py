import contextlib
import os
import pickle
from pathlib import Path

import onnxruntime as ort
import torch
from safetensors.torch import load_file

MODELS = Path("models")
CHECKPOINT = os.path.join("checkpoints", "step-4000", "ema.pt")
PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]


class Worker:
    """Runs ``models/encoder.onnx`` (not models/old.onnx)."""

    def __init__(self, options=None):
        self.encoder = ort.InferenceSession("models/encoder.onnx", sess_options=options, providers=PROVIDERS)
        self.decoder = ort.InferenceSession(str(MODELS / "decoder.int8.onnx"))
        self.head = torch.jit.load(MODELS / "head.ts", map_location="cpu")
        self.ema = torch.load(CHECKPOINT, weights_only=False)
        self.lora = load_file("checkpoints/adapter_model.safetensors")

    def labels(self):
        with contextlib.ExitStack() as stack:
            fh = stack.enter_context(open("models/label_encoder.pkl", "rb"))
            return pickle.load(fh)

    def thresholds(self):
        with (MODELS / "thresholds.pkl").open("rb") as handle:
            return pickle.load(handle)

    def swap(self, path, payload: bytes):
        self.ema = torch.load(path, map_location="cpu", weights_only=True)
        with open("state.json") as fh:
            return fh.read(), pickle.dumps(payload), torch.save(self.ema, "checkpoints/new.pt")
