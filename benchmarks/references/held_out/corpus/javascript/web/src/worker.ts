// Runs in a web worker.  Formerly pipeline('summarization', 'Xenova/t5-small').
import {
  env,
  pipeline,
  AutoTokenizer,
  AutoModelForSequenceClassification as Classifier,
  type FeatureExtractionPipeline,
} from '@huggingface/transformers';

env.allowLocalModels = false;

const EMBEDDER = 'mixedbread-ai/mxbai-embed-xsmall-v1' as const;
const VOICES: Record<string, string> = {
  en: 'onnx-community/whisper-tiny.en',
  multi: 'onnx-community/whisper-base',
};

class Embedder {
  static task = 'feature-extraction' as const;
  static instance: Promise<FeatureExtractionPipeline> | null = null;

  static get(progress_callback?: (x: unknown) => void) {
    this.instance ??= pipeline(this.task, EMBEDDER, {
      revision: '8a3d0b4f4a5e6d9a1b2c3d4e5f60718293a4b5c6',
      dtype: 'q8',
      progress_callback,
    });
    return this.instance;
  }
}

export async function hear(audio: Float32Array, lang: 'en' | 'multi') {
  const asr = await pipeline('automatic-speech-recognition', VOICES[lang]);
  return asr(audio);
}

export async function toxicity(text: string) {
  const id = 'Xenova/toxic-bert';
  const tokenizer = await AutoTokenizer.from_pretrained(id);
  const model = await Classifier.from_pretrained(id, { quantized: true });
  return model(await tokenizer(text));
}

self.addEventListener('message', async (e) => {
  const run = await Embedder.get();
  self.postMessage(await run(e.data, { pooling: 'mean', model: 'Xenova/all-MiniLM-L6-v2 is gone' }));
});
