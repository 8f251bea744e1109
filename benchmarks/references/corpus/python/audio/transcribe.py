import argparse
import os

import whisper
from faster_whisper import WhisperModel
from faster_whisper import WhisperModel as FW

p = argparse.ArgumentParser()
p.add_argument("audio", nargs="+")
p.add_argument("--size", default="small.en", help="tiny, base, small, medium, large-v3")
p.add_argument("--language", default="en")


def main():
    ns = p.parse_args()
    model = whisper.load_model(ns.size)
    fallback = whisper.load_model("large-v3", device="cpu")
    tuned = whisper.load_model(name="checkpoints/whisper/medium-medical.pt")
    if "WHISPER_SIZE" in os.environ:
        model = whisper.load_model(os.environ["WHISPER_SIZE"])
    for a in ns.audio:
        result = model.transcribe(a, language=ns.language)
        if result["text"] == "":
            result = fallback.transcribe(a)
        print(result["text"], tuned.dims)


def fast(size, device="auto"):
    ct2 = WhisperModel("distil-large-v3", device=device, compute_type="int8")
    hub = FW(model_size_or_path="Systran/faster-whisper-medium", revision="08e178d48790749d25932bbc082711ddcfdfbc4f")
    other = WhisperModel(size)
    return ct2, hub, other


if __name__ == "__main__":
    main()
