#!/bin/bash
# ollama pull llama3
printf '%s\n' "pip install torch==2.3.0" "hf download gpt2"
log() { echo "[release] $*"; }
log git clone https://huggingface.co/bigscience/bloom
cat > NOTES.md <<EOF
wget https://huggingface.co/openai/whisper-large-v3/resolve/main/model.safetensors
vllm serve mistralai/Mistral-Nemo-Instruct-2407
EOF
pip install build twine requests
git clone https://github.com/acme/website && cd website
npm run model -- --model gallery
curl -O https://example.com/catalog/model.pdf
