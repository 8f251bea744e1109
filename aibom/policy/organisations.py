"""Organisations of the Hugging Face Hub that look-alikes are compared with.

A list of names that many projects load from; being on it says nothing about trust.
"""

from __future__ import annotations

from typing import Final

# In the order of the alphabet without case. Renamed organisations stay: old code still names them.
ORGANISATIONS: Final = (
    "01-ai", "1bitLLM",
    "agentica-org", "ai-forever", "AI-MO", "ai-sage", "ai21labs", "ai4bharat", "Alibaba-NLP", "allenai",
    "almanach", "amazon", "amd", "answerdotai", "apple", "arcee-ai", "argilla", "aubmindlab", "audeering",
    "autogluon",
    "BAAI", "baichuan-inc", "bartowski", "bespokelabs", "bigcode", "bigscience", "BioMistral",
    "black-forest-labs", "ByteDance", "ByteDance-Seed",
    "CAMeL-Lab", "canopylabs", "cardiffnlp", "cerebras", "climatebert", "cognitivecomputations",
    "CohereForAI", "CohereLabs", "Comfy-Org", "CompVis", "coqui", "cross-encoder", "ctheodoris",
    "databricks", "dbmdz", "dccuchile", "deepmind", "deepseek-ai", "deepset", "diffusers", "distil-whisper",
    "distilbert", "dmis-lab", "dslim", "dunzhang",
    "Efficient-Large-Model", "elastic", "EleutherAI", "elyza", "emilyalsentzer", "espnet",
    "facebook", "FacebookAI", "finetrainers", "fishaudio", "flair", "fnlp", "funnel-transformer",
    "garage-bAInd", "ggml-org", "google", "google-bert", "google-research-datasets", "google-t5",
    "gorilla-llm", "grammarly", "gretelai",
    "Helsinki-NLP", "hexgrad", "hf-internal-testing", "hkunlp", "hugging-quants", "huggingface",
    "huggingface-course", "HuggingFaceFV", "HuggingFaceFW", "HuggingFaceH4", "huggingfacejs",
    "HuggingFaceM4", "HuggingFaceTB", "huggyllama", "hustvl",
    "ibm", "ibm-granite", "ibm-nasa-geospatial", "ibm-research", "Intel", "internlm", "intfloat",
    "j-hartmann", "jinaai", "jonatasgrosman",
    "kakaobrain", "kandinsky-community", "KBLab", "keras", "keras-io", "Kwai-Kolors", "kyutai",
    "laion", "latent-consistency", "lerobot", "LGAI-EXAONE", "Lightricks", "LiquidAI", "liuhaotian",
    "llamafactory", "llava-hf", "lllyasviel", "LLM360", "lmms-lab", "lmstudio-community", "lmsys",
    "LoneStriker",
    "madebyollin", "mattshumer", "maya-research", "MBZUAI", "meta-llama", "meta-math", "microsoft",
    "MiniMaxAI", "mistralai", "mixedbread-ai", "mlx-community", "moonshotai", "MoritzLaurer", "mosaicml",
    "Mozilla", "mozilla-foundation", "mradermacher",
    "nari-labs", "nateraw", "naver", "NbAiLab", "ncbi", "neuralmagic", "nlpconnect", "nlptown", "nomic-ai",
    "NousResearch", "NovaSky-AI", "nvidia", "nyu-mll",
    "oliverguhr", "onnx-community", "open-thoughts", "openai", "openai-community", "OpenAssistant",
    "openbmb", "openchat", "opendatalab", "OpenGVLab", "OpenLLM-France", "openlm-research",
    "opensearch-project", "openvla",
    "PaddlePaddle", "parler-tts", "patrickvonplaten", "philschmid", "Phind", "PixArt-alpha", "playgroundai",
    "prajjwal1", "prithivida", "ProsusAI", "pyannote", "pytorch",
    "Qdrant", "QuantFactory", "Qwen",
    "rajpurkar", "RedHatAI", "ResembleAI", "RunDiffusion", "runwayml",
    "SakanaAI", "Salesforce", "sberbank-ai", "segmind", "sentence-transformers", "ServiceNow",
    "ServiceNow-AI", "SG161222", "SimianLuo", "Snowflake", "speechbrain", "sshleifer", "stabilityai",
    "stanford-crfm", "StanfordAIMI", "stanfordnlp", "state-spaces", "suno", "Systran",
    "tatsu-lab", "tencent", "TencentARC", "TheBloke", "thenlper", "THUDM", "TIGER-Lab", "tiiuae",
    "timbrooks", "timm", "TinyLlama", "togethercomputer", "Tongyi-MAI", "trl-lib", "turboderp",
    "Ultralytics", "unsloth", "unstructuredio", "upstage", "utter-project",
    "VAGOsolutions", "vicgalle", "vidore", "vikhyatk",
    "Wan-AI", "wikimedia", "WizardLM", "WizardLMTeam",
    "xai-org", "Xenova", "XLabs-AI",
    "yiyanghkust", "youscan", "ytu-ce-cosmos",
    "zai-org",
)  # fmt: skip
