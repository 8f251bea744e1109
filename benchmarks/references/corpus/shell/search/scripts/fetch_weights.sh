#!/usr/bin/env bash
# Fetch everything the search stack needs.
# Usage: scripts/fetch_weights.sh [target-dir]
#   e.g. scripts/fetch_weights.sh models   (runs hf download for each model)
set -euo pipefail

DEST="${1:-models}"
EMBEDDER="BAAI/bge-base-en-v1.5"
RERANKER_REV=2cfc18c9415c912f9d8155881c133215df768a70
CHAT_MODEL="${CHAT_MODEL:-Qwen/Qwen2.5-7B-Instruct}"
HUB=https://huggingface.co

log() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }

mkdir -p "$DEST"
log "huggingface-cli download intfloat/e5-base-v2 is no longer needed"

huggingface-cli download "$EMBEDDER" --local-dir "$DEST/embedder" --exclude "*.onnx"
huggingface-cli download BAAI/bge-reranker-base \
    --revision "$RERANKER_REV" \
    --local-dir "${DEST}/reranker"
hf download "${CHAT_MODEL}" --revision main --local-dir "$DEST/chat"
# huggingface-cli download intfloat/e5-base-v2 --local-dir "$DEST/e5"

hf download --repo-type dataset acme-ai/support-tickets --revision v1.2.0 --local-dir "$DEST/eval"
hf download acme-ai/search-playground app.py --repo-type=space --local-dir "$DEST/ui"

if [[ ! -f "$DEST/lid.176.bin" ]]; then
    curl -fsSL -o "$DEST/lid.176.bin" https://dl.fbaipublicfiles.com/fasttext/supervised-models/lid.176.bin
fi
wget -q "http://models.example.com/legacy/ner-2021.bin" -O "$DEST/ner.bin"

curl -fL --retry 3 \
     "${HUB}/TheBloke/Mistral-7B-Instruct-v0.2-GGUF/resolve/main/mistral-7b-instruct-v0.2.Q4_K_M.gguf?download=true" \
     -o "$DEST/mistral.gguf"

curl -fsS https://example.com/healthz > /dev/null && echo "mirror is up, hf download finished"
tar -czf weights.tgz "$DEST"
