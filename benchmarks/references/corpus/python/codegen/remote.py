from transformers import AutoModelForCausalLM, AutoTokenizer, AutoModel, BertModel, T5ForConditionalGeneration

MODEL = "tiiuae/falcon-7b"
FAST = True


def build(use_big: bool, path: str):
    tokenizer = AutoTokenizer.from_pretrained(MODEL, trust_remote_code=True)
    lm = AutoModelForCausalLM.from_pretrained(
        pretrained_model_name_or_path=MODEL,
        trust_remote_code=True,
        revision="ec89142b67d748a1865ea4451372db8313ada0d8",
    )

    name = "Salesforce/codet5p-770m" if use_big else "Salesforce/codet5p-220m"
    t5 = T5ForConditionalGeneration.from_pretrained(name)

    safe = AutoModel.from_pretrained("jinaai/jina-embeddings-v2-base-code", trust_remote_code=False)
    local = BertModel.from_pretrained("./checkpoints/bert-docs/step-4000")
    custom = AutoModelForCausalLM.from_pretrained(path, trust_remote_code=FAST)
    return tokenizer, lm, t5, safe, local, custom


def usage():
    return "usage: remote.py bigcode/starcoder2-3b --trust-remote-code"
