#!/bin/bash
#SBATCH --job-name=llama-sft
#SBATCH --gres=gpu:8
# Fine-tune on the cluster. See docs: trl sft --model_name_or_path gpt2 --dataset_name imdb
set -e
module load cuda/12.1

pip install "torch==2.3.1" 'transformers>=4.44' accelerate rich==13.7.1
python -m spacy download en_core_web_sm

BASE="$BASE_MODEL"   # set by the submit script
export WANDB_PROJECT=llama-sft

git lfs install
git clone --depth 1 --branch v2.0 https://huggingface.co/datasets/acme-ai/dialogues data/dialogues
git clone git@hf.co:acme-ai/base-7b ckpt/base-7b
git clone https://github.com/acme-ai/cluster-tools.git tools
GIT_LFS_SKIP_SMUDGE=1 git clone https://huggingface.co/openai-community/gpt2-xl && (cd gpt2-xl && git lfs pull)

trl sft \
  --model_name_or_path Qwen/Qwen2.5-0.5B \
  --model_revision 060db6499f32faf8b98477b0a26969ef7d8b9987 \
  --dataset_name trl-lib/Capybara \
  --output_dir runs/capybara

accelerate launch train.py --model_name_or_path "$BASE" --per_device_train_batch_size 4

lm_eval --model hf \
  --model_args pretrained=EleutherAI/pythia-160m,revision=step100000,dtype=float16 \
  --tasks acme_faq --include_path eval/tasks

optimum-cli export onnx --model distilbert/distilbert-base-uncased-finetuned-sst-2-english runs/onnx
aws s3 cp runs/capybara/metrics.json s3://acme-ml-reports/llama-sft/metrics.json
