"""Copies checkpoints to the mirror in our own data centre."""
import click
import huggingface_hub as hub
import modelscope
from huggingface_hub import HfApi
from modelscope import snapshot_download as ms_download
from modelscope.msdatasets import MsDataset

WANTED = ("BAAI/bge-reranker-base", "Alibaba-NLP/gte-base-en-v1.5")


@click.group()
@click.option("--quiet/--loud", default=False, help="Hide lines like 'org/name: done'")
def cli(quiet):
    """Mirrors e.g. bigscience/bloom."""


@cli.command("hf")
@click.option("--repo", "repo", default="prajjwal1/bert-tiny", show_default=True)
@click.option("--rev", default="6f75de8b60a9f8a2fdf7b69cbd86d9e64bcb3837")
def from_hf(repo, rev):
    for extra in WANTED:
        hub.snapshot_download(extra, local_dir="mirror")
    hub.hf_hub_download(repo_id=repo, filename="pytorch_model.bin", revision=rev)
    state = hub.load_state_dict_from_file("mirror/pytorch_model.bin", map_location="cpu")
    click.echo(f"{len(state)} tensors of bert-base-multilingual-cased")
    HfApi().upload_folder(folder_path="mirror", repo_id="acme-ai/mirror")


@cli.command("ms")
@click.argument("name")
def from_modelscope(name):
    ms_download("iic/nlp_corom_sentence-embedding_chinese-base", revision="v1.1.0")
    modelscope.AutoModelForCausalLM.from_pretrained("Qwen/Qwen2-0.5B", device_map="cpu")
    MsDataset.load("AI-ModelScope/alpaca-gpt4-data-zh", split="train")
    ms_download(name)


if __name__ == "__main__":
    cli()
