import io

import requests
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor, CLIPModel, CLIPProcessor, AutoImageProcessor, pipeline

BLIP = dict(pretrained_model_name_or_path="Salesforce/blip-image-captioning-base", revision="refs/pr/14")


class Captioner(object):
    clip_id = "openai/clip-vit-base-patch32"

    def __init__(self):
        self.processor = BlipProcessor.from_pretrained(**BLIP)
        self.model = BlipForConditionalGeneration.from_pretrained(**BLIP)
        self.clip = CLIPModel.from_pretrained(self.clip_id)
        self.clip_processor = CLIPProcessor.from_pretrained(Captioner.clip_id)

    def fetch(self, url="https://images.example.com/cat.jpg"):
        return Image.open(io.BytesIO(requests.get(url, timeout=10).content)).convert("RGB")

    def __call__(self, image):
        inputs = self.processor(image, return_tensors="pt")
        return self.processor.decode(self.model.generate(**inputs)[0], skip_special_tokens=True)


def depth(image, *, checkpoint):
    AutoImageProcessor.from_pretrained(checkpoint)
    return pipeline("depth-estimation", model=checkpoint)(image)["depth"]


def segment(image):
    return pipeline(
        task="image-segmentation",
        model="facebook/mask2former-swin-base-coco-panoptic",
        image_processor="facebook/mask2former-swin-base-coco-instance",
    )(image)
