import spacy
import de_core_news_md
from spacy.cli import download
from spacy.tokens import DocBin
from flair.data import Sentence
from flair.embeddings import FlairEmbeddings, StackedEmbeddings, TransformerWordEmbeddings, WordEmbeddings
from flair.models import SequenceTagger, TextClassifier

try:
    nlp = spacy.load("en_core_web_sm", disable=["parser"])
except OSError:
    download("en_core_web_sm-3.7.1", direct=True)
    raise

german = de_core_news_md.load()
custom = spacy.load("./models/contracts-ner")
empty = spacy.blank("fr")


def for_lang(lang):
    name = {"en": "en_core_web_trf", "es": "es_core_news_lg"}[lang]
    return spacy.load(name)


def any_model(name, *, exclude=()):
    return spacy.load(name, exclude=exclude)


def tag(text, model_path):
    """SequenceTagger.load("pos-multi") was tried as well."""
    fast = SequenceTagger.load("ner-fast")
    large = SequenceTagger.load("flair/ner-english-ontonotes-large")
    mood = TextClassifier.load("sentiment")
    own = SequenceTagger.load(model_path)
    sentence = Sentence(text)
    for tagger in (fast, large, mood, own):
        tagger.predict(sentence)
    return sentence


def embeddings():
    return StackedEmbeddings([
        WordEmbeddings("glove"),
        FlairEmbeddings("news-forward"),
        TransformerWordEmbeddings("xlm-roberta-large", layers="-1"),
    ])


BIN = DocBin(attrs=["LEMMA", "ENT_IOB"])
