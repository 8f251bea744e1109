import streamlit as st
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline as hf_pipeline

st.set_page_config(page_title="Tone checker")

CHECKPOINTS = {
    "English": "cardiffnlp/twitter-roberta-base-sentiment-latest",
    "German": "oliverguhr/german-sentiment-bert",
}
TOXIC = dict(name="unitary/toxic-bert", rev="4d6c22e74ba2fdd26bc4f7238f50766b045a0d94")


@st.cache_resource(show_spinner="loading unitary/unbiased-toxic-roberta")
def tone(language: str):
    ckpt = CHECKPOINTS[language]
    tok = AutoTokenizer.from_pretrained(ckpt)
    net = AutoModelForSequenceClassification.from_pretrained(ckpt)
    return hf_pipeline("text-classification", model=net, tokenizer=tok)


@st.cache_resource
def toxicity():
    return hf_pipeline(
        "text-classification",
        TOXIC["name"],
        revision=TOXIC["rev"], device=0 if torch.cuda.is_available() else -1,
    )


lang = st.sidebar.selectbox("Language", list(CHECKPOINTS))
st.markdown("Powered by `distilbert-base-uncased-finetuned-sst-2-english` (not any more).")
if text := st.text_area("Text"):
    st.json(tone(lang)(text))
    st.json(toxicity()(text))
