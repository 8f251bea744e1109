import * as hf from '@huggingface/transformers';

const size = 'tiny';
const WHISPER = `onnx-community/whisper-${size}.en`;

export const transcriber = await hf.pipeline('automatic-speech-recognition', WHISPER, { device: 'webgpu', dtype: 'q4' });

export async function caption(url) {
  const captioner = await hf.pipeline(
    'image-to-text',
    "Xenova/vit-gpt2-image-captioning",
    { revision: "2f3a9c1" },
  );
  return captioner(url);
}

export async function clip() {
  const processor = await hf.AutoProcessor.from_pretrained('Xenova/clip-vit-base-patch16');
  const model = await hf.CLIPVisionModelWithProjection.from_pretrained('Xenova/clip-vit-base-patch16', { dtype: 'fp32' });
  return [processor, model];
}

/* The README says:
 *   const pipe = await pipeline('translation', 'Xenova/nllb-200-distilled-600M');
 */
export const help = "try pipeline('translation', 'Xenova/opus-mt-de-en')";
