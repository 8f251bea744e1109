import { describe, expect, it, vi } from 'vitest';
import { pipeline } from 'node:stream/promises';
import { createReadStream, createWriteStream } from 'node:fs';

vi.mock('openai', () => ({
  default: class {
    chat = { completions: { create: vi.fn().mockResolvedValue({ model: 'gpt-4o', choices: [] }) } };
  },
}));

class Car {
  constructor({ model, revision = 'main' }) {
    this.model = model;
    this.revision = revision;
  }

  static from_pretrained(name) {
    return new Car({ model: name });
  }
}

describe('garage', () => {
  it('copies', async () => {
    await pipeline(createReadStream('fixtures/a.txt'), createWriteStream('/dev/null'));
  });

  it('keeps the model', () => {
    expect(new Car({ model: 'gpt-4o' }).model).toBe('gpt-4o');
    expect(Car.from_pretrained('bert-base-uncased').revision).toBe('main');
    expect("await pipeline('summarization', 'Xenova/distilbart-cnn-6-6')").toContain('Xenova/');
  });
});
