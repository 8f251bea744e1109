"""torch.hub entry points used by the demo app."""
import os
import torch
from torch import hub

REPO = "pytorch/vision"
TAG = "v0.10.0"

resnet = torch.hub.load(f"{REPO}:{TAG}", "resnet50", pretrained=True)
midas = torch.hub.load("intel-isl/MiDaS", "MiDaS_small", trust_repo=True)
yolo = hub.load(repo_or_dir='ultralytics/yolov5:master', model='yolov5s')


def silero(repo=None):
    model, utils = hub.load(
        "snakers4/silero-vad",
        model="silero_vad",
        force_reload=False,
    )
    return model, utils


def offline():
    return torch.hub.load("./third_party/dino", "dino_vits16", source="local")


def any_repo(repo, entry):
    return torch.hub.load(repo, entry)


def weights():
    a = torch.hub.load_state_dict_from_url("https://dl.fbaipublicfiles.com/dino/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth")
    b = hub.load_state_dict_from_url("http://models.example.com/heads/plates.pth", map_location="cpu")
    hub.set_dir(os.path.join("cache", "hub"))
    print("see also facebookresearch/dinov2:main")
    return a, b
