import click
import torch
from peft import AutoPeftModelForCausalLM, LoraConfig, PeftConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig

ADAPTER = "acme-ai/qwen-contracts-lora"


@click.group()
def cli():
    pass


@cli.command()
@click.option("--base", default="Qwen/Qwen2.5-1.5B", show_default=True)
@click.option("--resume-from", required=True)
def train(base, resume_from):
    quant = BitsAndBytesConfig(load_in_4bit=True)
    model = AutoModelForCausalLM.from_pretrained(base, quantization_config=quant)
    model = get_peft_model(model, LoraConfig(r=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
    model.load_adapter(resume_from, adapter_name="previous")
    click.echo("training Qwen/Qwen2.5-1.5B with lora")


@cli.command()
def serve():
    conf = PeftConfig.from_pretrained(ADAPTER, revision="v0.4")
    base = AutoModelForCausalLM.from_pretrained(conf.base_model_name_or_path)
    model = PeftModel.from_pretrained(base, ADAPTER, revision="v0.4")
    model.load_adapter("acme-ai/qwen-invoices-lora", adapter_name="invoices")
    merged = AutoPeftModelForCausalLM.from_pretrained(
        "timdettmers/guanaco-7b", torch_dtype=torch.bfloat16
    ).merge_and_unload()
    merged.save_pretrained("out/merged")
    PeftModel.from_pretrained(merged, model_id="./adapters/style/final")


if __name__ == "__main__":
    cli()
