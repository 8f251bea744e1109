"""Names shared by the training and the merging scripts."""

BASE_MODEL = "HuggingFaceTB/SmolLM2-1.7B"
BASE_REVISION = "4fc59b5a6cd0d1a64ac4d2d2d1b4fb5bbd3f1d67"
ORG = "acme-ai"
ADAPTER = f"{ORG}/smollm2-support-lora"
PREFERENCE_DATA = "trl-lib/ultrafeedback_binarized"
# OLD_BASE = "EleutherAI/gpt-neo-1.3B"
