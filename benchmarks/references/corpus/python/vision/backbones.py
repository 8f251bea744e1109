import timm
import torch.nn as nn
from timm import create_model as make

BACKBONE = "vit_base_patch16_224.augreg2_in21k_ft_in1k"


class Net(nn.Module):
    def __init__(self, classes: int, arch: str | None = None):
        super().__init__()
        self.encoder = timm.create_model(BACKBONE, pretrained=True, num_classes=0)
        self.head = nn.Linear(self.encoder.num_features, classes)
        # random initialisation: nothing is downloaded
        self.aux = timm.create_model("resnet18", pretrained=False, num_classes=classes)
        self.tiny = timm.create_model("mobilenetv3_small_100")
        if arch:
            self.extra = make(arch, pretrained=True)


def teacher():
    return make(model_name="convnext_base.fb_in22k_ft_in1k", pretrained=True, drop_path_rate=0.1)


def hub_model():
    return make("hf-hub:acme-ai/leaf-disease-convnext", pretrained=True)


def hub_pinned():
    return make("hf_hub:acme-ai/leaf-disease-convnext@v1.2", pretrained=True)


def list_all():
    return timm.list_models("resnet*", pretrained=True)
