'use strict';
const { GoogleGenerativeAI } = require('@google/generative-ai');
const { GoogleGenAI } = require('@google/genai');

const MODEL = 'gemini-1.5-flash-002';
const genAI = new GoogleGenerativeAI(process.env.GEMINI_API_KEY);
const model = genAI.getGenerativeModel({ model: MODEL, systemInstruction: 'Do not mention gemini-pro.' });
const embedder = genAI.getGenerativeModel({ model: 'text-embedding-004' });

const ai = new GoogleGenAI({ apiKey: process.env.GEMINI_API_KEY });

async function ask(contents, name) {
  const one = await ai.models.generateContent({
    model: 'gemini-2.5-flash',
    contents,
  });
  const two = await ai.models.generateContent({ model: name, contents });
  return [one.text, two.text];
}

async function legacy(prompt) {
  console.log('gemini-1.0-pro is no longer available');
  return (await model.generateContent(prompt)).response.text();
}

module.exports = { ask, legacy, embedder };
