import functools

import torch
import transformers
from peft import AutoPeftModelForCausalLM, PeftConfig, PeftModel

from sft import constants as C

load_base = functools.partial(
    transformers.AutoModelForCausalLM.from_pretrained,
    C.BASE_MODEL,
    revision=C.BASE_REVISION,
    torch_dtype=torch.bfloat16,
)


def merge(out_dir):
    base = load_base()
    peft_config = PeftConfig.from_pretrained(C.ADAPTER)
    assert peft_config.base_model_name_or_path == "HuggingFaceTB/SmolLM2-1.7B"
    model = PeftModel.from_pretrained(base, C.ADAPTER, revision="v0.3.1")
    model.load_adapter("acme-ai/smollm2-tone-lora", adapter_name="tone")
    merged = model.merge_and_unload()
    merged.save_pretrained(out_dir, safe_serialization=True)


def shortcut(adapter_dir):
    # same as PeftModel.from_pretrained(base, "ybelkada/opt-350m-lora")
    return AutoPeftModelForCausalLM.from_pretrained(adapter_dir, device_map="auto")


if __name__ == "__main__":
    merge("out/merged")
