import anthropic
from transformers import MarianMTModel, MarianTokenizer

from searchkit import constants as C
from . import constants


def translator(lang):
    name = C.MODELS[lang]
    return (
        MarianTokenizer.from_pretrained(name),
        MarianMTModel.from_pretrained(name),
    )


def summarise(text):
    client = anthropic.Anthropic()
    return client.messages.create(
        model=constants.SUMMARY_MODEL,
        max_tokens=400,
        messages=[{"role": "user", "content": text}],
    )
