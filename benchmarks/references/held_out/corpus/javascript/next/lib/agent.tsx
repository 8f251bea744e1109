'use server';

import { anthropic } from '@ai-sdk/anthropic';
import { openai } from '@ai-sdk/openai';
import { generateObject, streamText } from 'ai';
import { z } from 'zod';

/**
 * Picks a model.  `openai('gpt-3.5-turbo')` is only documentation.
 */
export async function chat(messages: any[], fast: boolean) {
  return streamText({
    model: fast ? openai('gpt-4.1-mini') : anthropic('claude-3-7-sonnet-latest'),
    messages,
    system: 'Never say you are gpt-4o.',
  });
}

export async function classify(text: string) {
  const { object } = await generateObject({
    model: openai("o4-mini"),
    schema: z.object({ model: z.string().default('none') }),
    prompt: text,
  });
  return object;
}

export function Badge({ model = 'gpt-4o' }: { model?: string }) {
  return <span title="Xenova/bert-base-uncased">{model}</span>;
}
