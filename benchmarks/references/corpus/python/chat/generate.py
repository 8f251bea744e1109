import argparse

import transformers as tf_lib
from transformers import AutoModelForCausalLM as CausalLM
from transformers import AutoTokenizer, GenerationConfig, TextStreamer


def parse_args():
    parser = argparse.ArgumentParser(description="Chat with a local model, for example mistralai/Mistral-7B-v0.1")
    parser.add_argument("--model", default="Qwen/Qwen2.5-7B-Instruct", help="model id, e.g. google/gemma-2-9b-it")
    parser.add_argument("--draft-model", type=str, required=True)
    parser.add_argument("--revision", default="main")
    parser.add_argument("--max-new-tokens", type=int, default=256)
    return parser.parse_args()


def main():
    args = parse_args()
    tok = AutoTokenizer.from_pretrained(args.model)
    model = CausalLM.from_pretrained(args.model, revision=args.revision, device_map="auto")
    draft = CausalLM.from_pretrained(args.draft_model, device_map="auto")
    gen = GenerationConfig(max_new_tokens=args.max_new_tokens, do_sample=False)
    safety = tf_lib.pipeline("text-classification", model="acme-ai/guard-small", revision="v2", top_k=None)

    # objects, not names: nothing is fetched here
    pipe = tf_lib.pipeline("text-generation", model=model, tokenizer=tok)

    while True:
        line = input("> ")
        if not line:
            break
        if safety(line)[0][0]["label"] == "unsafe":
            print("refused")
            continue
        print(pipe(line, generation_config=gen, assistant_model=draft, streamer=TextStreamer(tok)))


if __name__ == "__main__":
    main()
