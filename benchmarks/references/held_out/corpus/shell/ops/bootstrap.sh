#!/usr/bin/env bash
# Prepares a GPU node.  Do not run: huggingface-cli download meta-llama/Llama-2-7b-hf
set -euo pipefail

MODEL="${MODEL:-microsoft/Phi-3.5-mini-instruct}"
REV=af0dfb8029e8a74545d0736d30cb6b58d2f0f3f0
LORA_REPO=acme-ai/phi-legal-lora
HF="huggingface-cli"

usage() {
  cat <<'TXT'
usage: bootstrap.sh
  example: ollama pull mistral:7b
TXT
}

pip install --no-cache-dir "torch==2.5.1" transformers~=4.47 rich \
  --extra-index-url https://download.pytorch.org/whl/cu124

huggingface-cli download "$MODEL" \
  --revision "$REV" \
  --include '*.safetensors' '*.json' \
  --local-dir ./models/phi
hf download ${LORA_REPO} adapter_model.safetensors --quiet
hf download --repo-type dataset acme-ai/legal-eval --revision 2024.11 --local-dir ./eval
if ! [ -d whisper.cpp-models ]; then
  GIT_LFS_SKIP_SMUDGE=1 git clone --depth 1 https://huggingface.co/ggerganov/whisper.cpp whisper.cpp-models
fi
git clone https://github.com/ggerganov/llama.cpp
echo "next: vllm serve Qwen/Qwen2.5-7B-Instruct" && usage
