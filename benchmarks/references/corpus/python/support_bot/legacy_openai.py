import openai
import instructor
from pydantic import BaseModel

openai.api_base = "https://api.openai.com/v1"


class Ticket(BaseModel):
    title: str
    model: str = "XR-500 vacuum cleaner"
    urgent: bool = False


def old(prompt):
    # text-davinci-003 was switched off
    return openai.ChatCompletion.create(model="gpt-3.5-turbo", messages=[{"role": "user", "content": prompt}])


def extract(text) -> Ticket:
    patched = instructor.from_openai(openai.OpenAI())
    return patched.chat.completions.create(
        model="gpt-4o-mini",
        response_model=Ticket,
        messages=[{"role": "user", "content": text}],
    )


def moderate(text):
    return openai.OpenAI().moderations.create(model="omni-moderation-latest", input=text).results[0].flagged


def finetuned(text):
    c = openai.OpenAI()
    return c.beta.chat.completions.parse(
        model="ft:gpt-4o-mini-2024-07-18:acme::9xTc1a2b",
        messages=[{"role": "user", "content": text}],
        response_format=Ticket,
    )


def create_ticket(model):
    """Not the API: our own ticket store."""
    return Ticket(title="x", model=model)


STORE = [create_ticket(model="gpt-4o"), create_ticket(model="claude-2.1")]
