#!/bin/bash
#SBATCH --gres=gpu:1
#SBATCH --job-name=eleutherai-pythia
TASKS=hellaswag,arc_easy
STUDENT=$1

pip install lm-eval tqdm || exit 1
lm_eval --model hf --tasks "$TASKS" \
    --model_args pretrained=EleutherAI/pythia-410m,revision=step100000,dtype=float16
accelerate launch finetune.py --model_name_or_path google/gemma-2b --dataset_name timdettmers/openassistant-guanaco \
    --output_dir out --run_name "llama-2 baseline"
for seed in 1 2 3; do
  python eval.py --seed "$seed" --note 'mistralai/Mistral-7B-v0.1 is the reference'
done
vllm serve "$STUDENT"
huggingface-cli upload acme-ai/results ./out
ollama push acme/results:v1
