"""Model folders as transformers, Lightning and others write them: configurations, templates, training arguments."""
# ruff: noqa: PLC0415 - a library that is not installed costs its own files only

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

from corpus import templates
from corpus.writer import Corpus, Generator

XML = '<?xml version="1.0"?>\n<net name="net" version="11"><layers><layer id="0" name="x" type="Parameter"/></layers></net>\n'
PMML = '<?xml version="1.0"?>\n<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header copyright="2026"/></PMML>\n'


def write_documents(corpus: Corpus) -> None:
    for title, template in templates.ORDINARY.items():
        config = {"tokenizer_class": "LlamaTokenizer", "model_max_length": 4096, "chat_template": template}
        corpus.benign("template", f"{title}/tokenizer_config.json").write_text(json.dumps(config, indent=2))
        corpus.benign("template", f"{title}/chat_template.jinja").write_text(template)
    corpus.benign("xml", "model.xml").write_text(XML)
    corpus.benign("xml", "model.pmml").write_text(PMML)
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    corpus.benign("configuration", "sentence/modules.json").write_text(json.dumps(modules))
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    corpus.benign("configuration", "diffusion/model_index.json").write_text(json.dumps(index))


def write_transformers(corpus: Corpus) -> None:
    """A tiny model with its configuration in both weight formats, and the arguments that Trainer keeps."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, TrainingArguments
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    small: dict[str, Any] = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    model = LlamaForCausalLM(LlamaConfig(vocab_size=16, **small))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        for file in sorted(Path(folder).iterdir()):
            corpus.benign("transformers", file.name).write_bytes(file.read_bytes())
    torch.save(model.state_dict(), corpus.benign("transformers", "pytorch_model.bin"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = TrainingArguments(output_dir="out", use_cpu=True)
    torch.save(arguments, corpus.benign("transformers", "training_args.bin"))
    logging.disable(logging.NOTSET)


def write_lightning(corpus: Corpus) -> None:
    """A checkpoint of one step of Lightning."""
    import lightning
    import torch

    class Net(lightning.LightningModule):
        def __init__(self, width: int = 4) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)

        def training_step(self, batch: Any, _: int) -> Any:
            return self.layer(batch).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters())

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_steps=1, accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=True, default_root_dir=folder,
        )  # fmt: skip
        trainer.fit(Net(), torch.utils.data.DataLoader(torch.ones(4, 4), batch_size=2))
        trainer.save_checkpoint(corpus.benign("lightning", "last.ckpt"))


def write_peft(corpus: Corpus) -> None:
    """An adapter in the old format of its weights."""
    import torch
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
    from transformers import LlamaConfig, LlamaForCausalLM

    small: dict[str, Any] = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(
            LlamaForCausalLM(LlamaConfig(vocab_size=16, **small)), LoraConfig(r=2, target_modules=["q_proj"])
        )
    torch.save(get_peft_model_state_dict(model), corpus.benign("peft", "adapter_model.bin"))
    model.peft_config["default"].save_pretrained(corpus.benign("peft", "adapter_config.json").parent)


GENERATORS: tuple[Generator, ...] = (write_documents, write_transformers, write_lightning, write_peft)
