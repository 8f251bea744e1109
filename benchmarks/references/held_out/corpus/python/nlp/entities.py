import gensim.downloader
import spacy
from flair.data import Sentence
from flair.embeddings import TransformerWordEmbeddings
from flair.models import SequenceTagger, TextClassifier
from gensim.models import KeyedVectors
from spacy.cli import download

LANGS = {"en": "en_core_web_md", "fr": "fr_core_news_sm"}
BLANK = spacy.blank("de")


def nlp_for(lang):
    try:
        return spacy.load(LANGS[lang], exclude=["parser"])
    except OSError:
        raise SystemExit("python -m spacy download en_core_web_lg first")


class Tagger:
    def __init__(self, trained_at: str | None = None):
        self.ner = SequenceTagger.load("flair/ner-multi")
        self.pos = SequenceTagger.load("upos-fast")
        self.tone = TextClassifier.load("sentiment-fast")
        self.emb = TransformerWordEmbeddings("FacebookAI/xlm-roberta-base", layers="-1")
        self.custom = spacy.load(name="training/model-best")

    def __call__(self, text):
        sentence = Sentence(text)
        self.ner.predict(sentence)
        return sentence.get_spans("ner")


glove = gensim.downloader.load("glove-twitter-25")
