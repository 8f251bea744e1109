"""Nightly banner rendering."""
import os

import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLControlNetPipeline,
)

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
LORA = os.getenv("BANNER_LORA") or "acme-ai/banner-style-lora"


def sdxl():
    vae = AutoencoderKL.from_pretrained("madebyollin/sdxl-vae-fp16-fix", torch_dtype=torch.float16)
    control = ControlNetModel.from_pretrained("diffusers/controlnet-canny-sdxl-1.0", torch_dtype=torch.float16)
    pipe = StableDiffusionXLControlNetPipeline.from_pretrained(
        SDXL,
        controlnet=control,
        vae=vae,
        variant="fp16",
        revision="462165984030d82259a11f4367a4eed129e94a7b",
    ).to("cuda")
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    pipe.load_lora_weights(LORA, weight_name="banner.safetensors", adapter_name="banner")
    return pipe


def classic(style_repo):
    pipe = StableDiffusionPipeline.from_single_file(
        "https://huggingface.co/acme-ai/photoreal/blob/main/photoreal-v3.safetensors"
    )
    pipe.load_ip_adapter("h94/IP-Adapter", subfolder="models", weight_name="ip-adapter_sd15.bin")
    pipe.load_lora_weights(style_repo)
    return pipe


def generic(repo):
    # runwayml/stable-diffusion-v1-5 is gone from the hub
    return DiffusionPipeline.from_pretrained(repo, custom_pipeline=None)


PROMPT = "a poster, in the style of stabilityai/sdxl-turbo demos"
