from langchain_aws import BedrockEmbeddings, ChatBedrock
from langchain_cohere import CohereRerank
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_groq import ChatGroq
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_mistralai import ChatMistralAI
from langchain_openai import ChatOpenAI


def make(kind: str, model: str):
    match kind:
        case "bedrock":
            return ChatBedrock(model_id="anthropic.claude-3-haiku-20240307-v1:0", model_kwargs={"temperature": 0})
        case "groq":
            return ChatGroq(model="llama-3.3-70b-versatile")
        case "mistral":
            return ChatMistralAI(model="open-mistral-nemo")
        case "google":
            return ChatGoogleGenerativeAI(model="gemini-1.5-flash-8b")
        case "openai":
            return ChatOpenAI(model=model)
        case _:
            raise ValueError(f"{kind}: try gpt-4o")


gte = HuggingFaceEmbeddings(
    model_name="Alibaba-NLP/gte-base-en-v1.5",
    model_kwargs={"trust_remote_code": True, "revision": "a829fd0e060bb84554da0dfd354d0de0f7712b7f"},
)
titan = BedrockEmbeddings(model_id="amazon.titan-embed-text-v1")
rerank = CohereRerank(model="rerank-multilingual-v3.0", top_n=5)
