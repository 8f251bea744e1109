"""Backbones for the defect detector."""
import timm
import torch
import torchvision
from torch import nn
from torchvision.models import ResNet50_Weights, get_model, resnet50
from torchvision.models import detection as det
import torchvision.models as tvm

BUILDERS = {}


def backbone(fn):
    BUILDERS[fn.__name__] = fn
    return fn


@backbone
def scratch():
    # timm.create_model("vit_base_patch16_224", pretrained=True) needs too much memory
    return timm.create_model("efficientnet_b0", pretrained=False, num_classes=4)


@backbone
def convnext(classes=4):
    return timm.create_model("convnext_tiny.in12k_ft_in1k", pretrained=True, num_classes=classes)


@backbone
def own():
    return timm.create_model("hf-hub:acme-vision/defect-mobilenet", pretrained=True)


@backbone
def resnet():
    net = resnet50(weights=ResNet50_Weights.IMAGENET1K_V2)
    net.fc = nn.Linear(net.fc.in_features, 4)
    return net


@backbone
def vit():
    return get_model("vit_b_16", weights="IMAGENET1K_SWAG_E2E_V1")


@backbone
def segmenter():
    return tvm.segmentation.deeplabv3_resnet50(weights="DEFAULT").eval()


@backbone
def boxes():
    weights = det.FasterRCNN_ResNet50_FPN_V2_Weights.DEFAULT
    return det.fasterrcnn_resnet50_fpn_v2(weights=weights, box_score_thresh=0.8)


@backbone
def squeeze():
    return torchvision.models.squeezenet1_1(pretrained=True), torchvision.models.alexnet(weights=None)


@backbone
def dino():
    return torch.hub.load("facebookresearch/dinov2:e1277af2ba9496fbadf7aec6eba56e8d882d1e35", "dinov2_vits14")


@backbone
def midas():
    return torch.hub.load(repo_or_dir="intel-isl/MiDaS", model="MiDaS_small", trust_repo=True)


@backbone
def warm_start(device):
    net = scratch()
    state = torch.hub.load_state_dict_from_url(
        "https://dl.fbaipublicfiles.com/dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
        map_location=device,
        check_hash=False,
    )
    net.load_state_dict(state, strict=False)
    return net
