"""Names of packages that load, train, serve or talk to models; other dependencies are not told.

A full list of dependencies is the business of a general SBOM tool.
"""

from __future__ import annotations

import re
from typing import Final

PYTHON: Final = frozenset(
    """
    accelerate ai21 aim airllm alibi allennlp anthropic apache-tvm auto-gptq autoawq autogen
    autogen-agentchat autogluon axolotl azure-ai-inference azure-ai-ml azureml-core bentoml bertopic
    bitsandbytes catboost cerebras-cloud-sdk chainlit chromadb clearml clip-anytorch cohere comet-ml
    compel coqui-tts coremltools crewai ctransformers ctranslate2 datasets deepeval deepspeed detectron2
    diffusers docarray dspy dspy-ai easyocr einops elevenlabs espnet evaluate executorch exllamav2
    fairscale fairseq faiss-cpu faiss-gpu fast-bert fastai fastembed faster-whisper fasttext
    fireworks-ai flagembedding flair flash-attn flax funasr gensim gguf gliner google-cloud-aiplatform
    google-genai google-generativeai gradio groq guardrails-ai guidance h2o haystack-ai hf-transfer
    huggingface-hub imagebind insightface instructor invokeai jax jaxlib jina joblib kagglehub keras
    keras-core keras-cv keras-hub keras-nlp kfp kserve lancedb langchain langchain-anthropic
    langchain-aws langchain-community langchain-core langchain-google-genai langchain-huggingface
    langchain-mistralai langchain-ollama langchain-openai langfuse langgraph langsmith lightgbm
    lightning litellm litgpt llama-cpp-python llama-index llama-index-core llamafactory llm llm-guard
    lm-eval lmdeploy lmformatenforcer lmql mamba-ssm marqo mcp megatron-core milvus-lite mistral-common
    mistralai mlflow mlflow-skinny mlserver mlx mlx-lm modelscope mosaicml mteb mxnet nemo-toolkit
    neptune neural-compressor nltk nncf nvidia-modelopt ollama onnx onnxconverter-common onnxmltools
    onnxruntime onnxruntime-gpu onnxruntime-tools open-clip-torch openai openai-agents openai-whisper
    openvino openvino-dev optax optimum optimum-intel orbax-checkpoint outlines paddleocr paddlepaddle
    paddlepaddle-gpu peft phidata pinecone pinecone-client portkey-ai promptflow prophet pyannote-audio
    pyannote.audio pydantic-ai pyod pytorch-lightning qdrant-client ragas ray replicate rouge-score
    sacremoses safetensors sagemaker scikit-learn seldon-core semantic-kernel sentence-transformers
    sentencepiece seqeval setfit sglang shap skl2onnx skops skorch smolagents spacy spacy-transformers
    speechbrain stable-baselines3 stanfordnlp stanza statsmodels supervision tensorboard tensorflow
    tensorflow-cpu tensorflow-datasets tensorflow-gpu tensorflow-hub tensorflow-probability
    tensorflow-serving-api tensorflow-text tensorrt tensorrt-llm text-generation textblob tf-keras
    tf2onnx tflite-runtime thinc thop tiktoken timm together tokenizers torch torch-geometric torchao
    torchaudio torchdata torchmetrics torchserve torchtext torchtune torchvision torchx transformer-lens
    transformers tritonclient trl tts txtai ultralytics unsloth unstructured vertexai vllm voyageai
    wandb weaviate-client whisper whisperx xformers xgboost xinference yolov5 zenml
    """.split()  # noqa: SIM905 - names read best as text
)
JAVASCRIPT: Final = frozenset(
    """
    ai brain.js chromadb cohere-ai fireworks-js groq-sdk langchain langfuse langsmith llamaindex ml5
    natural node-llama-cpp ollama onnxruntime-node onnxruntime-web openai portkey-ai promptfoo replicate
    together-ai voyageai
    """.split()  # noqa: SIM905 - names read best as text
)
# Whole scopes of npm that hold nothing else.
_SCOPES: Final = (
    "@huggingface/", "@xenova/", "@langchain/", "@tensorflow/", "@tensorflow-models/", "@anthropic-ai/",
    "@ai-sdk/", "@google/genai", "@google/generative-ai", "@google-cloud/aiplatform", "@mistralai/",
    "@google-cloud/vertexai", "@aws-sdk/client-bedrock", "@azure/openai", "@azure-rest/ai-inference",
    "@llamaindex/", "@mastra/",
    "@modelcontextprotocol/", "@pinecone-database/", "@mlc-ai/", "@mediapipe/", "@openai/",
)  # fmt: skip
_CONDA: Final = frozenset(
    ("pytorch", "pytorch-cpu", "pytorch-gpu", "pytorch-cuda", "libtorch", "py-xgboost", "py-xgboost-gpu")
)
_SPACY = re.compile(r"[a-z]{2}-(?:core|dep|ent|sent)-(?:web|news|wiki|sci|ud)-(?:sm|md|lg|trf)\Z")
_SEPARATORS = re.compile(r"[-_.]+")


def normal(name: str) -> str:
    """The name as the Python package index compares it (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def is_python(name: str) -> bool:
    """True for a package of the list, and for parts of frameworks that are released in pieces."""
    plain = normal(name)
    return plain in PYTHON or plain.startswith(
        ("llama-index-", "langchain-", "opentelemetry-instrumentation-openai")
    )


def is_conda(name: str) -> bool:
    """True for the same packages under the names that they have in conda's channels."""
    plain = normal(name)
    return plain in _CONDA or is_python(plain)


def is_javascript(name: str) -> bool:
    """True for a package of the list or in one of the scopes."""
    return name in JAVASCRIPT or name.startswith(_SCOPES)


def spacy_model(name: str) -> str | None:
    """The name of a model of spaCy, when a package is one."""
    return normal(name).replace("-", "_") if _SPACY.match(normal(name)) else None
