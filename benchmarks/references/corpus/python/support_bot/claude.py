import os
import anthropic
from anthropic import Anthropic, AsyncAnthropic, AnthropicBedrock

DEFAULT_MODEL = "claude-3-5-sonnet-20241022"
MODELS = {
    "fast": "claude-3-haiku-20240307",
    "smart": "claude-3-opus-20240229",
}


def summarise(text: str, client: Anthropic) -> str:
    message = client.messages.create(
        model=DEFAULT_MODEL,
        max_tokens=1024,
        system="Summarise. Never say that you are claude-instant-1.2.",
        messages=[{"role": "user", "content": text}],
    )
    return message.content[0].text


def route(text, speed):
    c = anthropic.Anthropic(api_key=os.environ["ANTHROPIC_API_KEY"])
    return c.messages.create(model=MODELS[speed], max_tokens=100, messages=[{"role": "user", "content": text}])


async def live(text, model_name):
    ac = AsyncAnthropic()
    async with ac.messages.stream(model="claude-3-5-haiku-latest", max_tokens=300, messages=[{"role": "user", "content": text}]) as s:
        async for piece in s.text_stream:
            print(piece, end="")
    return await ac.messages.create(model=model_name, max_tokens=5, messages=[])


def via_aws(text):
    bedrock = AnthropicBedrock(aws_region="eu-central-1")
    return bedrock.messages.create(
        model="anthropic.claude-3-5-sonnet-20240620-v1:0",
        max_tokens=256,
        messages=[{"role": "user", "content": text}],
    )
