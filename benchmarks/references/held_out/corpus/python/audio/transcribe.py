"""Speech to text with whichever engine is installed.

whisper.load_model("large") needs 10 GB of memory.
"""
import asyncio
import os
from enum import Enum

import faster_whisper
import whisper as oai
from transformers import AutoProcessor, WhisperForConditionalGeneration, pipeline


class Engine(str, Enum):
    OPENAI = "openai"
    FASTER = "faster"
    HF = "hf"


COMPUTE = os.getenv("COMPUTE_TYPE", "int8")
SIZE = os.environ["WHISPER_SIZE"]


def load(engine: Engine, quick: bool):
    match engine:
        case Engine.OPENAI:
            return oai.load_model("tiny.en" if quick else "turbo", device="cpu")
        case Engine.FASTER if quick:
            return faster_whisper.WhisperModel("distil-large-v3", compute_type=COMPUTE)
        case Engine.FASTER:
            return faster_whisper.WhisperModel(model_size_or_path="deepdml/faster-whisper-large-v3-turbo-ct2")
        case _:
            return pipeline("automatic-speech-recognition", "openai/whisper-small", chunk_length_s=30)


def by_environment():
    return oai.load_model(SIZE)


async def caption(path):
    repo = "openai/whisper-base"
    processor, model = await asyncio.gather(
        asyncio.to_thread(AutoProcessor.from_pretrained, repo),
        asyncio.to_thread(WhisperForConditionalGeneration.from_pretrained, repo),
    )
    return processor, model, f"captions of {path} by openai/whisper-medium"
