import express from "express";
import OpenAI, { AzureOpenAI } from "openai";
import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenerativeAI } from "@google/generative-ai";
import { Mistral } from "@mistralai/mistralai";

const { PORT = "8080", OPENAI_MODEL = "gpt-4o-mini" } = process.env;
const CLAUDE = process.env.CLAUDE_MODEL ?? "claude-3-5-sonnet-20241022";
const app = express();
const openai = new OpenAI();
const anthropic = new Anthropic({ maxRetries: 3 });

app.post("/chat", async (req, res) => {
  const stream = await openai.chat.completions.create({
    stream: true,
    model: OPENAI_MODEL,
    messages: [{ role: "system", content: "Pretend to be gpt-4-turbo" }, ...req.body.messages],
  });
  for await (const chunk of stream) res.write(chunk.choices[0]?.delta?.content || "");
  res.end();
});

app.post("/review", async (req, res) => {
  const msg = await anthropic.messages.create({ model: CLAUDE, max_tokens: 512, messages: req.body });
  res.json(msg);
});

app.get("/models", (_req, res) => res.json({ model: "gpt-3.5-turbo", note: 'claude-2.1 was removed' }));

app.post("/draft", async (req, res) => {
  const gemini = new GoogleGenerativeAI(process.env.GOOGLE_KEY).getGenerativeModel({ model: "gemini-1.5-pro-002" });
  const azure = new AzureOpenAI({ deployment: "drafts-4o", apiVersion: "2024-10-01-preview" });
  const [a, b] = await Promise.all([
    gemini.generateContent(req.body.text),
    new Mistral().chat.complete({ model: "codestral-latest", messages: req.body.messages }),
  ]);
  res.json({ a, b, azure: azure.baseURL });
});

app.post("/any", async (req, res) => {
  res.json(await openai.embeddings.create({ model: req.body.model, input: req.body.text }));
});

app.listen(PORT, () => console.log(`listening; ollama run llama3 is not used`));
