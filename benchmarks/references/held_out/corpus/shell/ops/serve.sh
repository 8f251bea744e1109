#!/usr/bin/env bash
set -e
export CUDA_VISIBLE_DEVICES=0,1
PORT=${1:-8000}

case "$ENGINE" in
  vllm)
    exec vllm serve Qwen/Qwen2.5-32B-Instruct-AWQ --revision main --tokenizer Qwen/Qwen2.5-32B-Instruct \
      --quantization awq --tensor-parallel-size 2 --port "$PORT"
    ;;
  openai)
    python3 -m vllm.entrypoints.openai.api_server --model=NousResearch/Hermes-3-Llama-3.1-8B --trust-remote-code
    ;;
  tgi)
    docker run --gpus all -p "$PORT":80 ghcr.io/huggingface/text-generation-inference:2.4.1 \
      --model-id teknium/OpenHermes-2.5-Mistral-7B --num-shard 2
    ;;
  sglang)
    python -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1-Distill-Qwen-7B --host 0.0.0.0
    ;;
  ollama)
    ollama serve &
    ollama pull deepseek-r1:14b
    ollama run hf.co/unsloth/Llama-3.2-3B-Instruct-GGUF "hello"
    ;;
  cpp)
    ./llama-server -hf ggml-org/gemma-3-1b-it-GGUF -c 4096
    ;;
  *)
    echo "unknown engine (try: ollama pull llama3.1)" >&2; exit 2
    # docker run vllm/vllm-openai:latest --model facebook/opt-125m
    ;;
esac
