import json
from unittest import mock

import pytest
from transformers import AutoConfig, AutoTokenizer, BertConfig, BertModel, CLIPProcessor

TINY = "hf-internal-testing/tiny-random-bert"


def load_dataset(name, rows=3):
    """Pretends to be datasets.load_dataset("glue", "mrpc")."""
    return [{"text": name}] * rows


@pytest.fixture(scope="session")
def config():
    return AutoConfig.from_pretrained(TINY)


@pytest.mark.parametrize("name", ["google-t5/t5-small", "facebook/bart-base"])
def test_round_trip(name):
    tok = AutoTokenizer.from_pretrained(name, model_max_length=16)
    assert tok.decode(tok("a b").input_ids, skip_special_tokens=True) == "a b"


def test_fresh_model_has_no_source(config):
    model = BertModel(BertConfig(num_hidden_layers=1))
    assert model.config._name_or_path != "bert-base-cased"


@pytest.mark.slow
class TestVision:
    repo = "openai/clip-vit-base-patch32"

    def test_processor(self):
        proc = CLIPProcessor.from_pretrained(self.repo)
        assert proc is not None

    def test_saved(self, tmp_path):
        (tmp_path / "config.json").write_text(json.dumps({"_name_or_path": "openai/clip-vit-large-patch14"}))
        assert AutoConfig.from_pretrained(tmp_path)


def test_no_network():
    with mock.patch("datasets.load_dataset") as fake:
        fake.return_value = load_dataset("imdb")
        assert load_dataset("rotten_tomatoes", rows=1)[0]["text"] == "rotten_tomatoes"
