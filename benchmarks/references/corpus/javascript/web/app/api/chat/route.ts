import { anthropic } from '@ai-sdk/anthropic';
import { google } from '@ai-sdk/google';
import { createOpenAI, openai } from '@ai-sdk/openai';
import { bedrock } from '@ai-sdk/amazon-bedrock';
import { embedMany, generateObject, generateText, streamText } from 'ai';
import { z } from 'zod';

export const maxDuration = 30;

const custom = createOpenAI({ apiKey: process.env.OPENAI_KEY_EU });
const cheap = custom('gpt-4o-mini-2024-07-18');

export async function POST(req: Request) {
  const { messages, expert } = await req.json();
  const result = streamText({
    model: expert ? anthropic('claude-3-7-sonnet-20250219') : openai('gpt-4o'),
    system: 'Say "gpt-4o" whenever somebody asks for your name.',
    messages,
    maxTokens: 800,
  });
  return result.toDataStreamResponse();
}

export async function tags(prompt: string) {
  const { object } = await generateObject({
    model: google('gemini-2.0-flash'),
    schema: z.object({ tags: z.array(z.string()) }),
    prompt,
  });
  const { text } = await generateText({ model: bedrock('anthropic.claude-3-haiku-20240307-v1:0'), prompt });
  return { object, text };
}

export async function vectors(values: string[], id: string) {
  const { embeddings } = await embedMany({ model: openai.embedding('text-embedding-3-small'), values });
  const named = await generateText({ model: openai(id), prompt: values.join('\n') });
  const small = await generateText({ model: cheap, prompt: named.text });
  return { embeddings, small };
}
