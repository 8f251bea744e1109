"""Options that mean the same in so many programs that the program does not matter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aibom.discovery.command import Command, Referred
from aibom.discovery.environment import model_named
from aibom.discovery.targets import NOTHING, hub
from aibom.domain.component import ComponentKind
from aibom.readers.marks import UNKNOWN

_MODEL: Final = ComponentKind.MODEL
_MODELS: Final = (
    "--model_name_or_path", "--model-name-or-path", "--pretrained_model_name_or_path", "--base_model",
    "--base-model", "--hf-repo", "--pretrained_model", "--teacher_model_name_or_path", "--hf_model_id",
)  # fmt: skip
_DATASETS: Final = ("--dataset_name", "--dataset-name", "--dataset_repo_id")
_OPTIONS: Final[dict[str, tuple[ComponentKind, str]]] = {
    **dict.fromkeys(_MODELS, (_MODEL, "hf")),
    **dict.fromkeys(("--tokenizer_name", "--tokenizer_name_or_path"), (ComponentKind.TOKENIZER, "hf")),
    **dict.fromkeys(("--adapter_name_or_path", "--peft_model_id"), (ComponentKind.ADAPTER, "hf")),
    **dict.fromkeys(_DATASETS, (ComponentKind.DATASET, "hf-dataset")),
}  # fmt: skip
_SERVED: Final = ("--model", "--model-id", "--model_id", "--model-path", "--model_path", "--hf-model")


def _given(command: Command) -> set[str]:
    return {word.partition("=")[0] for word in command.words if word.startswith("--")}


def _revision(command: Command, kind: ComponentKind) -> str | None:
    """The revision of one kind; of the others a plain one or that of the model says nothing."""
    own = [f"--{kind.value}_revision", f"--{kind.value}-revision"]
    return command.option(*own, *(("--revision",) if kind is _MODEL else ()))


def by_option(command: Command) -> Iterator[Referred]:
    """Options whose name says that their value is of the Hub, for programs that are not known."""
    for option in sorted(_given(command) & _OPTIONS.keys()):
        kind, scheme = _OPTIONS[option]
        value = command.option(option)
        # `--dataset-name sharegpt` is a kind of data set in the benchmarks of servers.
        if value and (option != "--dataset-name" or "/" in value):
            target = hub(value, _revision(command, kind), scheme=scheme) if UNKNOWN not in value else NOTHING
            yield Referred(f"{command.program} {option}", kind, target, command.remote)


def by_argument(command: Command) -> Iterator[Referred]:
    """Arguments of a container whose image is not known: only values that can be nothing but a model."""
    for option in sorted(_given(command) & set(_SERVED)):
        found = model_named(command.option(option) or "", _revision(command, _MODEL))
        if found is not None:
            yield Referred(f"{command.program} {option}", *found, command.remote)
    yield from by_option(command)
