"""Texts that a loader acts on: code and templates in models, YAML that names Python objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aibom.domain.confidence import Confidence
from aibom.domain.errors import Reason
from aibom.domain.facts import Defect
from aibom.domain.hazard import HazardKind
from aibom.domain.limits import MIB, YAML_BYTES
from aibom.formats._code import CODE_BYTES, examine_python
from aibom.formats._hydra import examine_hydra
from aibom.formats._template import examine_template
from aibom.formats._torchscript import SOURCE_BYTES, examine_script
from aibom.formats.inside.part import Host, Part
from aibom.formats.inside.walk import Walk
from aibom.readers.hazards import Hazards

TEMPLATE_BYTES: Final = 1 * MIB
_NAMES: Final = (b"_target_", b"!!python", b"!python")
_Examine = Callable[[Part, bytes, Hazards], tuple[Defect, ...]]


def begins(part: Part) -> bool:
    """True by the name: code inside of a model, YAML, templates."""
    return _kind(part) is not None


def examine(walk: Walk, part: Part) -> bool:
    """Takes over what the text would do; a text is never a container."""
    kind = _kind(part)
    if kind is None:
        return False
    limit, look = kind
    hazards = Hazards()
    with walk.opened(part) as reader:
        if reader.size > limit:
            walk.defect(part, Reason.LIMIT, f"{reader.size} bytes of text, at most {limit} are examined")
            return False
        defects = look(part, reader.read_at(0, reader.size), hazards)
    walk.take(part, (), hazards.found, defects)
    return False


def _kind(part: Part) -> tuple[int, _Examine] | None:
    """How to look at the text, and at how many bytes of it."""
    if part.named(".py"):
        return _code(part)
    if part.named(".yaml", ".yml"):
        return YAML_BYTES, _yaml
    return (TEMPLATE_BYTES, _template) if part.named(".jinja") else None


def _code(part: Part) -> tuple[int, _Examine] | None:
    """Code is looked at where it comes with a model; elsewhere it is just a program."""
    if part.script:
        return SOURCE_BYTES, lambda part, data, hazards: examine_script(part.name, data, hazards)
    return (CODE_BYTES, _python) if part.depth and part.host is Host.MODEL else None


def _python(part: Part, data: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    message = f"the model brings code that its loader may run: {part.name[:80]}"
    hazards.add(HazardKind.REMOTE_CODE, part.name, message, confidence=Confidence.MEDIUM)
    return examine_python(data, hazards)


def _yaml(_: Part, data: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    return examine_hydra(data, hazards) if any(name in data for name in _NAMES) else ()


def _template(_: Part, data: bytes, hazards: Hazards) -> tuple[Defect, ...]:
    return examine_template(data.decode("utf-8", "replace"), hazards)
