import { describe, it, expect } from 'vitest';
import { pipeline } from 'node:stream/promises';
import { createModel } from '../src/orm.js';

// const llm = new OpenAI(); llm.chat.completions.create({ model: 'gpt-4o' })
describe("pipeline('text-generation', 'Xenova/gpt2')", () => {
  it('pipes streams', async () => {
    const model = createModel({ model: 'gpt-4o-mini', table: 'claude-3-haiku-20240307' });
    await pipeline(model.read(), model.write('sentiment-analysis'));
    expect(model.name).toBe('gpt-4o-mini');
  });
  it('prints help', () => {
    expect(`ollama run mistral && huggingface-cli download org/name`).toMatch(/ollama/);
  });
});
