import os
from llama_cpp import Llama, LlamaGrammar
from llama_cpp.llama_chat_format import Llava15ChatHandler
from ctransformers import AutoModelForCausalLM as CT
from ctransformers import AutoConfig as CTConfig

MODEL_DIR = "models/gguf"
N_CTX = int(os.environ.get("N_CTX", "4096"))

llm = Llama(model_path=f"{MODEL_DIR}/phi-3-mini-4k-instruct-q4.gguf", n_ctx=N_CTX, n_gpu_layers=-1)
small = Llama.from_pretrained(
    repo_id="Qwen/Qwen2-0.5B-Instruct-GGUF",
    filename="*q8_0.gguf",
    verbose=False,
)
user_model = Llama(os.environ["GGUF_PATH"], embedding=True)

GRAMMAR = LlamaGrammar.from_string('root ::= "yes" | "no"')
HANDLER = Llava15ChatHandler  # needs clip_model_path, e.g. mmproj-model-f16.gguf


def legacy(kind="llama"):
    config = CTConfig
    a = CT.from_pretrained("TheBloke/Llama-2-7B-GGML", model_file="llama-2-7b.ggmlv3.q4_0.bin", model_type=kind)
    b = CT.from_pretrained("marella/gpt-2-ggml", revision="f2d9d4b")
    c = CT.from_pretrained("./ggml/starcoder.bin", model_type="starcoder", lib="avx2")
    return config, a, b, c


def pick(name):
    return CT.from_pretrained(name)
