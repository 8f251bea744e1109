import { ChatAnthropic } from "@langchain/anthropic";
import { HuggingFaceTransformersEmbeddings } from "@langchain/community/embeddings/hf_transformers";
import { HuggingFaceInferenceEmbeddings } from "@langchain/community/embeddings/hf";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatMistralAI } from "@langchain/mistralai";
import { ChatOllama, OllamaEmbeddings } from "@langchain/ollama";
import { ChatOpenAI as OpenAIChat, OpenAIEmbeddings } from "@langchain/openai";
import { initChatModel } from "langchain/chat_models/universal";

const config = { chat: "gpt-4o-2024-11-20", temperature: 0 };

export const llm = new OpenAIChat({ model: config.chat, temperature: config.temperature });
export const old = new OpenAIChat({ modelName: "gpt-3.5-turbo-0125" });
export const judge = new ChatAnthropic({
  model: "claude-3-5-haiku-20241022",
  maxTokens: 300,
});
export const local = new ChatOllama({ model: "qwen2.5:7b", baseUrl: process.env.OLLAMA_URL });
export const embeddings = new OpenAIEmbeddings({ model: "text-embedding-3-small", dimensions: 256 });
export const offline = new HuggingFaceTransformersEmbeddings({ model: "Xenova/bge-small-en-v1.5" });
export const hosted = new HuggingFaceInferenceEmbeddings({ model: "BAAI/bge-m3" });
export const nomic = new OllamaEmbeddings({ model: "nomic-embed-text" });

export function choose(kind: string, model: string) {
  switch (kind) {
    case "google":
      return new ChatGoogleGenerativeAI({ model: "gemini-1.5-pro" });
    case "mistral":
      return new ChatMistralAI({ model: "mistral-small-latest" });
    default:
      return new OpenAIChat({ model });
  }
}

export const universal = () => initChatModel("gpt-4.1", { modelProvider: "openai" });

// PROMPT text only: gpt-4-turbo
export const prompt = ChatPromptTemplate.fromMessages([["system", "You replace gpt-4-turbo."], ["human", "{input}"]]);
