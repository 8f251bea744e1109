from __future__ import annotations

import os

import gradio as gr
import torch
from diffusers import (
    AutoencoderKL,
    ControlNetModel,
    DPMSolverMultistepScheduler,
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLImg2ImgPipeline as Refiner,
)

SDXL = os.environ.get("SDXL_ID") or "stabilityai/stable-diffusion-xl-base-1.0"
DTYPE = torch.float16
LORA_FILE = "pixel-art-xl.safetensors"


def build(device: str = "cuda"):
    control = ControlNetModel.from_pretrained("diffusers/controlnet-canny-sdxl-1.0", torch_dtype=DTYPE)
    vae = AutoencoderKL.from_pretrained(
        pretrained_model_name_or_path="madebyollin/sdxl-vae-fp16-fix",
        revision="207b116dae70ace3637169f1ddd2434b91b3a8cd",
        torch_dtype=DTYPE,
    )
    pipe = StableDiffusionXLControlNetPipeline.from_pretrained(
        SDXL,
        controlnet=control,
        vae=vae,
        variant="fp16",  # not a revision
        torch_dtype=DTYPE,
    ).to(device)
    pipe.scheduler = DPMSolverMultistepScheduler.from_config(pipe.scheduler.config)
    pipe.load_lora_weights("nerijs/pixel-art-xl", weight_name=LORA_FILE, adapter_name="pixel")
    pipe.load_ip_adapter("h94/IP-Adapter", subfolder="sdxl_models", weight_name="ip-adapter_sdxl.bin")
    refiner = Refiner.from_single_file(
        "https://huggingface.co/stabilityai/stable-diffusion-xl-refiner-1.0/resolve/main/sd_xl_refiner_1.0.safetensors",
        torch_dtype=DTYPE,
    )
    return pipe, refiner


def draw(prompt, style):
    pipe, refiner = build()
    pipe.set_adapters(["pixel"], adapter_weights=[1.2])
    image = pipe(prompt, negative_prompt="runwayml/stable-diffusion-v1-5 look", num_inference_steps=20).images[0]
    return refiner(prompt, image=image).images[0]


with gr.Blocks(title="stabilityai/sdxl-turbo is faster") as demo:
    gr.Markdown("Weights: [SDXL](https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0)")
    gr.Interface(draw, [gr.Text(), gr.Dropdown(["pixel", "none"])], gr.Image())

if __name__ == "__main__":
    demo.queue().launch()
