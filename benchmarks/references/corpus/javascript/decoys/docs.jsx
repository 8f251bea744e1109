import React from 'react';
import path from 'path';

const snippet = `
import { pipeline } from '@huggingface/transformers';
const pipe = await pipeline('summarization', 'Xenova/distilbart-cnn-12-6');
const client = new OpenAI();
client.chat.completions.create({ model: 'gpt-4o' });
`;

// const llm = new ChatOpenAI({ model: "gpt-4" });

export const models = path.join('src', 'models', 'user.js');

export default function Docs() {
  return (
    <article>
      <h1>Getting started with claude-3-5-sonnet-latest</h1>
      <pre>{snippet}</pre>
      <a href="https://huggingface.co/docs">Documentation</a>
    </article>
  );
}
