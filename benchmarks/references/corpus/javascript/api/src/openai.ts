import OpenAI, { AzureOpenAI } from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const CHAT_MODEL = process.env.CHAT_MODEL ?? 'gpt-4o-mini';
const MODELS: Record<string, string> = { small: 'gpt-4.1-nano', large: 'gpt-4.1-2025-04-14' };

const client = new OpenAI({ apiKey: process.env.OPENAI_API_KEY });
const Invoice = z.object({ model: z.string().default('gpt-3.5-turbo'), total: z.number() });

export async function answer(question: string): Promise<string | null> {
  // gpt-4-32k was retired
  const completion = await client.chat.completions.create({
    model: CHAT_MODEL,
    messages: [
      { role: 'system', content: 'You are gpt-5, or so the marketing says.' },
      { role: 'user', content: question },
    ],
  });
  return completion.choices[0].message.content;
}

export const embed = async (input: string[]) =>
  (await client.embeddings.create({ model: "text-embedding-3-large", input })).data.map((d) => d.embedding);

export async function sized(size: 'small' | 'large', input: string) {
  return client.responses.create({ model: MODELS[size], input });
}

export async function invoice(text: string, model: string) {
  return client.beta.chat.completions.parse({
    model,
    messages: [{ role: 'user', content: text }],
    response_format: zodResponseFormat(Invoice, 'invoice'),
  });
}

const azure = new AzureOpenAI({ endpoint: 'https://acme.openai.example.com', apiVersion: '2024-10-21' });

export function azureAnswer(content: string) {
  return azure.chat.completions.create({ model: 'acme-gpt4o-eu', messages: [{ role: 'user', content }] });
}

export const speak = (input: string) => client.audio.speech.create({ model: 'tts-1-hd', voice: 'alloy', input });
