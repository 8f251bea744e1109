"""References in JavaScript and TypeScript: loaders, constants, decoys, and what is hostile."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aibom.discovery import javascript
from aibom.discovery.found import Found, Text
from aibom.discovery.javascript_call import package_of
from aibom.discovery.javascript_loaders import find, loaders_of
from aibom.discovery.javascript_scope import CALL_COUNT, DEPTH
from aibom.discovery.javascript_tree import ANGLES, NESTING, SOURCE_BYTES
from aibom.domain.errors import Reason, UnreadableError
from aibom.domain.reference import Flag

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def found_in(code: str | bytes, path: str = "src/a.ts", files: Mapping[str, str] | None = None) -> Found:
    data = code.encode() if isinstance(code, str) else code
    beside = {name: text.encode() for name, text in (files or {}).items()}
    found = Found(path=path)
    javascript.discover(Text(path=path, data=data, beside=beside.get), found)
    return found


def told(code: str, path: str = "src/a.ts", files: Mapping[str, str] | None = None) -> list[str]:
    """`kind scheme:location@revision#subpath` of every reference, `?` for one that is not resolved."""
    lines = []
    for one in found_in(code, path, files).references:
        ref = one.target
        revision = f"@{ref.revision}" if ref and ref.revision else ""
        subpath = f"#{ref.subpath}" if ref and ref.subpath else ""
        lines.append(f"{one.kind} {ref.scheme}:{ref.location}{revision}{subpath}" if ref else f"{one.kind} ?")
    return lines


IMPORTS = """
import * as tj from '@huggingface/transformers';
import { InferenceClient, textToImage } from '@huggingface/inference';
import { downloadFile, snapshotDownload } from '@huggingface/hub';
import OpenAI, { AzureOpenAI } from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { GoogleGenerativeAI } from '@google/generative-ai';
import { Mistral } from '@mistralai/mistralai';
import { CohereClient } from 'cohere-ai';
import Groq from 'groq-sdk';
import Together from 'together-ai';
import { InvokeModelCommand, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { openai, createOpenAI } from '@ai-sdk/openai';
import { anthropic } from '@ai-sdk/anthropic';
import { google } from '@ai-sdk/google';
import { delay } from '@ai-sdk/provider-utils';
import { bedrock } from '@ai-sdk/amazon-bedrock';
import { generateText, gateway, createProviderRegistry } from 'ai';
import { ChatOpenAI, OpenAIEmbeddings, AzureChatOpenAI } from '@langchain/openai';
import { ChatAnthropic } from '@langchain/anthropic';
import { ChatOllama, OllamaEmbeddings } from '@langchain/ollama';
import { HuggingFaceTransformersEmbeddings } from '@langchain/community/embeddings/huggingface_transformers';
import { ChatLlamaCpp } from '@langchain/community/chat_models/llama_cpp';
import { initChatModel } from 'langchain/chat_models/universal';
import { HuggingFaceEmbedding, Ollama as Llama, Gemini } from 'llamaindex';
import ollama, { Ollama } from 'ollama';
import { ollama as served } from 'ollama-ai-provider';
import { InferenceSession } from 'onnxruntime-web';
import * as tf from '@tensorflow/tfjs';
import { getLlama, LlamaModel, resolveModelFile } from 'node-llama-cpp';
import Replicate from 'replicate';
import { CreateMLCEngine, CreateWebWorkerMLCEngine } from '@mlc-ai/web-llm';
import { Agent } from '@mastra/core/agent';
import path from 'node:path';
"""

CALLS = [
    # transformers.js
    ("tj.pipeline('fill-mask', 'org/m')", "model hf:org/m", "unpinned"),
    (f"tj.pipeline('fill-mask', 'org/m', {{ revision: '{COMMIT}' }})", f"model hf:org/m@{COMMIT}", ""),
    ("tj.pipeline('fill-mask', 'org/m', { revision: 'v2' })", "model hf:org/m@v2", "unpinned"),
    ("tj.pipeline('fill-mask', name)", "model ?", "unresolved"),
    ("tj.pipeline('fill-mask')", "model ?", "unpinned unresolved"),
    ("tj.pipeline('fill-mask', null, {})", "model ?", "unpinned unresolved"),
    ("tj.pipeline('fill-mask', './models/m')", "model file:./models/m", "local-path"),
    ("tj.AutoModelForCausalLM.from_pretrained('gpt2')", "model hf:gpt2", "no-organisation unpinned"),
    (f"tj.AutoTokenizer.from_pretrained('o/t', {{revision: '{COMMIT}'}})", f"tokenizer hf:o/t@{COMMIT}", ""),
    ("tj.AutoProcessor.from_pretrained(id)", "tokenizer ?", "unresolved"),
    # huggingface.js
    ("new InferenceClient(t).chatCompletion({ model: 'o/m:groq' })", "service hf:o/m", "unpinned"),
    ("new InferenceClient(t).chatCompletion({ model })", "service ?", "unresolved"),
    ("textToImage({ model: 'o/sd' })", "service hf:o/sd", "unpinned"),
    ("downloadFile({ repo: 'o/m', path: 'a.json' })", "model hf:o/m#a.json", "unpinned"),
    (f"downloadFile({{ repo: {{ type: 'dataset', name: 'o/d' }}, revision: '{COMMIT}' }})",
     f"dataset hf-dataset:o/d@{COMMIT}", ""),
    ("snapshotDownload({ repo: 'datasets/o/d' })", "dataset hf-dataset:o/d", "unpinned"),
    ("snapshotDownload({ repo })", "model ?", "unresolved"),
    # hosted
    ("new OpenAI().chat.completions.create({ model: 'gpt-4o' })", "service openai:gpt-4o", "unpinned"),
    ("new OpenAI().responses.create({ model: 'gpt-4o-2024-08-06' })", "service openai:gpt-4o-2024-08-06", ""),
    ("new OpenAI().embeddings.create(body)", "service ?", "unresolved"),
    ("new OpenAI().images.generate({ model: pick() })", "service ?", "unresolved"),
    ("new OpenAI().audio.speech.create({ model: 'tts-1' })", "service openai:tts-1", "unpinned"),
    ("new AzureOpenAI().chat.completions.create({ model: 'mine' })", "service azure-openai:mine", "unpinned"),
    ("new AzureOpenAI({ deployment: 'mine' })", "service azure-openai:mine", "unpinned"),
    ("new Anthropic().messages.create({ model: 'claude-3-haiku-20240307' })",
     "service anthropic:claude-3-haiku-20240307", ""),
    ("new Anthropic().messages.stream({ model: 'claude-sonnet-4-5' })", "service anthropic:claude-sonnet-4-5",
     "unpinned"),
    ("new Anthropic().messages.create({ ...rest })", "service ?", "unresolved"),
    ("new GoogleGenAI({}).models.generateContent({ model: 'gemini-2.0-flash' })",
     "service google:gemini-2.0-flash", "unpinned"),
    ("new GoogleGenAI({}).models.generateContent({ model: m })", "service ?", "unresolved"),
    ("new GoogleGenerativeAI(k).getGenerativeModel({ model: 'gemini-pro' })",
     "service google:gemini-pro", "unpinned"),
    ("new GoogleGenerativeAI(k).getGenerativeModel({ model: m })", "service ?", "unresolved"),
    ("new Mistral({}).chat.complete({ model: 'codestral' })", "service mistral:codestral", "unpinned"),
    ("new Mistral({}).embeddings.create({ model: m })", "service ?", "unresolved"),
    ("new CohereClient().embed({ model: 'embed-english-v3.0' })",
     "service cohere:embed-english-v3.0", "unpinned"),
    ("new CohereClient().chat({ model: m })", "service ?", "unresolved"),
    ("new Groq().chat.completions.create({ model: 'llama-3' })", "service groq:llama-3", "unpinned"),
    ("new Together().chat.completions.create({ model: m })", "service ?", "unresolved"),
    ("new Together().images.create({ model: 'o/flux' })", "service together:o/flux", "unpinned"),
    ("client.send(new InvokeModelCommand({ modelId: 'amazon.titan-v1:0' }))",
     "service bedrock:amazon.titan-v1:0", ""),
    ("client.send(new ConverseCommand(input))", "service ?", "unresolved"),
    # frameworks
    ("openai('gpt-4o')", "service openai:gpt-4o", "unpinned"),
    ("openai(process.env.MODEL)", "service ?", "unresolved"),
    ("openai.embedding('text-embedding-3-small')", "service openai:text-embedding-3-small", "unpinned"),
    ("createOpenAI({ apiKey })('gpt-4o')", "service openai:gpt-4o", "unpinned"),
    ("anthropic('claude-3-haiku-20240307')", "service anthropic:claude-3-haiku-20240307", ""),
    ("google('gemini-2.0-flash')", "service google:gemini-2.0-flash", "unpinned"),
    ("bedrock('meta.llama3')", "service bedrock:meta.llama3", "unpinned"),
    ("generateText({ model: 'openai/gpt-4o' })", "service openai:gpt-4o", "unpinned"),
    ("gateway('xai/grok-3')", "service xai:grok-3", "unpinned"),
    ("createProviderRegistry({}).languageModel('anthropic:claude-opus')",
     "service anthropic:claude-opus", "unpinned"),
    ("new Agent({ model: 'openai/gpt-4o' })", "service openai:gpt-4o", "unpinned"),
    ("new ChatOpenAI({ model: 'gpt-4o' })", "service openai:gpt-4o", "unpinned"),
    ("new ChatOpenAI({ modelName: name })", "service ?", "unresolved"),
    ("new AzureChatOpenAI({ azureOpenAIApiDeploymentName: 'd' })", "service azure-openai:d", "unpinned"),
    ("new OpenAIEmbeddings({ model: 'text-embedding-3-large' })",
     "service openai:text-embedding-3-large", "unpinned"),
    ("new ChatAnthropic({ model: 'claude-3-opus-20240229' })",
     "service anthropic:claude-3-opus-20240229", ""),
    ("new ChatOllama({ model: 'llama3' })", "model ollama:llama3", "floating-tag unpinned"),
    ("new OllamaEmbeddings({ model: 'nomic:v1.5' })", "model ollama:nomic@v1.5", "unpinned"),
    ("new HuggingFaceTransformersEmbeddings({ model: 'o/e' })", "model hf:o/e", "unpinned"),
    ("ChatLlamaCpp.initialize({ modelPath: './a.gguf' })", "model file:./a.gguf", "local-path"),
    ("initChatModel('anthropic:claude-3-opus-20240229')", "service anthropic:claude-3-opus-20240229", ""),
    ("initChatModel('gpt-4.1', { modelProvider: 'openai' })", "service openai:gpt-4.1", "unpinned"),
    ("initChatModel(name)", "service ?", "unresolved"),
    ("new HuggingFaceEmbedding({ modelType: 'BAAI/bge' })", "model hf:BAAI/bge", "unpinned"),
    ("new Llama({ model: 'mixtral:8x7b' })", "model ollama:mixtral@8x7b", "unpinned"),
    ("new Gemini({ model })", "service ?", "unresolved"),
    # weights
    ("ollama.chat({ model: 'llama3:8b' })", "model ollama:llama3@8b", "unpinned"),
    ("new Ollama({ host }).embed({ model })", "model ?", "unresolved"),
    ("served('phi3')", "model ollama:phi3", "floating-tag unpinned"),
    ("InferenceSession.create('./m.onnx')", "model file:./m.onnx", "local-path"),
    ("InferenceSession.create(where)", "model ?", "unresolved"),
    ("InferenceSession.create(path.join(__dirname, 'w', '../m.onnx'))", "model file:m.onnx", "local-path"),
    ("tf.loadGraphModel('https://h.example/model.json')",
     "model https:https://h.example/model.json", "unpinned"),
    ("tf.loadLayersModel('http://h.example/model.json')",
     "model http:http://h.example/model.json", "http unpinned"),
    ("tf.loadLayersModel('file://./w/model.json')", "model file:./w/model.json", "local-path"),
    ("tf.loadLayersModel(url)", "model ?", "unresolved"),
    ("(await getLlama()).loadModel({ modelPath: 'm.gguf' })", "model file:m.gguf", "local-path"),
    ("new LlamaModel({ modelPath })", "model ?", "unresolved"),
    ("resolveModelFile('hf:o/m-GGUF/m.gguf')", "model hf:o/m-GGUF#m.gguf", "unpinned"),
    ("new Replicate().run('o/m', {})", "service replicate:o/m", "unpinned"),
    (f"new Replicate().run('o/m:{'a1' * 32}')", f"service replicate:o/m@{'a1' * 32}", ""),
    ("new Replicate().run(which)", "service ?", "unresolved"),
    ("CreateMLCEngine('Llama-3-MLC')", "model web-llm:Llama-3-MLC", "unpinned"),
    ("CreateWebWorkerMLCEngine(worker, chosen)", "model ?", "unresolved"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "expected", "flags"), CALLS)
def test_each_loader_tells_what_it_loads(call: str, expected: str, flags: str) -> None:
    assert told(IMPORTS + call) == [expected]
    (one,) = found_in(IMPORTS + call).references
    assert one.flags == {Flag(flag) for flag in flags.split()}
    assert one.location.line == IMPORTS.count("\n") + 1


@pytest.mark.parametrize(
    "code",
    [
        "new ChatOpenAI({ temperature: 0 })", "new OpenAI({ apiKey })", "createOpenAI({})", "getLlama()",
        "generateText({ model: openai.tools })", "InferenceSession.create(fs.readFileSync('m.onnx'))",
        "tf.loadLayersModel(tf.io.browserFiles([]))",
        "new AzureOpenAI({ deployment })", "delay(5)", "openai.tools.webSearch({})",
        "tj.env.allow('o/m')", "stripe.create({ model: 'gpt-4o' })",
        "// tj.pipeline('x', 'o/m')", "/* tj.pipeline('x', 'o/m') */",
        "const s = \"tj.pipeline('x', 'o/m')\"",
        "`new OpenAI().responses.create({model: 'x'})`", "/tj.pipeline('x', 'o')/.test(s)",
        "function f(tj) { tj.pipeline('x', 'o/m') }", "tj`pipeline`", "model.from_pretrained('o/m')",
    ],
)  # fmt: skip
def test_what_loads_nothing_is_silent(code: str) -> None:
    assert told(IMPORTS + code) == []


def test_functions_of_the_same_name_and_text_between_tags_are_silent() -> None:
    code = "import { pipeline } from 'stream'; import { pipeline as p } from '@huggingface/transformers';"
    assert told(code + "pipeline('x', 'o/m'); const e = <p>p('x', 'o/m')</p>", "a.jsx") == []


PIPE = "import { pipeline } from '@huggingface/transformers';\n"


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("const M = 'o/m'; pipeline('t', M)", ["o/m"]),
        ("let M; M = 'o/m'; pipeline('t', M)", ["o/m"]),
        ("let M = 'o/a'; if (x) M = 'o/b'; pipeline('t', M)", ["o/a", "o/b"]),
        ("let M = 'o/a'; M = 'o/b'; pipeline('t', M)", ["o/b"]),
        ("let M = 'o/a'; pipeline('t', M); M = 'o/b'", ["o/a"]),
        ("const O = 'o'; pipeline('t', `${O}/m-${3}`)", ["o/m-3"]),
        ("pipeline('t', 'o/' + 'm')", ["o/m"]),
        ("pipeline('t', process.env.M ?? 'o/m')", ["o/m"]),
        ("pipeline('t', process.env['M'] || 'o/m')", ["o/m"]),
        ("pipeline('t', x ? 'o/a' : 'o/b')", ["o/a", "o/b"]),
        ("const M = { small: 'o/s', 'b': 'o/b' }; pipeline('t', M.small)", ["o/s"]),
        ("const M = { small: 'o/s', 'b': 'o/b' } as const; pipeline('t', M['b'])", ["o/b"]),
        ("const M = Object.freeze({ s: 'o/s', b: 'o/b' }); pipeline('t', M[size])", ["o/s", "o/b"]),
        ("const B = { m: 'o/m' }; const C = { ...B, x: 1 }; pipeline('t', C.m)", ["o/m"]),
        ("const M = ['o/a', 'o/b']; pipeline('t', M[1])", ["o/b"]),
        ("for (const m of ['o/a', 'o/b']) pipeline('t', m)", ["o/a", "o/b"]),
        ("['o/a', 'o/b'].map(async (m) => pipeline('t', m))", ["o/a", "o/b"]),
        ("const M = { a: 'o/a' }; for (const m of Object.values(M)) pipeline('t', m)", ["o/a"]),
        ("const f = (m = 'o/m') => pipeline('t', m)", ["o/m"]),
        ("function f({ m = 'o/m' } = {}) { return pipeline('t', m) }", ["o/m"]),
        ("const { m: n = 'o/m' } = process.env; pipeline('t', n)", ["o/m"]),
        ("const { m } = { m: 'o/m' }; pipeline('t', m)", ["o/m"]),
        ("const [, m] = ['o/a', 'o/b']; pipeline('t', m)", ["o/b"]),
        ("class A { static m = 'o/m'; static f() { return pipeline('t', this.m) } }", ["o/m"]),
        ("class A { m = 'o/m' } pipeline('t', new A().m)", ["o/m"]),
        ("class A { static m = 'o/m' } pipeline('t', A.m)", ["o/m"]),
        ("class A { constructor(m = 'o/m') { this.m = m } f() { pipeline('t', this.m) } }", ["o/m"]),
        ("enum E { A = 'o/a', B = 'o/b' } pipeline('t', E.B)", ["o/b"]),
        ("const s = {}; s.m = 'o/m'; pipeline('t', s.m)", ["o/m"]),
        ("function name() { return 'o/m' } pipeline('t', name())", ["o/m"]),
        ("const m = z.string().default('o/m'); pipeline('t', m)", ["o/m"]),
        ("pipeline('t', ('o/m' as string)!.trim())", ["o/m"]),
        ("pipeline('t', 'o\\u002fm')", ["o/m"]),
        ("const a = b; const b = a; pipeline('t', a)", [None]),
        ("const m = `${x}/m`; pipeline('t', m)", [None]),
    ],
)  # fmt: skip
def test_constants_are_followed(code: str, names: list[str | None]) -> None:
    targets = [one.target and one.target.location for one in found_in(PIPE + code).references]
    assert targets == names


@pytest.mark.parametrize(
    "code",
    [
        "import { pipeline as p } from '@xenova/transformers'; p('t', 'o/m')",
        "import * as t from '@huggingface/transformers'; t.pipeline('t', 'o/m')",
        "const { pipeline: p } = require('@xenova/transformers'); p('t', 'o/m')",
        "const t = require('@xenova/transformers'); t.pipeline('t', 'o/m')",
        "import t = require('@huggingface/transformers'); t.pipeline('t', 'o/m')",
        "const { pipeline } = await import('@huggingface/transformers'); pipeline('t', 'o/m')",
        "import('@huggingface/transformers').then(({ pipeline }) => pipeline('t', 'o/m'))",
        "import { pipeline } from 'https://unpkg.com/@xenova/transformers@3'; pipeline('t', 'o/m')",
        "import { pipeline } from 'npm:@huggingface/transformers@3'; pipeline('t', 'o/m')",
        "import { pipeline } from 'https://esm.sh/@xenova/transformers@2.1?bundle'; pipeline('t', 'o/m')",
        "pipeline('t', 'o/m'); import { pipeline } from '@huggingface/transformers'",
    ],
)
def test_imports_of_every_kind_are_followed(code: str) -> None:
    assert javascript.hint(code.encode())
    assert told(code) == ["model hf:o/m"]


@pytest.mark.parametrize(
    "code",
    [
        "const c = new OpenAI(); c.responses.create({ model: 'gpt-4o' })",
        "let c; c ??= new OpenAI(); c.responses.create({ model: 'gpt-4o' })",
        "function get() { return new OpenAI() } get().responses.create({ model: 'gpt-4o' })",
        "function f(c: OpenAI) { c.responses.create({ model: 'gpt-4o' }) }",
        "class A { constructor(private c: OpenAI) {} f() { this.c.responses.create({ model: 'gpt-4o' }) } }",
        "class A { c = new OpenAI(); f() { this.c.responses.create({ model: 'gpt-4o' }) } }",
        "class A { constructor() { this.c = new OpenAI(); this.c.responses.create({ model: 'gpt-4o' }) } }",
        "const { responses } = new OpenAI(); responses.create({ model: 'gpt-4o' })",
        "const o = { model: 'gpt-4o' }; new OpenAI().responses.create({ ...o, n: 1 })",
        "const o = { model: 'gpt-4o' }; new OpenAI().responses.create(o)",
    ],
)
def test_clients_are_followed_to_where_they_were_made(code: str) -> None:
    assert told("import { OpenAI } from 'openai';" + code) == ["service openai:gpt-4o"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("new OpenAI({ baseURL: 'https://api.deepseek.com/v1' })", "service deepseek:m"),
        ("new OpenAI({ baseURL: process.env.U ?? 'http://localhost:11434/v1' })", "model ollama:m"),
        ("new OpenAI({ baseURL: process.env.U })", "service openai:m"),
        ("new OpenAI({ apiKey })", "service openai:m"),
    ],
)
def test_the_address_of_a_client_tells_who_answers(code: str, expected: str) -> None:
    assert told(f"import OpenAI from 'openai'; const c = {code}; c.responses.create({{ model: 'm' }})") == [
        expected
    ]


def test_the_address_of_a_client_in_a_field_tells_who_answers() -> None:
    code = (
        "import OpenAI from 'openai'; class A { c = new OpenAI({ baseURL: 'https://openrouter.ai/api/v1' });"
        " f() { return this.c.chat.completions.create({ model: 'o/m' }) } }"
    )
    assert told(code) == ["service openrouter:o/m"]


@pytest.mark.parametrize(
    ("imported", "path", "text"),
    [
        ("import { M } from './config'", "src/config.ts", "export const M = 'o/m'"),
        ("import { M } from './config.js'", "src/config.ts", "export const M = 'o/m'"),
        ("import { M } from '../config'", "config/index.ts", "const N = 'o/m'; export { N as M }"),
        ("import M from './config'", "src/config.mjs", "export default 'o/m'"),
        ("import { M } from '@/config'", "src/config.js", "exports.M = 'o/m'"),
        ("const { M } = require('./config')", "src/config.cjs", "module.exports = { M: 'o/m' }"),
        (
            "import * as c from './config'; const M = c.M",
            "src/config.ts",
            "export enum X { A } export const M = 'o/m'",
        ),
    ],
)
def test_constants_of_files_beside_are_followed(imported: str, path: str, text: str) -> None:
    assert told(f"{PIPE}{imported}; pipeline('t', M)", files={path: text}) == ["model hf:o/m"]


def test_clients_of_files_beside_are_followed_through_what_is_passed_on() -> None:
    files = {
        "src/lib/index.ts": "export * from './client'",
        "src/lib/client.ts": "import OpenAI from 'openai'; export const client = new OpenAI()",
    }
    code = "import { client } from './lib'; client.responses.create({ model: 'gpt-4o' })"
    assert told(code, files=files) == ["service openai:gpt-4o"]


def test_files_that_import_each_other_come_to_an_end() -> None:
    files = {"src/b.ts": "import { A } from './a'; export const B = A"}
    code = PIPE + "import { B } from './b'; export const A = B; pipeline('t', A)"
    assert told(code, files=files) == ["model ?"]


def test_only_the_scripts_of_a_component_are_code_and_lines_are_those_of_the_file() -> None:
    page = (
        f"<p>é pipeline('t', 'o/no')</p>\n<script setup lang=\"ts\">\n{PIPE}const m: string = 'o/m'\n"
        "pipeline('t', m)</script>\n<script>\npipeline('t', 'o/n')"
    )
    found = found_in(page, "a.vue").references
    assert [
        (one.location.line, one.location.column, one.target and one.target.location) for one in found
    ] == [
        (5, 1, "o/m"),
        (7, 1, "o/n"),
    ]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [("a.js", True), ("b/c.tsx", True), ("d.vue", True), ("e.d.ts", False), ("f.json", False), ("js", False)],
)
def test_files_are_wanted_by_their_ending(path: str, wanted: bool) -> None:
    assert javascript.DISCOVERER.wants(path) is wanted


@pytest.mark.parametrize(
    "data",
    [b"import x from 'fs'", b"openai", b"from 'openai-like'", b"'openai'", b""],
)
def test_files_without_a_known_import_are_not_parsed(data: bytes) -> None:
    assert not javascript.hint(data)


def test_a_package_is_known_without_version_folder_and_address() -> None:
    assert package_of("@a/b/c/d") == "@a/b"
    assert package_of("npm:a@^1.2/b") == "a"
    assert package_of("https://unpkg.com/@a/b@1.0.0/dist/x.js") == "@a/b"
    assert package_of("./a") is None
    assert loaders_of("fs") == ()
    assert find("openai", "OpenAI") is None


def test_code_with_errors_is_read_as_far_as_it_is_code() -> None:
    assert told(PIPE + "const = ; pipeline('t', 'o/m');\n}}} function (") == ["model hf:o/m"]


def test_bytes_that_are_no_text_are_no_names() -> None:
    (one,) = found_in(PIPE.encode() + b"pipeline('t', '\xff\xfe')").references
    assert one.target is None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b" " * (SOURCE_BYTES + 1), "bytes of code"),
        (b"(" * (NESTING + 1), "brackets nested"),
        (b"{a:" * 100_000, "brackets nested"),
        (b"`${" * (NESTING + 1), "brackets nested"),
        (b"a<" * (ANGLES + 1), "angle brackets"),
    ],
)
def test_code_that_the_parser_cannot_take_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        found_in(data)
    assert caught.value.reason is Reason.LIMIT
    assert words in caught.value.message


def test_a_parser_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aibom.discovery.javascript_tree.PARSE_SECONDS", 0.2)
    start = time.monotonic()
    with pytest.raises(UnreadableError, match="seconds of parsing"):
        found_in(b"}!" * 50_000)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"x=" + b"'a'+" * 2 * DEPTH + b"'b'", "nested deeper"),
        (b"if(a){}else " * 2 * DEPTH, "nested deeper"),
        (b"f();" * (CALL_COUNT + 1), "calls"),
    ],
)
def test_code_that_is_too_much_is_told_in_part(data: bytes, words: str) -> None:
    found = found_in(PIPE.encode() + b"pipeline('t', 'o/m');" + data, "a.js")
    assert [one.target and one.target.location for one in found.references] == ["o/m"]
    assert [(each.reason, words in each.message) for each in found.defects] == [(Reason.LIMIT, True)]


def test_names_that_double_at_every_step_come_to_an_end() -> None:
    code = "let a0 = x;" + "".join(f"let a{n + 1} = a{n} || a{n};" for n in range(60)) + "pipeline('t', a60)"
    assert told(PIPE + code) == ["model ?"]


def test_a_name_that_is_assigned_thousands_of_times_costs_little() -> None:
    code = "let a = 'o/m';" + "a = a.b;" * 3_000 + "pipeline('t', a);" * 300
    start = time.monotonic()
    found_in(PIPE + code)
    assert time.monotonic() - start < 5


_WORDS = re.findall(
    r"\S+\s?", PIPE + "const { a = 'o/m' } = b ?? `c${d}` ; pipeline ( 't' , a [ 0 ] . e ) => class"
)


@given(
    st.lists(
        st.sampled_from([*_WORDS, "(", ")", "{", "}", "[", "...", "'", "`", "<", "/", "\n"]), max_size=40
    )
)
def test_any_text_is_read_or_refused(words: list[str]) -> None:
    for path in ("a.js", "a.tsx", "a.svelte"):
        try:
            found = found_in("".join(words), path)
        except UnreadableError:
            continue
        lines = "".join(words).count("\n") + 1
        assert all(1 <= (one.location.line or 0) <= lines for one in found.references)
