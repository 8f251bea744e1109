#!/usr/bin/env bash
# Bring promoted artifacts from the registries to the edge box.
set -o errexit -o nounset -o pipefail

BUCKET="acme-model-store"
STAGE="${STAGE:-Production}"
readonly OUT=./artifacts

require() { command -v "$1" >/dev/null || { echo "missing: $1"; exit 1; }; }
require aws; require wandb; require kaggle

aws s3 cp "s3://${BUCKET}/asr/conformer-v4.nemo" "$OUT/asr.nemo"
gsutil -m cp gs://acme-vision/detector/best.onnx "$OUT/"
aws s3 cp s3://acme-logs/nginx/access.log.gz /dev/null

wandb artifact get acme/fraud/scorer:v7 --root "$OUT/scorer"
kaggle datasets download -d zynicide/wine-reviews -p "$OUT/wine" --unzip
modelscope download --model Qwen/Qwen2-1.5B-Instruct --revision v1.0.1 --local_dir "$OUT/qwen2"

mlflow models serve -m "models:/churn/${STAGE}" -p 5001 --no-conda &
mlflow models predict -m "${MODEL_URI:?}" -i rows.csv
wait
