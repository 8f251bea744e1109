import hydra
import torch
from datasets import load_dataset as hf_load_dataset
from hydra.utils import instantiate, to_absolute_path
from omegaconf import DictConfig, OmegaConf
from transformers import AutoImageProcessor, AutoModelForImageClassification

DEFAULT_PROCESSOR = "google/vit-base-patch16-224-in21k"


def load_dataset(cfg: DictConfig):
    """Own reader; `load_dataset("beans")` of the datasets library is below."""
    return torch.utils.data.TensorDataset(torch.zeros(cfg.rows, 3))


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float:
    print(OmegaConf.to_yaml(cfg))
    toy = load_dataset(cfg.toy)
    real = hf_load_dataset(cfg.data.path, revision=cfg.data.revision)
    processor = AutoImageProcessor.from_pretrained(DEFAULT_PROCESSOR)
    model = AutoModelForImageClassification.from_pretrained(
        cfg.model.name,
        num_labels=cfg.data.classes,
        ignore_mismatched_sizes=True,
    )
    optimizer = instantiate(cfg.optim, params=model.parameters())
    if (resume := cfg.get("resume")) is not None:
        model.load_state_dict(torch.load(to_absolute_path(resume)))
    return float(len(toy) + len(real) + len(processor) + len(optimizer.param_groups))


if __name__ == "__main__":
    main()
