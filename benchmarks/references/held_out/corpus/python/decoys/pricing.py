"""Price list (dollars per million tokens), shown on the billing page."""

PRICES = {
    "gpt-4o": (2.5, 10.0),
    "claude-3-5-sonnet-20241022": (3.0, 15.0),
    "gemini-1.5-pro": (1.25, 5.0),
}
LINKS = {"llama": "https://huggingface.co/meta-llama", "docs": "https://platform.openai.com/docs/models"}
HELP = """
$ ollama pull llama3
$ huggingface-cli download mistralai/Mistral-7B-v0.1
>>> torch.hub.load("ultralytics/yolov5", "yolov5s")
"""


def cost(model: str, tokens_in: int, tokens_out: int) -> float:
    price_in, price_out = PRICES[model]
    return (tokens_in * price_in + tokens_out * price_out) / 1e6


def test_cost():
    assert cost("gpt-4o", 1_000_000, 0) == 2.5
