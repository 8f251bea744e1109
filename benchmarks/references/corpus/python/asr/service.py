# -*- coding: utf-8 -*-
import os
from functools import lru_cache

from transformers import (
    AutoModelForSpeechSeq2Seq,
    AutoProcessor,
    Wav2Vec2FeatureExtractor,
    pipeline as hf_pipeline,
)

ASR_MODEL = os.environ.get("ASR_MODEL", "openai/whisper-large-v3")
ALIGN_MODEL = os.environ["ALIGN_MODEL"]
ORG = 'facebook'


@lru_cache(maxsize=1)
def asr():
    processor = AutoProcessor.from_pretrained(ASR_MODEL)
    model = AutoModelForSpeechSeq2Seq.from_pretrained(ASR_MODEL, low_cpu_mem_usage=True)
    return hf_pipeline(
        "automatic-speech-recognition",
        model=model,
        tokenizer=processor.tokenizer,
        feature_extractor=processor.feature_extractor,
    )


@lru_cache(maxsize=1)
def aligner():
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(f"{ORG}/wav2vec2-base-960h")
    return extractor, hf_pipeline(task="audio-classification", model=ALIGN_MODEL)


def language_id():
    # facebook/mms-lid-4017 is more precise but needs 4 GB
    return hf_pipeline("audio-classification", ORG + "/mms-lid-126")


def diarize(path):
    """Uses pyannote/speaker-diarization when the licence allows (it does not yet)."""
    raise NotImplementedError(path)
