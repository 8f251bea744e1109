// Runs in a web worker. Earlier versions used Xenova/all-mpnet-base-v2 (too big for phones).
import { pipeline, env, AutoTokenizer, AutoModelForSequenceClassification } from '@xenova/transformers';

env.allowLocalModels = false;
env.cacheDir = './.cache';

const EMBEDDER = 'Xenova/all-MiniLM-L6-v2';
const RERANKER = { id: 'Xenova/ms-marco-TinyBERT-L-2-v2', revision: 'v1.0' };

class Extractor {
  static instance = null;

  static async get(progress) {
    this.instance ??= pipeline('feature-extraction', EMBEDDER, { quantized: true, progress_callback: progress });
    return this.instance;
  }
}

export async function reranker() {
  const tokenizer = await AutoTokenizer.from_pretrained(RERANKER.id);
  const model = await AutoModelForSequenceClassification.from_pretrained(RERANKER.id, {
    revision: RERANKER.revision,
  });
  return { tokenizer, model };
}

self.addEventListener('message', async (event) => {
  const { text, task, model } = event.data;
  if (task) {
    const custom = await pipeline(task, model);
    self.postMessage({ status: 'custom', output: await custom(text) });
    return;
  }
  const extractor = await Extractor.get((x) => self.postMessage(x));
  const output = await extractor(text, { pooling: 'mean', normalize: true });
  self.postMessage({ status: 'complete', model: 'Xenova/gte-small', output: Array.from(output.data) });
});
