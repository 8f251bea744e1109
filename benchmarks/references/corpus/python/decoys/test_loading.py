from unittest import mock

import pytest

from searchkit.index import Index


@pytest.fixture
def fake_encoder():
    with mock.patch("sentence_transformers.SentenceTransformer") as m:
        m.return_value.encode.return_value = [[0.0, 1.0]]
        yield m


@mock.patch("searchkit.index.CrossEncoder")
@mock.patch("searchkit.index.SentenceTransformer")
def test_names(encoder, cross):
    Index()
    encoder.assert_called_once_with("BAAI/bge-base-en-v1.5", revision=mock.ANY)
    cross.assert_called_once_with("acme-ai/search-reranker")


@pytest.mark.parametrize("name", ["bert-base-uncased", "openai-community/gpt2", "models:/fraud/1"])
def test_slug(name):
    assert name.split("/")[-1]


def test_message(capsys):
    print("AutoModel.from_pretrained('roberta-base') failed: torch.hub.load('pytorch/vision', 'alexnet')")
    assert "roberta-base" in capsys.readouterr().out
