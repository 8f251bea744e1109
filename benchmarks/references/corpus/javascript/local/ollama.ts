import ollama, { Ollama } from 'ollama';

const DEFAULTS = { model: 'llama3.1:8b', stream: false };
const remote = new Ollama({ host: 'https://ollama.example.com' });

export async function setup(): Promise<void> {
  await ollama.pull({ model: 'nomic-embed-text:v1.5' });
  console.log("pulled; next run 'ollama run deepseek-r1:7b'");
}

export async function chat(content: string) {
  const r = await ollama.chat({
    model: DEFAULTS.model,
    messages: [{ role: 'user', content }],
  });
  return r.message.content;
}

export async function vision(image: string, model = process.env.VISION_MODEL || 'llava') {
  return remote.generate({ model, prompt: 'describe', images: [image] });
}

export async function vectors(input: string[]) {
  const { embeddings } = await remote.embed({ model: "mxbai-embed-large", input });
  return embeddings;
}

export const ggufChat = (content: string) =>
  ollama.chat({ model: 'hf.co/Qwen/Qwen2.5-0.5B-Instruct-GGUF', messages: [{ role: 'user', content }] });

export const any = (model: string, prompt: string) => ollama.generate({ model, prompt });
