"""Files that PyTorch writes: state dicts, whole modules, checkpoints, TorchScript, every kind of tensor."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import argparse
import datetime as dt
import warnings
from collections import Counter, OrderedDict, defaultdict
from pathlib import PurePosixPath
from typing import Any

from corpus.writer import SEED, Corpus, Generator


def net() -> Any:
    from torch import nn

    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def tensors() -> dict[str, Any]:
    import torch

    x = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    view = x[1:, ::2]
    return {
        "float": x,
        "view": {"all": x, "view": view, "transposed": x.t()},
        "parameter": torch.nn.Parameter(x),
        "buffer": torch.nn.Buffer(x),
        "bfloat16": x.bfloat16(),
        "half": x.half(),
        "float8": {"e4m3": x.to(torch.float8_e4m3fn), "e5m2": x.to(torch.float8_e5m2)},
        "complex": {"c64": x.to(torch.complex64), "c128": x.to(torch.complex128), "conj": x.to(torch.complex64).conj()},
        "integers": [x.to(d) for d in (torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool)],
        "unsigned": [x.to(d) for d in (torch.uint16, torch.uint32, torch.uint64)],
        "sparse_coo": x.to_sparse(),
        "sparse_csr": x.to_sparse_csr(),
        "sparse_csc": x.to_sparse_csc(),
        "sparse_bsr": torch.eye(4).to_sparse_bsr((2, 2)),
        "quantised": torch.quantize_per_tensor(x, 0.1, 0, torch.qint8),
        "quantised_per_channel": torch.quantize_per_channel(
            x, torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 0, 0]), 0, torch.quint8
        ),
        "nested": torch.nested.nested_tensor([x[0], x[1, :2]]),
        "jagged": torch.nested.nested_tensor([x[0], x[1, :2]], layout=torch.jagged),
        "meta": torch.empty(2, 2, device="meta"),
        "empty": torch.empty(0),
        "scalar": torch.tensor(3.5),
        "dtype_device_size": {"dtype": torch.float16, "device": torch.device("cuda", 0), "size": x.shape,
                              "layout": torch.strided},
        "requires_grad": x.clone().requires_grad_(),
        "numpy": {"array": x.numpy(), "scalar": x.numpy()[0, 1], "float64": x.double().numpy().mean()},
        "storage": x.untyped_storage(),
        "typed_storage": torch.FloatStorage([1.0, 2.0]),
    }  # fmt: skip


def write_tensors(corpus: Corpus) -> None:
    import torch

    for title, value in tensors().items():
        torch.save(value, corpus.benign("torch tensors", f"{title}.pt"))
    for title in ("float", "view", "bfloat16", "integers", "sparse_coo", "complex"):
        path = corpus.benign("torch legacy", f"{title}.pth")
        torch.save(tensors()[title], path, _use_new_zipfile_serialization=False)


def modules() -> dict[str, Any]:
    from torch import nn

    lazy = nn.ModuleDict(
        {"conv": nn.Conv2d(1, 2, 3), "pool": nn.AdaptiveAvgPool2d(1), "drop": nn.Dropout(0.1)}
    )
    return {
        "sequential": net(),
        "linear": nn.Linear(2, 2),
        "convolutions": nn.ModuleList(
            [nn.Conv1d(1, 2, 3), nn.ConvTranspose2d(1, 1, 2), nn.MaxPool2d(2), nn.Flatten()]
        ),
        "recurrent": nn.ModuleList([nn.LSTM(4, 4, 2), nn.GRU(4, 4, bidirectional=True), nn.RNN(2, 2)]),
        "transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu"), 1),
        "transformer_relu": nn.TransformerEncoderLayer(8, 2, 16),
        "embedding": nn.Embedding(10, 4, padding_idx=0),
        "embedding_bag": nn.EmbeddingBag(10, 4),
        "norms": nn.ModuleList([nn.LayerNorm(4), nn.GroupNorm(2, 4), nn.RMSNorm(4), nn.InstanceNorm2d(2)]),
        "activations": nn.ModuleList(
            [nn.GELU(), nn.SiLU(), nn.Softmax(-1), nn.LeakyReLU(), nn.PReLU(), nn.Tanh()]
        ),
        "dict": lazy,
        "losses": nn.ModuleList([nn.CrossEntropyLoss(), nn.MSELoss(), nn.BCEWithLogitsLoss()]),
        "attention": nn.MultiheadAttention(8, 2),
        "parameters": nn.ParameterList([nn.Parameter(nn.Linear(2, 2).weight.detach())]),
    }


def write_modules(corpus: Corpus) -> None:
    import torch

    for n, (title, module) in enumerate(modules().items()):
        torch.save(
            module, corpus.benign("torch module", f"{title}.pt"), _use_new_zipfile_serialization=n % 4 != 3
        )
    weights = net().state_dict()
    torch.save(weights, corpus.benign("torch state dict", "pytorch_model.bin"))
    torch.save(
        weights, corpus.benign("torch state dict", "weights.pth"), _use_new_zipfile_serialization=False
    )
    torch.save(weights, corpus.benign("torch state dict", "protocol_4.pt"), pickle_protocol=4)
    torch.save(OrderedDict(weights), corpus.benign("torch state dict", "ordered.ckpt"))
    torch.save({"model": weights, "ema": weights}, corpus.benign("torch state dict", "no_suffix"))


def trained(make: Any) -> Any:
    """The optimizer after one step, so that it has a state."""
    import torch

    model = net()
    optimizer = make(model.parameters(), lr=0.01)
    model(torch.ones(3, 4)).sum().backward()
    optimizer.step(None if not isinstance(optimizer, torch.optim.LBFGS) else lambda: torch.tensor(0.0))
    return model, optimizer


def write_checkpoints(corpus: Corpus) -> None:
    from torch import optim, save

    names = (
        "Adam",
        "AdamW",
        "SGD",
        "RMSprop",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "NAdam",
        "RAdam",
        "ASGD",
        "Rprop",
        "LBFGS",
        "Adafactor",
    )
    for n, title in enumerate(names):
        model, optimizer = trained(getattr(optim, title))
        checkpoint = {
            "epoch": n,
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "loss": 0.5,
        }
        save(
            checkpoint,
            corpus.benign("torch checkpoint", f"{title}.pt"),
            _use_new_zipfile_serialization=n % 3 != 2,
        )


def schedulers(optimizer: Any) -> dict[str, Any]:
    from torch.optim import lr_scheduler as lr

    return {
        "step": lr.StepLR(optimizer, 3),
        "multi_step": lr.MultiStepLR(optimizer, [2, 4]),
        "cosine": lr.CosineAnnealingLR(optimizer, 10),
        "one_cycle": lr.OneCycleLR(optimizer, 0.1, total_steps=10),
        "plateau": lr.ReduceLROnPlateau(optimizer),
        "lambda": lr.LambdaLR(optimizer, lambda _: 1.0),
        "sequential": lr.SequentialLR(
            optimizer, [lr.LinearLR(optimizer), lr.ExponentialLR(optimizer, 0.9)], [2]
        ),
    }


def write_training(corpus: Corpus) -> None:
    """What training loops keep beside the weights."""
    import torch

    model, optimizer = trained(torch.optim.SGD)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for title, scheduler in schedulers(optimizer).items():
            torch.save(
                {"scheduler": scheduler.state_dict()},
                corpus.benign("torch checkpoint", f"scheduler_{title}.pt"),
            )
    scaler = torch.amp.GradScaler("cpu")
    torch.save(scaler.state_dict(), corpus.benign("torch checkpoint", "scaler.pt"))
    averaged = torch.optim.swa_utils.AveragedModel(model)
    torch.save(averaged.state_dict(), corpus.benign("torch checkpoint", "averaged.pt"))
    torch.save(optimizer, corpus.benign("torch checkpoint", "whole_optimizer.pt"))
    extras = {
        "args": argparse.Namespace(lr=0.1, output="runs/1"),
        "counter": Counter("aab"),
        "by_class": defaultdict(int, {"cat": 3}),
        "lists": defaultdict(list),
        "path": PurePosixPath("runs/1"),
        "time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "rng": torch.get_rng_state(),
        "labels": {"cat", "dog"},
        "frozen": frozenset({1, 2}),
        "slice": slice(1, 2),
        "bytes": b"\x00\x01",
        "complex": 1j,
    }
    for title, value in extras.items():
        torch.save(
            {"model": model.state_dict(), title: value},
            corpus.benign("torch checkpoint", f"with_{title}.ckpt"),
        )


def write_scripts(corpus: Corpus) -> None:
    import torch

    quantised = torch.ao.quantization.quantize_dynamic(net(), {torch.nn.Linear}, torch.qint8)
    torch.save(quantised.state_dict(), corpus.benign("torch module", "quantised_state.pt"))
    traced = torch.jit.trace(net().eval(), torch.ones(2, 4))
    scripted = torch.jit.script(net().eval())
    for title, module in {
        "traced": traced,
        "scripted": scripted,
        "frozen": torch.jit.freeze(scripted),
        "lstm": torch.jit.script(torch.nn.LSTM(4, 4)),
        "quantised": torch.jit.script(quantised),
        "convolution": torch.jit.trace(torch.nn.Conv2d(1, 1, 3), torch.ones(1, 1, 5, 5)),
    }.items():
        torch.jit.save(module, str(corpus.benign("torch script", f"{title}.pt")))
    extra = {"labels.txt": "cat\ndog\n"}
    torch.jit.save(traced, str(corpus.benign("torch script", "with_extra_file.pt")), _extra_files=extra)
    program = torch.export.export(net().eval(), (torch.ones(2, 4),))
    torch.export.save(program, str(corpus.benign("torch export", "program.pt2")))


def seeded(generate: Generator) -> Generator:
    def run(corpus: Corpus) -> None:
        import torch

        torch.manual_seed(SEED)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            generate(corpus)

    run.__name__ = generate.__name__
    return run


GENERATORS: tuple[Generator, ...] = tuple(
    map(seeded, (write_tensors, write_modules, write_checkpoints, write_training, write_scripts))
)
