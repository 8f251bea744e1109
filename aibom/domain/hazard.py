"""What a file would do to whoever loads or unpacks it, other than through the imports of a pickle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aibom.domain.confidence import Confidence


class HazardKind(StrEnum):
    """Each kind is judged by the rule of the same name."""

    PICKLE_STRUCTURE = "pickle-structure"  # written so that loaders and scanners see different things
    ARCHIVE_STRUCTURE = "archive-structure"  # two readers of the archive see different members
    ARCHIVE_ESCAPE = "archive-escape"  # a member that is unpacked outside of the folder
    DECOMPRESSION_BOMB = "decompression-bomb"
    HIDDEN_PAYLOAD = "hidden-payload"  # an archive, pickle or program inside or behind other content
    AMBIGUOUS_HEADER = "ambiguous-header"  # two readers of the header see different tensors
    UNSAFE_TEMPLATE = "unsafe-template"  # a chat template that reaches for Python's internals
    ENDLESS_TEMPLATE = "endless-template"
    REMOTE_CODE = "remote-code"  # auto_map and friends name Python files to run
    DANGEROUS_CODE = "dangerous-code"  # such a file starts processes, opens sockets, hides strings
    EMBEDDED_CODE = "embedded-code"  # Lambda layers, marshalled functions
    MODULE_REFERENCE = "module-reference"  # a configuration that names a Python object to import
    GRAPH_OPERATION = "graph-operation"  # an operation of a graph that touches files or runs code
    CUSTOM_OPERATOR = "custom-operator"  # needs code that is not in the file
    NATIVE_CODE = "native-code"  # machine code: programs, shared libraries, TensorRT engines
    EXTERNAL_ENTITY = "external-entity"  # XML that makes its parser open files or addresses
    SECRET = "secret"  # noqa: S105 - the name of a kind, not one
    NETWORK_ADDRESS = "network-address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One observation. `found` is short and stable: it tells two hazards of a kind apart.

    `inside` says where in a container, outermost first, joined by "!"; `offset` is in bytes of the
    file, or of the innermost container whose content had to be inflated.
    """

    kind: HazardKind
    found: str
    message: str  # one clause, lower case, no full stop: "the template reads __globals__"
    offset: int | None = None
    inside: str = ""
    confidence: Confidence = Confidence.HIGH
