"""Containers as pods run them, and those that are known to verify a model before the others start.

A name proves nothing, because whoever writes the pod chooses it: a container is known by the digest of
its image and by everything that decides what it does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from aibom.domain.errors import UnreadableError, malformed
from aibom.domain.limits import MIB
from aibom.readers.located_yaml import Located, parse
from aibom.trust.fields import Fields

DOCUMENT_BYTES: Final = 1 * MIB
ARGUMENT_COUNT: Final = 1_000
MOUNT_COUNT: Final = 1_000
_DIGEST: Final = re.compile(r"[^\s@]+@sha256:([0-9a-f]{64})")
# What a container may say besides, because it does not decide what is verified: the command has to end
# well before any other container starts, whoever it runs as and however long it takes.
_HARMLESS: Final = frozenset(
    ("name", "resources", "imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy",
     "securityContext", "image", "command", "args", "volumeMounts")
)  # fmt: skip
# Kubernetes mounts it into every container.
_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What decides what a container does. `digest` is hex SHA-256, None for an image named by a tag."""

    digest: str | None
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    mounts: frozenset[str] = frozenset()
    plain: bool = True  # nothing else changes what it does: no variable, probe, folder or restart

    def is_one(self, known: Container) -> bool:
        """Whether it does what the known one does; it may mount less, which makes it fail."""
        same = (self.digest, self.command, self.args) == (known.digest, known.command, known.args)
        return same and self.plain and self.digest is not None and self.mounts <= known.mounts


def digest_of(reference: str) -> str | None:
    """The hex SHA-256 that an image reference ends with, None when it names a tag or nothing."""
    found = _DIGEST.fullmatch(reference)
    return found[1] if found else None


def read_container(container: Fields) -> Container:
    """A container of a pod. Raises `UnreadableError`."""
    members = container.document()
    assert isinstance(members, dict)  # what `Fields` is made of
    mounts = (each.text("mountPath") for each in container.sections("volumeMounts", MOUNT_COUNT))
    return Container(
        digest=digest_of(container.text("image", "")),
        command=container.texts("command", ARGUMENT_COUNT),
        args=container.texts("args", ARGUMENT_COUNT),
        mounts=frozenset(path.rstrip("/") for path in mounts) - {_ACCOUNT},
        plain=not {key for key, value in members.items() if value} - _HARMLESS,
    )


def read_known(data: bytes) -> tuple[Container, ...]:
    """The containers that a YAML list names by `image`, `command`, `args` and `mounts`.

    Raises `UnreadableError` whose text begins with `line:column:`.
    """
    listed = parse(data, DOCUMENT_BYTES)
    if not isinstance(listed.value, list) or not listed.value:
        raise _wrong(listed, "a list of containers is expected, with `- image: ...@sha256:...`")
    return tuple(map(_known, listed.value))


def _known(entry: Located) -> Container:
    members = entry.value
    if not isinstance(members, dict):
        raise _wrong(entry, "a container has `image` and `args`")
    unknown = sorted(members.keys() - {"image", "command", "args", "mounts"})
    if unknown:
        line, column = entry.keys[unknown[0]]
        raise malformed(
            f"{line}:{column}: unknown key {unknown[0]!r}; there are image, command, args, mounts"
        )
    image = members.get("image", entry)
    digest = digest_of(image.value) if isinstance(image.value, str) else None
    if digest is None:
        raise _wrong(image, "`image` has to end with @sha256: and 64 digits: a tag can be moved")
    args, command = _texts(members.get("args")), _texts(members.get("command"))
    if not args and not command:
        raise _wrong(entry, "without `args` or `command` nothing says what it verifies")
    mounts = frozenset(path.rstrip("/") for path in _texts(members.get("mounts")))
    return Container(digest=digest, command=command, args=args, mounts=mounts)


def _texts(listed: Located | None) -> tuple[str, ...]:
    if listed is None:
        return ()
    if not isinstance(listed.value, list):
        raise _wrong(listed, "a list of texts is expected")
    found = []
    for each in listed.value:
        if not isinstance(each.value, str):
            raise _wrong(each, "a text is expected; put it in quotes")
        found.append(each.value)
    return tuple(found)


def _wrong(at: Located, message: str) -> UnreadableError:
    return malformed(f"{at.line}:{at.column}: {message}")
