import io
import os
import sys
from pathlib import Path

import torch

CKPT_DIR = Path("checkpoints")
BEST = CKPT_DIR / "best.pt"


def resume(model, optimizer, path):
    state = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optim"])


def best():
    return torch.load(BEST, weights_only=True)


def legacy():
    # the 2021 checkpoints contain argparse.Namespace objects
    return torch.load("checkpoints/legacy/epoch_19.pth", weights_only=False)


def from_argv():
    return torch.load(f=sys.argv[1], weights_only=False)


def scripted():
    encoder = torch.jit.load("export/encoder_ts.pt", map_location=torch.device("cpu"))
    decoder = torch.jit.load(os.environ.get("DECODER_TS", "export/decoder_ts.pt"))
    return encoder, decoder


def roundtrip(obj):
    """torch.save then torch.load('tmp.pt') without a file."""
    buf = io.BytesIO()
    torch.save(obj, buf)
    return buf.getvalue()


def message():
    return "call torch.load('weights.pt', weights_only=False) at your own risk"
