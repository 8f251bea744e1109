#!/bin/sh
# weights and data for the demo
BASE=https://huggingface.co/datasets/acme-ai/demo-audio/resolve/main
: "${TARGET_DIR:=weights}"
mkdir -p "$TARGET_DIR"

curl -fL --retry 3 -o "$TARGET_DIR/yolov8m.pt" \
     https://github.com/ultralytics/assets/releases/download/v8.2.0/yolov8m.pt
wget -nc "https://huggingface.co/lmstudio-community/gemma-2-2b-it-GGUF/resolve/9e1e7c6/gemma-2-2b-it-Q4_K_M.gguf?download=true"
wget -q http://models.example.com/silero/vad.onnx -P "$TARGET_DIR"
curl -sSL "$BASE/audio.tar.gz" | tar xz
aws s3 cp --only-show-errors s3://acme-ml/checkpoints/ranker/best.safetensors "$TARGET_DIR/"
gsutil -m cp gs://acme-ml/tabular/model.joblib .
curl -s https://example.com/health > /dev/null
python -m spacy download en_core_web_sm
