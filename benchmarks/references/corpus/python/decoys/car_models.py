"""Inventory of rental cars: model means car model."""
import logging
from typing import NamedTuple

import requests

log = logging.getLogger("fleet")


class Car(NamedTuple):
    model: str
    revision: str = "2024"


class Client:
    def __init__(self, base="https://fleet.example.com/api"):
        self.base = base

    def create(self, model, **extra):
        return requests.post(f"{self.base}/cars", json={"model": model, **extra}, timeout=5).json()

    def chat(self, model, messages):
        log.info("chat about %s: %d messages", model, len(messages))

    def load_model(self, name):
        return requests.get(self.base + "/models/" + name, timeout=5).json()


def main():
    client = Client()
    client.create(model="tesla/model-3", revision="v2")
    client.create(model=Car("gemini-1.5-pro").model)
    client.chat(model="llama3.2", messages=[])
    client.load_model("vw/id-3")


if __name__ == "__main__":
    main()
