"""Every loader that is known in Python, by library."""

from __future__ import annotations

from typing import Final

from aibom.discovery.loaders import catalogues, frameworks, hosted, hub, registries, routers, torch
from aibom.discovery.python_call import Loader

# The catch-all for `from_pretrained` stands in `hub`, so that comes last.
_FAMILIES: Final = (torch, frameworks, catalogues, hosted, routers, registries, hub)

LOADERS: Final[tuple[Loader, ...]] = tuple(loader for family in _FAMILIES for loader in family.LOADERS)


def _roots() -> dict[bytes, tuple[bytes, ...]]:
    roots: dict[bytes, tuple[bytes, ...]] = {}
    for name, words in (item for family in _FAMILIES for item in family.ROOTS.items()):
        known = roots.get(name.encode(), tuple(word.encode() for word in words))
        # No words at all: the import alone is worth a look.
        roots[name.encode()] = (*known, *(word.encode() for word in words)) if known and words else ()
    return roots


# Import names of libraries, with words one of which their loaders cannot do without.
ROOTS: Final = _roots()
# What tells of a client that was made elsewhere.
TELLTALES: Final = (
    b".chat.completions.", b".messages.create(", b".responses.create(", b".embeddings.create(",
    b".generate_content(", b".invoke_model(", b".use_artifact(",
    # Models of spaCy are packages of their own.
    b"_core_web_", b"_core_news_", b"_core_sci_", b"_dep_news_", b"_ent_wiki_",
)  # fmt: skip
