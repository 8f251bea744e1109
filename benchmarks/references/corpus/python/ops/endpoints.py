import os

from huggingface_hub import AsyncInferenceClient, InferenceClient, hf_hub_url, load_state_dict_from_file

ENDPOINT = "https://tei.example.com/embed"

client = InferenceClient("HuggingFaceH4/zephyr-7b-beta", token=os.getenv("HF_TOKEN"))
embedder = InferenceClient(model=ENDPOINT)
anonymous = InferenceClient()


def ask(prompt):
    # the model was fixed in the constructor above
    return client.text_generation(prompt, max_new_tokens=64)


def image(prompt):
    return anonymous.text_to_image(prompt, model="black-forest-labs/FLUX.1-schnell")


async def ask_async(prompt, model_id):
    other = AsyncInferenceClient(model=model_id, timeout=30)
    return await other.chat_completion([{"role": "user", "content": prompt}])


def weights():
    return load_state_dict_from_file("weights/head/model.safetensors")


def link():
    return hf_hub_url(repo_id="acme-ai/claims-ner", filename="model.onnx", revision="v2.3.0")
