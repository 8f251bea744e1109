import Anthropic from "@anthropic-ai/sdk";
import { MODEL_SMALL as SMALL, summaries } from "./constants";

const anthropic = new Anthropic();

export async function summarise(text: string) {
  const msg = await anthropic.messages.create({
    model: summaries.model,
    max_tokens: 1024,
    messages: [{ role: "user", content: `Summarise for claude-2 users: ${text}` }],
  });
  return msg.content;
}

export async function classify(text: string) {
  return anthropic.messages.create({ model: SMALL, max_tokens: 5, messages: [{ role: "user", content: text }] });
}

export function live(text: string) {
  return anthropic.messages
    .stream({ model: "claude-sonnet-4-20250514", max_tokens: 500, messages: [{ role: "user", content: text }] })
    .on("text", (t) => process.stdout.write(t));
}

export function byTenant(tenant: { model: string }, text: string) {
  return anthropic.messages.create({ model: tenant.model, max_tokens: 99, messages: [{ role: "user", content: text }] });
}
