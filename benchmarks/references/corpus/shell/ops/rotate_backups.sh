#!/usr/bin/env bash
# Nightly backup of the wiki. Not related to the ML platform.
# TODO(ana): the model team wants 'huggingface-cli download bert-base-uncased' here as well; no.
set -euo pipefail

NAME="ollama"          # name of the volume, historical
STAMP=$(date +%F)

pull() { git -C "$1" pull --ff-only; }
serve() { python3 -m http.server "${1:-8080}"; }

pull ./wiki
echo "ollama pull llama3 && vllm serve facebook/opt-125m" > notes/ideas.txt
printf 'wget https://huggingface.co/gpt2/resolve/main/model.safetensors\n' >> notes/ideas.txt
#hf download stabilityai/stable-diffusion-2-1
curl -fsSL https://example.com/downloads/wiki-theme-1.4.tar.gz -o theme.tar.gz
wget -q https://github.com/acme-ai/wiki-theme/archive/refs/tags/v1.4.zip
docker run --rm -v "$NAME":/src alpine:3.20 tar -C /src -czf - . > "backup-$STAMP.tgz"
pip install requests==2.32.3 flask
git clone https://github.com/acme-ai/wiki.git mirror
: <<'COMMENT'
ollama run mistral "this block never runs"
COMMENT
serve 9000
