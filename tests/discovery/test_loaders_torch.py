"""PyTorch, torchvision and timm."""

from __future__ import annotations

import pytest

from tests.discovery.python_code import SHA, told

IMPORTS = "import io, timm, torch, torchvision\nfrom torchvision.models import resnet50, ResNet50_Weights\n"


def torch(code: str) -> list[str]:
    return told(f"{IMPORTS}def run(name, f, path):\n    {code}\n")


FILES = [
    "torch.load({})", "torch.load(f={})", "torch.jit.load({})", "torch.export.load({})",
    "torch.package.PackageImporter({})",
    "torch.hub.load_state_dict_from_url({})", "torch.hub.load_state_dict_from_url(url={})",
    "torch.hub.download_url_to_file({}, 'x')", "torch.utils.model_zoo.load_url({})",
]  # fmt: skip


@pytest.mark.parametrize("call", FILES)
def test_every_loader_of_files_tells_the_file_or_address(call: str) -> None:
    assert torch(call.format("'a.pt'")) == ["model file:a.pt local-path"]
    assert torch(call.format("'http://host/a.pt'")) == ["model http:http://host/a.pt http unpinned"]
    assert torch(call.format("'https://host/a.pt?sign=x'")) == ["model https:https://host/a.pt unpinned"]
    assert torch(call.format(f"'https://huggingface.co/org/m/resolve/{SHA}/a.pt'")) == [
        f"model hf:org/m@{SHA}#a.pt"
    ]
    assert torch(call.format("path")) == ["model ? unresolved"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("torch.load('a.pt', weights_only=False)", ["model file:a.pt local-path unsafe-load"]),
        ("torch.load(path, weights_only=False)", ["model ? unresolved unsafe-load"]),
        ("torch.load('a.pt', weights_only=True)", ["model file:a.pt local-path"]),
        ("torch.load('a.pt', weights_only=flag)", ["model file:a.pt local-path"]),
        ("torch.load(open('a.pt', 'rb'))", ["model file:a.pt local-path"]),
        ("torch.load(io.BytesIO(data))", []),
        ("torch.load(io.BytesIO(data), weights_only=False)", ["model ? unresolved unsafe-load"]),
        ("with open('a.pt', 'rb') as f: torch.load(f)", ["model file:a.pt local-path"]),
        ("open('a.pt')", []),
        ("torch.save(model, 'a.pt')", []),
    ],
)
def test_how_carefully_torch_loads(code: str, expected: list[str]) -> None:
    assert torch(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("torch.hub.load('o/r', 'm')", ["model git:https://github.com/o/r#m remote-code unpinned"]),
        ("torch.hub.load('o/r:v1', 'm')", ["model git:https://github.com/o/r@v1#m remote-code unpinned"]),
        (
            f"torch.hub.load('o/r:{SHA}', model='m')",
            [f"model git:https://github.com/o/r@{SHA}#m remote-code"],
        ),
        (
            "torch.hub.load(repo_or_dir='o/r', model=name)",
            ["model git:https://github.com/o/r remote-code unpinned"],
        ),
        ("torch.hub.load(name, 'm')", ["model ? remote-code unresolved"]),
        ("torch.hub.load('./r', 'm', source='local')", ["model file:./r local-path"]),
        ("torch.hub.list('o/r')", []),
    ],
)
def test_torch_hub(code: str, expected: list[str]) -> None:
    assert torch(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("resnet50(weights=ResNet50_Weights.IMAGENET1K_V2)", ["model torchvision:resnet50@IMAGENET1K_V2"]),
        ("resnet50(weights='IMAGENET1K_V2')", ["model torchvision:resnet50@IMAGENET1K_V2"]),
        ("resnet50(weights=ResNet50_Weights.DEFAULT)", ["model torchvision:resnet50 unpinned"]),
        ("weights = ResNet50_Weights.IMAGENET1K_V1; resnet50(weights=weights)",
         ["model torchvision:resnet50@IMAGENET1K_V1"]),
        ("torchvision.models.resnet18(pretrained=True)", ["model torchvision:resnet18 unpinned"]),
        ("torchvision.models.resnet18(True)", ["model torchvision:resnet18 unpinned"]),
        ("torchvision.models.detection.ssd300_vgg16(weights='DEFAULT')",
         ["model torchvision:ssd300_vgg16 unpinned"]),
        ("torchvision.models.get_model('vit_b_16', weights='DEFAULT')",
         ["model torchvision:vit_b_16 unpinned"]),
        ("torchvision.models.get_model('vit_b_16', weights='IMAGENET1K_V1')",
         ["model torchvision:vit_b_16@IMAGENET1K_V1"]),
        ("torchvision.models.get_model(name, weights='DEFAULT')", ["model ? unresolved"]),
        ("ResNet50_Weights.IMAGENET1K_V2.get_state_dict()", ["model torchvision:resnet50@IMAGENET1K_V2"]),
        # Nothing is loaded, or nobody knows whether.
        ("resnet50()", []),
        ("resnet50(weights=None)", []),
        ("resnet50(pretrained=False)", []),
        ("resnet50(weights=name)", []),
        ("torchvision.models.get_model('vit_b_16')", []),
        ("torchvision.models.list_models()", []),
        ("ResNet50_Weights.DEFAULT.transforms()", []),
        ("torchvision.models.resnet.Bottleneck(1, 2)", []),
    ],
)  # fmt: skip
def test_torchvision(code: str, expected: list[str]) -> None:
    assert torch(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "timm.create_model('resnet50.a1_in1k', pretrained=True)",
            ["model hf:timm/resnet50.a1_in1k unpinned"],
        ),
        ("timm.create_model(model_name='vit', pretrained=True)", ["model hf:timm/vit unpinned"]),
        ("timm.create_model('vit', True)", ["model hf:timm/vit unpinned"]),
        ("timm.create_model(name, pretrained=True)", ["model ? unresolved"]),
        ("timm.create_model('hf-hub:org/m')", ["model hf:org/m unpinned"]),
        (f"timm.create_model('hf_hub:org/m@{SHA}', pretrained=True)", [f"model hf:org/m@{SHA}"]),
        ("timm.create_model('vit', checkpoint_path='a.pth')", ["model file:a.pth local-path"]),
        ("timm.create_model('vit', checkpoint_path=path)", ["model ? unresolved"]),
        ("timm.create_model('vit')", []),
        ("timm.create_model('vit', pretrained=False)", []),
        ("timm.create_model('vit', pretrained=name)", []),
        ("timm.list_models('vit*')", []),
    ],
)
def test_timm(code: str, expected: list[str]) -> None:
    assert torch(code) == expected


def test_functions_of_other_modules_with_the_same_name_are_silent() -> None:
    assert (
        told(
            """
            import json, logging.config, numpy as np, pandas as pd, yaml, boto3, torch
            json.load(open("a.json")); np.load("a.npy"); yaml.load(text); pd.read_csv("a.csv")
            logging.config.dictConfig({}); boto3.client("s3").download_file("bucket", "a.pt", "a.pt")
            model.load("a.pt"); torch.nn.Module().load_state_dict({}); np.load("a.npz", allow_pickle=True)
            """
        )
        == []
    )
