"""Names inside a document (bom-refs) and outside of it (purls, web addresses).

A bom-ref is the quoted id or path behind a prefix of its kind: quoting is one-to-one, so different
paths never get the same one, whatever characters they hold.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from aibom.domain.component import ComponentKind
from aibom.domain.ref import Ref, is_commit
from aibom.outputs import purl as package_url
from aibom.outputs.cdx.text import Json, shown, url

ROOT: Final = "target"
TOOL: Final = "tool"

_PLAIN = re.compile(r"[A-Za-z0-9_./-]+\Z")

_VERSION_CHARS: Final = 900  # the schema allows 1,024, the mark of a cut included

HUB: Final = {
    "hf": "https://huggingface.co/",
    "hf-dataset": "https://huggingface.co/datasets/",
    "hf-space": "https://huggingface.co/spaces/",
}


def file_ref(path: str) -> str:
    """The bom-ref of a file."""
    return "file:" + _quoted(path, ":@+=,")


def component_ref(identifier: str) -> str:
    """The bom-ref of a component by its id."""
    return "component:" + _quoted(identifier, ":@+=,")


def registry_ref(name: str) -> str:
    """The bom-ref of a registry that claims something."""
    return "registry:" + _quoted(name)


def external_ref(kind: ComponentKind, ref: Ref) -> str:
    """The bom-ref of something outside of the target."""
    revision = "" if ref.revision is None else "@" + _quoted(ref.revision)
    subpath = "" if ref.subpath is None else "#" + _quoted(ref.subpath)
    return f"external:{kind}:{_quoted(ref.scheme)}:{_quoted(ref.location)}{revision}{subpath}"


def unresolved_ref(kind: ComponentKind, loader: str) -> str:
    """The bom-ref of what a loader refers to in a way that could not be resolved."""
    return f"unresolved:{kind}:{_quoted(loader)}"


def purl(ref: Ref | None) -> str | None:
    """The package URL of a place, None when it has none that is well-formed.

    For the Hub the specification takes only commits as version; a branch is left out.
    """
    if ref is None:
        return None
    if ref.scheme in HUB and not is_commit(ref.revision):
        ref = Ref(scheme=ref.scheme, location=ref.location, subpath=ref.subpath)
    try:
        found = ref.purl
    except UnicodeEncodeError:  # lone surrogates of a hostile name
        return None
    return found if found and package_url.problem(found) is None else None


def version(declared: str | None, ref: Ref | None) -> str | None:
    """A version that stays: the declared one, else the revision. Never a branch such as `main`."""
    for candidate in (declared, ref.revision if ref else None):
        if candidate and not package_url.is_moving(candidate):
            return shown(candidate, _VERSION_CHARS)
    return None


def external_references(ref: Ref | None, kind: ComponentKind) -> list[Json]:
    """Where the place is on the web. A local path is never told."""
    if ref is None or ref.scheme == "file":
        return []
    if ref.scheme in HUB:
        tree = f"/tree/{ref.revision}" if ref.revision else ""
        address = url(HUB[ref.scheme] + ref.location + tree)
        type_ = "model-card" if kind in (ComponentKind.MODEL, ComponentKind.ADAPTER) else "distribution"
    else:
        address = url(ref.location if "://" in ref.location else f"{ref.scheme}://{ref.location}")
        type_ = "vcs" if ref.scheme == "git" else "distribution"
    return [{"url": address, "type": type_}] if address else []


def _quoted(text: str, also: str = "") -> str:
    if _PLAIN.match(text):  # nearly every path, and quoting takes three times as long
        return text
    return quote(text.encode("utf-8", "surrogatepass"), safe="/" + also)
