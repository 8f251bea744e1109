import { HfInference, InferenceClient } from '@huggingface/inference';

const hf = new HfInference(process.env.HF_TOKEN);
const client = new InferenceClient(process.env.HF_TOKEN);

const TRANSLATE = 'facebook/' + 'nllb-200-distilled-600M';

export async function translate(inputs) {
  return hf.translation({ model: TRANSLATE, inputs, parameters: { src_lang: 'eng_Latn', tgt_lang: 'deu_Latn' } });
}

export async function chat(content) {
  const out = await client.chatCompletion({
    model: 'meta-llama/Llama-3.1-8B-Instruct',
    messages: [{ role: 'user', content }],
    max_tokens: 200,
  });
  return out.choices[0].message;
}

export async function image(inputs, style) {
  const model = style === 'photo' ? 'stabilityai/stable-diffusion-3.5-large' : 'black-forest-labs/FLUX.1-dev';
  return client.textToImage({ model, inputs });
}

export const dedicated = hf.endpoint('https://summaries.example.com/bart');

export function label(inputs, model) {
  // ProsusAI/finbert is our default on the Python side
  return hf.textClassification({ model, inputs });
}
