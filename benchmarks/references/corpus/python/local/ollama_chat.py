import ollama
from ollama import AsyncClient, Client, chat as ollama_chat

HOST = "https://ollama.example.com"
VISION = "llava:13b"

ollama.pull("nomic-embed-text:v1.5")


def ask(text):
    r = ollama.chat(model="llama3.2", messages=[{"role": "user", "content": text}])
    return r["message"]["content"]


def look(path):
    return ollama_chat(model=VISION, messages=[{"role": "user", "content": "what is it", "images": [path]}])


def hub_gguf(text):
    return Client(host=HOST).generate(model="hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF", prompt=text)


async def talk(text, model):
    client = AsyncClient()
    async for part in await client.chat(model=model, messages=[{"role": "user", "content": text}], stream=True):
        print(part["message"]["content"], end="", flush=True)


def vectors(texts):
    # mxbai-embed-large is better for long texts
    return ollama.embed(model="nomic-embed-text:v1.5", input=texts)["embeddings"]


def help_text():
    return "Run `ollama pull codellama:34b` first."
