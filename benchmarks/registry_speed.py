"""What it costs to look at models in a registry: requests and bytes, exact, and time over loopback.

python benchmarks/registry_speed.py [REPOSITORIES]

The registry is the small Hub of the tests, in a process of its own. Beside each number stands what a program
that downloads everything moves: `huggingface_hub.snapshot_download` of the same repositories.
"""

import io
import json
import multiprocessing
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.services.fake_hub import FakeHub  # noqa: E402

TENSORS = 300
GOALS = {"requests": 2, "bytes": 110_000, "repository": 6, "seconds": 60, "memory": 200}


def safetensors(size: int, tensors: int = TENSORS) -> bytes:
    step = size // tensors
    header = {
        f"model.layers.{number}.self_attn.q_proj.weight": {
            "dtype": "F16", "shape": [step // 2], "data_offsets": [number * step, (number + 1) * step],
        }
        for number in range(tensors)
    }  # fmt: skip
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(step * tensors)


def torch_zip(size: int) -> bytes:
    """As `torch.save` lays it out: stored members, the pickle first, an index at the end."""
    import torch  # noqa: PLC0415

    out = io.BytesIO()
    torch.save({f"layer.{number}": torch.zeros(size // TENSORS // 4) for number in range(TENSORS)}, out)
    return out.getvalue()


def small(number: int) -> dict[str, bytes]:
    """Seven documents and two tokenizer files, as a small model has them."""
    card = f"---\nlicense: mit\nbase_model: acme/base\n---\n# Model {number}\n".encode()
    return {
        "README.md": card,
        "config.json": b'{"model_type": "bert", "hidden_size": %d}' % number,
        "generation_config.json": b"{}",
        "special_tokens_map.json": b"{}",
        "tokenizer_config.json": b'{"tokenizer_class": "BertTokenizer"}',
        "tokenizer.json": b'{"version": "1.0", "added_tokens": [], "model": {"type": "WordPiece", "vocab": {}}}',
        "vocab.txt": b"[PAD]\n[UNK]\n",
        ".gitattributes": b"*.safetensors filter=lfs\n",
        "notes.txt": b"%d" % number,
    }


def serve(count: int, pipe: Connection) -> None:
    """Answers `count` and `reset` with what was asked so far, until the pipe is closed."""
    with FakeHub(tokens={"token"}) as hub:
        hub.add("one/safetensors", {"model.safetensors": safetensors(120_000_000)})
        with suppress(ImportError):
            hub.add("one/torch", {"pytorch_model.bin": torch_zip(120_000_000)})
        hub.add("one/thirty", {
            **{f"notes-{number:02}.txt": b"%d" % number for number in range(27)},
            **{f"model-{number}-of-3.safetensors": safetensors(400_000 + number * 600) for number in (1, 2, 3)},
        })  # fmt: skip
        shared = safetensors(600_000)
        for number in range(count):
            weights = shared if number % 10 else safetensors(600_000 + 600 * number)
            hub.add(f"many/model-{number:04}", {**small(number), "model.safetensors": weights})
        pipe.send((hub.url, hub.cdn, sorted(name for _, name in hub.repos)))
        while pipe.recv():
            asked = [*hub.requests, *hub.fetched]
            pipe.send((len(hub.requests), len(hub.fetched), sum(each.sent for each in asked)))
            hub.requests.clear()
            hub.fetched.clear()


class Hub:
    def __init__(self, count: int) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=serve, args=(count, theirs), daemon=True)
        self.process.start()
        self.url, self.cdn, self.names = self.pipe.recv()

    def asked(self) -> tuple[int, int, int]:
        """Requests to the Hub, requests to its content network, bytes of bodies; since the last time."""
        self.pipe.send("asked")
        found: tuple[int, int, int] = self.pipe.recv()
        return found

    def environment(self, home: str) -> dict[str, str]:
        return {
            **os.environ, "HF_ENDPOINT": self.url, "HF_TOKEN": "token", "HOME": home, "HF_HOME": home,
            "AIBOM_ALLOW_HOST": self.cdn.removeprefix("http://"), "PYTHONPATH": str(ROOT),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1",
        }  # fmt: skip


def scan(hub: Hub, *arguments: str) -> tuple[float, tuple[int, int, int]]:
    hub.asked()
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "aibom", "scan", *arguments, "--no-cache", "-q"]
        start = time.perf_counter()
        done = subprocess.run(command, env=hub.environment(home), stdout=subprocess.DEVNULL, check=False)
        seconds = time.perf_counter() - start
    assert done.returncode in (0, 1), done.returncode
    return seconds, hub.asked()


def download(hub: Hub, *names: str) -> tuple[int, int, int]:
    hub.asked()
    code = f"import huggingface_hub as h\nfor name in {names!r}: h.snapshot_download(name)"
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([sys.executable, "-c", code], env=hub.environment(home), check=True)
    return hub.asked()


def told(what: str, found: tuple[int, int, int], other: tuple[int, int, int] | None, goal: str) -> None:
    theirs = f"{sum(other[:2]):,} / {other[2]:,}" if other else ""
    print(f"{what:34} {found[0]:>7,} {found[1]:>7,} {found[2]:>13,}  {theirs:>22}  {goal}")


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    hub = Hub(count)
    print(f"{'what':34} {'hub':>7} {'content':>7} {'bytes':>13}  {'downloading all':>22}  goal")
    for name in ("one/safetensors", "one/torch"):
        if name in hub.names:
            _, found = scan(hub, f"hf://{name}")
            told(f"one file, 120 MB: {name}", found, download(hub, name), "2 content requests, 110,000 bytes")
    _, found = scan(hub, "hf://one/thirty")
    told("30 files, 27 of them small", found, download(hub, "one/thirty"), "6 and one for each small file")
    with tempfile.TemporaryDirectory() as folder:
        seconds, found = scan(hub, "hf://many/*", "--into", folder)
        documents = len(list(Path(folder).glob("*.cdx.json"))) - 1
    told(f"{count:,} repositories of 10 files", found, None, "")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    rate = sum(found[:2]) / seconds
    print(
        f"{documents:,} documents in {seconds:.1f} s (goal {60 * count / 1000:.0f} s), {rate:,.0f} requests per second,"
    )
    print(f"{peak:.0f} MB at most (goal {GOALS['memory']} MB)")
    return int(documents != count)


if __name__ == "__main__":
    sys.exit(main())
