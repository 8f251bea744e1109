"""Generate README.md and the help page of the demo."""
import textwrap

README = textwrap.dedent(
    """
    # Demo

    ```python
    from transformers import pipeline
    nlp = pipeline("summarization", model="facebook/bart-large-cnn")
    ds = load_dataset("xsum", revision="main")
    ```

    Or with Ollama: `ollama run llama3:70b`.
    """
)

HELP = {
    "model": "Any hub id, for example mistralai/Mistral-7B-v0.1",
    "dataset": "load_dataset('glue', 'sst2')",
    "service": 'client.chat.completions.create(model="gpt-4o")',
}

# huggingface-cli download google/gemma-7b --revision main
# model = torch.load("weights.pt", weights_only=False)


def write(path="README.md"):
    with open(path, "w") as out:
        out.write(README)
        for key, value in sorted(HELP.items()):
            out.write(f"* `{key}`: {value}\n")


if __name__ == "__main__":
    write()
