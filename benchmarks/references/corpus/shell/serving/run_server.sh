#!/bin/sh
# Start one of the inference servers: run_server.sh vllm|openai|gguf|tgi|sglang
set -eu

BACKEND=${1:-vllm}
PORT=${PORT:-8000}
MODEL=${MODEL:-meta-llama/Llama-3.1-8B-Instruct}
TGI_VERSION=2.3.1

usage() {
  cat <<'EOF'
examples:
  vllm serve mistralai/Mistral-7B-Instruct-v0.3 --port 8000
  llama-server -hf ggml-org/gemma-3-1b-it-GGUF
EOF
}

case "$BACKEND" in
  vllm)
    exec vllm serve "$MODEL" \
      --port "$PORT" \
      --revision 0e9e39f249a16976918f6564b8830bc894c89659 \
      --served-model-name acme-ai/chat \
      --enable-lora --lora-modules sql=acme-ai/llama31-sql-lora
    ;;
  openai)
    exec python -m vllm.entrypoints.openai.api_server --model=microsoft/Phi-3.5-mini-instruct --tokenizer microsoft/Phi-3-mini-4k-instruct --trust-remote-code --port "$PORT"
    ;;
  gguf)
    exec llama-server -hf ggml-org/gemma-3-4b-it-GGUF -c 8192 --port "$PORT"
    ;;
  local)
    exec ./llama.cpp/llama-server -m weights/acme-chat.Q5_K_M.gguf --lora weights/tone-lora.gguf
    ;;
  tgi)
    exec docker run --rm --gpus all -p "$PORT":80 -v "$PWD/data":/data \
      ghcr.io/huggingface/text-generation-inference:${TGI_VERSION} \
      --model-id HuggingFaceH4/zephyr-7b-beta --revision main
    ;;
  sglang)
    exec python3 -m sglang.launch_server --model-path "Qwen/Qwen2-VL-7B-Instruct" --port "$PORT"
    ;;
  *)
    echo "unknown backend: $BACKEND (try: vllm serve $MODEL)" >&2
    usage; exit 2 ;;
esac
