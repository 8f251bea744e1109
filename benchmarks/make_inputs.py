"""Makes the inputs of the benchmarks: python benchmarks/make_inputs.py FOLDER [--scale 1.0]

shards4/  four safetensors shards of 1 GiB with index, configuration and card
one4g/    one safetensors file of 4 GiB
twenty/   20 small files of a model repository
tenk/     10,000 small files in 100 folders

The same seed gives the same bytes. The scale shrinks the weights and the 10,000 files, never the 20.
"""

import argparse
import json
import struct
import tempfile
from pathlib import Path

import numpy as np

KIB, MIB, GIB = 1024, 1024**2, 1024**3
TENSOR_BYTES = 16 * MIB
ROW = 2048  # elements of the last dimension, so that a tensor of 16 MiB has the shape [4096, 2048]
PARTS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)

MIX = ("py", "txt", "json", "py", "md", "csv", "py", "png", "py", "py")

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "num_hidden_layers": 44,
    "torch_dtype": "float16",
    "transformers_version": "4.51.0",
    "vocab_size": 32000,
}
CARD = """---
license: apache-2.0
language: [en]
library_name: transformers
pipeline_tag: text-generation
base_model: example/base-model
datasets: [example/instructions]
---
# Benchmark model

Random weights, made to measure speed.
"""
CODE = """import json
from transformers import AutoModel

model = AutoModel.from_pretrained("example/model-{n}", revision="main")
print(json.dumps({{"step": {n}}}))
"""


def tensor_names(first: int, count: int) -> list[str]:
    numbers = range(first, first + count)
    return [f"model.layers.{n // len(PARTS)}.{PARTS[n % len(PARTS)]}.weight" for n in numbers]


def write_safetensors(path: Path, names: list[str], tensor_bytes: int, seed: int) -> None:
    """F16 tensors of one size, filled with random bytes; holds one or two of them at a time."""
    shape = [tensor_bytes // 2 // ROW, ROW]
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    for n, name in enumerate(names):
        offsets = [n * tensor_bytes, (n + 1) * tensor_bytes]
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": offsets}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    chance = np.random.Generator(np.random.SFC64(seed))
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _ in names:
            file.write(chance.bytes(tensor_bytes))


def scaled(scale: float) -> int:
    """The bytes of a tensor: whole rows, at least one."""
    return max(1, int(TENSOR_BYTES * scale) // (2 * ROW)) * 2 * ROW


def make_shards(folder: Path, scale: float) -> None:
    count, tensor_bytes = GIB // TENSOR_BYTES, scaled(scale)
    weight_map: dict[str, str] = {}
    for shard in range(4):
        name = f"model-{shard + 1:05}-of-00004.safetensors"
        names = tensor_names(shard * count, count)
        write_safetensors(folder / name, names, tensor_bytes, seed=shard)
        weight_map |= dict.fromkeys(names, name)
    index = {"metadata": {"total_size": 4 * count * tensor_bytes}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    write_model_files(folder)


def make_single(folder: Path, scale: float) -> None:
    count, tensor_bytes = 4 * GIB // TENSOR_BYTES, scaled(scale)
    write_safetensors(folder / "model.safetensors", tensor_names(0, count), tensor_bytes, seed=4)
    write_model_files(folder)


def write_model_files(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2))
    (folder / "README.md").write_text(CARD)


def make_twenty(folder: Path) -> None:
    """What a small fine-tune looks like: weights of 1 MiB, configurations, code and a little data."""
    write_safetensors(folder / "model.safetensors", tensor_names(0, 16), 64 * KIB, seed=5)
    write_model_files(folder)
    documents: dict[str, object] = {
        "generation_config.json": {"temperature": 0.7, "top_p": 0.9},
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "model_max_length": 4096},
        "special_tokens_map.json": {"bos_token": "<s>", "eos_token": "</s>"},
        "trainer_state.json": {"epoch": 3.0, "global_step": 300, "log_history": []},
        "all_results.json": {"eval_loss": 1.25, "train_loss": 1.0},
    }
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document, indent=2))
    texts = {
        "requirements.txt": "transformers==4.51.0\ntorch==2.13.0\n",
        "LICENSE": "Apache License, Version 2.0\n",
        ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n",
        "training.yaml": "learning_rate: 2.0e-5\nepochs: 3\n",
        "train.csv": rows(0, 200),
        "valid.csv": rows(1, 50),
    }
    texts |= {
        f"{name}.py": CODE.format(n=n)
        for n, name in enumerate(("train", "evaluate", "serve", "data", "utils", "app"))
    }
    for name, text in texts.items():
        (folder / name).write_text(text)


def rows(seed: int, count: int) -> str:
    lines = (f"{n},sentence {seed} {n},{(n + seed) % 2}\n" for n in range(count))
    return "id,text,label\n" + "".join(lines)


def small_file(suffix: str, n: int, chance: np.random.Generator) -> bytes:
    size = int(chance.integers(1, 100))
    if suffix == "png":
        return b"\x89PNG\r\n\x1a\n" + chance.bytes(100 * size)
    if suffix == "json":
        return json.dumps({"id": n, "values": chance.integers(0, 99, size).tolist()}).encode()
    if suffix == "csv":
        return rows(n, size).encode()
    line = {"py": "CONSTANT = 1\n", "txt": "a line of plain text\n", "md": "Some *words* on a line.\n"}[
        suffix
    ]
    front = {"py": CODE.format(n=n), "txt": "", "md": f"# Notes {n}\n\n"}[suffix]
    return (front + line * size).encode()


def make_ten_thousand(folder: Path, scale: float) -> None:
    chance = np.random.Generator(np.random.SFC64(6))
    for n in range(int(10_000 * scale)):
        suffix = MIX[(n + n // 100) % len(MIX)]
        place = folder / f"part{n % 100:02}"
        place.mkdir(exist_ok=True)
        (place / f"file{n:05}.{suffix}").write_bytes(small_file(suffix, n, chance))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, help="is made; must not exist")
    options.add_argument("--scale", type=float, default=1.0, help="of the sizes, e.g. 0.01 for a quick try")
    given = options.parse_args()
    if given.folder.exists() or not 0 < given.scale <= 1:
        options.error("the folder must not exist, and the scale must be more than 0 and at most 1")
    given.folder.parent.mkdir(parents=True, exist_ok=True)
    # Under another name until it is complete: a run that was stopped must not pass for the inputs.
    with tempfile.TemporaryDirectory(dir=given.folder.parent) as partial:
        folder = Path(partial) / given.folder.name
        for name in ("shards4", "one4g", "twenty", "tenk"):
            (folder / name).mkdir(parents=True)
        make_shards(folder / "shards4", given.scale)
        make_single(folder / "one4g", given.scale)
        make_twenty(folder / "twenty")
        make_ten_thousand(folder / "tenk", given.scale)
        folder.rename(given.folder)


if __name__ == "__main__":
    main()
