'use strict';
const { ChatOpenAI, OpenAIEmbeddings } = require('@langchain/openai');
const { ChatOllama, OllamaEmbeddings } = require('@langchain/ollama');
const { HuggingFaceTransformersEmbeddings } = require('@langchain/community/embeddings/huggingface_transformers');
const { ChatAnthropic } = require("@langchain/anthropic");
const { default: ollama } = require('ollama');
const config = require('./config');

const LOCAL = process.env.LOCAL_MODEL || 'llama3.2:1b';

function makeChat(kind) {
  switch (kind) {
    case 'hosted':
      return new ChatOpenAI({ modelName: 'gpt-4-0613', temperature: 0 });
    case 'careful':
      return new ChatAnthropic({
        model: "claude-3-opus-latest",
        maxTokens: 1000,
      });
    default:
      return new ChatOllama({ baseUrl: 'http://localhost:11434', model: LOCAL });
  }
}

function embeddings(kind) {
  if (kind === 'hosted') return new OpenAIEmbeddings({ model: config.embeddingModel });
  if (kind === 'ollama') return new OllamaEmbeddings({ model: 'mxbai-embed-large' });
  return new HuggingFaceTransformersEmbeddings({ model: 'Xenova/gte-small' });
}

async function ping() {
  await ollama.pull({ model: 'all-minilm:33m' });
  const reply = await ollama.chat({ model: `${'gemma3'}:4b`, messages: [{ role: 'user', content: 'ollama pull phi3' }] });
  return reply.message.content;
}

module.exports = { makeChat, embeddings, ping };
