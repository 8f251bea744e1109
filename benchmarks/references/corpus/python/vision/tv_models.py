import torch
import torchvision
from torchvision import models, transforms
from torchvision.models import ResNet50_Weights, resnet50
from torchvision.models.detection import fasterrcnn_resnet50_fpn_v2, FasterRCNN_ResNet50_FPN_V2_Weights as DetW

weights = ResNet50_Weights.IMAGENET1K_V2
preprocess = weights.transforms()


def classifiers(kind):
    if kind == "resnet":
        return resnet50(weights=weights)
    if kind == "vgg":
        return models.vgg16(pretrained=True)
    if kind == "vit":
        return torchvision.models.vit_b_16(weights="IMAGENET1K_SWAG_E2E_V1")
    if kind == "eff":
        return models.efficientnet_b0(weights=models.EfficientNet_B0_Weights.DEFAULT)
    # from scratch
    if kind == "scratch":
        return models.resnet18(weights=None)
    return models.densenet121(pretrained=False)


def detector():
    return fasterrcnn_resnet50_fpn_v2(
        weights=DetW.COCO_V1,
        box_score_thresh=0.9,
    ).eval()


def by_name():
    return models.get_model("swin_t", weights="DEFAULT")


def augment():
    return transforms.Compose([transforms.Resize(224), transforms.ToTensor()])


def dynamic(name):
    return torchvision.models.get_model(name, weights="DEFAULT")
