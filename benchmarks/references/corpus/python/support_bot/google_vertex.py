import os

import google.generativeai as genai
import vertexai
from google import genai as genai_sdk
from vertexai.generative_models import GenerativeModel
from vertexai.language_models import TextEmbeddingModel

genai.configure(api_key=os.environ["GOOGLE_API_KEY"])
vertexai.init(project="acme-prod", location="europe-west4")

flash = genai.GenerativeModel("gemini-1.5-flash", system_instruction="Answer like gemini-ultra would.")
pro = GenerativeModel(model_name="gemini-1.5-pro-002")
embedder = TextEmbeddingModel.from_pretrained("text-embedding-004")


def ask(text, model=None):
    client = genai_sdk.Client()
    if model:
        return client.models.generate_content(model=model, contents=text).text
    return client.models.generate_content(
        model="gemini-2.0-flash-001",
        contents=text,
    ).text


def both(text):
    # palm: chat-bison@001
    return flash.generate_content(text).text, pro.generate_content(text).text


def vectors(texts):
    return [e.values for e in embedder.get_embeddings(texts)]
