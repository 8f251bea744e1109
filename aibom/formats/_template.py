"""Chat templates: what a Jinja program would reach for, and how long it would run. Never rendered.

Source: jinja.palletsprojects.com/templates, transformers `utils.chat_template_utils`.
"""

from __future__ import annotations

from typing import Final

from aibom.domain.errors import UnreadableError
from aibom.domain.facts import Attribute, Capability, Defect
from aibom.domain.limits import MIB
from aibom.formats._document import Collector, details, place, text_digest
from aibom.readers.hazards import Hazards
from aibom.readers.json import Json

TEMPLATE_BYTES: Final = 1 * MIB


def examine_template(text: str, hazards: Hazards, offset: int | None = None) -> tuple[Defect, ...]:
    """Adds a hazard for each thing that is unsafe in the template, told by its syntax tree.

    `offset` is where the template starts in its file, in bytes; every hazard gets it, since an
    escaped text has no byte of its own per character. Returns why the template could not be
    looked at, if so: a template that does not parse has no hazards, but a defect. Raises nothing.
    """
    # Jinja is imported with the first template, not with the program.
    from aibom.formats import _template_access, _template_cost, _template_tree  # noqa: PLC0415

    try:
        tree = _template_tree.parsed(text, TEMPLATE_BYTES)
    except UnreadableError as error:
        return (Defect(reason=error.reason, message=f"chat template: {error.message}", offset=offset),)
    _template_access.examine(tree, hazards, offset)
    _template_cost.examine(tree, hazards, offset)
    return ()


def state_templates(found: Collector, document: dict[str, Json]) -> None:
    """States the `chat_template` of a configuration.

    It is a template, a list of objects with name and template, or (older) a mapping of both.
    """
    value = document.get("chat_template")
    if isinstance(value, str):
        state_template(found, value, place("chat_template"), "default")
    elif isinstance(value, list):
        for at, named in found.objects(document, "chat_template"):
            state_template(found, named.get("template"), at + place("template"), named.get("name"))
    else:
        for name, template in found.object(document, "chat_template").items():
            state_template(found, template, place("chat_template", name), name)


def state_template(found: Collector, template: Json, at: str, name: Json) -> None:
    """States the digest of one template and examines it."""
    if not isinstance(template, str):
        found.mistyped(at, template, "a text")
        return
    found.add(Attribute.CHAT_TEMPLATE_SHA256, text_digest(template), at, details(name=name))
    found.capabilities.add(Capability.CHAT_TEMPLATE)
    found.defects.extend(examine_template(template, found.hazards))
