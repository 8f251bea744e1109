import * as ort from 'onnxruntime-web';
import * as tf from '@tensorflow/tfjs';
import { HfInference } from '@huggingface/inference';
import Replicate from 'replicate';
import Groq from 'groq-sdk';

const BASE = 'https://storage.googleapis.com/tfjs-models/savedmodel';
const hf = new HfInference(import.meta.env.VITE_HF_TOKEN);

export const session = ort.InferenceSession.create('./assets/u2netp.onnx', { executionProviders: ['wasm'] });
export const ssd = () => tf.loadGraphModel(`${BASE}/ssdlite_mobilenet_v2/model.json`);

export async function caption(blob) {
  const out = await hf.imageToText({ data: blob, model: 'Salesforce/blip-image-captioning-large' });
  const text = await hf.textGeneration({
    model: "google/gemma-2-9b-it",
    inputs: `Say it in French: ${out.generated_text}`,
  });
  return text.generated_text;
}

export async function restyle(image) {
  const replicate = new Replicate();
  return replicate.run('fofr/face-to-sticker', { input: { image, prompt: 'stability-ai/sdxl style' } });
}

export const talk = (q) =>
  new Groq().chat.completions.create({ messages: [{ role: 'user', content: q }], model: 'gemma2-9b-it' });
