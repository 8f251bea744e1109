import { useState } from 'react';

type Option = { id: string; label: string };

// Labels only; the server decides what is called.
const OPTIONS: Option[] = [
  { id: 'fast', label: 'gpt-4o-mini' },
  { id: 'smart', label: 'claude-3-opus-20240229' },
];

/** Own helper, not the AI SDK. */
function openai(label: string) {
  return `openai:${label}`;
}

export function ModelPicker({ model = 'gpt-4' }: { model?: string }) {
  const [value, setValue] = useState(model);
  return (
    <label>
      {/* was: anthropic('claude-2') */}
      Model
      <select value={value} onChange={(e) => setValue(e.target.value)} title={openai('gpt-4o')}>
        {OPTIONS.map((o) => (
          <option key={o.id} value={o.id}>{o.label}</option>
        ))}
      </select>
      <p>Run <code>ollama pull llama3</code> for the offline mode.</p>
    </label>
  );
}
