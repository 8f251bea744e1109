/** All the names in one place. */
export const MODEL_SMALL = "claude-3-haiku-20240307";

export const summaries = {
  model: "claude-3-5-sonnet-20241022",
  language: "en",
} as const;

// next: "claude-opus-4-20250514"
export const RETIRED = ["claude-instant-1.2", "text-davinci-003"];
